//! Trading states of symbols (35=f): told at once, and of a reader that is behind the newest of each
//! symbol as soon as its socket takes bytes, before any value.

use super::conflate::SYMBOLS;
use super::market_data::{Desk, Market, relieve};
use super::outgoing::{Outgoing, Turn};
use super::request::Wish;
use super::subscription::Coverage;
use super::version::Version;
use crate::market::{Locate, NANOS_PER_DAY, Symbol, Timestamp, TradingStatus};
use crate::wire::fix::{UtcText, put_status};

/// A time of the feed, which has no date, on the day of the turn.
pub(super) fn utc_of(time: Timestamp, turn: &Turn<'_>) -> UtcText {
    let midnight_ns = turn.now.utc_ns / NANOS_PER_DAY * NANOS_PER_DAY;
    UtcText::new(midnight_ns + time.0 % NANOS_PER_DAY)
}

impl Market {
    /// Keeps the newest of `changes`.
    pub(super) fn keep_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        for &(symbol, status) in changes {
            self.statuses.insert(status.locate, (symbol, status));
        }
    }
}

impl Desk<'_> {
    /// Sends `changes` of symbols that the session has subscribed to. While it is behind they are marked
    /// instead.
    pub(super) fn tell_statuses(
        &mut self,
        changes: &[(Symbol, TradingStatus)],
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        for (symbol, status) in changes {
            if !self.subscriber.covers(status.locate) {
                continue;
            }
            if turn.is_behind() || !self.subscriber.untold.is_empty() {
                self.subscriber.untold.mark(status.locate);
                continue;
            }
            self.tell_status(symbol, status, outgoing, turn);
        }
    }

    /// Sends the newest states of marked symbols until none is left or the socket is full again.
    pub(super) fn tell_untold(&mut self, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        let mut locates = std::mem::take(&mut self.market.catch_up.locates);
        while !self.subscriber.untold.is_empty() && !turn.is_behind() {
            self.subscriber.untold.take(SYMBOLS, &mut locates);
            for &locate in &locates {
                if self.subscriber.covers(locate) {
                    self.tell_newest(locate, outgoing, turn);
                }
            }
        }
        self.market.catch_up.locates = locates;
    }

    /// Sends the states of those symbols of a new subscription of which one was ever told: who is told
    /// that trading has begun again may have missed it.
    pub(super) fn tell_standing(
        &mut self,
        coverage: &Coverage,
        wish: Wish,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        let known: Vec<Locate> = self.market.statuses.keys().copied().collect();
        for locate in known.into_iter().filter(|locate| coverage.holds(*locate)) {
            if wish == Wish::Subscribe && turn.is_behind() {
                self.subscriber.untold.mark(locate);
            } else if !turn.is_full() {
                self.tell_newest(locate, outgoing, turn);
            }
        }
    }

    fn tell_newest(&mut self, locate: Locate, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        if let Some((symbol, status)) = self.market.statuses.get(&locate).copied() {
            self.tell_status(&symbol, &status, outgoing, turn);
        }
    }

    fn tell_status(
        &mut self,
        symbol: &Symbol,
        status: &TradingStatus,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        let time = utc_of(status.time, turn);
        let body = &mut self.market.head;
        body.clear();
        let says_why = outgoing.version != Version::Fix42;
        put_status(body, symbol, status, &time, says_why);
        outgoing.send_body(b"f", body, turn);
        turn.counts.statuses += 1;
        relieve(turn, self.drain);
    }
}
