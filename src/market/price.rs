//! Price in ticks.

use std::fmt;

/// A price in ticks of 1e-4 USD (ITCH `Price(4)`), `0..=u32::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Price(pub u32);

impl Price {
    /// Ticks in one USD.
    pub const TICKS_PER_USD: u32 = 10_000;
}

/// USD with exactly four decimals, for example `585.3300`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:04}",
            self.0 / Self::TICKS_PER_USD,
            self.0 % Self::TICKS_PER_USD
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_decimals_always() {
        assert_eq!(Price(0).to_string(), "0.0000");
        assert_eq!(Price(5_853_300).to_string(), "585.3300");
        assert_eq!(Price(u32::MAX).to_string(), "429496.7295");
    }
}
