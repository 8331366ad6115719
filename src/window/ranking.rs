//! The order in which symbols are written: by label, then by locate.

use crate::market::{Locate, Symbol};

/// Locates in the order of their labels, with a mark for each that is due once and one for each that is held,
/// which is due until it is let go.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    /// With as many behind the last as may be taken too much.
    by_rank: Vec<Locate>,
    /// One bit a rank.
    marked: Vec<u64>,
    /// One bit a word of `marked`, set where the word may not be 0.
    groups: Vec<u64>,
    /// One bit a rank, which stays.
    held: Vec<u64>,
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

    /// Orders `labels`, which holds every locate from 0 on, and returns them by rank. Both marks are forgotten.
    pub(super) fn rank(&mut self, mut labels: Vec<(Symbol, Locate)>) -> &[Locate] {
        labels.sort_unstable();
        let ranked = labels.len();
        self.marked = vec![0; labels.len().div_ceil(64)];
        self.groups = vec![0; self.marked.len().div_ceil(64)];
        self.held = vec![0; self.marked.len()];
        self.by_rank = labels.into_iter().map(|(_, locate)| locate).collect();
        self.by_rank.resize(self.marked.len() * 64 + 1, Locate(0));
        self.stale = false;
        &self.by_rank[..ranked]
    }

    /// Marks the symbol of a rank if it `is_due`. No branch: whether it is, is hard to foresee.
    #[inline]
    pub(super) fn mark_if(&mut self, rank: u16, is_due: bool) {
        let rank = usize::from(rank);
        self.marked[rank / 64] |= u64::from(is_due) << (rank % 64);
        self.groups[rank / 4096] |= u64::from(is_due) << (rank / 64 % 64);
    }

    /// Puts the marked symbols into `into`, in order; none is marked any more.
    pub(super) fn take_marked(&mut self, into: &mut Vec<Locate>) {
        into.clear();
        for (place, group) in self.groups.iter_mut().enumerate() {
            while *group != 0 {
                let word = place * 64 + group.trailing_zeros() as usize;
                let mut marked = std::mem::take(&mut self.marked[word]);
                let end = into.len() + marked.count_ones() as usize;
                // Four at a time, as no processor foresees how many there are; what is too much is taken off.
                while marked != 0 {
                    into.extend_from_slice(&[(); 4].map(|()| {
                        let bit = marked.trailing_zeros() as usize;
                        marked &= marked.wrapping_sub(1);
                        self.by_rank[word * 64 + bit]
                    }));
                }
                into.truncate(end);
                *group &= *group - 1;
            }
        }
    }

    /// Holds the symbol of a rank.
    #[inline]
    pub(super) fn hold(&mut self, rank: u16) {
        let rank = usize::from(rank);
        self.held[rank / 64] |= 1 << (rank % 64);
    }

    /// Lets the symbol of a rank go.
    pub(super) fn let_go(&mut self, rank: u16) {
        let rank = usize::from(rank);
        self.held[rank / 64] &= !(1 << (rank % 64));
    }

    /// Puts the symbols that are held into `into`, in order; none is marked any more.
    pub(super) fn put_held(&mut self, into: &mut Vec<Locate>) {
        into.clear();
        self.marked.fill(0);
        self.groups.fill(0);
        for (word, &held) in self.held.iter().enumerate() {
            let mut held = held;
            while held != 0 {
                let rank = word * 64 + held.trailing_zeros() as usize;
                into.push(self.by_rank[rank]);
                held &= held - 1;
            }
        }
    }
}
