//! A publisher in front of another: only some of the rows pass.

use std::collections::BTreeSet;
use std::io;

use super::{Now, Publisher, Update};
use crate::market::{Locate, Symbol, Top};
use crate::window::{Row, Selection};

/// What passes.
enum Passes {
    /// Listings, rows and tops of these symbols.
    Symbols(BTreeSet<Symbol>),
    /// The rows of each end that the selection picks, and everything else.
    Selection(Selection),
}

/// Lets only the rows through that were asked for.
pub struct Only {
    passes: Passes,
    inner: Box<dyn Publisher + Send>,
    rows: Vec<Row>,
    tops: Vec<(Locate, Symbol, Top)>,
}

impl Only {
    /// Lets `symbols` through to `inner`.
    #[must_use]
    pub fn new(symbols: BTreeSet<Symbol>, inner: Box<dyn Publisher + Send>) -> Self {
        Self::of(Passes::Symbols(symbols), inner)
    }

    /// Lets the rows of `selection` through to `inner`, and all tops of book. It must be given all rows
    /// of an end at once, as the batch path does.
    #[must_use]
    pub fn selected(selection: Selection, inner: Box<dyn Publisher + Send>) -> Self {
        Self::of(Passes::Selection(selection), inner)
    }

    fn of(passes: Passes, inner: Box<dyn Publisher + Send>) -> Self {
        Self {
            passes,
            inner,
            rows: Vec::new(),
            tops: Vec::new(),
        }
    }

    fn is_listed(&self, symbol: Symbol) -> bool {
        match &self.passes {
            Passes::Symbols(symbols) => symbols.contains(&symbol),
            Passes::Selection(_) => true,
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
        if self.is_listed(symbol) {
            self.inner.listing(locate, symbol);
        }
    }

    fn feed_state(&mut self, stale: bool) {
        self.inner.feed_state(stale);
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.rows.clear();
        self.tops.clear();
        match &self.passes {
            Passes::Symbols(symbols) => {
                let rows = update.rows.iter();
                self.rows
                    .extend(rows.filter(|row| symbols.contains(&row.symbol)));
                let tops = update.tops.iter();
                self.tops
                    .extend(tops.filter(|(_, symbol, _)| symbols.contains(symbol)));
            }
            Passes::Selection(selection) => {
                for end in update.rows.chunk_by(|a, b| a.end == b.end) {
                    selection.select(end, &mut self.rows);
                }
                self.tops.extend_from_slice(update.tops);
            }
        }
        if self.rows.is_empty() && self.tops.is_empty() {
            return Ok(());
        }
        self.inner.publish(&Update {
            time: update.time,
            rows: &self.rows,
            tops: &self.tops,
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.inner.finish()
    }
}
