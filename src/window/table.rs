//! All rows of an end: which there are, and a table of them that is kept from one end to a later one, where a line that
//! has not changed since is not written again.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::state::Totals;
use super::{Row, Rows};
use crate::market::Timestamp;

/// How many ends ago a table may have been shown and still be brought up to date line by line.
const REMEMBERED: usize = 8;
/// Where more than one line in so many has changed since, a table is written anew, which takes the lines in turn.
const FEW: usize = 8;

/// An end of some windows.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    /// No other windows have this number, which is never 0.
    owner: u64,
    /// How many ends they have shown.
    number: u64,
}

/// A line for each row that there can be, in the order of rows; those without executions are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Their ends and whether they are complete are below.
    lines: Vec<Row>,
    /// How many of the lines have executions.
    count: usize,
    end: Timestamp,
    /// One bit for each window.
    complete: u64,
    at: At,
}

/// Which lines are rows, and which have changed at the last ends.
#[derive(Debug)]
pub(super) struct Changes {
    at: At,
    /// One bit for each line, of those that are rows at this end, and how many are.
    held: Vec<u64>,
    count: usize,
    /// What a table showed at an earlier end has nothing to do with what the next one shows.
    known_from: u64,
    /// The changes of the last ends, each at the place of its number.
    changed: [Vec<u32>; REMEMBERED],
}

impl Changes {
    pub(super) fn new() -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        Self {
            at: At {
                owner: OWNERS.fetch_add(1, Ordering::Relaxed),
                number: 0,
            },
            held: Vec::new(),
            count: 0,
            known_from: 0,
            changed: Default::default(),
        }
    }

    /// Before the next end all lines change, or their order.
    pub(super) fn forget(&mut self) {
        self.known_from = self.at.number + 1;
    }

    /// The next end, at which these lines of `totals` have changed.
    pub(super) fn note(&mut self, changed: &[u32], totals: &[Totals]) {
        self.at.number += 1;
        if self.known_from == self.at.number {
            self.held.clear();
            self.held.extend(totals.chunks(64).map(held));
            self.count = self
                .held
                .iter()
                .map(|held| held.count_ones() as usize)
                .sum();
            return;
        }
        for &place in changed {
            let place = place as usize;
            let (word, bit) = (&mut self.held[place / 64], place % 64);
            let is_held = u64::from(totals[place].sums.trades > 0);
            self.count = self.count + is_held as usize - (*word >> bit & 1) as usize;
            *word = *word & !(1 << bit) | is_held << bit;
        }
        let slot = &mut self.changed[self.at.number as usize % REMEMBERED];
        slot.clear();
        slot.extend_from_slice(changed);
    }

    /// How many lines are rows at this end.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The lines that are rows at this end, as runs in order.
    pub(super) fn runs(&self, mut show: impl FnMut(Range<usize>)) {
        for (word, &held) in self.held.iter().enumerate() {
            let mut held = held;
            while held != 0 {
                let start = held.trailing_zeros();
                let length = (!(held >> start)).trailing_zeros();
                held &= held.wrapping_add(1 << start);
                let first = word * 64 + start as usize;
                show(first..first + length as usize);
            }
        }
    }

    /// The lines that have changed since a table was shown, end by end, if they are known and few among so many.
    fn since(&self, shown: At, lines: usize) -> Option<impl Iterator<Item = &[u32]>> {
        let is_near = self.at.owner == shown.owner
            && self.known_from <= shown.number
            && self.at.number - shown.number <= REMEMBERED as u64;
        if !is_near {
            return None;
        }
        let ends = shown.number + 1..self.at.number + 1;
        let changed = ends.map(|number| &*self.changed[number as usize % REMEMBERED]);
        let count: usize = changed.clone().map(<[u32]>::len).sum();
        (count <= lines / FEW).then_some(changed)
    }
}

/// One bit for each of at most 64 totals that hold an execution.
#[inline(always)]
pub(super) fn held(totals: &[Totals]) -> u64 {
    let held = totals.iter().rev();
    held.fold(0, |held, totals| {
        held << 1 | u64::from(totals.sums.trades > 0)
    })
}

impl Table {
    /// Makes room for so many lines and writes to all of it, so that its pages are there.
    pub(super) fn reserve(&mut self, lines: usize, line: Row) {
        *self = Self::default();
        self.lines.resize(lines, line);
        self.lines.clear();
    }

    /// Shows `totals` as the rows of `end`. `changes` are all theirs, up to this end.
    pub(super) fn show(
        &mut self,
        (end, complete): (Timestamp, u64),
        totals: &[Totals],
        changes: &Changes,
    ) {
        (self.end, self.complete) = (end, complete);
        self.count = changes.count;
        let row = |totals: &Totals| totals.row(end, complete);
        if let Some(changed) = changes.since(self.at, totals.len()) {
            for &place in changed.flatten() {
                self.lines[place as usize] = row(&totals[place as usize]);
            }
        } else {
            self.lines.clear();
            self.lines.extend(totals.iter().map(row));
        }
        self.at = changes.at;
    }

    /// The rows that it shows.
    pub(super) fn rows(&self) -> Rows<'_> {
        Rows::of_table(&self.lines, self.count, self.end, self.complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_those_that_hold_executions_however_long_ago_a_table_was_shown(
            lines in 1..300_usize,
            ends in prop::collection::vec(
                (prop::collection::vec((any::<prop::sample::Index>(), 0..3_u32), 0..40), 0..12_usize, 0..20_u8),
                0..60,
            ),
        ) {
            let mut totals = vec![Totals::EMPTY; lines];
            let (mut changes, mut tables) = (Changes::new(), vec![Table::default(); 12]);
            changes.forget();
            for (end, (changed, table, order)) in (1..).zip(ends) {
                if order == 0 {
                    totals.reverse();
                    changes.forget();
                }
                let mut places = Vec::new();
                for (place, trades) in changed {
                    let place = place.index(lines);
                    totals[place].sums.trades = trades;
                    places.push(place as u32);
                }
                changes.note(&places, &totals);
                let held = |&line: &usize| totals[line].sums.trades > 0;
                let held: Vec<usize> = (0..lines).filter(held).collect();
                let mut runs = Vec::new();
                changes.runs(|run| runs.extend(run));
                prop_assert_eq!(&runs, &held);
                prop_assert_eq!(changes.count(), held.len());
                let (end, table) = (Timestamp(end), &mut tables[table]);
                table.show((end, 1), &totals, &changes);
                let rows: Vec<Row> = held.iter().map(|&line| totals[line].row(end, 1)).collect();
                prop_assert_eq!(table.rows().len(), rows.len());
                prop_assert!(table.rows().iter().eq(rows));
            }
        }
    }
}
