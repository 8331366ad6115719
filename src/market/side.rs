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
        if !IS_SIDE[indicator as usize] {
            return None;
        }
        Some([Side::Buy, Side::Sell][(indicator & 1) as usize])
    }
}

/// Whether a byte is an indicator.
const IS_SIDE: [bool; 256] = {
    let mut is_side = [false; 256];
    is_side[b'B' as usize] = true;
    is_side[b'S' as usize] = true;
    is_side
};
