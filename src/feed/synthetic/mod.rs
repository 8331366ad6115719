//! A synthetic day: seeded, shaped like a real one, as long and as wide as wanted.
//!
//! The day begins with the stock directory, goes on with orders and executions from 04:00 to
//! 20:00, most of them around the opening and the closing cross, and ends with the closing system
//! events. Prices walk at random in steps that fit the symbol, books never cross, executions take
//! what rests at the best price first, and breaks name executions that took place (few do not).
//! The same options and seed give the same bytes on every machine: no float is involved.

mod auction;
mod clock;
mod day;
mod directory;
mod exchange;
mod executions;
mod flow;
mod ladder;
mod memory;
mod names;
mod options;
mod rng;
mod source;
mod tape;
mod trades;

pub use day::SyntheticDay;
pub use executions::{ExecutionOptions, Executions};
pub use options::{Profile, SyntheticError, SyntheticOptions};
pub use source::SyntheticSource;
