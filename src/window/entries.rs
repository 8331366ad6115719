//! Executions of a symbol that enter its windows together and leave each of them together: windows are moved by these
//! entries, not by single executions.
//!
//! Entries lie in a ring, in the order in which they began, period by period. A period ends where a window may begin or
//! end, so every window holds whole periods.

use std::collections::VecDeque;

use super::spec::first_end;
use super::{Spec, Sums};
use crate::columns::Position;
use crate::market::{Locate, Price, Trade};
use crate::memory::Memory;

/// Which entry of the day, counted from 1 on; 0 stands for none.
pub(super) type EntryNumber = u32;

/// Room for so many entries at first.
const LEAST_ROOM: usize = 1 << 10;

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
    memory: Memory,
    /// Each entry at the place that the lower bits of its number say: a power of two of them, or none.
    ring: Box<[Entry]>,
    /// Where they come from, at the same places.
    origins: Box<[Origin]>,
    /// Number of the oldest entry that is there, or will be.
    first: EntryNumber,
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
            memory: Memory::default(),
            ring: Box::default(),
            origins: Box::default(),
            first: 1,
            end: 1,
            periods: VecDeque::new(),
            past: 0,
            newest: 1,
            period_end: 0,
        }
    }

    /// The entries with another way to ask for memory, and room for so many at once, the pages there already. There must
    /// have been none.
    pub(super) fn with_memory(mut self, memory: Memory, entries: usize) -> Self {
        self.memory = memory;
        if entries > 0 {
            self.make_room(entries);
        }
        self
    }

    /// Makes room for so many at once.
    #[cold]
    fn make_room(&mut self, entries: usize) {
        let room = entries.next_power_of_two().max(LEAST_ROOM);
        let unused = Entry {
            sums: Sums::default(),
            next: Next::NONE,
            locate: Locate(0),
        };
        let mut ring = self.memory.array_of(unused, room);
        let mut origins = self.memory.array_of(Origin::default(), room);
        for number in self.first..self.end {
            let place = number as usize & (room - 1);
            (ring[place], origins[place]) = (*self.get(number), self.origin(number));
        }
        (self.ring, self.origins) = (ring, origins);
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
        if (number - self.first) as usize == self.ring.len() {
            self.make_room(self.ring.len() + 1);
        }
        self.end += 1;
        let mut sums = Sums::default();
        sums.push(trade.price.0, trade.shares.0);
        let place = self.place(number);
        self.ring[place] = Entry {
            sums,
            next: Next::NONE,
            locate: trade.locate,
        };
        self.origins[place] = Origin { previous, first };
        number
    }

    /// Where the entry `number` is, if it is there.
    #[inline(always)]
    fn place(&self, number: EntryNumber) -> usize {
        number as usize & self.ring.len().wrapping_sub(1)
    }

    /// The entry `number`, which must be there.
    #[inline]
    pub(super) fn get(&self, number: EntryNumber) -> &Entry {
        &self.ring[self.place(number)]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: EntryNumber) -> &mut Entry {
        let place = self.place(number);
        &mut self.ring[place]
    }

    #[inline]
    fn origin(&self, number: EntryNumber) -> Origin {
        self.origins[self.place(number)]
    }

    /// Whether there is an entry `number`, and it has not been given up.
    #[inline]
    fn has(&self, number: EntryNumber) -> bool {
        number >= self.first
    }

    /// The entries from `from` on as far as they lie in a row, and what may be behind them.
    #[inline]
    pub(super) fn stretch(&self, from: EntryNumber) -> &[Entry] {
        &self.ring[self.place(from)..]
    }

    /// Asks for the entry `number`; if it is not there, that is no harm.
    #[inline(always)]
    pub(super) fn prefetch(&self, number: EntryNumber) {
        self.memory.prefetch(&self.ring, self.place(number));
    }

    /// Asks for the entry `number` if it is in the newest period. No processor foresees whether it is: if not, the first
    /// of those is asked for.
    #[inline(always)]
    pub(super) fn prefetch_open(&self, number: EntryNumber) {
        self.prefetch(number.max(self.newest));
    }

    /// Asks for the symbol's entry before `number`, to which [`Entries::link`] will write.
    #[inline(always)]
    pub(super) fn prefetch_previous(&self, number: EntryNumber) {
        self.prefetch(self.origin(number).previous);
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
        let next = Next::to(number, &self.get(number).sums);
        let previous = self.origin(number).previous;
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
            let place = self.place(newer);
            self.origins[place].previous = previous;
        }
        last
    }

    /// Gives up the periods before `period`.
    pub(super) fn drop_before(&mut self, period: u64) {
        while self.past < period && self.periods.pop_front().is_some() {
            self.past += 1;
        }
        self.first = self.first_of(self.past);
    }
}

#[cfg(test)]
mod tests;
