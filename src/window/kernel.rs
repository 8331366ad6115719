//! The contract of all backends: bounds in, exact sums out.

use super::Sums;

/// The executions `low..high` of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// First execution, counted within the symbol.
    pub low: u32,
    /// One past the last.
    pub high: u32,
}

/// The windows asked of one symbol.
#[derive(Debug)]
pub struct Job<'a> {
    /// Prices in ticks, feed order.
    pub prices: &'a [u32],
    /// Shares of the same executions.
    pub shares: &'a [u32],
    /// Windows. `low <= high <= prices.len()`; within a run of one width neither ever decreases,
    /// which a backend may use but must not rely on.
    pub bounds: &'a [Bounds],
    /// One answer for each of `bounds`; the backend overwrites all of them.
    pub sums: &'a mut [Sums],
}

/// A way to compute sums. Every implementation gives the same bits.
pub trait Kernel: Send + Sync {
    /// The name by which `--backend` knows it.
    fn name(&self) -> &'static str;

    /// Answers all jobs.
    fn evaluate(&self, jobs: &mut [Job<'_>]);
}
