//! A publisher in front of another: only the rows of some symbols pass.

use std::collections::BTreeSet;
use std::io;

use super::fix::FixCounts;
use super::{Now, Publisher, TapeEvent, Update};
use crate::market::{Locate, Symbol, Timestamp, Top, TradingStatus};
use crate::window::Row;

/// Lets only what is about chosen symbols through. A break of an execution names no symbol and passes.
pub struct Only {
    symbols: BTreeSet<Symbol>,
    inner: Box<dyn Publisher + Send>,
    rows: Vec<Row>,
    tops: Vec<(Locate, Symbol, Top)>,
    statuses: Vec<(Symbol, TradingStatus)>,
    events: Vec<TapeEvent>,
}

impl Only {
    /// Lets `symbols` through to `inner`.
    #[must_use]
    pub fn new(symbols: BTreeSet<Symbol>, inner: Box<dyn Publisher + Send>) -> Self {
        Self {
            symbols,
            inner,
            rows: Vec::new(),
            tops: Vec::new(),
            statuses: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl Publisher for Only {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn wants_tops(&self) -> bool {
        self.inner.wants_tops()
    }

    fn wants_trades(&self) -> bool {
        self.inner.wants_trades()
    }

    fn trades(&mut self, time: Timestamp, events: &[TapeEvent]) -> io::Result<()> {
        self.events.clear();
        let passes = |event: &&TapeEvent| match event {
            TapeEvent::Trade { symbol, .. } => self.symbols.contains(symbol),
            TapeEvent::Break { .. } => true,
        };
        self.events.extend(events.iter().filter(passes));
        self.inner.trades(time, &self.events)
    }

    fn fix_counts(&self) -> Option<FixCounts> {
        self.inner.fix_counts()
    }

    fn duty(&mut self, now: Now) -> io::Result<bool> {
        self.inner.duty(now)
    }

    fn set_clock(&mut self, now: Now) {
        self.inner.set_clock(now);
    }

    fn listing(&mut self, locate: Locate, symbol: Symbol) {
        if self.symbols.contains(&symbol) {
            self.inner.listing(locate, symbol);
        }
    }

    fn feed_state(&mut self, stale: bool) {
        self.inner.feed_state(stale);
    }

    fn trading_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        self.statuses.clear();
        let ours = changes
            .iter()
            .filter(|(symbol, _)| self.symbols.contains(symbol));
        self.statuses.extend(ours);
        if !self.statuses.is_empty() {
            self.inner.trading_statuses(&self.statuses);
        }
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.rows.clear();
        self.tops.clear();
        let (symbols, rows) = (&self.symbols, update.rows.iter());
        self.rows
            .extend(rows.filter(|row| symbols.contains(&row.symbol)));
        let tops = update.tops.iter();
        self.tops
            .extend(tops.filter(|(_, symbol, _)| symbols.contains(symbol)));
        if self.rows.is_empty() && self.tops.is_empty() {
            return Ok(());
        }
        self.inner.publish(&Update {
            time: update.time,
            rows: (&self.rows).into(),
            tops: &self.tops,
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shared;
    use super::*;
    use crate::market::{Price, Shares, Trade};

    #[derive(Default)]
    struct Taker(Vec<TapeEvent>);

    impl Publisher for Taker {
        fn name(&self) -> String {
            "taker".to_owned()
        }

        fn wants_trades(&self) -> bool {
            true
        }

        fn trades(&mut self, _: Timestamp, events: &[TapeEvent]) -> io::Result<()> {
            self.0.extend(events);
            Ok(())
        }

        fn fix_counts(&self) -> Option<FixCounts> {
            let logons = 7;
            Some(FixCounts {
                logons,
                ..FixCounts::default()
            })
        }

        fn listing(&mut self, _: Locate, _: Symbol) {}

        fn publish(&mut self, _: &Update<'_>) -> io::Result<()> {
            Ok(())
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn executions_of_other_symbols_do_not_pass_and_breaks_do() {
        let [ours, other] = ["OURS", "OTHER"].map(|name| Symbol::new(name).unwrap());
        let taker = Shared::new(Taker::default());
        let mut only = Only::new([ours].into(), Box::new(taker.clone()));
        assert!(only.wants_trades());
        assert_eq!(only.fix_counts().unwrap().logons, 7);
        let time = Timestamp(9);
        let trade = |symbol| TapeEvent::Trade {
            trade: Trade {
                time,
                locate: Locate(1),
                price: Price(10_000),
                shares: Shares(5),
                match_number: 3,
                policies: 1,
            },
            symbol,
        };
        let broken = TapeEvent::Break {
            match_number: 3,
            time,
        };
        for _ in 0..2 {
            let events = [trade(other), trade(ours), broken];
            only.trades(time, &events).unwrap();
        }
        let expected = [trade(ours), broken, trade(ours), broken];
        assert_eq!(taker.lock().0, expected);
    }
}
