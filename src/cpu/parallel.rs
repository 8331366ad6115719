//! The vector path on every core: symbols are independent of each other.

use rayon::prelude::*;

use super::Simd;
use super::simd::Workspace;
use crate::columns::{Resident, TradeSlices};
use crate::market::Duration;
use crate::window::day::{Bars, DayKernel, Grid, Totals, Visit};
use crate::window::{Job, Kernel};

/// Executions that are worth a table of totals of their own.
const PIECE: usize = 1 << 18;

/// Hands the symbols out to rayon's threads, each of which computes as [`Simd`] does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parallel {
    simd: Simd,
}

impl Kernel for Parallel {
    fn name(&self) -> &'static str {
        "parallel"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        jobs.par_iter_mut()
            .for_each_init(Workspace::default, |workspace, job| {
                self.simd.evaluate_symbol(job, workspace);
            });
    }
}

impl DayKernel for Parallel {
    fn name(&self) -> &'static str {
        "parallel"
    }

    /// Stretches of the feed go to the threads, and their totals are added.
    fn totals(&self, trades: &TradeSlices<'_>, totals: &mut Totals) {
        assert!(trades.is_even(), "slices of different lengths");
        totals.clear();
        let pieces = rayon::current_num_threads();
        let length = trades.len().div_ceil(pieces).max(PIECE);
        let stretches: Vec<TradeSlices<'_>> = trades.chunks(length).collect();
        let sums = stretches.par_iter().map(|stretch| {
            let mut sums = Totals::default();
            self.simd.totals(stretch, &mut sums);
            sums
        });
        for sums in sums.collect::<Vec<_>>() {
            totals.add(&sums);
        }
    }

    fn bars(&self, day: &Resident, step: Duration, bars: &mut Bars) {
        bars.split(day)
            .par_iter_mut()
            .for_each(|part| self.simd.bars_part(day, step, part));
    }

    fn slide(&self, bars: &Bars, width: u32, windows: &mut Bars) {
        let parts = windows.split_as(bars).par_iter_mut();
        parts
            .zip(bars.parts())
            .for_each(|(part, from)| self.simd.slide_part(from, width, part));
    }

    fn grid<V: Visit + Send>(
        &self,
        bars: &Bars,
        grid: &Grid,
        start: impl Fn() -> V + Sync,
    ) -> Vec<V> {
        let visited = bars.parts().par_iter().map(|part| {
            let mut visitor = start();
            self.simd.grid_part(part, grid, &mut visitor);
            visitor
        });
        visited.collect()
    }
}
