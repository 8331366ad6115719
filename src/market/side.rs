//! Side of a resting order.

/// The side of the book on which an order rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// A bid (ITCH `B`).
    Buy,
    /// An offer (ITCH `S`).
    Sell,
}

impl Side {
    /// The ITCH indicator byte, `B` or `S`.
    #[must_use]
    pub const fn indicator(self) -> u8 {
        match self {
            Side::Buy => b'B',
            Side::Sell => b'S',
        }
    }

    /// The side of an ITCH indicator byte; `None` for anything but `B` and `S`.
    #[must_use]
    pub const fn from_indicator(indicator: u8) -> Option<Self> {
        match indicator {
            b'B' => Some(Side::Buy),
            b'S' => Some(Side::Sell),
            _ => None,
        }
    }
}
