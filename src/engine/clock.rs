//! The engine's time: the machine's, or one that only moves when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::publish::Now;

/// Where agents get the time from. Clones share one time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clocks.
    Machine {
        /// The moment that counts as 0 ns.
        start: Instant,
    },
    /// Nanoseconds that move only while everyone is idle: simulations are reproducible.
    Simulated {
        /// The time now.
        now: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The machine's clocks, from now on.
    #[must_use]
    pub fn machine() -> Self {
        Clock::Machine {
            start: Instant::now(),
        }
    }

    /// A simulated clock at 0.
    #[must_use]
    pub fn simulated() -> Self {
        Clock::Simulated {
            now: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn monotonic_ns(&self) -> u64 {
        match self {
            Clock::Machine { start } => {
                u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
            }
            Clock::Simulated { now } => now.load(Ordering::Relaxed),
        }
    }

    /// The time as publishers want it.
    #[must_use]
    pub fn now(&self) -> Now {
        let monotonic_ns = self.monotonic_ns();
        let utc_ns = match self {
            Clock::Machine { .. } => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| {
                    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
                }),
            Clock::Simulated { .. } => monotonic_ns,
        };
        Now {
            monotonic_ns,
            utc_ns,
        }
    }

    /// Nobody has anything to do: sleeps, or moves the simulated time on.
    pub(super) fn idle(&self, time: Duration) {
        match self {
            Clock::Machine { .. } => std::thread::sleep(time),
            Clock::Simulated { now } => {
                now.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
            }
        }
    }
}
