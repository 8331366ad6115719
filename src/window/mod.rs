//! What is asked, whoever computes it: widths, steps, policies, bounds and sums.
//!
//! [`bounds`] says which rows exist and which executions each holds, as pure functions of the
//! columns; a [`Kernel`] turns bounds into sums; [`Sliding`] keeps the same answers up to date one
//! execution at a time. Every implementation must give the same bits, because all sums are integers.
//! [`day`] is the contract of the jobs over a whole day in memory.

mod arrival;
pub mod bounds;
mod broken;
mod candidates;
mod correction;
pub mod day;
mod due;
mod emission;
mod entries;
mod gaps;
mod kernel;
mod output;
mod policy;
mod removal;
mod row;
mod rows;
mod selection;
mod sliding;
mod spec;
mod state;
mod table;
mod vwap;

pub(crate) use arrival::Progress;
pub use arrival::{Applied, LogFull};
pub use bounds::{Break, Planned, Planner};
pub use correction::{Alive, touched_rows};
pub use gaps::Gaps;
pub use kernel::{Bounds, Job, Kernel};
pub use output::Output;
pub use policy::{ExecutionKind, Policy};
pub use row::{Row, Sums};
pub use rows::{Rows, RowsIter};
pub use selection::{Measure, Selection, Wanted, strays};
pub(crate) use sliding::SYMBOLS;
pub use sliding::{Sliding, SlidingCounts};
pub(crate) use spec::first_end;
pub use spec::{Corrections, Spec, SpecError, Width, Window};
pub use vwap::vwap_micros;
