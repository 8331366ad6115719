//! The jobs over a whole day of columns in memory, whoever computes them.
//!
//! - [`DayKernel::totals`]: sums by symbol, straight from columns in feed order.
//! - [`DayKernel::bars`]: sums, open, high, low and close of each step of each symbol, of those steps
//!   alone in which it traded.
//! - [`DayKernel::slide`]: at each bar, the window of so many steps that it ends.
//! - [`DayKernel::grid`]: every end × symbol × width, in stretches small enough to stay in the cache,
//!   to be looked at and forgotten: a day of eight widths has billions of sums.
//! - [`reduce`]: what a selection tells of every end, such as the first symbols by volume.
//!
//! A step is numbered by its start: step `n` is `[n·step, (n + 1)·step)`, so a window of `w` steps
//! that ends at `n + 1` holds the steps `n + 1 − w ..= n`. All sums are exact (docs/NUMERICS.md).

mod bars;
mod grid;
mod reduction;
mod totals;

pub use bars::{Bars, BarsPart, SymbolBars};
pub use grid::{Grid, GridBlock, Visit};
pub use reduction::{Picked, Reduction, reduce};
pub use totals::{Total, Totals};

use crate::columns::{Resident, TradeSlices};
use crate::market::Duration;

/// A way to compute the jobs. Every implementation gives the same bits.
pub trait DayKernel: Send + Sync {
    /// The name by which people know it.
    fn name(&self) -> &'static str;

    /// Replaces `totals` by the sums of the executions of `trades` that count. Their order does not
    /// matter, their times are not read.
    ///
    /// # Panics
    /// If the slices have different lengths, or more than 2^32 - 1 executions.
    fn totals(&self, trades: &TradeSlices<'_>, totals: &mut Totals);

    /// Replaces `bars` by the bars of `day`, each one `step` long.
    fn bars(&self, day: &Resident, step: Duration, bars: &mut Bars);

    /// Replaces `windows` by one row a bar: the sums of the `width` steps that end with the bar's.
    /// The rows have the steps of the bars. A width of 0 is taken as 1.
    fn slide(&self, bars: &Bars, width: u32, windows: &mut Bars);

    /// Shows every end × symbol × width of `grid` to a visitor. The symbols are split among visitors,
    /// one for each part of `bars`, made by `start` and returned in the order of the parts.
    fn grid<V: Visit + Send>(
        &self,
        bars: &Bars,
        grid: &Grid,
        start: impl Fn() -> V + Sync,
    ) -> Vec<V>;
}
