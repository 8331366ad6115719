//! The answer: one row for an end, a symbol and a width.

use crate::market::{Locate, Notional, Price, Shares, Symbol, Timestamp};

/// Exact sums over the executions of one window. All fields are 0 when `trades` is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Σ price·shares in ticks·shares.
    pub notional: Notional,
    /// Σ shares.
    pub volume: u64,
    /// Number of executions: a day has fewer than 2^32.
    pub trades: u32,
    /// Price of the first execution in feed order.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Price of the last execution in feed order.
    pub close: Price,
}

impl Sums {
    /// Adds the next execution in feed order: a price in ticks and its shares.
    #[inline]
    pub fn push(&mut self, price: u32, shares: u32) {
        let ticks = Price(price);
        if self.trades == 0 {
            (self.open, self.high, self.low) = (ticks, ticks, ticks);
        }
        self.high = self.high.max(ticks);
        self.low = self.low.min(ticks);
        self.close = ticks;
        self.notional += Notional::of(ticks, Shares(shares));
        self.volume += u64::from(shares);
        self.trades += 1;
    }

    /// The same with all prices 0, as they are where executions of several symbols are summed.
    #[must_use]
    pub fn without_prices(&self) -> Sums {
        Sums {
            notional: self.notional,
            volume: self.volume,
            trades: self.trades,
            ..Sums::default()
        }
    }

    /// The sums of these executions followed by `later` ones.
    #[must_use]
    pub fn then(&self, later: &Sums) -> Sums {
        if self.trades == 0 || later.trades == 0 {
            return if self.trades == 0 { *later } else { *self };
        }
        Sums {
            notional: self.notional + later.notional,
            volume: self.volume + later.volume,
            trades: self.trades + later.trades,
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
        }
    }
}

/// One row of the output, in a cache line of its own. Its key is (`end`, `symbol`, `window`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Row {
    /// End of the window, exclusive: a multiple of the step since midnight.
    pub end: Timestamp,
    /// Symbol as the feed numbers it.
    pub locate: Locate,
    /// Symbol as it is printed.
    pub symbol: Symbol,
    /// Which of the widths asked for, counted from 0 in the order of the option.
    pub window: u8,
    /// The window's sums; no trades only in a correction that emptied the window.
    pub sums: Sums,
    /// Whether no sequence gap overlaps the window.
    pub complete: bool,
    /// How often the row has been corrected after it was first written.
    pub revision: u32,
}

impl Row {
    /// Whether it has prices: not without executions, and not if it is about all symbols, whose prices do not
    /// compare. A feed may have a symbol of that name, but hardly as its locate 0 and with prices that are all 0.
    #[must_use]
    #[inline]
    pub fn has_prices(&self) -> bool {
        let is_total = (self.symbol, self.locate) == (Symbol::ALL, Locate(0));
        let is_total = is_total && self.sums.high == Price(0);
        self.sums.trades > 0 && !is_total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_cache_line() {
        assert_eq!((size_of::<Row>(), align_of::<Row>()), (64, 64));
    }

    #[test]
    fn a_total_has_no_prices_and_a_symbol_of_its_name_has() {
        let row = |(symbol, locate), high, trades| Row {
            end: Timestamp(0),
            locate: Locate(locate),
            symbol,
            window: 0,
            sums: Sums {
                volume: u64::from(trades),
                trades,
                high: Price(high),
                ..Sums::default()
            },
            complete: true,
            revision: 0,
        };
        let apple = Symbol::new("AAPL").expect("a symbol");
        for (symbol, high, trades, has_prices) in [
            ((Symbol::ALL, 0), 0, 1, false),
            ((Symbol::ALL, 0), 1, 1, true),
            ((Symbol::ALL, 1), 0, 1, true),
            ((apple, 0), 0, 1, true),
            ((apple, 1), 1, 1, true),
            ((apple, 1), 0, 0, false),
            ((Symbol::ALL, 0), 0, 0, false),
        ] {
            assert_eq!(row(symbol, high, trades).has_prices(), has_prices);
        }
    }
}
