//! Who computes on a GPU: the answers of [`crate::cpu`], bit for bit, where there is an adapter.
//!
//! Jobs are packed into passes ([`plan`], pure): the executions of many symbols stand one after the other
//! in two planes, and the windows of all of them follow in a third. A pass runs the stages of `shaders/`
//! in order:
//!
//! 1. *sums reduce, spine, apply*: prefix sums of price·shares and of shares over the whole pass, block
//!    sums first. No block waits for another within a stage. Symbols need not be told apart: a window
//!    lies within one, and the difference of two prefixes is the sum of what lies between them.
//! 2. *extremes base, level*: highest and lowest prices of blocks, of pairs of blocks, of fours, ...
//! 3. *windows*: one lane a window; its cost does not depend on the width.
//!
//! Prefixes wrap. Their difference is exact if the window's own sum is below the modulus, which is 2^64
//! where (largest price) x (largest shares) x (executions of the widest window) is below it, else 2^96,
//! which no 2^32 executions reach. Open and close are looked up by index.
//!
//! A day can also stay on the device ([`Gpu::load`]): then a grid of every end, symbol and width is asked
//! by a few words, and the executions of its windows are found there. What comes later is appended
//! ([`Gpu::append`]): only that is uploaded, and *place* makes room for it.
//!
//! Where only a few of its windows are wanted, or their totals ([`Gpu::reduce`]), three more stages choose or
//! add up on the device, and little is read back: *totals*, *top* and *deviation*. *Vwap* divides, for who wants
//! the VWAP of every window and nothing else ([`Gpu::vwaps`]).
//!
//! Everything on the device is a copy of what the host has: a device that is lost costs an answer
//! computed elsewhere, never a wrong one.

mod append;
mod buffers;
mod canary;
mod day;
mod device;
mod dispatch;
mod error;
mod kernel;
mod params;
mod pipeline;
pub mod plan;
mod reduce;
mod shader;
mod tier;
mod timing;
mod vwaps;

pub use day::GpuDay;
pub use device::{AdapterSummary, adapters};
pub use error::Error;
pub use kernel::{Gpu, GpuOptions};
pub use params::{
    Answer, BLOCK, BY_NOTIONAL, BY_RANGE, BY_TRADES, BY_VOLUME, EXTREME_BLOCK, LANES, NO_VWAP,
    NOBODY, Params, Pick, TALLY_BYTES, TILES, Total, VECTOR,
};
pub use shader::{Plane, Shaders, Stage};
pub use tier::Tier;
pub use timing::{GridTimes, LoadTimes};
pub use vwaps::VwapRow;
