//! Some thousand trades of the log in a row: columns that are made once and filled again.

use crate::columns::{Column, PriceRange, Trades};

pub(super) const CHUNK_BITS: u32 = 14;
pub(super) const CHUNK: usize = 1 << CHUNK_BITS;

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) trades: Trades,
    /// Position of the trade that [`TradeLog::link`](super::TradeLog::link) has put before each.
    pub(super) previous: Column<u32>,
    /// What [`TradeLog::set_range`](super::TradeLog::set_range) has said of each; none where the log is not asked to
    /// keep that.
    pub(super) ranges: Column<PriceRange>,
}

impl Chunk {
    pub(super) fn new(has_ranges: bool) -> Self {
        Self {
            trades: Trades::with_capacity(CHUNK),
            previous: Column::with_capacity(CHUNK),
            ranges: Column::with_capacity(if has_ranges { CHUNK } else { 0 }),
        }
    }
}
