//! The rows of one update, however they are kept.

use std::slice;

use super::Row;
use crate::market::Timestamp;

/// Rows to go through, in order.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    lines: &'a [Row],
    count: usize,
    /// Where lines of a table are shown: the end of all rows and one bit for each window that is complete.
    shown: Option<(Timestamp, u64)>,
}

impl<'a> Rows<'a> {
    /// No rows.
    pub const NONE: Rows<'static> = Rows {
        lines: &[],
        count: 0,
        shown: None,
    };

    /// The rows of an end: those among `lines` that hold executions, of which there are so many.
    pub(super) fn of_table(lines: &'a [Row], count: usize, end: Timestamp, complete: u64) -> Self {
        let shown = Some((end, complete));
        Self {
            lines,
            count,
            shown,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Each of them.
    #[must_use]
    pub fn iter(self) -> RowsIter<'a> {
        RowsIter {
            lines: self.lines.iter(),
            shown: self.shown,
        }
    }
}

impl<'a> From<&'a [Row]> for Rows<'a> {
    fn from(rows: &'a [Row]) -> Self {
        Self {
            lines: rows,
            count: rows.len(),
            shown: None,
        }
    }
}

impl<'a, const COUNT: usize> From<&'a [Row; COUNT]> for Rows<'a> {
    fn from(rows: &'a [Row; COUNT]) -> Self {
        rows.as_slice().into()
    }
}

impl<'a> From<&'a Vec<Row>> for Rows<'a> {
    fn from(rows: &'a Vec<Row>) -> Self {
        rows.as_slice().into()
    }
}

impl<'a> IntoIterator for Rows<'a> {
    type Item = Row;
    type IntoIter = RowsIter<'a>;

    fn into_iter(self) -> RowsIter<'a> {
        self.iter()
    }
}

/// What [`Rows::iter`] returns.
#[derive(Clone, Debug)]
pub struct RowsIter<'a> {
    lines: slice::Iter<'a, Row>,
    shown: Option<(Timestamp, u64)>,
}

impl Iterator for RowsIter<'_> {
    type Item = Row;

    #[inline]
    fn next(&mut self) -> Option<Row> {
        let Some((end, complete)) = self.shown else {
            return self.lines.next().copied();
        };
        let mut held = self.lines.by_ref().filter(|line| line.sums.trades > 0);
        held.next().map(|line| Row {
            end,
            complete: complete >> line.window & 1 == 1,
            ..*line
        })
    }
}
