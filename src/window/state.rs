//! What a sliding window remembers of a symbol: O(1) for each execution that enters or leaves.
//!
//! Volume, notional and trades are kept by adding and taking away. The open price is that of the
//! first execution in the window, reached through the log's links, which skip what has been broken.
//! High and low change with an execution that enters by a comparison; only when the newest execution
//! leaves whose price they are, they are looked up among the [`Candidates`].

use super::Sums;
use super::candidates::{Candidates, Extreme};
use crate::columns::{Link, Position, TradeLog};
use crate::market::{Locate, Price, Symbol, Trade};

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
        high: Extreme::NONE,
        low: Extreme::NONE,
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
            .map(|only| only.unless(mask(empty), Extreme::NONE));
        self.high = self.high.unless(mask(single), high);
        self.low = self.low.unless(mask(single), low);
        let is_old = |extreme: Extreme| !single & (extreme.position() == position);
        (is_old(self.high), is_old(self.low))
    }

    /// Takes an execution away that may be in the middle of the window: `next` is the one behind it. High and
    /// low are left as they are where there is more than one execution left.
    pub(super) fn take_back(&mut self, position: Position, taken: (u32, u32), next: Link) {
        let head = match self.head {
            head if head == position => next,
            head => Link {
                position: head,
                price: self.open,
            },
        };
        self.take(position, taken, head);
    }

    /// Whether the execution at `position` is its high or its low.
    pub(super) fn has_extreme(&self, position: Position) -> bool {
        let is_there = |extreme: Extreme| extreme.position() == position;
        self.trades > 0 && (is_there(self.high) || is_there(self.low))
    }

    /// The totals as a row has them; `close` is the price of the symbol's newest execution.
    #[inline]
    pub(super) fn sums(&self, close: Price) -> Sums {
        Sums {
            notional: self.notional,
            volume: self.volume,
            trades: u64::from(self.trades),
            open: Price(self.open),
            high: self.high.highest(),
            low: self.low.lowest(),
            close,
        }
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
    /// Makes room for so many symbols and writes to all of it, so that its pages are there.
    pub(super) fn reserve(&mut self, symbols: usize) {
        let label = Symbol::unnamed(Locate(0));
        (0..symbols).for_each(|_| self.push(label));
        self.faces.clear();
        self.candidates.clear();
        self.entered.clear();
    }

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
