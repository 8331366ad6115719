//! The normalised events that the decoder hands on, free of any wire format.

use super::{Locate, Price, Shares, Timestamp};

/// One priced execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Feed time.
    pub time: Timestamp,
    /// Symbol.
    pub locate: Locate,
    /// Price of the execution.
    pub price: Price,
    /// Shares executed, never 0.
    pub shares: Shares,
    /// The exchange's day-unique number, by which a break takes it back.
    pub match_number: u64,
    /// One bit for each policy under which it counts (see `window::Policy`).
    pub policies: u8,
}

/// Best bid and offer of one symbol. A side without orders has price 0 and size 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// Best bid.
    pub bid: Price,
    /// Shares resting at the best bid, over all its orders.
    pub bid_size: u64,
    /// Best offer.
    pub ask: Price,
    /// Shares resting at the best offer, over all its orders.
    pub ask_size: u64,
}

/// A hole in the ordered stream: the lost messages carried times in `[after, before]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Time of the last message before the hole (0 when there was none).
    pub after: Timestamp,
    /// Time of the first message after it (`u64::MAX` when none came).
    pub before: Timestamp,
    /// First lost sequence number.
    pub first_sequence: u64,
    /// How many messages were lost.
    pub count: u64,
}
