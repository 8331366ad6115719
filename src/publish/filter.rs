//! A publisher in front of another: only the rows of some symbols pass.

use std::collections::BTreeSet;
use std::io;

use super::{Now, Publisher, Update};
use crate::market::{Locate, Symbol, Top, TradingStatus};
use crate::window::Row;

/// Lets only the rows and tops of chosen symbols through.
pub struct Only {
    symbols: BTreeSet<Symbol>,
    inner: Box<dyn Publisher + Send>,
    rows: Vec<Row>,
    tops: Vec<(Locate, Symbol, Top)>,
    statuses: Vec<(Symbol, TradingStatus)>,
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
