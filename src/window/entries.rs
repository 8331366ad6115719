//! Executions of a symbol that enter its windows together and leave each of them together: windows are moved by these
//! entries, not by single executions.
//!
//! Entries lie in the order in which they began, period by period. A period ends where a window may begin or end, so
//! every window holds whole periods.

use std::collections::VecDeque;

use super::spec::first_end;
use super::{Spec, Sums};
use crate::columns::Position;
use crate::market::{Locate, Price, Trade};
use crate::memory::Memory;

/// Which entry of the day, counted from 1 on; 0 stands for none.
pub(super) type EntryNumber = u32;

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

/// The symbol's entry behind another: all that a window needs of it when the other leaves. Without executions where
/// there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) entry: EntryNumber,
    pub(super) trades: u32,
    pub(super) open: Price,
    pub(super) high: Price,
    pub(super) low: Price,
}

impl Next {
    const NONE: Self = Self {
        entry: 0,
        trades: 0,
        open: Price(0),
        high: Price(0),
        low: Price(u32::MAX),
    };

    /// To the entry `entry` with these sums.
    #[inline(always)]
    fn to(entry: EntryNumber, sums: &Sums) -> Self {
        Self {
            entry,
            trades: sums.trades,
            open: sums.open,
            high: sums.high,
            low: sums.low,
        }
    }
}

/// The executions of a symbol in one period, in a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    /// Of those that are unbroken; none may be.
    pub(super) sums: Sums,
    pub(super) next: Next,
    pub(super) locate: Locate,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// What only breaks ask of an entry.
#[derive(Clone, Copy, Debug, Default)]
struct Origin {
    /// The symbol's entry before.
    previous: EntryNumber,
    /// Where its first execution is, or was: those of the entry before are older.
    first: Position,
}

/// Some thousand entries in a row, all of them there: made once and written over.
#[derive(Debug)]
struct Chunk {
    entries: Box<[Entry]>,
    origins: Box<[Origin]>,
}

impl Chunk {
    fn new() -> Self {
        let unused = Entry {
            sums: Sums::default(),
            next: Next::NONE,
            locate: Locate(0),
        };
        Self {
            entries: vec![unused; CHUNK].into_boxed_slice(),
            origins: vec![Origin::default(); CHUNK].into_boxed_slice(),
        }
    }
}

/// A stretch of time in which something was executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// Time of its first execution.
    pub(super) begin: u64,
    /// Its first entry.
    first: EntryNumber,
}

/// The entries of all symbols that a window may need.
#[derive(Debug)]
pub(super) struct Entries {
    chunks: VecDeque<Chunk>,
    spare: Vec<Chunk>,
    /// Chunks given up so far.
    dropped: u32,
    /// Number of the next entry.
    end: EntryNumber,
    periods: VecDeque<Period>,
    /// Periods given up so far.
    past: u64,
    /// First entry of the newest period.
    newest: EntryNumber,
    /// First moment that is not in the newest period.
    period_end: u64,
    step: u64,
    /// How far behind an end, a multiple of the step, windows begin that end at another: 0, and what is left of the
    /// widths that are no multiples.
    shifts: Vec<u64>,
}

impl Entries {
    pub(super) fn new(spec: &Spec) -> Self {
        let step = spec.step.nanos();
        let mut shifts: Vec<_> = spec.finite_widths().map(|width| width % step).collect();
        shifts.push(0);
        shifts.sort_unstable();
        shifts.dedup();
        Self {
            step,
            shifts,
            chunks: VecDeque::new(),
            spare: Vec::new(),
            dropped: 0,
            end: 1,
            periods: VecDeque::new(),
            past: 0,
            newest: 1,
            period_end: 0,
        }
    }

    /// The entries with room for so many at once, the pages there already.
    pub(super) fn with_room(self, entries: usize) -> Self {
        Self {
            spare: (0..entries.div_ceil(CHUNK)).map(|_| Chunk::new()).collect(),
            ..self
        }
    }

    /// Number of the next entry.
    #[inline]
    pub(super) fn end(&self) -> EntryNumber {
        self.end
    }

    /// Number of the next period, counted from 0 on.
    #[inline]
    pub(super) fn next_period(&self) -> u64 {
        self.past + self.periods.len() as u64
    }

    /// Whether an execution at `time`, the newest, is in the newest period.
    #[inline]
    pub(super) fn is_open(&self, time: u64) -> bool {
        time < self.period_end
    }

    /// Opens the period of the execution at `time`.
    pub(super) fn open(&mut self, time: u64) {
        self.newest = self.end;
        // Executions from there on enter or leave some window at a later end.
        let shifts = self.shifts.iter();
        let ends = shifts.map(|shift| first_end(time.saturating_add(*shift), self.step) - shift);
        self.period_end = ends.min().unwrap_or(u64::MAX);
        self.periods.push_back(Period {
            begin: time,
            first: self.end,
        });
    }

    /// Closes the newest period: what comes is in another.
    pub(super) fn close(&mut self) {
        self.period_end = 0;
    }

    /// Adds the newest execution of a symbol whose last entry is `last`, in the newest period; says which entry has it.
    #[inline]
    pub(super) fn add(
        &mut self,
        last: EntryNumber,
        position: Position,
        trade: &Trade,
    ) -> EntryNumber {
        if last < self.newest {
            return self.push(last, position, trade);
        }
        let (price, shares) = (trade.price.0, trade.shares.0);
        self.get_mut(last).sums.push(price, shares);
        last
    }

