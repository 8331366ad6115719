//! The trades that windows still need, in feed order.

mod chunk;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use chunk::{CHUNK, CHUNK_BITS, Chunk};

use super::{PriceRange, Trades};
use crate::market::Trade;

/// Place of a trade in the log, counted from the first trade of the day. It never changes.
pub type Position = u32;

/// An append-only log of trades whose old end can be given up; chunks given up are filled again.
#[derive(Debug, Default)]
pub struct TradeLog {
    chunks: VecDeque<Chunk>,
    spare: Vec<Chunk>,
    has_ranges: bool,
    /// Chunks given up so far.
    dropped: u32,
    length: Position,
    matches: MatchIndex,
}

/// How a match number is found. Exchanges count upwards, so the log itself is usually sorted by
/// match number; the first number out of order builds a map, once.
#[derive(Debug, Default)]
enum MatchIndex {
    #[default]
    Empty,
    Sorted {
        newest: u64,
    },
    Map(HashMap<u64, Position>),
}

/// What became of a trade that was to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// It is not in the log.
    Unknown,
    /// That was done before.
    Repeated,
    /// Where it is, and what it was.
    Now(Position, Trade),
}

impl TradeLog {
    /// The number that no position reaches.
    pub const NONE: Position = u32::MAX;
    /// How many trades there may be in a day: whoever counts them from 1 on can still say what follows the last.
    pub const MOST: Position = u32::MAX - 1;

    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The log that also keeps price ranges, or not. It must be empty.
    #[must_use]
    pub fn with_ranges(mut self, are_kept: bool) -> Self {
        self.has_ranges = are_kept;
        self
    }

    /// The log with room for so many trades, its pages there already. It must be empty.
    #[must_use]
    pub fn with_room(self, trades: usize) -> Self {
        let spare = (0..trades.div_ceil(CHUNK)).map(|_| Chunk::new(self.has_ranges));
        Self {
            spare: spare.collect(),
            ..self
        }
    }

    /// Appends the trades `range` of `trades` and returns the position of the first; `None`, and none
    /// is appended, where that makes more than [`TradeLog::MOST`].
    pub fn extend(&mut self, trades: &Trades, range: Range<usize>) -> Option<Position> {
        let first = self.length;
        let count = Position::try_from(range.len()).ok()?;
        let length = self.length.checked_add(count)?;
        if length > Self::MOST {
            return None;
        }
        let mut from = range.start;
        while from < range.end {
            let used = self.length as usize & (CHUNK - 1);
            if used == 0 {
                let spare = self.spare.pop();
                let chunk = spare.unwrap_or_else(|| Chunk::new(self.has_ranges));
                self.chunks.push_back(chunk);
            }
            let to = range.end.min(from + CHUNK - used);
            if let Some(chunk) = self.chunks.back_mut() {
                chunk.trades.extend(trades, from..to);
                chunk.previous.repeat(Self::NONE, to - from);
                if self.has_ranges {
                    chunk.ranges.repeat(PriceRange::NONE, to - from);
                }
            }
            for &number in &trades.match_numbers.as_slice()[from..to] {
                let position = self.length;
                self.length += 1;
                self.index_match(number, position);
            }
            from = to;
        }
        Some(first)
    }

    #[inline]
    fn index_match(&mut self, number: u64, position: Position) {
        match &mut self.matches {
            MatchIndex::Empty => self.matches = MatchIndex::Sorted { newest: number },
            MatchIndex::Sorted { newest } if number > *newest => *newest = number,
            MatchIndex::Map(map) => {
                map.insert(number, position);
            }
            MatchIndex::Sorted { .. } => self.build_map(),
        }
    }

    #[cold]
    fn build_map(&mut self) {
        let mut map = HashMap::with_capacity((self.length - self.first()) as usize);
        for position in self.first()..self.length {
            map.insert(self.match_number(position), position);
        }
        self.matches = MatchIndex::Map(map);
    }

    /// Position of the newest trade with this match number among those still in the log.
    #[must_use]
    pub fn find(&self, number: u64) -> Option<Position> {
        match &self.matches {
            MatchIndex::Empty => None,
            MatchIndex::Map(map) => map.get(&number).copied(),
            MatchIndex::Sorted { .. } => {
                let position = self.partition(|log, at| log.match_number(at) < number);
                (position < self.length && self.match_number(position) == number)
                    .then_some(position)
            }
        }
    }

    /// Position of the first trade at or after `time`.
    #[must_use]
    pub fn first_at_or_after(&self, time: u64) -> Position {
        self.partition(|log, at| log.time(at) < time)
    }

