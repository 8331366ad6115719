//! The dense grid: which ends and widths, and the stretches in which its sums are shown.

use crate::market::{Locate, Notional, Price};
use crate::window::Sums;

/// Every end of a stretch of the day × every width, for all symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// First end in steps since midnight: the window that holds the steps before it.
    pub first: u32,
    /// Number of ends, one a step.
    pub ends: u32,
    /// Widths in steps, in any order; 0 is taken as 1. Memory grows with the widest.
    pub widths: Vec<u32>,
}

/// The sums of one symbol and width at consecutive ends. All slices but `notional_highs` have the same
/// length, at least 1.
#[derive(Clone, Copy, Debug)]
pub struct GridBlock<'a> {
    /// The symbol.
    pub locate: Locate,
    /// Which of the grid's widths.
    pub width: usize,
    /// End of the first window, in steps since midnight; the next ends one step later.
    pub first: u32,
    /// Low 64 bits of Σ price·shares in ticks·shares.
    pub notionals: &'a [u64],
    /// Bits 64 to 95 of the same; empty when all are 0.
    pub notional_highs: &'a [u32],
    /// Σ shares.
    pub volumes: &'a [u64],
    /// Numbers of executions; where that is 0 there are no prices, whatever the slices hold.
    pub trades: &'a [u32],
    /// First prices in ticks.
    pub opens: &'a [u32],
    /// Highest prices in ticks.
    pub highs: &'a [u32],
    /// Lowest prices in ticks.
    pub lows: &'a [u32],
    /// Last prices in ticks.
    pub closes: &'a [u32],
}

/// Looks at the sums of a grid.
pub trait Visit {
    /// Is shown a stretch. Stretches come symbol by symbol, and within a symbol and width by end;
    /// stretches all of whose windows are empty may be left out.
    fn visit(&mut self, block: &GridBlock<'_>);
}

impl GridBlock<'_> {
    /// The same without its first windows.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn after(&self, skipped: usize) -> Self {
        let highs = self.notional_highs;
        Self {
            first: self.first + skipped as u32,
            notionals: &self.notionals[skipped..],
            notional_highs: &highs[skipped.min(highs.len())..],
            volumes: &self.volumes[skipped..],
            trades: &self.trades[skipped..],
            opens: &self.opens[skipped..],
            highs: &self.highs[skipped..],
            lows: &self.lows[skipped..],
            closes: &self.closes[skipped..],
            ..*self
        }
    }

    /// The window at `index` within the block.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn sums(&self, index: usize) -> Sums {
        if self.trades[index] == 0 {
            return Sums::default();
        }
        let high = self.notional_highs.get(index).copied().unwrap_or(0);
        Sums {
            notional: Notional::of_parts(self.notionals[index], high),
            volume: self.volumes[index],
            trades: self.trades[index],
            open: Price(self.opens[index]),
            high: Price(self.highs[index]),
            low: Price(self.lows[index]),
            close: Price(self.closes[index]),
        }
    }
}
