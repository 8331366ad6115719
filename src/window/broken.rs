//! The executions that were broken, by symbol and by age.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::columns::Position;
use crate::market::Locate;

/// A break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// When, in nanoseconds of the feed.
    pub(super) at: u64,
    /// Rank among all breaks.
    pub(super) order: u32,
}

/// Breaks by the position of their execution in the log.
#[derive(Debug, Default)]
pub(super) struct BrokenTrades {
    by_symbol: BTreeMap<(Locate, Position), Broken>,
    by_age: BTreeSet<(Position, Locate)>,
    next_order: u32,
}

impl BrokenTrades {
    /// The execution at `position` was broken at `at`.
    pub(super) fn insert(&mut self, locate: Locate, position: Position, at: u64) {
        let order = self.next_order;
        self.next_order += 1;
        self.by_symbol
            .insert((locate, position), Broken { at, order });
        self.by_age.insert((position, locate));
    }

    /// Those of a symbol within `positions`, in the order of their executions.
    pub(super) fn of(
        &self,
        locate: Locate,
        positions: RangeInclusive<Position>,
    ) -> impl Iterator<Item = (Position, Broken)> + '_ {
        let (first, last) = positions.into_inner();
        let range = self.by_symbol.range((locate, first)..=(locate, last));
        range.map(|(&(_, position), &broken)| (position, broken))
    }

    /// Forgets those of executions before `first`.
    pub(super) fn drop_before(&mut self, first: Position) {
        while let Some(&(position, locate)) = self.by_age.first()
            && position < first
        {
            self.by_age.pop_first();
            self.by_symbol.remove(&(locate, position));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symbol_has_its_own_until_they_are_too_old() {
        let mut broken = BrokenTrades::default();
        for (locate, position, at) in [(2, 7, 40), (1, 9, 50), (2, 3, 60), (2, 8, 70)] {
            broken.insert(Locate(locate), position, at);
        }
        let of = |broken: &BrokenTrades, locate, positions| -> Vec<(Position, u64, u32)> {
            let found = broken.of(Locate(locate), positions);
            let found = found.map(|(position, broken)| (position, broken.at, broken.order));
            found.collect()
        };
        assert_eq!(of(&broken, 2, 0..=7), [(3, 60, 2), (7, 40, 0)]);
        assert_eq!(of(&broken, 1, 0..=Position::MAX), [(9, 50, 1)]);
        broken.drop_before(8);
        assert_eq!(of(&broken, 2, 0..=Position::MAX), [(8, 70, 3)]);
        assert_eq!(of(&broken, 1, 0..=8), []);
        assert_eq!(of(&broken, 1, 9..=9), [(9, 50, 1)]);
        broken.drop_before(10);
        assert!(broken.by_symbol.is_empty());
    }
}
