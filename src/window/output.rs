//! What the streaming path hands on: rows, and which of them belong together.

use super::state::Totals;
use super::table::{Changes, Table};
use super::{Row, Rows, Sums};
use crate::market::{Locate, Symbol, Timestamp};

/// Rows in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The rows of all updates but the one that is a table.
    pub rows: Vec<Row>,
    /// For each end or correction that brought rows, its feed time and where its rows end in `rows`.
    pub updates: Vec<(Timestamp, usize)>,
    /// The newest end that has been passed.
    pub passed: Timestamp,
    table: Table,
    /// Which of the updates has its rows in the table, if any.
    in_table: Option<usize>,
}

impl Output {
    /// Makes room for so many rows, and for a table of so many lines, and writes to all of it, so that its pages are
    /// there.
    pub fn reserve(&mut self, rows: usize, lines: usize) {
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
        self.table.reserve(lines, none);
    }

    /// Forgets the rows and keeps the storage.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.updates.clear();
        self.in_table = None;
    }

    /// Ends an update at `time`, in nanoseconds, if it brings rows.
    pub fn close(&mut self, time: u64) {
        if self.updates.last().map_or(0, |&(_, end)| end) < self.rows.len() {
            self.updates.push((Timestamp(time), self.rows.len()));
        }
    }

    /// Each update's feed time and rows.
    pub fn each(&self) -> impl Iterator<Item = (Timestamp, Rows<'_>)> {
        let mut from = 0;
        self.updates
            .iter()
            .enumerate()
            .map(move |(index, &(time, to))| {
                let listed = &self.rows[std::mem::replace(&mut from, to)..to];
                match self.in_table == Some(index) {
                    true => (time, self.table.rows()),
                    false => (time, Rows::from(listed)),
                }
            })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        let in_table = self.in_table.map_or(0, |_| self.table.rows().len());
        self.rows.len() + in_table
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Whether the rows of an end are in the table.
    pub(super) fn shows_table(&self) -> bool {
        self.in_table.is_some()
    }

    /// Makes `totals` the rows of `end` and closes that update; not if the table shows another end already.
    pub(super) fn show(
        &mut self,
        (end, complete): (Timestamp, u64),
        totals: &[Totals],
        changes: &Changes,
    ) -> bool {
        if self.shows_table() {
            return false;
        }
        self.table.show((end, complete), totals, changes);
        if !self.table.rows().is_empty() {
            self.in_table = Some(self.updates.len());
            self.updates.push((end, self.rows.len()));
        }
        true
    }
}
