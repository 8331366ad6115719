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
        self.price_rank() >= other.price_rank()
    }

    /// The greater, the more extreme its price is.
    #[inline]
    fn price_rank(self) -> u32 {
        (self.rank >> 32) as u32
    }
}

/// Executions that are kept where no pointer leads.
const NEWEST: usize = 4;
/// How many of them move where there is room when there are too many.
const HALF: usize = NEWEST / 2;

/// The executions that no later one equals or exceeds, for one direction, in one cache line: the newest are what
/// an execution that arrives is compared with.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Extremes {
    newest: [Extreme; NEWEST],
    /// How many of `newest` there are, oldest first.
    count: u32,
    /// What is older than these, oldest first.
    older: Vec<Extreme>,
    /// Of the last of these as much as tells whether another beats it; the most where there is none.
    beaten_by: u32,
}

impl Default for Extremes {
    fn default() -> Self {
        Self {
            newest: [Extreme::default(); NEWEST],
            count: 0,
            older: Vec::new(),
            beaten_by: u32::MAX,
        }
    }
}

impl Extremes {
    /// Adds the newest execution. Candidates before `oldest` may be forgotten.
    #[inline]
    fn push(&mut self, newest: Extreme, oldest: Position) {
        // Those that it beats are the last ones. No processor foresees how many they are.
        let newer = self.newest.iter().enumerate();
        let kept = newer.fold(0, |kept, (place, old)| {
            kept + usize::from((place < self.count as usize) & !newest.beats(*old))
        });
        self.count = kept as u32;
        if kept == 0 && newest.price_rank() >= self.beaten_by {
            self.pop_older(newest);
        } else if kept == NEWEST {
            self.make_room(oldest);
        }
        self.newest[self.count as usize] = newest;
        self.count += 1;
    }

    /// Takes off what is older than the newest and beaten by `newest`.
    #[inline(never)]
    fn pop_older(&mut self, newest: Extreme) {
        while self.older.last().is_some_and(|&old| newest.beats(old)) {
            self.older.pop();
        }
        self.older_has_changed();
    }

    fn older_has_changed(&mut self) {
        let last = self.older.last();
        self.beaten_by = last.map_or(u32::MAX, |last| last.price_rank());
    }

    /// Moves the older half of the newest, which are all there. Candidates before `oldest` are forgotten if they
    /// are the greater part, so that moving the others is paid for by those that came since they were last moved.
    #[cold]
    fn make_room(&mut self, oldest: Position) {
        if self.older.capacity() - self.older.len() < HALF {
            let forgotten = before(&self.older, oldest);
            if 2 * forgotten > self.older.len() {
                self.older.drain(..forgotten);
            }
        }
        self.older.extend_from_slice(&self.newest[..HALF]);
        self.newest.copy_within(HALF.., 0);
        self.count -= HALF as u32;
        self.older_has_changed();
    }

    /// Takes the execution at `position` away. If it was a candidate, those of `older` take its place, the
    /// executions before it from the newest on, that no later one equals or exceeds now.
    fn remove(&mut self, position: Position, older: impl Iterator<Item = Extreme>) {
        let mut candidates = std::mem::take(&mut self.older);
        candidates.extend_from_slice(&self.newest[..self.count as usize]);
        self.count = 0;
        put_right(&mut candidates, position, older);
        self.older = candidates;
        self.older_has_changed();
    }

    /// The extreme of the executions from `start` on; none where there are none.
    #[inline]
    fn since(&self, start: Position) -> Extreme {
        let newest = &self.newest[..self.count as usize];
        let older = match newest.first() {
            Some(first) if first.position() <= start => &[],
            _ => &self.older[before(&self.older, start)..],
        };
        let newest = || newest.iter().find(|old| old.position() >= start);
        older.first().or_else(newest).copied().unwrap_or_default()
    }

    /// All of them, oldest first.
    #[cfg(test)]
    fn all(&self) -> Vec<Extreme> {
        [&self.older, &self.newest[..self.count as usize]].concat()
    }
}

/// How many of `candidates` are before `position`.
#[inline]
fn before(candidates: &[Extreme], position: Position) -> usize {
    candidates.partition_point(|candidate| candidate.position() < position)
}

/// Takes the execution at `position` out of `candidates`, as [`Extremes::remove`] says.
fn put_right(
    candidates: &mut Vec<Extreme>,
    position: Position,
    older: impl Iterator<Item = Extreme>,
) {
    let place = before(candidates, position);
    let candidate = candidates.get(place).copied();
    let Some(candidate) = candidate.filter(|candidate| candidate.position() == position) else {
        return;
    };
    let newer = candidates.split_off(place + 1);
    candidates.pop();
    // What is older than that candidate is beaten by it, or one already: of its own price only the newest
    // takes its place, and nothing behind that.
    let before = candidates.last().map(|before| before.position());
    let mut best = newer.first().copied();
    for old in older.take_while(|old| Some(old.position()) > before) {
        if best.is_none_or(|best| !best.beats(old)) {
            best = Some(old);
            candidates.insert(place, old);
            if old.beats(candidate) {
                break;
            }
        }
    }
    candidates.extend(newer);
}

/// The candidates for high and low of one symbol's windows, in two cache lines.
#[derive(Clone, Debug, Default)]
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

    /// Asks for what [`Candidates::consider`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, memory: Memory) {
        for extremes in [&self.highs, &self.lows] {
            memory.prefetch(std::slice::from_ref(extremes), 0);
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
        fn highs_and_lows_are_those_of_all_executions_that_are_left(
            prices in prop::collection::vec(prop_oneof![3 => 0..8_u32, 1 => 0..1_000_u32], 1..200),
            (start, kept) in (0..200 as Position, 1..200 as Position),
        ) {
            let mut candidates = Candidates::default();
            let mut alive: Vec<(Position, u32)> = Vec::new();
            for (position, price) in (0 as Position..).zip(prices) {
                let oldest = (position + 1).saturating_sub(kept);
                candidates.consider(position, price, oldest);
                alive.push((position, price));
                let start = start.clamp(oldest, position);
                let held = &alive[start as usize..];
                let high = held.iter().max_by_key(|&&(at, price)| (price, at)).expect("one");
                let low = held.iter().min_by_key(|&&(at, price)| (price, !at)).expect("one");
                let (highest, lowest) = candidates.extremes(start);
                prop_assert_eq!((highest.position(), highest.highest().0), *high);
                prop_assert_eq!((lowest.position(), lowest.lowest().0), *low);
            }
        }

        #[test]
        fn without_an_execution_the_candidates_are_as_if_it_had_never_been(
            prices in prop::collection::vec(0..20_u32, 1..40),
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
                prop_assert_eq!(candidates.highs.all(), expected.highs.all());
                prop_assert_eq!(candidates.lows.all(), expected.lows.all());
            }
        }
    }
}
