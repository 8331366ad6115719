//! Single executions as entries, and the end of the feed.

use super::entries::{Action, Entries};
use super::market_data::{Desk, Market};
use super::outgoing::{Outgoing, Turn};
use super::request::TRADES;
use super::status::utc_of;
use crate::market::{Symbol, Timestamp, Trade};
use crate::publish::TapeEvent;
use crate::window::Policy;
use crate::wire::fix::tag;

impl Market {
    /// Encodes `events`, one entry each.
    pub(super) fn absorb_trades(&mut self, events: &[TapeEvent]) {
        self.entries.clear();
        self.selections.clear();
        for event in events {
            match *event {
                TapeEvent::Trade { trade, symbol } => self.entries.add_trade(&trade, &symbol),
                TapeEvent::Break { match_number, time } => {
                    self.entries.add_break(match_number, time);
                }
            }
        }
    }
}

impl Entries {
    fn add_trade(&mut self, trade: &Trade, symbol: &Symbol) {
        let first = self.count();
        let before = self.open(Action::New, b'2', symbol);
        self.body.uint(tag::MD_ENTRY_ID, trade.match_number);
        self.body.price(tag::MD_ENTRY_PX, trade.price);
        self.body
            .uint(tag::MD_ENTRY_SIZE, u64::from(trade.shares.0));
        self.body.time(tag::MD_ENTRY_TIME, trade.time.0);
        self.body.char(tag::TEXT, kind(trade.policies));
        self.close(before, TRADES);
        self.note(Some(trade.locate), None, first);
    }

    /// A break names no symbol: everybody who has executions is told.
    fn add_break(&mut self, match_number: u64, time: Timestamp) {
        let first = self.count();
        let before = (self.body.len(), self.body.sum());
        self.body.char(tag::MD_UPDATE_ACTION, Action::Delete as u8);
        self.body.char(tag::MD_ENTRY_TYPE, b'2');
        self.body.uint(tag::MD_ENTRY_ID, match_number);
        self.body.time(tag::MD_ENTRY_TIME, time.0);
        self.close(before, TRADES);
        self.note(None, None, first);
    }
}

/// The ITCH type behind the policies of an execution; that of E and C is E.
fn kind(policies: u8) -> u8 {
    let counts = |policy: Policy| policies & policy.bit() != 0;
    match (counts(Policy::Auction), counts(Policy::Displayed)) {
        (true, _) => b'Q',
        (_, true) => b'E',
        _ => b'P',
    }
}

impl Desk<'_> {
    /// Tells a subscriber of single executions that the feed has ended at `time`.
    pub(super) fn tell_end(
        &mut self,
        time: Timestamp,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        if self.subscriber.types() & TRADES == 0 {
            return;
        }
        let end = utc_of(time, turn);
        let body = &mut self.market.head;
        body.clear();
        body.char(tag::TRADING_SESSION_ID, b'1');
        body.flag(tag::UNSOLICITED_INDICATOR, true);
        body.char(tag::TRAD_SES_STATUS, b'3');
        body.utc(tag::TRAD_SES_END_TIME, &end);
        outgoing.send_body(b"h", body, turn);
    }
}
