//! A GPU that may fail, with the CPU behind it: one answer, whoever gives it.
//!
//! The device is opened when it is first asked. It is tried on windows of its own before it is believed,
//! and some windows of every request are summed again by the oracle. What it does not answer, or answers
//! wrongly, the CPU answers within the same request. A device that failed is opened again after a pause
//! that doubles from failure to failure; one that was wrong is not asked again, unless it was wrong when it
//! was opened and a less demanding tier is not. [`DayOffload`] does the same for days that stay on the device.

mod day;
mod growing;
mod standby;

use std::sync::Arc;

use super::Clock;
use super::backend::Trouble;
use crate::cpu::{Parallel, Scalar};
use crate::gpu::{self, Gpu, GpuOptions, Tier};
use crate::metrics::Counters;
use crate::window::{Bounds, Job, Kernel, Sums};

pub use day::{DayAccelerator, DayOffload, OpenDayAccelerator};
use standby::{Open, Refusal, Standby, Tried, guard, mixed};

/// Windows of a request that the oracle sums again.
const SAMPLE: u64 = 16;
/// Executions that these windows hold at most: wider ones are passed over.
const SAMPLE_EXECUTIONS: u32 = 1 << 16;

/// Something that computes sums and may fail at it.
pub trait Accelerator: Send {
    /// Answers all jobs, as [`Kernel::evaluate`] does.
    ///
    /// # Errors
    /// When it did not; the answers mean nothing then.
    fn evaluate(&mut self, jobs: &mut [Job<'_>]) -> Result<(), gpu::Error>;

    /// The form of the shaders that it runs; `None` where there are no others.
    fn tier(&self) -> Option<Tier> {
        None
    }
}

impl Accelerator for Gpu {
    fn evaluate(&mut self, jobs: &mut [Job<'_>]) -> Result<(), gpu::Error> {
        Gpu::evaluate(self, jobs)
    }

    fn tier(&self) -> Option<Tier> {
        Some(Gpu::tier(self))
    }
}

impl Tried for Box<dyn Accelerator> {
    fn tier(&self) -> Option<Tier> {
        self.as_ref().tier()
    }

    fn try_out(&mut self) -> Result<(), Refusal> {
        try_out(self.as_mut())
    }
}

/// Opens a device, in no tier above the one that is given.
pub type OpenAccelerator = Open<Box<dyn Accelerator>>;

/// A kernel that asks an accelerator first.
pub struct Offload {
    standby: Standby<Box<dyn Accelerator>>,
    cpu: Parallel,
}

/// The kernel that asks the GPU opened with `options`, and where it says what goes wrong.
pub(super) fn to_gpu(options: GpuOptions, counters: &Arc<Counters>) -> (Box<dyn Kernel>, Trouble) {
    let open = move |highest| {
        let options = options.clone().below(highest);
        Ok(Box::new(Gpu::open(&options)?) as Box<dyn Accelerator>)
    };
    let offload = Offload::new(Box::new(open), Clock::machine(), Arc::clone(counters));
    let trouble = Arc::clone(&offload.standby.trouble);
    (Box::new(offload), trouble)
}

impl Offload {
    /// A kernel that asks what `open` opens, and counts what becomes of it.
    #[must_use]
    pub fn new(open: OpenAccelerator, clock: Clock, counters: Arc<Counters>) -> Self {
        Self {
            standby: Standby::new(open, clock, counters, Trouble::default()),
            cpu: Parallel::default(),
        }
    }

    /// The first thing that went wrong, in words.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        guard(&self.standby.trouble).clone()
    }
}

impl Kernel for Offload {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        let windows = jobs.iter().map(|job| job.bounds.len() as u64).sum();
        if windows == 0 {
            return self.cpu.evaluate(jobs);
        }
        let answered = self.standby.ask(windows, |device, number| {
            device.evaluate(jobs).map_err(Refusal::Failed)?;
            match is_right(jobs, number) {
                true => Ok(()),
                false => Err(Refusal::Wrong),
            }
        });
        if answered.is_none() {
            self.cpu.evaluate(jobs);
        }
    }
}

/// Compares the answers of a new device with the oracle's: sums of 96 bits and of 64, and extremes.
fn try_out(device: &mut dyn Accelerator) -> Result<(), Refusal> {
    const EXECUTIONS: u32 = 5_000;
    let words = |from: u64, bits: u32| -> Vec<u32> {
        let seeds = from..from + u64::from(EXECUTIONS);
        seeds
            .map(|seed| mixed(seed) as u32 >> (32 - bits))
            .collect()
    };
    for bits in [20, 32] {
        let (prices, shares) = (words(1, bits), words(1 << 20, bits));
        let bounds: Vec<Bounds> = (0..EXECUTIONS)
            .step_by(37)
            .map(|high| Bounds {
                low: mixed(u64::from(high)) as u32 % (high + 1),
                high,
            })
            .collect();
        let mut sums = vec![Sums::default(); bounds.len()];
        let mut job = Job {
            prices: &prices,
            shares: &shares,
            bounds: &bounds,
            sums: &mut sums,
        };
        let jobs = std::slice::from_mut(&mut job);
        device.evaluate(jobs).map_err(Refusal::Failed)?;
        if !(0..bounds.len()).all(|window| agrees(&job, window)) {
            return Err(Refusal::Wrong);
        }
    }
    Ok(())
}

/// Whether the sampled windows are the oracle's; other ones for every number.
fn is_right(jobs: &[Job<'_>], number: u64) -> bool {
    let held: Vec<&Job<'_>> = jobs.iter().filter(|job| !job.bounds.is_empty()).collect();
    let mut left = SAMPLE_EXECUTIONS;
    for draw in number * SAMPLE..(number + 1) * SAMPLE {
        let drawn = mixed(draw);
        let Some(job) = held.get((drawn >> 32) as usize % held.len().max(1)) else {
            return true;
        };
        let window = drawn as u32 as usize % job.bounds.len();
        let width = job.bounds[window].high - job.bounds[window].low;
        if let Some(rest) = left.checked_sub(width) {
            left = rest;
            if !agrees(job, window) {
                return false;
            }
        }
    }
    true
}

/// Whether the answer of one window is the oracle's.
fn agrees(job: &Job<'_>, window: usize) -> bool {
    let mut sums = [Sums::default()];
    Scalar.evaluate(&mut [Job {
        prices: job.prices,
        shares: job.shares,
        bounds: &job.bounds[window..=window],
        sums: &mut sums,
    }]);
    sums[0] == job.sums[window]
}
