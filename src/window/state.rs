//! What a sliding window remembers of a symbol: O(1) for each execution that enters or leaves.
//!
//! Volume, notional and trades are kept by adding and taking away. The open price is that of the
//! first execution in the window, reached through the log's links. High and low need no state of
//! their own for each width: the executions that no later one exceeds form one list a symbol, and
//! the highest price of a window that starts at position p is the first of them at or after p.

use std::collections::VecDeque;

use super::Sums;
use crate::columns::{Position, TradeLog};
use crate::market::{Price, Trade};

/// Running totals of one symbol in one window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub(super) notional: u128,
    pub(super) volume: u64,
    pub(super) trades: u32,
    /// Oldest execution in the window, perhaps broken since.
    pub(super) head: Position,
    /// Number of the emission before which an unbroken execution last left.
    pub(super) left: u32,
}

impl Totals {
    pub(super) const EMPTY: Self = Self {
        notional: 0,
        volume: 0,
        trades: 0,
        head: TradeLog::NONE,
        left: 0,
    };

    #[inline]
    pub(super) fn add(&mut self, trade: &Trade, position: Position) {
        if self.head == TradeLog::NONE {
            self.head = position;
        }
        self.notional += u128::from(trade.price.0) * u128::from(trade.shares.0);
        self.volume += u64::from(trade.shares.0);
        self.trades += 1;
    }

    #[inline]
    pub(super) fn take(&mut self, trade: &Trade) {
        self.notional -= u128::from(trade.price.0) * u128::from(trade.shares.0);
        self.volume -= u64::from(trade.shares.0);
        self.trades -= 1;
    }
}

/// The executions that no later one exceeds, oldest first, for one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Extremes {
    candidates: VecDeque<(Position, u32)>,
}

impl Extremes {
    /// Adds the newest execution; `beaten(old)` says whether it makes the candidate `old` useless.
    #[inline]
    fn push(&mut self, position: Position, price: u32, beaten: impl Fn(u32) -> bool) {
        while self.candidates.back().is_some_and(|&(_, old)| beaten(old)) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((position, price));
    }

    /// The extreme price of the executions from `start` on; 0 where there are none.
    #[inline]
    fn since(&self, start: Position) -> Price {
        let first = self
            .candidates
            .partition_point(|&(position, _)| position < start);
        Price(self.candidates.get(first).map_or(0, |&(_, price)| price))
    }

    fn forget_before(&mut self, start: Position) {
        while self
            .candidates
            .front()
            .is_some_and(|&(position, _)| position < start)
        {
            self.candidates.pop_front();
        }
    }
}

/// What all windows of one symbol share.
#[derive(Clone, Debug)]
pub(super) struct SymbolState {
    highs: Extremes,
    lows: Extremes,
    /// Highest and lowest price of the day.
    session_high: u32,
    session_low: u32,
    /// Newest execution, broken or not: the end of the chain of links.
    pub(super) last: Position,
    /// Price of the newest unbroken execution.
    pub(super) close: Price,
    /// Unbroken executions since the last emission.
    pub(super) entered: u32,
    /// Whether the symbol is on the list of the next emission.
    pub(super) touched: bool,
    /// Whether the symbol is on the list of those that may hold executions.
    pub(super) holding: bool,
}

impl SymbolState {
    pub(super) fn new() -> Self {
        Self {
            highs: Extremes::default(),
            lows: Extremes::default(),
            session_high: 0,
            session_low: u32::MAX,
            last: TradeLog::NONE,
            close: Price(0),
            entered: 0,
            touched: false,
            holding: false,
        }
    }

    /// Takes note of the newest unbroken execution. `finite` says whether any window has a width.
    #[inline]
    pub(super) fn push(&mut self, position: Position, price: Price, finite: bool) {
        self.close = price;
        self.session_high = self.session_high.max(price.0);
        self.session_low = self.session_low.min(price.0);
        if finite {
            self.highs.push(position, price.0, |old| old <= price.0);
            self.lows.push(position, price.0, |old| old >= price.0);
        }
    }

    /// Forgets prices; the unbroken executions must be pushed again.
    pub(super) fn clear_prices(&mut self) {
        self.highs.candidates.clear();
        self.lows.candidates.clear();
        (self.session_high, self.session_low) = (0, u32::MAX);
    }

    /// The sums of a window whose first position is `start`, or of the day if that is `None`.
    #[inline]
    pub(super) fn sums(&mut self, totals: &Totals, start: Option<Position>, open: Price) -> Sums {
        let (high, low) = match start {
            Some(start) => (self.highs.since(start), self.lows.since(start)),
            None => (Price(self.session_high), Price(self.session_low)),
        };
        Sums {
            notional: totals.notional,
            volume: totals.volume,
            trades: u64::from(totals.trades),
            open,
            high,
            low,
            close: self.close,
        }
    }

    /// Forgets candidates that no window reaches any more.
    pub(super) fn forget_before(&mut self, start: Position) {
        self.highs.forget_before(start);
        self.lows.forget_before(start);
    }
}
