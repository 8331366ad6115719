//! The order in which symbols are written: by label, then by locate.

use crate::market::{Locate, Symbol};

/// Locates in the order of their labels, and a mark for each that is due.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    rank_of: Vec<u32>,
    by_rank: Vec<Locate>,
    /// One bit a rank.
    marked: Vec<u64>,
    stale: bool,
}

impl Ranking {
    /// Labels have changed, or there are more.
    pub(super) fn invalidate(&mut self) {
        self.stale = true;
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Orders `labels`, which holds every locate from 0 on. Marks are forgotten.
    pub(super) fn rank(&mut self, mut labels: Vec<(Symbol, Locate)>) {
        labels.sort_unstable();
        self.rank_of = vec![0; labels.len()];
        for (rank, (_, locate)) in (0..).zip(&labels) {
            self.rank_of[locate.index()] = rank;
        }
        self.marked = vec![0; labels.len().div_ceil(64)];
        self.by_rank = labels.into_iter().map(|(_, locate)| locate).collect();
        self.stale = false;
    }

    /// Marks one symbol, which must have been ranked.
    pub(super) fn mark(&mut self, locate: Locate) {
        let rank = self.rank_of[locate.index()];
        self.marked[rank as usize / 64] |= 1 << (rank % 64);
    }

    /// Number of groups of 64 ranks.
    pub(super) fn words(&self) -> usize {
        self.marked.len()
    }

    /// Whether any symbol of a group is marked.
    #[inline]
    pub(super) fn any_marked(&self, word: usize) -> bool {
        self.marked[word] != 0
    }

    /// The marked symbols of a group, in order; they are marked no more.
    pub(super) fn take_marked(&mut self, word: usize) -> impl Iterator<Item = Locate> + use<> {
        let mut bits = std::mem::take(&mut self.marked[word]);
        let mut group = [Locate(0); 64];
        let mut count = 0;
        while bits != 0 {
            group[count] = self.by_rank[word * 64 + bits.trailing_zeros() as usize];
            count += 1;
            bits &= bits - 1;
        }
        group.into_iter().take(count)
    }
}
