//! What a sliding window remembers of a symbol: O(1) for each execution that enters or leaves.
//!
//! Volume, notional and trades are kept by adding and taking away. The open price is that of the
//! first execution in the window, reached through the log's links, which skip what has been broken.
//! High and low change with an execution that enters by a comparison; only when the newest execution
//! leaves whose price they are, they are looked up among the [`Candidates`].

use super::Sums;
use super::candidates::{Candidates, Extreme};
use crate::columns::{Link, Position, PriceRange, TradeLog};
use crate::market::{Locate, Notional, Price, Shares, Symbol, Trade};

/// Running totals of one symbol in one window, and what its row says of it, in a cache line of their own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Totals {
    /// As a row has them. Without executions the high is 0 and the low the highest price that there is.
    pub(super) sums: Sums,
    /// The newest of the executions with the highest price.
    high_at: Position,
    /// The newest of those with the lowest.
    low_at: Position,
    /// Oldest unbroken execution in the window.
    pub(super) head: Position,
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
        high_at: TradeLog::NONE,
        low_at: TradeLog::NONE,
        head: TradeLog::NONE,
        window: 0,
        locate: Locate(0),
        symbol: Symbol::ALL,
    };

    #[inline]
    pub(super) fn add(&mut self, trade: &Trade, position: Position) {
        self.begin(position, trade.price);
        self.sums.notional += Notional::of(trade.price, trade.shares);
        self.sums.volume += u64::from(trade.shares.0);
        self.sums.trades += 1;
        self.sums.close = trade.price;
        self.raise(trade.price, position);
        self.lower(trade.price, position);
    }

    /// Takes note of the oldest of newer executions if there is none yet. No branch: no processor foresees it.
    #[inline(always)]
    fn begin(&mut self, head: Position, open: Price) {
        // All ones where it is empty.
        let empty = u32::from(self.head == TradeLog::NONE).wrapping_neg();
        self.head = self.head & !empty | head & empty;
        self.sums.open.0 = self.sums.open.0 & !empty | open.0 & empty;
    }

    /// Takes note of the high of newer executions.
    #[inline(always)]
    fn raise(&mut self, high: Price, at: Position) {
        let is_higher = high >= self.sums.high;
        self.sums.high = self.sums.high.max(high);
        self.high_at = if is_higher { at } else { self.high_at };
    }

    /// Takes note of the low of newer executions.
    #[inline(always)]
    fn lower(&mut self, low: Price, at: Position) {
        let is_lower = low <= self.sums.low;
        self.sums.low = self.sums.low.min(low);
        self.low_at = if is_lower { at } else { self.low_at };
    }

    /// Adds executions that are newer than all of these.
    #[inline]
    pub(super) fn join(&mut self, newer: &Totals) {
        self.begin(newer.head, newer.sums.open);
        self.sums.notional += newer.sums.notional;
        self.sums.volume += newer.sums.volume;
        self.sums.trades += newer.sums.trades;
        self.sums.close = newer.sums.close;
        self.raise(newer.sums.high, newer.high_at);
        self.lower(newer.sums.low, newer.low_at);
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
        self.sums.notional -= Notional::of(Price(price), Shares(shares));
        self.sums.volume -= u64::from(shares);
        self.sums.trades -= 1;
        let [empty, single] = [self.sums.trades == 0, self.sums.trades <= 1];
        let mask = |is: bool| u32::from(is).wrapping_neg();
        let unless = |value: u32, mask: u32, other: u32| value & !mask | other & mask;
        self.head = head.position | mask(empty);
        self.sums.open = Price(head.price);
        let [high, low] = [head.price & !mask(empty), head.price | mask(empty)];
        self.sums.high.0 = unless(self.sums.high.0, mask(single), high);
        self.sums.low.0 = unless(self.sums.low.0, mask(single), low);
        self.high_at = unless(self.high_at, mask(single), self.head);
        self.low_at = unless(self.low_at, mask(single), self.head);
        (
            !single & (self.high_at == position),
            !single & (self.low_at == position),
        )
    }

    /// Takes an execution away that may be in the middle of the window: `next` is the one behind it. High and
    /// low are left as they are where there is more than one execution left.
    pub(super) fn take_back(&mut self, position: Position, taken: (u32, u32), next: Link) {
        let head = match self.head {
            head if head == position => next,
            head => Link {
                position: head,
                price: self.sums.open.0,
            },
        };
        self.take(position, taken, head);
    }

    /// Says between which prices all its executions are, if it holds any, but not which have them.
    pub(super) fn set_range(&mut self, range: PriceRange) {
        if self.sums.trades > 0 {
            (self.sums.high, self.sums.low) = (Price(range.high), Price(range.low));
        }
    }

    /// Whether the execution at `position` is its high or its low.
    pub(super) fn has_extreme(&self, position: Position) -> bool {
        self.sums.trades > 0 && (self.high_at == position || self.low_at == position)
    }

    /// Says which execution has the highest price now.
    #[inline]
    pub(super) fn set_high(&mut self, high: Extreme) {
        (self.sums.high, self.high_at) = (high.highest(), high.position());
    }

    /// Says which execution has the lowest price now.
    #[inline]
    pub(super) fn set_low(&mut self, low: Extreme) {
        (self.sums.low, self.low_at) = (low.lowest(), low.position());
    }
}

/// What is looked at of a symbol whenever an execution arrives: four in a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Face {
    /// Where its newest unbroken execution is: the end of the chain of links.
    pub(super) position: Position,
    /// Whether something has entered since the last emission.
    pub(super) has_entered: bool,
    /// Between which prices the session is, if that is asked for.
    pub(super) range: PriceRange,
}

impl Face {
    const NEW: Self = Self {
        position: TradeLog::NONE,
        has_entered: false,
        range: PriceRange::NONE,
    };
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
    /// Makes room for so many symbols and writes to all of it, so that its pages are there.
    pub(super) fn reserve(&mut self, symbols: usize) {
        self.resize(symbols);
        self.faces.clear();
        self.candidates.clear();
        self.entered.clear();
    }

    /// Makes room for so many symbols in all; of the new ones nothing has been met.
    pub(super) fn resize(&mut self, symbols: usize) {
        self.faces.resize(symbols, Face::NEW);
        self.candidates.resize_with(symbols, Candidates::default);
        self.entered.resize(symbols, Totals::EMPTY);
    }

    /// Number of symbols.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.faces.len()
    }

    /// Lets what has entered since the last emission into the windows of its symbol, which changes them all;
    /// whether anything has.
    #[inline]
    pub(super) fn enter(&mut self, locate: usize, totals: &mut [Totals]) -> bool {
        let has_entered = std::mem::take(&mut self.faces[locate].has_entered);
        if has_entered {
            let entered = std::mem::replace(&mut self.entered[locate], Totals::EMPTY);
            for totals in totals {
                totals.join(&entered);
            }
        }
        has_entered
    }
}
