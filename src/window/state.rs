//! What a sliding window remembers of a symbol: O(1) for each [`Entry`] that enters or leaves.
//!
//! Volume, notional and trades are kept by adding and taking away. The open price is that of the oldest
//! entry in the window, to which the one before it leads. High and low change with an entry that enters
//! by a comparison; only when the newest entry leaves whose price they are, they are looked up among the
//! [`Candidates`].

use super::candidates::{Candidates, Extreme};
use super::entries::{Entry, EntryNumber};
use super::sliding::SYMBOLS;
use super::{Row, Sums};
use crate::columns::{Position, PriceRange, TradeLog};
use crate::market::{Locate, Notional, Price, Symbol, Timestamp};
use crate::memory::Memory;

/// Running totals of one symbol in one window, and what its row says of it, in a cache line of their own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Totals {
    /// As a row has them. Without executions the high is 0 and the low the highest price that there is.
    pub(super) sums: Sums,
    /// The newest of the entries with the highest price.
    high_at: EntryNumber,
    /// The newest of those with the lowest.
    low_at: EntryNumber,
    /// The oldest entry in the window; 0 if it is empty.
    pub(super) head: EntryNumber,
    /// Which of the windows it is.
    pub(super) window: u8,
    pub(super) locate: Locate,
    pub(super) symbol: Symbol,
}

const _: () = assert!(size_of::<Totals>() == 64);

impl Totals {
    pub(super) const EMPTY: Self = Self {
        sums: Sums {
            notional: Notional::ZERO,
            volume: 0,
            trades: 0,
            open: Price(0),
            high: Price(0),
            low: Price(u32::MAX),
            close: Price(0),
        },
        high_at: 0,
        low_at: 0,
        head: 0,
        window: 0,
        locate: Locate(0),
        symbol: Symbol::ALL,
    };

    /// Makes room in a table for so many symbols in all, a line for each of so many windows; of the new ones nothing is
    /// in any window.
    pub(super) fn resize(table: &mut Vec<Self>, symbols: usize, windows: usize, memory: Memory) {
        memory.reserve(table, symbols * windows, SYMBOLS * windows);
        table.resize(symbols * windows, Self::EMPTY);
    }

    /// The row that says so; `complete` has one bit for each window.
    #[inline(always)]
    pub(super) fn row(&self, end: Timestamp, complete: u64) -> Row {
        Row {
            sums: self.sums,
            end,
            locate: self.locate,
            symbol: self.symbol,
            window: self.window,
            complete: complete >> self.window & 1 == 1,
            revision: 0,
        }
    }

    /// Lets an entry in that is newer than all of these. It has executions.
    #[inline]
    pub(super) fn join(&mut self, number: EntryNumber, entry: &Entry) {
        let newer = &entry.sums;
        // No branches: no processor foresees them. All ones where the window is empty.
        let empty = u32::from(self.head == 0).wrapping_neg();
        self.head |= number & empty;
        self.sums.open.0 = self.sums.open.0 & !empty | newer.open.0 & empty;
        self.sums.notional += newer.notional;
        self.sums.volume += newer.volume;
        self.sums.trades += newer.trades;
        self.sums.close = newer.close;
        let is_higher = newer.high >= self.sums.high;
        self.sums.high = self.sums.high.max(newer.high);
        self.high_at = if is_higher { number } else { self.high_at };
        let is_lower = newer.low <= self.sums.low;
        self.sums.low = self.sums.low.min(newer.low);
        self.low_at = if is_lower { number } else { self.low_at };
    }

    /// Takes its oldest entry away. Whether the high must be looked up again, and whether the low.
    #[inline]
    pub(super) fn take(&mut self, number: EntryNumber, entry: &Entry) -> (bool, bool) {
        let (taken, next) = (&entry.sums, &entry.next);
        self.sums.notional -= taken.notional;
        self.sums.volume -= taken.volume;
        self.sums.trades -= taken.trades;
        self.head = next.entry;
        self.sums.open = next.open;
        // Whether the next is the only one that is left, if one is. No branches, as above: all ones if so.
        let single = self.sums.trades <= next.trades;
        let alone = u32::from(single).wrapping_neg();
        let unless = |value: u32, other: u32| value & !alone | other & alone;
        self.sums.high.0 = unless(self.sums.high.0, next.high.0);
        self.sums.low.0 = unless(self.sums.low.0, next.low.0);
        self.high_at = unless(self.high_at, next.entry);
        self.low_at = unless(self.low_at, next.entry);
        (
            !single & (self.high_at == number),
            !single & (self.low_at == number),
        )
    }

    /// Takes one execution out of the sums; whether none is left, and then it is as if none had been.
    pub(super) fn take_back(&mut self, notional: Notional, volume: u64) -> bool {
        self.sums.notional -= notional;
        self.sums.volume -= volume;
        self.sums.trades -= 1;
        let is_empty = self.sums.trades == 0;
        if is_empty {
            (self.sums, self.head) = (Self::EMPTY.sums, 0);
            (self.high_at, self.low_at) = (0, 0);
        }
        is_empty
    }

    /// Whether the high or the low is that of the entry `number`.
    pub(super) fn has_extreme(&self, number: EntryNumber) -> bool {
        self.high_at == number || self.low_at == number
    }

    /// Says which entry has the highest price now.
    #[inline]
    pub(super) fn set_high(&mut self, high: Extreme) {
        (self.sums.high, self.high_at) = (high.highest(), high.entry());
    }

    /// Says which entry has the lowest price now.
    #[inline]
    pub(super) fn set_low(&mut self, low: Extreme) {
        (self.sums.low, self.low_at) = (low.lowest(), low.entry());
    }
}

/// What is looked at of a symbol whenever an execution arrives: four in a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Face {
    /// Where its newest unbroken execution is: the end of the chain in the log.
    pub(super) position: Position,
    /// Its newest entry.
    pub(super) entry: EntryNumber,
    /// Between which prices the session is, if that is asked for.
    pub(super) range: PriceRange,
}

impl Face {
    const NEW: Self = Self {
        position: TradeLog::NONE,
        entry: 0,
        range: PriceRange::NONE,
    };
}

/// What the windows of a symbol share, by locate.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    pub(super) faces: Vec<Face>,
    pub(super) candidates: Vec<Candidates>,
}

impl Symbols {
    /// Makes room for so many symbols and writes to all of it, so that its pages are there.
    pub(super) fn reserve(&mut self, symbols: usize, memory: Memory) {
        self.resize(symbols, memory);
        self.faces.clear();
        self.candidates.clear();
    }

    /// Makes room for so many symbols in all; of the new ones nothing has been met.
    pub(super) fn resize(&mut self, symbols: usize, memory: Memory) {
        self.faces.resize(symbols, Face::NEW);
        memory.reserve(&mut self.candidates, symbols, SYMBOLS);
        self.candidates.resize_with(symbols, Candidates::default);
    }

    /// Number of symbols.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.faces.len()
    }
}
