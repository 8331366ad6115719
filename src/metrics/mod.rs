//! What happened, counted and timed: one list of counters, latency histograms, the closing report.
//!
//! The pure stages return counts; the engine's agents add them here. Counters are shared between
//! threads and read at any time. A [`Latency`] belongs to one thread and is merged at the end.

mod counters;
mod latency;
mod report;

pub use counters::{Counter, Counters, Kind, Place};
pub use latency::{Latency, Percentiles, Stage};
pub use report::report;
