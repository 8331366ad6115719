//! How results leave: FIX, text for people and files, a live view.

mod filter;
pub mod fix;
mod live;
mod newest;
mod shared;
pub mod text;

pub use live::LiveTable;

pub use filter::Only;
pub use newest::Newest;
pub use shared::Shared;

use crate::market::{Locate, Symbol, Timestamp, Top, Trade, TradingStatus};
use crate::window::Rows;

/// What one end, or one correction, brings.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The end whose rows these are; for corrections, the feed time of the break.
    pub time: Timestamp,
    /// New rows and corrected rows (`revision` above 0), ordered by (end, symbol, window).
    pub rows: Rows<'a>,
    /// Tops of book that changed since the last update, newest value, each symbol once.
    pub tops: &'a [(Locate, Symbol, Top)],
}

/// What has happened to an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapeEvent {
    /// It was made.
    Trade {
        /// The execution.
        trade: Trade,
        /// Its symbol.
        symbol: Symbol,
    },
    /// It was taken back.
    Break {
        /// Its match number.
        match_number: u64,
        /// Feed time of the break.
        time: Timestamp,
    },
}

/// The time, as the engine hands it to publishers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Nanoseconds on a clock that only moves forwards.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub utc_ns: u64,
}

/// Somewhere results go.
pub trait Publisher {
    /// Names the publisher in messages to people.
    fn name(&self) -> String;

    /// Does what is due without new results: timers, sockets, redraws. Returns whether anything was
    /// done.
    ///
    /// # Errors
    /// When the results cannot be written.
    fn duty(&mut self, now: Now) -> std::io::Result<bool> {
        let _ = now;
        Ok(false)
    }

    /// Says what time it is, before updates are handed on between two duties.
    fn set_clock(&mut self, now: Now) {
        let _ = now;
    }

    /// Whether it does anything with tops of book; when nobody does, none are kept.
    fn wants_tops(&self) -> bool {
        false
    }

    /// Whether it does anything with single executions; when nobody does, none are handed on.
    fn wants_trades(&self) -> bool {
        false
    }

    /// Hands executions and breaks on as they came, before the rows that they change; `time` is the
    /// feed's by now.
    ///
    /// # Errors
    /// When they cannot be written.
    fn trades(&mut self, time: Timestamp, events: &[TapeEvent]) -> std::io::Result<()> {
        let _ = (time, events);
        Ok(())
    }

    /// What it has done over FIX, if it speaks that.
    fn fix_counts(&self) -> Option<fix::FixCounts> {
        None
    }

    /// A symbol became known, before any row of it is published.
    fn listing(&mut self, locate: Locate, symbol: Symbol);

    /// The feed has become stale (messages are missing, or it is silent) or live again. Comes before the
    /// updates that follow.
    fn feed_state(&mut self, stale: bool) {
        let _ = stale;
    }

    /// Trading states of symbols have changed, in this order; a symbol of which nothing was told is
    /// trading. Comes before the updates that follow.
    fn trading_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        let _ = changes;
    }

    /// Hands one update on.
    ///
    /// # Errors
    /// When the results cannot be written.
    fn publish(&mut self, update: &Update<'_>) -> std::io::Result<()>;

    /// No more updates will come: flush, say goodbye to sessions.
    ///
    /// # Errors
    /// When the results cannot be written.
    fn finish(&mut self) -> std::io::Result<()>;
}
