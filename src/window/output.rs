//! What the streaming path hands on: rows, and which of them belong together.

use super::{Row, Sums};
use crate::market::{Locate, Symbol, Timestamp};

/// Rows in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// All rows.
    pub rows: Vec<Row>,
    /// For each end or correction that brought rows, its feed time and where its rows end in `rows`.
    pub updates: Vec<(Timestamp, usize)>,
    /// The newest end that has been passed.
    pub passed: Timestamp,
}

impl Output {
    /// Makes room for so many rows and writes to all of it, so that its pages are there.
    pub fn reserve(&mut self, rows: usize) {
        let none = Row {
            end: Timestamp(0),
            locate: Locate(0),
            symbol: Symbol::ALL,
            window: 0,
            sums: Sums::default(),
            complete: false,
            revision: 0,
        };
        self.rows.resize(rows, none);
        self.rows.clear();
    }

    /// Forgets the rows and keeps the storage.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.updates.clear();
    }

    /// Ends an update at `time`, in nanoseconds, if it brings rows.
    pub fn close(&mut self, time: u64) {
        if self.updates.last().map_or(0, |&(_, end)| end) < self.rows.len() {
            self.updates.push((Timestamp(time), self.rows.len()));
        }
    }
}
