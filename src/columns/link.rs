//! How the log's trades of one symbol lead to each other.

use bytemuck::{Pod, Zeroable};

use super::{Position, TradeLog};

/// A trade that another one leads to: all that a window needs of it when the other leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Link {
    /// Where it is, or [`TradeLog::NONE`].
    pub position: Position,
    /// Its price in ticks of 1e-4 USD, 0 if it is none.
    pub price: u32,
}

impl Link {
    /// To no trade.
    pub const NONE: Self = Self {
        position: TradeLog::NONE,
        price: 0,
    };
}

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
