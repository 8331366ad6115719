//! Some thousand trades of the log in a row: columns that are made once and filled again.

use crate::columns::{Column, Link, PriceRange, Trades};

pub(super) const CHUNK_BITS: u32 = 14;
pub(super) const CHUNK: usize = 1 << CHUNK_BITS;

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) trades: Trades,
    /// Position of the trade that [`TradeLog::link`](super::TradeLog::link) has put before each.
    pub(super) previous: Column<u32>,
    /// The other way round; none where the log is not asked to keep that.
    pub(super) next: Column<Link>,
    /// What [`TradeLog::set_range`](super::TradeLog::set_range) has said of each; none where the log is not asked to
    /// keep that.
    pub(super) ranges: Column<PriceRange>,
}

/// Trades of the log from some position to the end of its chunk, one slice a field.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// Nanoseconds since midnight.
    pub times: &'a [u64],
    /// Stock locates.
    pub locates: &'a [u16],
    /// Ticks of 1e-4 USD.
    pub prices: &'a [u32],
    /// Shares.
    pub shares: &'a [u32],
    /// Policy bits.
    pub policies: &'a [u8],
    /// What is linked behind each.
    pub next: &'a [Link],
}

impl Chunk {
    pub(super) fn new(keeps: Keeps) -> Self {
        let room = |is_kept| if is_kept { CHUNK } else { 0 };
        Self {
            trades: Trades::with_capacity(CHUNK),
            previous: Column::with_capacity(CHUNK),
            next: Column::with_capacity(room(keeps.next)),
            ranges: Column::with_capacity(room(keeps.ranges)),
        }
    }
}

/// What a log keeps of each trade beside what any log does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keeps {
    pub(super) next: bool,
    pub(super) ranges: bool,
}
