//! A GPU that may fail, with the CPU behind it: one answer, whoever gives it.
//!
//! The device is opened when it is first asked. It is tried on windows of its own before it is believed,
//! and some windows of every request are summed again by the oracle. What it does not answer, or answers
//! wrongly, the CPU answers within the same request. A device that failed is opened again after a pause
//! that doubles from failure to failure; one that was wrong is not asked again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Clock;
use super::backend::Trouble;
use crate::cpu::{Parallel, Scalar};
use crate::gpu::{self, Gpu, GpuOptions};
use crate::metrics::{Counter, Counters};
use crate::window::{Bounds, Job, Kernel, Sums};

/// Pause after the first failure, in nanoseconds.
const FIRST_PAUSE_NS: u64 = 1_000_000_000;
/// The longest pause.
const LONGEST_PAUSE_NS: u64 = 60_000_000_000;
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
}

impl Accelerator for Gpu {
    fn evaluate(&mut self, jobs: &mut [Job<'_>]) -> Result<(), gpu::Error> {
        Gpu::evaluate(self, jobs)
    }
}

/// Opens a device.
pub type OpenAccelerator = dyn Fn() -> Result<Box<dyn Accelerator>, gpu::Error> + Send + Sync;

/// A kernel that asks an accelerator first.
pub struct Offload {
    open: Box<OpenAccelerator>,
    clock: Clock,
    counters: Arc<Counters>,
    cpu: Parallel,
    state: Mutex<State>,
    trouble: Trouble,
}

/// The kernel that asks the GPU opened with `options`, and where it says what goes wrong.
pub(super) fn to_gpu(options: GpuOptions, counters: &Arc<Counters>) -> (Box<dyn Kernel>, Trouble) {
    let open = move || Ok(Box::new(Gpu::open(&options)?) as Box<dyn Accelerator>);
    let offload = Offload::new(Box::new(open), Clock::machine(), Arc::clone(counters));
    let trouble = Arc::clone(&offload.trouble);
    (Box::new(offload), trouble)
}

#[derive(Default)]
struct State {
    device: Option<Box<dyn Accelerator>>,
    /// A wrong answer has been seen.
    is_distrusted: bool,
    /// When the device may be opened again, and the pause after the next failure.
    retry_ns: u64,
    pause_ns: u64,
    /// Moves the sample from request to request.
    requests: u64,
}

/// Why the CPU answers.
enum Refusal {
    /// It is not time to try again, or never will be.
    Silent,
    Failed(gpu::Error),
    Wrong,
}

impl Offload {
    /// A kernel that asks what `open` opens, and counts what becomes of it.
    #[must_use]
    pub fn new(open: Box<OpenAccelerator>, clock: Clock, counters: Arc<Counters>) -> Self {
        Self {
            open,
            clock,
            counters,
            cpu: Parallel::default(),
            state: Mutex::default(),
            trouble: Trouble::default(),
        }
    }

    /// The first thing that went wrong, in words.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        guard(&self.trouble).clone()
    }

    fn answer(&self, state: &mut State, jobs: &mut [Job<'_>]) -> Result<(), Refusal> {
        if state.is_distrusted {
            return Err(Refusal::Silent);
        }
        if state.device.is_none() {
            if self.clock.monotonic_ns() < state.retry_ns {
                return Err(Refusal::Silent);
            }
            let mut device = (self.open)().map_err(Refusal::Failed)?;
            try_out(device.as_mut())?;
            state.device = Some(device);
        }
        if let Some(device) = &mut state.device {
            device.evaluate(jobs).map_err(Refusal::Failed)?;
        }
        state.requests += 1;
        match is_right(jobs, state.requests) {
            true => Ok(()),
            false => Err(Refusal::Wrong),
        }
    }

    /// Takes note of why the CPU answers.
    fn refuse(&self, state: &mut State, refusal: Refusal) {
        let (counter, reason) = match refusal {
            Refusal::Silent => return,
            Refusal::Failed(error) => {
                let pause = state.pause_ns.max(FIRST_PAUSE_NS);
                state.retry_ns = self.clock.monotonic_ns().saturating_add(pause);
                state.pause_ns = (2 * pause).min(LONGEST_PAUSE_NS);
                (Counter::GpuFailures, error.to_string())
            }
            Refusal::Wrong => {
                state.is_distrusted = true;
                (
                    Counter::GpuWrongAnswers,
                    "the GPU's answers are wrong".to_owned(),
                )
            }
        };
        state.device = None;
        self.counters.add(counter, 1);
        guard(&self.trouble).get_or_insert(reason);
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
        let mut state = guard(&self.state);
        match self.answer(&mut state, jobs) {
            Ok(()) => {
                state.pause_ns = 0;
                self.counters.add(Counter::GpuWindows, windows);
            }
            Err(refusal) => {
                self.refuse(&mut state, refusal);
                self.counters.add(Counter::RescuedWindows, windows);
                drop(state);
                self.cpu.evaluate(jobs);
            }
        }
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that look random.
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
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
