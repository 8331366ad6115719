//! Price times shares, summed.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use super::{Price, Shares};

/// A sum of prices times shares, in ticks·shares: 96 bits, which no day exceeds (docs/NUMERICS.md), in three words, so
/// that a row of the output is one cache line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Notional {
    /// The lower 64 bits.
    low: [u32; 2],
    high: u32,
}

impl Notional {
    /// Of no execution.
    pub const ZERO: Self = Self {
        low: [0; 2],
        high: 0,
    };

    /// Of so many ticks·shares, fewer than 2^96.
    #[must_use]
    #[inline(always)]
    pub fn new(ticks_shares: u128) -> Self {
        debug_assert!(ticks_shares >> 96 == 0, "a notional of more than 96 bits");
        Self::of_parts(ticks_shares as u64, (ticks_shares >> 64) as u32)
    }

    /// Of one execution.
    #[must_use]
    #[inline(always)]
    pub fn of(price: Price, shares: Shares) -> Self {
        Self::from(u64::from(price.0) * u64::from(shares.0))
    }

    /// Of its bits 0 to 63 and 64 to 95.
    #[must_use]
    #[inline(always)]
    pub fn of_parts(low: u64, high: u32) -> Self {
        let low = bytemuck::cast(low);
        Self { low, high }
    }

    /// Bits 0 to 63.
    #[must_use]
    #[inline(always)]
    pub fn low(self) -> u64 {
        bytemuck::cast(self.low)
    }

    /// Bits 64 to 95.
    #[must_use]
    #[inline(always)]
    pub fn high(self) -> u32 {
        self.high
    }

    /// Ticks·shares.
    #[must_use]
    #[inline(always)]
    pub fn get(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low())
    }
}

/// So many ticks·shares.
impl From<u64> for Notional {
    #[inline(always)]
    fn from(ticks_shares: u64) -> Self {
        Self::of_parts(ticks_shares, 0)
    }
}

impl AddAssign for Notional {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        let (low, carry) = self.low().overflowing_add(other.low());
        *self = Self::of_parts(low, self.high + other.high + u32::from(carry));
    }
}

impl SubAssign for Notional {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        let (low, borrow) = self.low().overflowing_sub(other.low());
        *self = Self::of_parts(low, self.high - other.high - u32::from(borrow));
    }
}

impl Add for Notional {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub for Notional {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        self -= other;
        self
    }
}

impl fmt::Debug for Notional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Ticks·shares as a plain number.
impl fmt::Display for Notional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_adds_and_takes_away_as_numbers_of_128_bits_do(
            a in prop_oneof![0..1_u128 << 95, (1_u128 << 64) - 9..(1_u128 << 64) + 9, 0..9_u128],
            b in prop_oneof![0..1_u128 << 95, (1_u128 << 64) - 9..(1_u128 << 64) + 9, 0..9_u128],
        ) {
            let [less, more] = [a.min(b), a.max(b)].map(Notional::new);
            prop_assert_eq!((less.get(), more.get()), (a.min(b), a.max(b)));
            prop_assert_eq!(Notional::of_parts(more.low(), more.high()), more);
            prop_assert_eq!((less + more).get(), a + b);
            prop_assert_eq!((more - less).get(), a.abs_diff(b));
            prop_assert_eq!(less == more, a == b);
            prop_assert_eq!(more.to_string(), a.max(b).to_string());
        }

        #[test]
        fn an_execution_is_its_price_times_its_shares(price: u32, shares: u32) {
            let notional = Notional::of(Price(price), Shares(shares));
            prop_assert_eq!(notional.get(), u128::from(price) * u128::from(shares));
        }
    }
}
