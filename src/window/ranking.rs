//! Which rows are due, in the order in which they are written: by label, then by locate, then by window.

use crate::market::{Locate, Symbol};

/// How many rows are listed at a time where few of many are due.
const AT_A_TIME: usize = 5;
/// How many at a time where most are, one behind the other.
const RUN: usize = 16;

/// Labels and locates in order, with a mark for each of their rows that is due.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// All of them, in order.
    symbols: Vec<(Symbol, Locate)>,
    /// One bit for each window of a symbol, as many as 1 << `shift` a symbol.
    due: Vec<u64>,
    /// One bit a word of `due`, set where the word may not be 0.
    groups: Vec<u64>,
    /// What [`Ranking::list`] has found, kept for its storage: room for all rows and [`RUN`] more.
    listed: Vec<Rank>,
    shift: u32,
    /// One bit for each window.
    windows: u64,
    stale: bool,
}

/// Where a row comes among all that there can be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rank(u32);

impl Rank {
    /// That of the first row.
    pub(super) const FIRST: Self = Self(0);

    /// That of the row of another window, where this is that of the symbol's first.
    pub(super) fn of_window(self, window: usize) -> Self {
        Self(self.0 + window as u32)
    }
}

/// Which row is which.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    symbols: &'a [(Symbol, Locate)],
    shift: u32,
    mask: u32,
}

impl Order<'_> {
    /// Label, locate and window of a row.
    #[inline(always)]
    pub(super) fn row(&self, Rank(row): Rank) -> (Symbol, Locate, u8) {
        let (symbol, locate) = self.symbols[(row >> self.shift) as usize];
        (symbol, locate, (row & self.mask) as u8)
    }
}

impl Ranking {
    /// Of no symbols, for so many windows of each, 1 to 64.
    pub(super) fn new(windows: usize) -> Self {
        Self {
            shift: windows.next_power_of_two().ilog2(),
            windows: u64::MAX >> (64 - windows),
            ..Self::default()
        }
    }

    /// Labels have changed, or there are more.
    pub(super) fn invalidate(&mut self) {
        self.stale = true;
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Orders `labels`, which holds every locate from 0 on, and returns for each the rank of the row of its
    /// first window. No row is due.
    pub(super) fn rank(
        &mut self,
        mut labels: Vec<(Symbol, Locate)>,
    ) -> impl Iterator<Item = (Rank, Locate)> + '_ {
        labels.sort_unstable();
        self.due = vec![0; (labels.len() << self.shift).div_ceil(64)];
        self.groups = vec![0; self.due.len().div_ceil(64)];
        let rows = self.due.len() * 64;
        self.listed.resize(rows + RUN, Rank::FIRST);
        self.symbols = labels;
        self.stale = false;
        let shift = self.shift;
        let symbols = (0..).zip(&self.symbols);
        symbols.map(move |(place, &(_, locate))| (Rank(place << shift), locate))
    }

    /// Says whether a row `is_due`. No branch: it is hard to foresee.
    #[inline(always)]
    pub(super) fn set(&mut self, Rank(row): Rank, is_due: bool) {
        let row = row as usize;
        let word = &mut self.due[row / 64];
        *word = *word & !(1 << (row % 64)) | u64::from(is_due) << (row % 64);
        self.groups[row / 4096] |= u64::from(is_due) << (row / 64 % 64);
    }

    /// Says that those of a symbol's rows are due that have a bit in `windows`, besides those that are. `first` is
    /// that of its first window.
    #[inline]
    pub(super) fn add(&mut self, Rank(first): Rank, windows: u64) {
        let row = first as usize;
        self.due[row / 64] |= (windows & self.windows) << (row % 64);
        self.groups[row / 4096] |= 1 << (row / 64 % 64);
    }

    /// Whether a row may be due.
    pub(super) fn has_due(&self) -> bool {
        self.groups.iter().any(|&group| group != 0)
    }

