//! Executions in feed order as borrowed slices, whoever owns them.

use super::Trades;

/// One slice a field, all of the same length; of the executions that `mask` admits.
#[derive(Clone, Copy, Debug, Default)]
pub struct TradeSlices<'a> {
    /// Nanoseconds since midnight, never decreasing. May be empty for jobs that ask for no times.
    pub times: &'a [u64],
    /// Stock locates.
    pub locates: &'a [u16],
    /// Ticks of 1e-4 USD.
    pub prices: &'a [u32],
    /// Shares.
    pub shares: &'a [u32],
    /// Policy bits; empty when every execution counts.
    pub policies: &'a [u8],
    /// An execution counts when it has any of these policy bits.
    pub mask: u8,
}

impl<'a> TradeSlices<'a> {
    /// The executions of `trades` that have any of the bits of `mask`.
    #[must_use]
    pub fn of(trades: &'a Trades, mask: u8) -> Self {
        Self {
            times: trades.times.as_slice(),
            locates: trades.locates.as_slice(),
            prices: trades.prices.as_slice(),
            shares: trades.shares.as_slice(),
            policies: trades.policies.as_slice(),
            mask,
        }
    }

    /// Number of executions, those that do not count included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locates.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locates.is_empty()
    }

    /// Whether the execution at `index` counts.
    #[must_use]
    #[inline]
    pub fn counts(&self, index: usize) -> bool {
        self.policies.is_empty() || self.policies[index] & self.mask != 0
    }

    /// Whether all fields have the same length; times and policies may be absent.
    #[must_use]
    pub fn is_even(&self) -> bool {
        let length = self.len();
        let absent_or_even = |found: usize| found == 0 || found == length;
        self.prices.len() == length
            && self.shares.len() == length
            && absent_or_even(self.times.len())
            && absent_or_even(self.policies.len())
    }

    /// The executions `from..to`.
    ///
    /// # Panics
    /// If the range is not inside, or the slices have different lengths.
    #[must_use]
    #[inline]
    pub fn range(&self, from: usize, to: usize) -> TradeSlices<'a> {
        let part = |bytes: &'a [u8]| match bytes {
            [] => bytes,
            _ => &bytes[from..to],
        };
        TradeSlices {
            times: match self.times {
                [] => self.times,
                times => &times[from..to],
            },
            locates: &self.locates[from..to],
            prices: &self.prices[from..to],
            shares: &self.shares[from..to],
            policies: part(self.policies),
            mask: self.mask,
        }
    }

    /// Consecutive stretches of at most `length` executions.
    pub fn chunks(self, length: usize) -> impl Iterator<Item = TradeSlices<'a>> {
        let all = self.len();
        (0..all)
            .step_by(length.max(1))
            .map(move |from| self.range(from, (from + length).min(all)))
    }
}