    fn partition(&self, before: impl Fn(&Self, Position) -> bool) -> Position {
        let (mut low, mut high) = (self.first(), self.length);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self, middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Position of the oldest trade still in the log.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Position {
        self.dropped << CHUNK_BITS
    }

    /// Position that the next trade will have.
    #[must_use]
    #[inline]
    pub fn end(&self) -> Position {
        self.length
    }

    #[inline]
    fn chunk(&self, position: Position) -> (&Chunk, usize) {
        let chunk = &self.chunks[((position >> CHUNK_BITS) - self.dropped) as usize];
        (chunk, position as usize & (CHUNK - 1))
    }

    /// The trade at `position`, which must be in the log.
    #[must_use]
    #[inline]
    pub fn get(&self, position: Position) -> Trade {
        let (chunk, index) = self.chunk(position);
        chunk.trades.get(index)
    }

    /// Time of the trade at `position`, in nanoseconds since midnight.
    #[must_use]
    #[inline]
    pub fn time(&self, position: Position) -> u64 {
        let (chunk, index) = self.chunk(position);
        chunk.trades.times.as_slice()[index]
    }

    fn match_number(&self, position: Position) -> u64 {
        let (chunk, index) = self.chunk(position);
        chunk.trades.match_numbers.as_slice()[index]
    }

    /// Takes back the newest trade with this match number: it counts nowhere any more, as its policies are gone. One
    /// that never had any counts as taken back before.
    pub fn take_back(&mut self, number: u64) -> TakenBack {
        let Some(position) = self.find(number) else {
            return TakenBack::Unknown;
        };
        let trade = self.get(position);
        if trade.policies == 0 {
            return TakenBack::Repeated;
        }
        if let Some((chunk, index)) = self.chunk_mut(position) {
            chunk.trades.policies.as_mut_slice()[index] = 0;
        }
        TakenBack::Now(position, trade)
    }

    fn previous(&self, position: Position) -> Option<Position> {
        let (chunk, index) = self.chunk(position);
        self.if_there(chunk.previous.as_slice()[index])
    }

    fn if_there(&self, position: Position) -> Option<Position> {
        (position != Self::NONE && position >= self.first()).then_some(position)
    }

    /// Links the trade at `previous`, [`TradeLog::NONE`] for none, before the one at `position`. With the same look at
    /// it says what [`TradeLog::set_range`] would say of it, if the log keeps ranges.
    // Not a call: the range would be written as two numbers and read as one, which waits for the stores.
    #[inline(always)]
    pub fn link(&mut self, previous: Position, position: Position, range: Option<PriceRange>) {
        if let Some((chunk, index)) = self.chunk_mut(position) {
            chunk.previous.as_mut_slice()[index] = previous;
            if let Some(range) = range {
                chunk.ranges.as_mut_slice()[index] = range;
            }
        }
    }

    /// What [`TradeLog::set_range`] has said of the trade at `position`, which must be in the log. The log must
    /// keep ranges.
    #[must_use]
    pub fn range(&self, position: Position) -> PriceRange {
        let (chunk, index) = self.chunk(position);
        chunk.ranges.as_slice()[index]
    }

    /// Says between which prices the trades of the same symbol are up to the one at `position`. The log must
    /// keep ranges.
    #[inline]
    pub fn set_range(&mut self, position: Position, range: PriceRange) {
        if let Some((chunk, index)) = self.chunk_mut(position) {
            chunk.ranges.as_mut_slice()[index] = range;
        }
    }

    #[inline]
    fn chunk_mut(&mut self, position: Position) -> Option<(&mut Chunk, usize)> {
        if position == Self::NONE {
            return None;
        }
        let number = (position >> CHUNK_BITS).checked_sub(self.dropped)?;
        let chunk = self.chunks.get_mut(number as usize)?;
        Some((chunk, position as usize & (CHUNK - 1)))
    }

    /// Positions of the trades that are linked up to `last`, newest first, that one included; those whose policies have
    /// been cleared are passed over.
    pub fn backwards(&self, last: Position) -> impl Iterator<Item = Position> + Clone + '_ {
        let linked = std::iter::successors(self.if_there(last), |&at| self.previous(at));
        linked.filter(|&position| {
            let (chunk, index) = self.chunk(position);
            chunk.trades.policies.as_slice()[index] != 0
        })
    }

    /// Positions and columns of all trades, chunk by chunk.
    pub fn stretches(&self) -> impl Iterator<Item = (Position, &Trades)> + '_ {
        (self.dropped..)
            .zip(&self.chunks)
            .map(|(chunk, stored)| (chunk << CHUNK_BITS, &stored.trades))
    }

    /// Gives up whole chunks of trades before `keep_from`.
    pub fn drop_before(&mut self, keep_from: Position) {
        while self.first() + (CHUNK as u32) <= keep_from.min(self.length) {
            let Some(mut chunk) = self.chunks.pop_front() else {
                return;
            };
            if let MatchIndex::Map(map) = &mut self.matches {
                let kept = (self.dropped + 1) << CHUNK_BITS;
                for number in chunk.trades.match_numbers.as_slice() {
                    if map.get(number).is_some_and(|&newest| newest < kept) {
                        map.remove(number);
                    }
                }
            }
            chunk.trades.clear();
            chunk.previous.clear();
            chunk.ranges.clear();
            self.spare.push(chunk);
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests;
