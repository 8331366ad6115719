//! High and low of the windows of a symbol: the executions that no later one equals or exceeds form one
//! list a direction, and the highest price of a window that starts at position p is the first of them at
//! or after p.

use crate::columns::Position;
use crate::market::Price;
use crate::memory::Memory;

/// An execution whose price is the highest or the lowest: the greater, the more extreme its price is and
/// then the newer it is. 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extreme {
    /// The price, or its complement where the lowest is asked for (32 bits), and the position (32).
    rank: u64,
}

impl Extreme {
    #[inline]
    fn new(rank: u32, position: Position) -> Self {
        Self {
            rank: u64::from(rank) << 32 | u64::from(position),
        }
    }

    /// The execution as one with the highest price.
    #[inline]
    pub(super) fn high(position: Position, price: u32) -> Self {
        Self::new(price, position)
    }

    /// The execution as one with the lowest price.
    #[inline]
    pub(super) fn low(position: Position, price: u32) -> Self {
        Self::new(!price, position)
    }

    /// Its price, if it is one of the highest.
    #[inline]
    pub(super) fn highest(self) -> Price {
        Price((self.rank >> 32) as u32)
    }

    /// Its price, if it is one of the lowest.
    #[inline]
    pub(super) fn lowest(self) -> Price {
        Price(!(self.rank >> 32) as u32)
    }

    #[inline]
    pub(super) fn position(self) -> Position {
        self.rank as Position
    }

    /// Whether its price is as extreme as another's, or more so.
    #[inline]
    fn beats(self, other: Self) -> bool {
        self.rank >> 32 >= other.rank >> 32
    }
}

/// The executions that no later one equals or exceeds, oldest first, for one direction.
#[derive(Clone, Debug, Default)]
struct Extremes {
    candidates: Vec<Extreme>,
}

impl Extremes {
    /// Adds the newest execution. Candidates before `oldest` may be forgotten.
    #[inline]
    fn push(&mut self, newest: Extreme, oldest: Position) {
        while self.candidates.last().is_some_and(|&old| newest.beats(old)) {
            self.candidates.pop();
        }
        if self.candidates.len() == self.candidates.capacity() {
            self.forget(oldest);
        }
        self.candidates.push(newest);
    }

    /// Forgets the candidates before `oldest` if they are the greater part, so that moving the others is
    /// paid for by those that came since they were last moved.
    #[cold]
    fn forget(&mut self, oldest: Position) {
        let forgotten = self.place(oldest);
        if 2 * forgotten > self.candidates.len() {
            self.candidates.drain(..forgotten);
        }
    }

    /// Takes the execution at `position` away. If it was a candidate, those of `older` take its place, the
    /// executions before it from the newest on, that no later one equals or exceeds now.
    fn remove(&mut self, position: Position, older: impl Iterator<Item = Extreme>) {
        let place = self.place(position);
        let candidate = self.candidates.get(place).copied();
        let Some(candidate) = candidate.filter(|candidate| candidate.position() == position) else {
            return;
        };
        let newer = self.candidates.split_off(place + 1);
        self.candidates.pop();
        // What is older than that candidate is beaten by it, or one already: of its own price only the newest
        // takes its place, and nothing behind that.
        let before = self.candidates.last().map(|before| before.position());
        let mut best = newer.first().copied();
        for old in older.take_while(|old| Some(old.position()) > before) {
            if best.is_none_or(|best| !best.beats(old)) {
                best = Some(old);
                self.candidates.insert(place, old);
                if old.beats(candidate) {
                    break;
                }
            }
        }
        self.candidates.extend(newer);
    }

    /// Where the first candidate at or after `position` is.
    #[inline]
    fn place(&self, position: Position) -> usize {
        self.candidates
            .partition_point(|candidate| candidate.position() < position)
    }

    /// The extreme of the executions from `start` on; none where there are none.
    #[inline]
    fn since(&self, start: Position) -> Extreme {
        let first = self.candidates.get(self.place(start));
        first.copied().unwrap_or_default()
    }
}

/// The candidates for high and low of one symbol's windows, what leads to them in one cache line.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Candidates {
    highs: Extremes,
    lows: Extremes,
}

impl Candidates {
    /// Takes note of the newest unbroken execution as a candidate for the high and the low of windows
    /// whose first position is `oldest` or later.
    #[inline]
    pub(super) fn consider(&mut self, position: Position, price: u32, oldest: Position) {
        self.highs.push(Extreme::high(position, price), oldest);
        self.lows.push(Extreme::low(position, price), oldest);
    }

    /// Asks for what [`Candidates::consider`] will look at first.
    #[inline]
    pub(super) fn prefetch(&self, memory: Memory) {
        for extremes in [&self.highs, &self.lows] {
            let candidates = &extremes.candidates;
            memory.prefetch(candidates, candidates.len().wrapping_sub(1));
        }
    }

    /// Takes the execution at `position` back as a candidate. `older` are the unbroken ones before it that a
    /// window may hold, from the newest on.
    pub(super) fn reconsider(
        &mut self,
        position: Position,
        older: impl Iterator<Item = (Position, u32)> + Clone,
    ) {
        let highs = older.clone().map(|(at, price)| Extreme::high(at, price));
        self.highs.remove(position, highs);
        let lows = older.map(|(at, price)| Extreme::low(at, price));
        self.lows.remove(position, lows);
    }

    /// The newest execution with the highest price of those from `start` on, of which there is one at least,
    /// and the newest with the lowest.
    pub(super) fn extremes(&self, start: Position) -> (Extreme, Extreme) {
        (self.high(start), self.low(start))
    }

    /// The newest execution with the highest price of those from `start` on, of which there is one at least.
    #[inline(never)]
    pub(super) fn high(&self, start: Position) -> Extreme {
        self.highs.since(start)
    }

    /// The newest of the same with the lowest.
    #[inline(never)]
    pub(super) fn low(&self, start: Position) -> Extreme {
        self.lows.since(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn without_an_execution_the_candidates_are_as_if_it_had_never_been(
            prices in prop::collection::vec(0..8_u32, 1..40),
            broken in prop::collection::vec(any::<prop::sample::Index>(), 1..10),
        ) {
            let mut alive: Vec<(Position, u32)> = (0..).zip(prices).collect();
            let consider = |executions: &[(Position, u32)]| {
                let mut candidates = Candidates::default();
                for &(position, price) in executions {
                    candidates.consider(position, price, 0);
                }
                candidates
            };
            let mut candidates = consider(&alive);
            for broken in broken {
                if alive.is_empty() {
                    break;
                }
                let place = broken.index(alive.len());
                let (position, _) = alive.remove(place);
                candidates.reconsider(position, alive[..place].iter().rev().copied());
                let expected = consider(&alive);
                prop_assert_eq!(&candidates.highs.candidates, &expected.highs.candidates);
                prop_assert_eq!(&candidates.lows.candidates, &expected.lows.candidates);
            }
        }
    }
}
