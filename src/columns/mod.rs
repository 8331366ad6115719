//! Structure of arrays: trades and quotes as cache-line aligned columns.
//!
//! The decoder fills a [`Batch`] and hands it on; the batch comes back empty and is filled again, so
//! nothing is allocated in steady state. [`TradeLog`] keeps the trades that windows still need, in
//! feed order, in chunks that are recycled from the old end. [`Resident`] holds those of a whole day
//! symbol by symbol.

mod batch;
mod column;
mod log;
mod quotes;
mod range;
mod resident;
mod slices;
mod trades;

pub use batch::{Batch, Mark};
pub use column::Column;
pub use log::{Position, TakenBack, TradeLog};
pub use quotes::Quotes;
pub use range::PriceRange;
pub use resident::{Resident, ResidentError, SymbolTrades};
pub use slices::TradeSlices;
pub use trades::Trades;
