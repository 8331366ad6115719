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

    /// The side of an ITCH indicator byte; `None` for anything but `B` and `S`, which differ in the
    /// lowest bit. They are equally likely, so no branch tells them apart.
    #[must_use]
    #[inline]
    pub const fn from_indicator(indicator: u8) -> Option<Self> {
        if Self::NO_INDICATOR[indicator as usize] == 1 {
            return None;
        }
        Some([Side::Buy, Side::Sell][(indicator & 1) as usize])
    }

    /// 1 for a byte that is no indicator, 0 for one that is.
    pub const NO_INDICATOR: [u64; 256] = {
        let mut table = [1; 256];
        table[b'B' as usize] = 0;
        table[b'S' as usize] = 0;
        table
    };
}
