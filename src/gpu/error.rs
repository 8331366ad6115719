//! Why there is no answer.

use std::time::Duration;

use super::Tier;
use crate::market::Locate;

/// Why a GPU did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No driver, or no device that it knows of.
    #[error("no GPU adapter")]
    NoAdapter,
    /// The adapter does not do what the tier that was asked for needs.
    #[error("{adapter} does not have tier {tier}")]
    NoTier {
        /// Name of the adapter.
        adapter: String,
        /// What was asked for.
        tier: Tier,
    },
    /// The adapter gave no device.
    #[error("{adapter} cannot be opened: {reason}")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The device computes wrongly what the shaders rely on.
    #[error("{adapter} fails the canary of tier {tier}: {what}")]
    Canary {
        /// Name of the adapter.
        adapter: String,
        /// What was tried last.
        tier: Tier,
        /// What came out wrong.
        what: &'static str,
    },
    /// The device is gone.
    #[error("the GPU was lost: {0}")]
    Lost(String),
    /// The device has no memory left.
    #[error("the GPU is out of memory")]
    OutOfMemory,
    /// Work has not been done in time.
    #[error("no answer from the GPU within {0:?}")]
    TimedOut(Duration),
    /// A symbol has more executions than the device binds at a time.
    #[error("locate {} has more than {most} executions, which the GPU does not hold", locate.0)]
    TooLarge {
        /// The symbol.
        locate: Locate,
        /// The limit.
        most: u32,
    },
    /// An execution is appended that does not follow those of its symbol.
    #[error("an execution of locate {} is earlier than those before it", locate.0)]
    Early {
        /// The symbol.
        locate: Locate,
    },
    /// More symbols are to be ranked than the device ranks.
    #[error("the first {count} symbols are asked for, of which the GPU ranks {most} at most")]
    TooMany {
        /// What was asked for.
        count: usize,
        /// The limit.
        most: u32,
    },
    /// What it says cannot be true.
    #[error("the GPU tells of symbols that are not there")]
    Nonsense,
    /// The driver refuses what it was asked to do.
    #[error("the GPU refuses: {0}")]
    Refused(String),
}