    /// The rows that are due, in order. They are due again next time if they are `kept`.
    pub(super) fn list(&mut self, kept: bool) -> (Order<'_>, &[Rank]) {
        let kept = u64::from(kept).wrapping_neg();
        let mut count = 0;
        for (place, group) in self.groups.iter_mut().enumerate() {
            let mut words = *group;
            while words != 0 {
                let bit = words.trailing_zeros();
                words &= words - 1;
                let word = place * 64 + bit as usize;
                let due = self.due[word];
                self.due[word] &= kept;
                *group &= !(u64::from(due & kept == 0) << bit);
                let (first, listed) = (word as u32 * 64, &mut self.listed[count..]);
                count += match kept {
                    0 => list_rows(due, first, listed),
                    _ => list_runs(due, first, listed),
                };
            }
        }
        let order = Order {
            symbols: &self.symbols,
            shift: self.shift,
            mask: (1 << self.shift) - 1,
        };
        (order, &self.listed[..count])
    }
}

/// Lists the ones of `due`, where the first bit is that of the row `first`, and returns how many there are: for words
/// that have few. What is listed too much is overwritten later.
#[inline(always)]
fn list_rows(mut due: u64, first: u32, listed: &mut [Rank]) -> usize {
    let mut count = 0;
    // Several at a time, as no processor foresees how many there are.
    while due != 0 {
        for row in &mut listed[count..][..AT_A_TIME] {
            *row = Rank(first + due.trailing_zeros());
            count += usize::from(due != 0);
            due &= due.wrapping_sub(1);
        }
    }
    count
}

/// The same for words that have many: run by run.
#[inline(always)]
fn list_runs(mut due: u64, first: u32, listed: &mut [Rank]) -> usize {
    let mut count = 0;
    while due != 0 {
        let start = due.trailing_zeros();
        let length = (!(due >> start)).trailing_zeros();
        due &= due.wrapping_add(1 << start);
        for from in (0..length).step_by(RUN) {
            let listed = &mut listed[count + from as usize..][..RUN];
            for (row, listed) in (first + start + from..).zip(listed) {
                *listed = Rank(row);
            }
        }
        count += length as usize;
    }
    count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_listed_by_label_and_window(
            windows in prop::sample::select(vec![1_usize, 2, 5, 8, 33, 64]),
            symbols in 1..200_u16,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0..64_usize, 0..5_u8), 0..300),
            kept in any::<bool>(),
        ) {
            let label = |locate: u16| Symbol::new(&format!("S{}", locate % 50)).expect("a symbol");
            let labels = (0..symbols).map(|locate| (label(locate), Locate(locate))).collect();
            let mut ranking = Ranking::new(windows);
            let mut first = vec![Rank::FIRST; usize::from(symbols)];
            for (rank, locate) in ranking.rank(labels) {
                first[locate.index()] = rank;
            }
            let mut due = BTreeSet::new();
            for (locate, window, what) in steps {
                let (locate, window) = (locate.index(first.len()), window % windows);
                let row = |window: usize| (label(locate as u16), Locate(locate as u16), window as u8);
                match what {
                    4 => {
                        ranking.add(first[locate], u64::MAX);
                        due.extend((0..windows).map(row));
                    }
                    0 => {
                        ranking.add(first[locate], 1 << window | 1);
                        due.extend([row(0), row(window)]);
                    }
                    1 | 2 => {
                        ranking.set(first[locate].of_window(window), what == 1);
                        if what == 1 {
                            due.insert(row(window));
                        } else {
                            due.remove(&row(window));
                        }
                    }
                    _ => {
                        let (order, listed) = ranking.list(kept);
                        let listed: Vec<_> = listed.iter().map(|&rank| order.row(rank)).collect();
                        prop_assert_eq!(listed, due.iter().copied().collect::<Vec<_>>());
                        if !kept {
                            due.clear();
                        }
                        prop_assert_eq!(ranking.has_due(), !due.is_empty());
                    }
                }
            }
        }
    }
}
