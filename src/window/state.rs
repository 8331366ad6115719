//! What a sliding window remembers of a symbol: O(1) for each execution that enters or leaves.
//!
//! Volume, notional and trades are kept by adding and taking away. The open price is that of the
//! first execution in the window, reached through the log's links, which skip what has been broken.
//! High and low change with an execution that enters by a comparison; only when the newest execution
//! leaves whose price they are, they are looked up: the executions that no later one equals or exceeds
//! form one list a symbol, and the highest price of a window that starts at position p is the first of
//! them at or after p.

use super::Sums;
use crate::columns::{Link, Position, TradeLog};
use crate::market::{Price, Symbol, Trade};
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

    #[inline]
    fn position(self) -> Position {
        self.rank as Position
    }

    /// Whether its price is as extreme as another's, or more so.
    #[inline]
    fn beats(self, other: Self) -> bool {
        self.rank >> 32 >= other.rank >> 32
    }

    /// This one where `mask` is 0, `other` where it is all ones. Without a branch, as no processor foresees it.
    #[inline]
    fn unless(self, mask: u64, other: Self) -> Self {
        Self {
            rank: self.rank & !mask | other.rank & mask,
        }
    }
}

/// Running totals of one symbol in one window, in a cache line of their own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Totals {
    pub(super) notional: u128,
    pub(super) volume: u64,
    /// The newest of the executions with the highest price.
    pub(super) high: Extreme,
    /// The newest of those with the lowest.
    pub(super) low: Extreme,
    pub(super) trades: u32,
    /// Oldest unbroken execution in the window.
    pub(super) head: Position,
    /// Its price.
    pub(super) open: u32,
}

impl Totals {
    pub(super) const EMPTY: Self = Self {
        notional: 0,
        volume: 0,
        high: Extreme { rank: 0 },
        low: Extreme { rank: 0 },
        trades: 0,
        head: TradeLog::NONE,
        open: 0,
    };

    #[inline]
    pub(super) fn add(&mut self, trade: &Trade, position: Position) {
        let price = trade.price.0;
        if self.head == TradeLog::NONE {
            (self.head, self.open) = (position, price);
        }
        self.notional += u128::from(price) * u128::from(trade.shares.0);
        self.volume += u64::from(trade.shares.0);
        self.trades += 1;
        self.high = self.high.max(Extreme::high(position, price));
        self.low = self.low.max(Extreme::low(position, price));
    }

    /// Adds executions that are newer than all of these.
    #[inline]
    pub(super) fn join(&mut self, newer: &Totals) {
        // All ones where it is empty.
        let empty = u32::from(self.head == TradeLog::NONE).wrapping_neg();
        self.head = self.head & !empty | newer.head & empty;
        self.open = self.open & !empty | newer.open & empty;
        self.notional += newer.notional;
        self.volume += newer.volume;
        self.trades += newer.trades;
        self.high = self.high.max(newer.high);
        self.low = self.low.max(newer.low);
    }

    /// Takes the execution at `position` away; the oldest one in the window that is left, if one is, is
    /// `head`. Whether the high must be looked up again, and whether the low.
    #[inline]
    pub(super) fn take(
        &mut self,
        position: Position,
        (price, shares): (u32, u32),
        head: Link,
    ) -> (bool, bool) {
        self.notional -= u128::from(price) * u128::from(shares);
        self.volume -= u64::from(shares);
        self.trades -= 1;
        let [empty, single] = [self.trades == 0, self.trades <= 1];
        let mask = |is: bool| u64::from(is).wrapping_neg();
        self.head = head.position | mask(empty) as u32;
        self.open = head.price;
        let [high, low] = [Extreme::high, Extreme::low]
            .map(|extreme| extreme(head.position, head.price))
            .map(|only| only.unless(mask(empty), Extreme::default()));
        self.high = self.high.unless(mask(single), high);
        self.low = self.low.unless(mask(single), low);
        let is_old = |extreme: Extreme| !single & (extreme.position() == position);
        (is_old(self.high), is_old(self.low))
    }

    /// The totals as a row has them; `close` is the price of the symbol's newest execution.
    #[inline]
    pub(super) fn sums(&self, close: Price) -> Sums {
        Sums {
            notional: self.notional,
            volume: self.volume,
            trades: u64::from(self.trades),
            open: Price(self.open),
            high: Price((self.high.rank >> 32) as u32),
            low: Price(!(self.low.rank >> 32) as u32),
            close,
        }
    }
}

/// The executions that no later one equals or exceeds, oldest first, for one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Extremes {
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
        let candidate = self.candidates.get(place);
        if candidate.is_none_or(|candidate| candidate.position() != position) {
            return;
        }
        let newer = self.candidates.split_off(place + 1);
        self.candidates.pop();
        // What is older than that candidate is beaten by it, or one already.
        let before = self.candidates.last().map(|before| before.position());
        let mut best = newer.first().copied();
        for old in older.take_while(|old| Some(old.position()) > before) {
            if best.is_none_or(|best| !best.beats(old)) {
                best = Some(old);
                self.candidates.insert(place, old);
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

/// The candidates for high and low of one symbol's windows.
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

/// What is looked at of a symbol whenever something enters or leaves its windows and when its rows are
/// written: half a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// How its rows name it.
    pub(super) label: Symbol,
    /// One bit for each window that something has left since the last emission and that still holds an
    /// execution.
    pub(super) changed: u64,
    /// Where its newest unbroken execution is: the end of the chain of links.
    pub(super) position: Position,
    /// Price of that execution.
    pub(super) price: Price,
    /// Whether something has entered since the last emission.
    pub(super) has_entered: bool,
    /// Whether the symbol is among those that may hold executions.
    pub(super) is_holding: bool,
}

/// What the windows of a symbol share, by locate.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    pub(super) faces: Vec<Face>,
    pub(super) candidates: Vec<Candidates>,
    /// Unbroken executions since the last emission, at which they enter the windows.
    pub(super) entered: Vec<Totals>,
}

impl Symbols {
    /// Makes room for one more symbol, of which nothing has been met.
    pub(super) fn push(&mut self, label: Symbol) {
        self.faces.push(Face {
            label,
            changed: 0,
            position: TradeLog::NONE,
            price: Price(0),
            has_entered: false,
            is_holding: false,
        });
        self.candidates.push(Candidates::default());
        self.entered.push(Totals::EMPTY);
    }

    /// Number of symbols.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.faces.len()
    }

    /// Lets what has entered since the last emission into the windows of its symbol, which changes them all.
    #[inline]
    pub(super) fn enter(&mut self, locate: usize, totals: &mut [Totals]) {
        let face = &mut self.faces[locate];
        if std::mem::take(&mut face.has_entered) {
            face.changed = u64::MAX;
            let entered = std::mem::replace(&mut self.entered[locate], Totals::EMPTY);
            for totals in totals {
                totals.join(&entered);
            }
        }
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
