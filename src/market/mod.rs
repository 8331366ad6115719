//! The vocabulary: prices, shares, symbols, sides, times and the normalised events.
//!
//! Imports nothing of ours. Every number has one unit: prices are ticks of 1e-4 USD, times are
//! nanoseconds since the feed's midnight, sizes are shares.

mod digits;
mod directory;
mod event;
mod notional;
mod price;
mod shares;
mod side;
mod status;
mod symbol;
mod timestamp;

pub(crate) use digits::eight_digits;
pub use directory::{Directory, Learned, Named};
pub use event::{Gap, Top, Trade};
pub use notional::Notional;
pub use price::Price;
pub use shares::{Shares, SharesOverflow};
pub use side::Side;
pub use status::{TradingState, TradingStatus};
pub use symbol::{Locate, Symbol};
pub use timestamp::{
    Duration, DurationError, NANOS_PER_DAY, NANOS_PER_MILLI, NANOS_PER_SECOND, Timestamp,
};
