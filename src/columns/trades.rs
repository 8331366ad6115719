//! Executions as columns.

use super::Column;
use crate::market::{Locate, Price, Shares, Timestamp, Trade};

/// Executions in feed order, one column a field. All columns have the same length.
#[derive(Clone, Debug, Default)]
pub struct Trades {
    /// Nanoseconds since midnight, never decreasing.
    pub times: Column<u64>,
    /// Stock locates.
    pub locates: Column<u16>,
    /// Ticks of 1e-4 USD.
    pub prices: Column<u32>,
    /// Shares, never 0.
    pub shares: Column<u32>,
    /// Match numbers.
    pub match_numbers: Column<u64>,
    /// Policy bits (`window::Policy`).
    pub policies: Column<u8>,
}

impl Trades {
    /// Empty columns with room for `capacity` executions.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            times: Column::with_capacity(capacity),
            locates: Column::with_capacity(capacity),
            prices: Column::with_capacity(capacity),
            shares: Column::with_capacity(capacity),
            match_numbers: Column::with_capacity(capacity),
            policies: Column::with_capacity(capacity),
        }
    }

    /// Appends one execution.
    #[inline]
    pub fn push(&mut self, trade: &Trade) {
        self.times.push(trade.time.0);
        self.locates.push(trade.locate.0);
        self.prices.push(trade.price.0);
        self.shares.push(trade.shares.0);
        self.match_numbers.push(trade.match_number);
        self.policies.push(trade.policies);
    }

    /// Appends the executions `range` of `other`.
    pub fn extend(&mut self, other: &Trades, range: std::ops::Range<usize>) {
        self.times.extend(&other.times.as_slice()[range.clone()]);
        self.locates
            .extend(&other.locates.as_slice()[range.clone()]);
        self.prices.extend(&other.prices.as_slice()[range.clone()]);
        self.shares.extend(&other.shares.as_slice()[range.clone()]);
        self.match_numbers
            .extend(&other.match_numbers.as_slice()[range.clone()]);
        self.policies.extend(&other.policies.as_slice()[range]);
    }

    /// Number of executions.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.times.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The execution at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`Trades::len`].
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Trade {
        Trade {
            time: Timestamp(self.times.as_slice()[index]),
            locate: Locate(self.locates.as_slice()[index]),
            price: Price(self.prices.as_slice()[index]),
            shares: Shares(self.shares.as_slice()[index]),
            match_number: self.match_numbers.as_slice()[index],
            policies: self.policies.as_slice()[index],
        }
    }

    /// The executions `range`, in order.
    ///
    /// # Panics
    /// If `range` goes beyond [`Trades::len`].
    #[inline]
    pub fn range(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = Trade> + '_ {
        // Columns side by side, whose ends are looked at once.
        let times = self.times.as_slice()[range.clone()].iter();
        let locates = times.zip(&self.locates.as_slice()[range.clone()]);
        let prices = locates.zip(&self.prices.as_slice()[range.clone()]);
        let shares = prices.zip(&self.shares.as_slice()[range.clone()]);
        let numbers = shares.zip(&self.match_numbers.as_slice()[range.clone()]);
        let policies = numbers.zip(&self.policies.as_slice()[range]);
        policies.map(
            |(((((&time, &locate), &price), &shares), &match_number), &policies)| Trade {
                time: Timestamp(time),
                locate: Locate(locate),
                price: Price(price),
                shares: Shares(shares),
                match_number,
                policies,
            },
        )
    }

    /// Forgets the executions and keeps the storage.
    pub fn clear(&mut self) {
        self.times.clear();
        self.locates.clear();
        self.prices.clear();
        self.shares.clear();
        self.match_numbers.clear();
        self.policies.clear();
    }
}
