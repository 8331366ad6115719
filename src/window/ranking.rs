//! The order in which symbols are written: by label, then by locate.

use crate::market::{Locate, Symbol};

/// Locates in the order of their labels, and a mark for each that is due.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    rank_of: Vec<u32>,
    by_rank: Vec<Locate>,
    /// One bit a rank.
    marked: Vec<u64>,
    /// One bit a word of `marked`, set where the word may not be 0.
    groups: Vec<u64>,
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
        self.groups = vec![0; self.marked.len().div_ceil(64)];
        self.by_rank = labels.into_iter().map(|(_, locate)| locate).collect();
        self.stale = false;
    }

    /// Marks one symbol, which must have been ranked.
    #[inline]
    pub(super) fn mark(&mut self, locate: Locate) {
        let rank = self.rank_of[locate.index()] as usize;
        self.marked[rank / 64] |= 1 << (rank % 64);
        self.groups[rank / 4096] |= 1 << (rank / 64 % 64);
    }

    /// The first marked symbol, which is marked no more; `from` begins at 0 and is kept between calls.
    #[inline]
    pub(super) fn take_first(&mut self, from: &mut usize) -> Option<Locate> {
        while let Some(group) = self.groups.get_mut(*from) {
            if *group == 0 {
                *from += 1;
                continue;
            }
            let place = *from * 64 + group.trailing_zeros() as usize;
            let word = &mut self.marked[place];
            let rank = place * 64 + word.trailing_zeros() as usize;
            *word &= *word - 1;
            if *word == 0 {
                *group &= *group - 1;
            }
            return Some(self.by_rank[rank]);
        }
        None
    }
}
