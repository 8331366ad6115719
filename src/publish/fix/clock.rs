//! The time, as the caller of the acceptor reads it.

/// One reading of the caller's clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds on a clock that never goes back; timers run on it.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970-01-01 UTC; SendingTime is made of it and checked against it.
    pub utc_ns: u64,
}
