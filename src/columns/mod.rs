//! Structure of arrays: trades and quotes as cache-line aligned columns.
//!
//! The decoder fills a [`Batch`] and hands it on; the batch comes back empty and is filled again, so
//! nothing is allocated in steady state. [`TradeLog`] keeps the trades that windows still need, in
//! feed order, in chunks that are recycled from the old end. [`Resident`] holds those of a whole day
//! symbol by symbol.

mod batch;
mod column;
mod link;
mod log;
mod quotes;
mod resident;
mod slices;
mod trades;

pub use batch::{Batch, Mark};
pub use column::Column;
pub use link::{Link, PriceRange};
pub use log::{Position, Stretch, TradeLog};
pub use quotes::Quotes;
pub use resident::{Resident, ResidentError, SymbolTrades};
pub use slices::TradeSlices;
pub use trades::Trades;
