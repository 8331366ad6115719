//! Trading states: what ITCH and FIX say of a symbol, and when that is a change.

use super::Normaliser;
use super::market_data::symbol_of;
use crate::columns::Batch;
use crate::market::{Locate, NANOS_PER_DAY, Timestamp, TradingState, TradingStatus};
use crate::wire::fix::{self, parse_utc, tag};
use crate::wire::itch50::{OperationalHalt, StockTradingAction};

/// State and reason.
type Standing = (TradingState, [u8; 4]);

/// What has been said of one symbol.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// By the listing exchange.
    action: Standing,
    /// The market that has halted it by itself.
    halted_by: Option<u8>,
}

impl Said {
    /// What holds: a halt of one market matters while all others trade.
    fn holds(&self) -> Standing {
        match (self.action.0, self.halted_by) {
            (TradingState::Trading, Some(market)) => {
                (TradingState::OperationalHalt, [market, b' ', b' ', b' '])
            }
            _ => self.action,
        }
    }
}

/// By locate. A symbol of which nothing has been said is trading.
#[derive(Default)]
pub(super) struct Statuses(Vec<Said>);

impl Normaliser {
    #[cold]
    pub(super) fn trading_action(&mut self, action: &StockTradingAction<'_>, batch: &mut Batch) {
        let header = action.header();
        self.begin(&header, batch);
        let Some(state) = TradingState::from_indicator(action.trading_state()) else {
            self.counts.malformed += 1;
            return;
        };
        let say = |said: &mut Said| said.action = (state, action.reason());
        self.say(header.locate, self.now, say, batch);
    }

    #[cold]
    pub(super) fn operational_halt(&mut self, halt: &OperationalHalt<'_>, batch: &mut Batch) {
        let header = halt.header();
        self.begin(&header, batch);
        let market = halt.market_code();
        let say = |said: &mut Said| match halt.operational_halt_action() {
            b'H' => said.halted_by = Some(market),
            _ => said.halted_by = said.halted_by.filter(|by| *by != market),
        };
        self.say(header.locate, self.now, say, batch);
    }

    /// A SecurityStatus. It may be older than what has come before it, so it does not set the time.
    pub(super) fn fix_status(&mut self, message: &fix::Message<'_>, batch: &mut Batch) {
        let Some(standing) = fix::status_of(message) else {
            self.counts.unused_entries += 1;
            return;
        };
        let at = |tag| message.get(tag).and_then(parse_utc);
        let time = at(tag::TRANSACT_TIME).or_else(|| at(tag::SENDING_TIME));
        let symbol = symbol_of(message.get(tag::SYMBOL));
        let locate = symbol.and_then(|symbol| self.fix_locate(symbol, batch).ok());
        match locate.zip(time) {
            Some((locate, utc_ns)) => {
                let say = |said: &mut Said| said.action = standing;
                self.say(locate, Timestamp(utc_ns % NANOS_PER_DAY), say, batch);
            }
            None => self.counts.unusable_entries += 1,
        }
    }

    /// Notes what is said of `locate` and hands it on if another state or reason holds now. The reason
    /// of trading is no news.
    fn say(
        &mut self,
        locate: Locate,
        time: Timestamp,
        say: impl FnOnce(&mut Said),
        batch: &mut Batch,
    ) {
        let all = &mut self.statuses.0;
        if all.len() <= locate.index() {
            all.resize(locate.index() + 1, Said::default());
        }
        let before = all[locate.index()].holds();
        say(&mut all[locate.index()]);
        let (state, reason) = all[locate.index()].holds();
        let trades = before.0 == TradingState::Trading && state == TradingState::Trading;
        if before != (state, reason) && !trades {
            batch.statuses.push(TradingStatus {
                locate,
                state,
                reason,
                time,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Symbol;
    use crate::wire::itch50::{Header, OperationalHaltFields, StockTradingActionFields};

    fn told(messages: &[(u8, u8, [u8; 4])]) -> Vec<(TradingState, [u8; 4], u64)> {
        let (mut normaliser, mut batch) = (Normaliser::new(false), Batch::default());
        for (second, &(kind, action, code)) in messages.iter().enumerate() {
            let header = Header {
                locate: Locate(7),
                tracking_number: 0,
                timestamp: Timestamp(second as u64),
            };
            let stock = Symbol::new("AAPL").unwrap();
            let mut bytes = Vec::new();
            match kind {
                b'H' => StockTradingActionFields {
                    stock,
                    trading_state: action,
                    reserved: 0,
                    reason: code,
                }
                .emit(&header, &mut bytes),
                _ => OperationalHaltFields {
                    stock,
                    market_code: code[0],
                    operational_halt_action: action,
                }
                .emit(&header, &mut bytes),
            }
            normaliser.message(&bytes, &mut batch).unwrap();
        }
        let told = batch.statuses.iter();
        told.map(|status| (status.state, status.reason, status.time.0))
            .collect()
    }

    #[test]
    fn only_changes_are_handed_on() {
        let told = told(&[
            (b'H', b'T', *b"    "),
            (b'H', b'H', *b"T1  "),
            (b'H', b'H', *b"T1  "),
            (b'H', b'H', *b"T2  "),
            (b'H', b'Q', *b"T3  "),
            (b'H', b'T', *b"T3  "),
            (b'H', b'T', *b"    "),
            (b'H', b'X', *b"    "),
        ]);
        assert_eq!(
            told,
            [
                (TradingState::Halted, *b"T1  ", 1),
                (TradingState::Halted, *b"T2  ", 3),
                (TradingState::QuotationOnly, *b"T3  ", 4),
                (TradingState::Trading, *b"T3  ", 5),
            ]
        );
    }

    #[test]
    fn a_market_halts_by_itself_and_no_other_ends_that() {
        let told = told(&[
            (b'h', b'H', *b"Q   "),
            (b'h', b'T', *b"B   "),
            (b'H', b'P', *b"LUDP"),
            (b'H', b'T', *b"    "),
            (b'h', b'T', *b"Q   "),
        ]);
        assert_eq!(
            told,
            [
                (TradingState::OperationalHalt, *b"Q   ", 0),
                (TradingState::Paused, *b"LUDP", 2),
                (TradingState::OperationalHalt, *b"Q   ", 3),
                (TradingState::Trading, *b"    ", 4),
            ]
        );
    }
}
