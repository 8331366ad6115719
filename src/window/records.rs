//! High and low of the session of a symbol at any time: every execution that all earlier ones were below is
//! a record, and the high by a position is the last record up to it; lows likewise. Records become rarer
//! the longer a session lasts, so few executions make one.

use super::candidates::Extreme;
use crate::columns::Position;
use crate::market::Price;

/// The records of one direction, oldest first.
#[derive(Clone, Debug, Default)]
struct Peaks {
    records: Vec<Extreme>,
}

impl Peaks {
    /// Adds the newest execution if it is a record.
    fn push(&mut self, newest: Extreme) {
        if self.records.last().is_none_or(|last| !last.beats(newest)) {
            self.records.push(newest);
        }
    }

    /// Takes the execution at `position` away. If it was a record, those of `later`, the executions behind
    /// it, take its place that were below it alone.
    fn remove(&mut self, position: Position, later: impl Iterator<Item = Extreme>) {
        let place = self
            .records
            .partition_point(|record| record.position() < position);
        let record = self.records.get(place);
        if record.is_none_or(|record| record.position() != position) {
            return;
        }
        let newer = self.records.split_off(place + 1);
        self.records.pop();
        let end = newer
            .first()
            .map_or(Position::MAX, |record| record.position());
        later
            .take_while(|later| later.position() < end)
            .for_each(|later| self.push(later));
        self.records.extend(newer);
    }

    /// The most extreme execution up to `position`; none where there is none.
    fn up_to(&self, position: Position) -> Extreme {
        let after = self
            .records
            .partition_point(|record| record.position() <= position);
        self.records[..after].last().copied().unwrap_or_default()
    }
}

/// The records of both directions of one symbol.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    highs: Peaks,
    lows: Peaks,
}

impl Records {
    /// Takes note of the newest unbroken execution.
    #[cold]
    pub(super) fn consider(&mut self, position: Position, price: Price) {
        self.highs.push(Extreme::high(position, price.0));
        self.lows.push(Extreme::low(position, price.0));
    }

    /// Takes the execution at `position` back. `later` are the unbroken ones behind it, oldest first.
    pub(super) fn take_back(
        &mut self,
        position: Position,
        later: impl Iterator<Item = (Position, u32)> + Clone,
    ) {
        let highs = later.clone().map(|(at, price)| Extreme::high(at, price));
        self.highs.remove(position, highs);
        let lows = later.map(|(at, price)| Extreme::low(at, price));
        self.lows.remove(position, lows);
    }

    /// An execution with the highest price of those up to `position`, of which there is one at least, and
    /// one with the lowest.
    pub(super) fn up_to(&self, position: Position) -> (Extreme, Extreme) {
        (self.highs.up_to(position), self.lows.up_to(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_are_the_extremes_of_what_is_left(
            prices in prop::collection::vec(0..8_u32, 1..40),
            broken in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let mut alive: Vec<(Position, u32)> = (0..).zip(prices).collect();
            let mut records = Records::default();
            for &(position, price) in &alive {
                records.consider(position, Price(price));
            }
            for broken in broken {
                let place = broken.index(alive.len());
                let (position, _) = alive.remove(place);
                records.take_back(position, alive[place..].iter().copied());
                if alive.is_empty() {
                    break;
                }
                for upto in 1..=alive.len() {
                    let (high, low) = records.up_to(alive[upto - 1].0);
                    let prices = || alive[..upto].iter().map(|(_, price)| Price(*price));
                    prop_assert_eq!(Some(high.highest()), prices().max());
                    prop_assert_eq!(Some(low.lowest()), prices().min());
                }
            }
        }
    }
}
