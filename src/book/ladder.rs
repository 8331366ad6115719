//! The shares resting at each price of one side of one symbol.
//!
//! A sorted array, best price last: most changes are near the best price, so they move few bytes.
//! A change k levels away from the best costs O(k) for its search up to a short limit, O(log n)
//! beyond, and an insertion or removal moves the k levels behind it (16 bytes each).

use crate::market::{Price, Side};
use crate::memory::Memory;

/// Levels looked at one by one before the search turns binary.
const NEAR: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    /// Grows with the attractiveness of the price: the price of a bid, its complement for an offer.
    rank: u32,
    size: u64,
}

/// One side of one symbol.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    levels: Vec<Level>,
}

/// The price as a rank that grows towards the best price, and back again.
#[inline]
fn rank(side: Side, price: u32) -> u32 {
    match side {
        Side::Buy => price,
        Side::Sell => !price,
    }
}

impl Ladder {
    /// Where `rank` is, or belongs.
    #[inline]
    fn find(&self, rank: u32) -> Result<usize, usize> {
        let mut index = self.levels.len();
        for _ in 0..NEAR {
            match index.checked_sub(1).map(|below| self.levels[below].rank) {
                Some(below) if below > rank => index -= 1,
                Some(below) if below == rank => return Ok(index - 1),
                _ => return Err(index),
            }
        }
        self.levels[..index].binary_search_by_key(&rank, |level| level.rank)
    }

    /// Adds `change` shares at a price, modulo 2^64: what is taken away, was added before. Whether the best
    /// price or its size changed. One way for both directions, since no processor foresees which it is.
    #[inline]
    pub(super) fn change(&mut self, side: Side, price: Price, change: u64) -> bool {
        let rank = rank(side, price.0);
        let index = match self.find(rank) {
            Ok(index) => index,
            Err(index) => {
                self.levels.insert(index, Level { rank, size: 0 });
                index
            }
        };
        let is_best = index + 1 == self.levels.len();
        let level = &mut self.levels[index];
        level.size = level.size.wrapping_add(change);
        if level.size == 0 {
            self.levels.remove(index);
        }
        is_best
    }

    /// Brings the best level into cache.
    #[inline]
    pub(super) fn prefetch(&self, memory: Memory) {
        memory.prefetch(&self.levels, self.levels.len().wrapping_sub(1));
    }

    /// Best price and the shares there.
    #[inline]
    pub(super) fn best(&self, side: Side) -> Option<(Price, u64)> {
        self.levels
            .last()
            .map(|level| (Price(rank(side, level.rank)), level.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_price_is_the_highest_bid_and_the_lowest_offer() {
        for (side, best, worse) in [(Side::Buy, 120, 100), (Side::Sell, 100, 120)] {
            let mut ladder = Ladder::default();
            assert!(ladder.change(side, Price(worse), 5));
            assert!(ladder.change(side, Price(best), 7));
            assert!(!ladder.change(side, Price(worse), 1));
            assert_eq!(ladder.best(side), Some((Price(best), 7)));
            assert!(!ladder.change(side, Price(worse), 5_u64.wrapping_neg()));
            assert!(ladder.change(side, Price(best), 7_u64.wrapping_neg()));
            assert_eq!(ladder.best(side), Some((Price(worse), 1)));
            assert!(ladder.change(side, Price(worse), 1_u64.wrapping_neg()));
            assert_eq!(ladder.best(side), None);
        }
    }

    #[test]
    fn deep_levels_are_found() {
        let mut ladder = Ladder::default();
        for price in 0..100 {
            ladder.change(Side::Buy, Price(price), 1);
        }
        for price in 0..99 {
            assert!(
                !ladder.change(Side::Buy, Price(price), 1_u64.wrapping_neg()),
                "{price}"
            );
        }
        assert_eq!(ladder.best(Side::Buy), Some((Price(99), 1)));
        assert_eq!(ladder.levels.len(), 1);
    }
}
