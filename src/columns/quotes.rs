//! Top-of-book changes as columns.

use super::Column;
use crate::market::{Locate, Price, Timestamp, Top};

/// Tops of book after each change, in feed order, one column a field.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    /// Nanoseconds since midnight, never decreasing.
    pub times: Column<u64>,
    /// Stock locates.
    pub locates: Column<u16>,
    /// Best bids in ticks, 0 where there is none.
    pub bids: Column<u32>,
    /// Shares at the best bids.
    pub bid_sizes: Column<u64>,
    /// Best offers in ticks, 0 where there is none.
    pub asks: Column<u32>,
    /// Shares at the best offers.
    pub ask_sizes: Column<u64>,
}

impl Quotes {
    /// Appends one top of book.
    #[inline]
    pub fn push(&mut self, time: Timestamp, locate: Locate, top: Top) {
        self.times.push(time.0);
        self.locates.push(locate.0);
        self.bids.push(top.bid.0);
        self.bid_sizes.push(top.bid_size);
        self.asks.push(top.ask.0);
        self.ask_sizes.push(top.ask_size);
    }

    /// Number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The symbol and its top at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`Quotes::len`].
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> (Locate, Top) {
        let top = Top {
            bid: Price(self.bids.as_slice()[index]),
            bid_size: self.bid_sizes.as_slice()[index],
            ask: Price(self.asks.as_slice()[index]),
            ask_size: self.ask_sizes.as_slice()[index],
        };
        (Locate(self.locates.as_slice()[index]), top)
    }

    /// Forgets the changes and keeps the storage.
    pub fn clear(&mut self) {
        self.times.clear();
        self.locates.clear();
        self.bids.clear();
        self.bid_sizes.clear();
        self.asks.clear();
        self.ask_sizes.clear();
    }
}
