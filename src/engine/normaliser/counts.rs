//! What the normaliser counts, and why it cannot decode a message.

use crate::market::SharesOverflow;
use crate::wire::itch50::ParseError;

/// How many messages of each kind of trouble and event were met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NormaliserCounts {
    /// Messages, undecodable ones included.
    pub messages: u64,
    /// Messages of a type that ITCH 5.0 does not have.
    pub unknown_types: u64,
    /// Messages whose length does not fit their type.
    pub malformed: u64,
    /// Messages whose time lies before that of an earlier one.
    pub time_reversals: u64,
    /// Executions handed to the windows.
    pub trades: u64,
    /// Second names for a locate, which keeps its first.
    pub renamed: u64,
    /// Changes of a best bid or offer.
    pub top_changes: u64,
    /// Messages for an order that the book does not hold.
    pub unknown_references: u64,
    /// Executions among those, which have no price.
    pub unpriceable: u64,
    /// Executions of 0 shares, which are none.
    pub zero_shares: u64,
    /// `C` that are printed later in bulk.
    pub non_printable: u64,
    /// Orders that entered the book.
    pub orders_added: u64,
    /// Orders of 0 shares, which are none.
    pub zero_share_orders: u64,
    /// Orders added under a reference that is in use.
    pub duplicate_references: u64,
    /// Messages whose locate is not that of their order.
    pub locate_mismatches: u64,
    /// Executions and cancels of more shares than rest.
    pub excess_shares: u64,
    /// Crosses of more shares than fit 32 bits.
    pub share_overflows: u64,
    /// Entries of FIX market data of types that are neither trades nor quotes.
    pub unused_entries: u64,
    /// Trades and quotes over FIX without a symbol, price, size or time that fits.
    pub unusable_entries: u64,
    /// Messages that a log of FIX holds again, with 43=Y.
    pub repeated: u64,
    /// Gaps in the stream.
    pub gaps: u64,
    /// Messages lost in them.
    pub lost_messages: u64,
}

/// Why a message cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Unknown type, or a length that does not fit it.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// An order on neither side.
    #[error("order {reference}: buy/sell indicator {indicator:#04x} is neither B nor S")]
    Side {
        /// Reference of the order.
        reference: u64,
        /// What stands in place of B or S.
        indicator: u8,
    },
    /// A cross of more shares than fit.
    #[error("cross {match_number} of message type Q: {overflow}")]
    Shares {
        /// Match number of the cross.
        match_number: u64,
        /// How many shares.
        overflow: SharesOverflow,
    },
}