    #[inline]
    fn push(&mut self, previous: EntryNumber, first: Position, trade: &Trade) -> EntryNumber {
        let number = self.end;
        let index = number as usize % CHUNK;
        if index == 0 || self.chunks.is_empty() {
            let spare = self.spare.pop();
            self.chunks.push_back(spare.unwrap_or_else(Chunk::new));
        }
        self.end += 1;
        if let Some(chunk) = self.chunks.back_mut() {
            let mut sums = Sums::default();
            sums.push(trade.price.0, trade.shares.0);
            chunk.entries[index] = Entry {
                sums,
                next: Next::NONE,
                locate: trade.locate,
            };
            chunk.origins[index] = Origin { previous, first };
        }
        number
    }

    #[inline]
    fn chunk(&self, number: EntryNumber) -> (&Chunk, usize) {
        let chunk = (number >> CHUNK_BITS) - self.dropped;
        (&self.chunks[chunk as usize], number as usize % CHUNK)
    }

    #[inline]
    fn chunk_mut(&mut self, number: EntryNumber) -> (&mut Chunk, usize) {
        let chunk = (number >> CHUNK_BITS) - self.dropped;
        (&mut self.chunks[chunk as usize], number as usize % CHUNK)
    }

    /// The entry `number`, which must be there.
    #[inline]
    pub(super) fn get(&self, number: EntryNumber) -> &Entry {
        let (chunk, index) = self.chunk(number);
        &chunk.entries[index]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: EntryNumber) -> &mut Entry {
        let (chunk, index) = self.chunk_mut(number);
        &mut chunk.entries[index]
    }

    fn origin(&self, number: EntryNumber) -> Origin {
        let (chunk, index) = self.chunk(number);
        chunk.origins[index]
    }

    /// Whether there is an entry `number`, and it has not been given up.
    #[inline]
    fn has(&self, number: EntryNumber) -> bool {
        number != 0 && number >> CHUNK_BITS >= self.dropped
    }

    /// The entries from `from` on as far as they lie in a row, and what may be behind them.
    #[inline]
    pub(super) fn stretch(&self, from: EntryNumber) -> &[Entry] {
        let (chunk, index) = self.chunk(from);
        &chunk.entries[index..]
    }

    /// Asks for the entry `number`, if it is there. No processor foresees whether it is: if not, the oldest is asked for.
    #[inline(always)]
    pub(super) fn prefetch(&self, number: EntryNumber, memory: Memory) {
        let number = number.max(self.dropped << CHUNK_BITS);
        let chunk = (number >> CHUNK_BITS) - self.dropped;
        if let Some(chunk) = self.chunks.get(chunk as usize) {
            memory.prefetch(&chunk.entries, number as usize % CHUNK);
        }
    }

    /// Asks for the symbol's entry before `number`, to which [`Entries::link`] will write.
    #[inline(always)]
    pub(super) fn prefetch_previous(&self, number: EntryNumber, memory: Memory) {
        self.prefetch(self.origin(number).previous, memory);
    }

    /// The period with this number; `None` if it has not begun.
    #[inline]
    pub(super) fn period(&self, period: u64) -> Option<&Period> {
        self.periods.get((period - self.past) as usize)
    }

    /// First entry of a period, or the one that it will be.
    #[inline]
    pub(super) fn first_of(&self, period: u64) -> EntryNumber {
        self.period(period).map_or(self.end, |period| period.first)
    }

    /// Where the oldest execution of the period is, or was; `None` if it has not begun.
    pub(super) fn position_of(&self, period: u64) -> Option<Position> {
        let period = self.period(period)?;
        Some(self.origin(period.first).first)
    }

    /// The symbol's entries before `number` and that one, the newest first, as far as they are there.
    pub(super) fn backwards(
        &self,
        number: EntryNumber,
    ) -> impl Iterator<Item = EntryNumber> + Clone + '_ {
        let there = |number: EntryNumber| self.has(number).then_some(number);
        std::iter::successors(there(number), move |&number| {
            there(self.origin(number).previous)
        })
    }

    /// Of a symbol whose last entry is `last`: the one that holds the execution at `position`, and where its executions
    /// begin and end.
    pub(super) fn holding(
        &self,
        last: EntryNumber,
        position: Position,
    ) -> Option<(EntryNumber, std::ops::Range<Position>)> {
        let mut end = Position::MAX;
        for number in self.backwards(last) {
            let first = self.origin(number).first;
            if first <= position {
                return Some((number, first..end));
            }
            end = first;
        }
        None
    }

    /// Says to the symbol's entry before `number`, if it is there, what is behind it.
    #[inline(always)]
    pub(super) fn link(&mut self, number: EntryNumber) {
        let (chunk, index) = self.chunk(number);
        let next = Next::to(number, &chunk.entries[index].sums);
        let previous = chunk.origins[index].previous;
        if self.has(previous) {
            self.get_mut(previous).next = next;
        }
    }

    /// Takes the entry `number`, which has no executions any more, out of those of its symbol, whose last entry is
    /// `last`; returns which is the last now.
    pub(super) fn unlink(&mut self, number: EntryNumber, last: EntryNumber) -> EntryNumber {
        let previous = self.origin(number).previous;
        if self.has(previous) && self.get(previous).next.entry == number {
            self.get_mut(previous).next = self.get(number).next;
        }
        if last == number {
            return previous;
        }
        let is_behind = |&newer: &EntryNumber| self.origin(newer).previous == number;
        let newer = self.backwards(last).find(is_behind);
        if let Some(newer) = newer {
            let (chunk, index) = self.chunk_mut(newer);
            chunk.origins[index].previous = previous;
        }
        last
    }

    /// Gives up the periods before `period`, chunk by chunk.
    pub(super) fn drop_before(&mut self, period: u64) {
        while self.past < period && self.periods.pop_front().is_some() {
            self.past += 1;
        }
        let kept = self.periods.front().map_or(self.end, |period| period.first) >> CHUNK_BITS;
        while self.dropped < kept {
            self.spare.extend(self.chunks.pop_front());
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests;
