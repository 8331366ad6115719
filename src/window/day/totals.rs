//! Sums of a whole input by symbol.

use crate::market::{Locate, Notional};
use crate::window::vwap_micros;

/// Exact sums over executions of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Σ price·shares in ticks·shares, below 2^96.
    pub notional: u128,
    /// Σ shares.
    pub volume: u64,
    /// Number of executions.
    pub trades: u64,
}

impl Total {
    /// Adds an execution: a price in ticks and its shares.
    #[inline]
    pub fn push(&mut self, price: u32, shares: u32) {
        self.notional += u128::from(price) * u128::from(shares);
        self.volume += u64::from(shares);
        self.trades += 1;
    }

    /// Adds the sums of other executions.
    #[inline]
    pub fn add(&mut self, other: &Total) {
        self.notional += other.notional;
        self.volume += other.volume;
        self.trades += other.trades;
    }

    /// The VWAP in units of 1e-6 USD, rounded half to even; `None` without volume.
    #[must_use]
    pub fn vwap_micros(&self) -> Option<u64> {
        vwap_micros(Notional::new(self.notional), self.volume)
    }
}

/// One [`Total`] for each of the 65,536 locates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    by_locate: Box<[Total]>,
    /// None from here on has been added to.
    end: usize,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            by_locate: vec![Total::default(); 1 << 16].into(),
            end: 0,
        }
    }
}

impl Totals {
    /// Sets all sums to 0.
    pub fn clear(&mut self) {
        self.by_locate[..self.end].fill(Total::default());
        self.end = 0;
    }

    /// The sums of one symbol.
    #[must_use]
    #[inline]
    pub fn get(&self, locate: Locate) -> &Total {
        &self.by_locate[locate.index()]
    }

    /// The sums of one symbol, to be added to.
    #[inline]
    pub fn get_mut(&mut self, locate: Locate) -> &mut Total {
        self.end = self.end.max(locate.index() + 1);
        &mut self.by_locate[locate.index()]
    }

    /// Adds the sums of other executions, symbol by symbol.
    pub fn add(&mut self, other: &Totals) {
        self.end = self.end.max(other.end);
        let others = &other.by_locate[..other.end];
        for (total, other) in self.by_locate.iter_mut().zip(others) {
            total.add(other);
        }
    }

    /// The symbols that have executions, in the order of their locates.
    pub fn iter(&self) -> impl Iterator<Item = (Locate, &Total)> {
        (0..=u16::MAX)
            .map(Locate)
            .zip(&self.by_locate[..self.end])
            .filter(|(_, total)| total.trades > 0)
    }
}
