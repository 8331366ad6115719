//! The CPU's backends.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::digest::{Answers, Look};
use super::totals::Totals;
use super::{Copies, Job, Measured, Mismatch, SizeReport};
use crate::cpu::{Parallel, Scalar, Simd};
use crate::window::day::{Bars, DayKernel, Grid};

/// Additions up to which the oracle answers everything and is timed.
const ORACLE_ADDITIONS: u64 = 1 << 30;
/// Of larger sizes the oracle answers so many stretches of so many ends.
const SAMPLE: (u32, u32) = (8, 20);
/// Runs of a job that is timed, and how long they take in all: after that no other is begun.
const RUNS: usize = 7;
const PATIENCE: Duration = Duration::from_secs(1);

/// The median time of a job in seconds.
pub(super) fn median<T>(mut job: impl FnMut() -> T) -> f64 {
    let mut times = Vec::with_capacity(RUNS);
    let begun = Instant::now();
    while times.is_empty() || (times.len() < RUNS && begun.elapsed() < PATIENCE) {
        let start = Instant::now();
        black_box(job());
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

#[derive(Default)]
pub(super) struct Processors {
    simd: Simd,
    parallel: Parallel,
    bars: Bars,
    /// Whether the oracle answers everything.
    oracle_is_timed: bool,
}

impl Processors {
    /// Compares the answers of all backends, and returns them.
    pub(super) fn compare(
        &mut self,
        job: &Job<'_>,
        report: &mut SizeReport,
    ) -> Result<Answers, Mismatch> {
        let Self { simd, parallel, .. } = *self;
        Scalar.bars(job.day, job.step, &mut self.bars);
        let mut found = Bars::default();
        simd.bars(job.day, job.step, &mut found);
        job.agree_on_bars("simd", &self.bars, &found)?;
        parallel.bars(job.day, job.step, &mut found);
        job.agree_on_bars("parallel", &self.bars, &found)?;
        let answers = |grid: &Grid| asked(&simd, &self.bars, grid);
        let wanted = answers(&job.grid);
        self.oracle_is_timed = additions(&self.bars, &job.grid) <= ORACLE_ADDITIONS;
        let grids = match self.oracle_is_timed {
            true => vec![job.grid.clone()],
            false => sample(&job.grid),
        };
        for grid in &grids {
            let oracle = asked(&Scalar, &self.bars, grid);
            job.agree(("scalar", &oracle), ("simd", &answers(grid)))?;
        }
        if !self.oracle_is_timed {
            let (stretches, ends) = SAMPLE;
            report.notes.push(format!(
                "scalar answered {stretches} x {ends} ends, equal; all would take too long"
            ));
        }
        let found = asked(&parallel, &self.bars, &job.grid);
        job.agree(("simd", &wanted), ("parallel", &found))?;
        Ok(wanted)
    }

    /// Times every backend.
    pub(super) fn measure(&mut self, job: &Job<'_>, copies: &Copies, report: &mut SizeReport) {
        if self.oracle_is_timed {
            self.time(&Scalar, job, copies.one_thread, report);
        }
        let Self { simd, parallel, .. } = *self;
        self.time(&simd, job, copies.one_thread, report);
        self.time(&parallel, job, copies.all_threads, report);
    }

    fn time(
        &mut self,
        kernel: &impl DayKernel,
        job: &Job<'_>,
        copy_bandwidth: f64,
        report: &mut SizeReport,
    ) {
        let build = median(|| kernel.bars(job.day, job.step, &mut self.bars));
        let compute = median(|| -> u64 {
            let looks = kernel.grid(&self.bars, &job.grid, Look::default);
            looks
                .iter()
                .fold(0, |sum, look| sum.wrapping_add(look.sum()))
        });
        let reduced = median(|| {
            let parts = kernel.grid(&self.bars, &job.grid, || Totals::new(&job.grid));
            Totals::of(&job.grid, parts)
        });
        report.rows.push(Measured::new(
            kernel.name(),
            (None, build, compute, None),
            (build + compute, compute, reduced),
            (report.bytes, Some(copy_bandwidth)),
        ));
    }
}

/// The answers of a backend.
fn asked(kernel: &impl DayKernel, bars: &Bars, grid: &Grid) -> Answers {
    Answers::of(grid, kernel.grid(bars, grid, || Answers::new(grid)))
}

impl Job<'_> {
    fn agree_on_bars(&self, backend: &str, wanted: &Bars, got: &Bars) -> Result<(), Mismatch> {
        match wanted == got {
            true => Ok(()),
            false => Err(Mismatch {
                backend: backend.to_owned(),
                reference: "scalar".to_owned(),
                size: self.name.clone(),
                what: "bars".to_owned(),
            }),
        }
    }
}

/// Bars that the oracle adds up: one lies in as many windows of a width as it has steps, and each has
/// to be looked for.
fn additions(bars: &Bars, grid: &Grid) -> u64 {
    let steps = |&width: &u32| u64::from(width.clamp(1, grid.ends));
    let symbols = bars.symbols().count() as u64;
    let windows = symbols * u64::from(grid.ends) * grid.widths.len() as u64;
    bars.len() as u64 * grid.widths.iter().map(steps).sum::<u64>() + 8 * windows
}

/// Short stretches all over the grid.
fn sample(grid: &Grid) -> Vec<Grid> {
    let (stretches, ends) = SAMPLE;
    let at = |stretch| u64::from(grid.ends) * u64::from(stretch) / u64::from(stretches);
    let stretch = |stretch| Grid {
        first: grid.first + at(stretch) as u32,
        ends: ends.min(grid.ends - at(stretch) as u32),
        widths: grid.widths.clone(),
    };
    (0..stretches).map(stretch).collect()
}
