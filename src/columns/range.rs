//! Between which prices some trades are.

use bytemuck::{Pod, Zeroable};

/// The highest and the lowest price of some trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PriceRange {
    /// Ticks of 1e-4 USD.
    pub high: u32,
    /// Ticks.
    pub low: u32,
}

impl PriceRange {
    /// Of no trade.
    pub const NONE: Self = Self {
        high: 0,
        low: u32::MAX,
    };

    /// Of these trades and one more, at `price`.
    #[must_use]
    pub fn with(self, price: u32) -> Self {
        Self {
            high: self.high.max(price),
            low: self.low.min(price),
        }
    }
}
