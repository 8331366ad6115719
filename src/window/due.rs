//! Which rows are due, by their number in the order in which they are written: by label, then by locate, then by window.

/// How many rows of a word are listed at a time: those of a symbol in all windows, mostly.
const ROWS: usize = 5;
/// How many words of a group.
const WORDS: usize = 3;

/// A mark for each row that is due.
#[derive(Debug, Default)]
pub(super) struct DueRows {
    /// One bit for each row that there can be.
    due: Vec<u64>,
    /// One bit a word of `due`, set where the word may not be 0.
    groups: Vec<u64>,
    /// What [`DueRows::take`] has found, kept for its storage: room for all words that may not be 0, and for all rows.
    words: Vec<u32>,
    listed: Vec<u32>,
    /// One bit for each window of a symbol.
    windows: u64,
}

impl DueRows {
    /// None, for so many windows of a symbol, 1 to 64.
    pub(super) fn new(windows: usize) -> Self {
        Self {
            windows: u64::MAX >> (64 - windows),
            ..Self::default()
        }
    }

    /// There are so many rows now, in another order. None is due.
    pub(super) fn resize(&mut self, rows: usize) {
        self.due = vec![0; rows.div_ceil(64)];
        self.groups = vec![0; self.due.len().div_ceil(64)];
        self.words.resize(self.groups.len() * 64 + WORDS, 0);
        self.listed.resize(self.due.len() * 64 + ROWS, 0);
    }

    /// Says whether a row `is_due`. No branch: it is hard to foresee.
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, is_due: bool) {
        let word = &mut self.due[row / 64];
        *word = *word & !(1 << (row % 64)) | u64::from(is_due) << (row % 64);
        self.groups[row / 4096] |= u64::from(is_due) << (row / 64 % 64);
    }

    /// Says that those of a symbol's rows are due that have a bit in `windows`, besides those that are. `first` is
    /// that of its first window.
    #[inline(always)]
    pub(super) fn add(&mut self, first: usize, windows: u64) {
        let (windows, bit) = (windows & self.windows, first % 64);
        self.add_to(first / 64, windows << bit);
        // Seldom where a symbol has few windows.
        if windows.leading_zeros() < bit as u32 {
            self.add_to(first / 64 + 1, windows >> (64 - bit));
        }
    }

    #[inline(always)]
    fn add_to(&mut self, word: usize, due: u64) {
        self.due[word] |= due;
        self.groups[word / 64] |= 1 << (word % 64);
    }

    /// The rows that are due, in order. None is any more.
    pub(super) fn take(&mut self) -> &[u32] {
        let mut words = 0;
        for (place, group) in (0..).zip(&mut self.groups) {
            let group = std::mem::take(group);
            words += list::<WORDS>(group, place * 64, &mut self.words[words..]);
        }
        let mut count = 0;
        for &word in &self.words[..words] {
            let due = std::mem::take(&mut self.due[word as usize]);
            count += list::<ROWS>(due, word * 64, &mut self.listed[count..]);
        }
        &self.listed[..count]
    }
}

/// Lists the ones of `bits`, of which the first has the number `first`, and returns how many there are. What is
/// listed too much is overwritten later.
#[inline(always)]
fn list<const AT_A_TIME: usize>(mut bits: u64, first: u32, listed: &mut [u32]) -> usize {
    let mut count = 0;
    // Several at a time, even if there is none, as no processor foresees how many there are.
    loop {
        for number in &mut listed[count..][..AT_A_TIME] {
            *number = first + bits.trailing_zeros();
            count += usize::from(bits != 0);
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            return count;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_said_to_be_due_is_listed_in_order(
            windows in prop::sample::select(vec![1_usize, 2, 5, 8, 33, 64]),
            symbols in 1..200_usize,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0..64_usize, 0..5_u8), 0..300),
        ) {
            let mut rows = DueRows::new(windows);
            rows.resize(symbols * windows);
            let mut due = BTreeSet::new();
            for (symbol, window, what) in steps {
                let (first, window) = (symbol.index(symbols) * windows, window % windows);
                match what {
                    3 => {
                        rows.add(first, u64::MAX);
                        due.extend(first..first + windows);
                    }
                    0 => {
                        rows.add(first, 1 << window | 1);
                        due.extend([first, first + window]);
                    }
                    1 | 2 => {
                        rows.set(first + window, what == 1);
                        if what == 1 {
                            due.insert(first + window);
                        } else {
                            due.remove(&(first + window));
                        }
                    }
                    _ => {
                        let listed: Vec<_> = rows.take().iter().map(|&row| row as usize).collect();
                        prop_assert_eq!(listed, due.iter().copied().collect::<Vec<_>>());
                        due.clear();
                    }
                }
            }
        }
    }
}
