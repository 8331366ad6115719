//! A publisher in front of another: only the selected rows of each end pass.

use std::io;

use super::{Now, Publisher, Update};
use crate::market::{Locate, Symbol};
use crate::window::{Row, Selection};

/// Lets only selected rows through, and all tops of book.
pub struct Selected {
    selection: Selection,
    inner: Box<dyn Publisher + Send>,
    rows: Vec<Row>,
}

impl Selected {
    /// Lets the rows of `selection` through to `inner`. It must be given all rows of an end at once, as
    /// the batch path does.
    #[must_use]
    pub fn new(selection: Selection, inner: Box<dyn Publisher + Send>) -> Self {
        Self {
            selection,
            inner,
            rows: Vec::new(),
        }
    }
}

impl Publisher for Selected {
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
        self.inner.listing(locate, symbol);
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.rows.clear();
        for end in update.rows.chunk_by(|a, b| a.end == b.end) {
            self.selection.select(end, &mut self.rows);
        }
        if self.rows.is_empty() && update.tops.is_empty() {
            return Ok(());
        }
        self.inner.publish(&Update {
            rows: &self.rows,
            ..*update
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.inner.finish()
    }
}
