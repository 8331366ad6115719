//! When a device may be asked, and what is remembered of one that failed: the same for all work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::Clock;
use super::super::backend::Trouble;
use crate::gpu::{self, Tier};
use crate::metrics::{Counter, Counters};

/// Pause after the first failure, in nanoseconds.
const FIRST_PAUSE_NS: u64 = 1_000_000_000;
/// The longest pause.
const LONGEST_PAUSE_NS: u64 = 60_000_000_000;

/// Why the CPU answers.
pub(super) enum Refusal {
    Failed(gpu::Error),
    Wrong,
}

/// A device that is opened when it is first asked, in no tier above the one that is given.
pub(super) type Open<D> = Box<dyn Fn(Option<Tier>) -> Result<D, gpu::Error> + Send + Sync>;

/// What a device is to show when it is opened.
pub(super) trait Tried {
    /// The form of the shaders that it runs; `None` where there are no others.
    fn tier(&self) -> Option<Tier>;

    /// Compares answers to questions of its own with the oracle's.
    fn try_out(&mut self) -> Result<(), Refusal>;
}

/// A device, or what is to be done without one.
pub(super) struct Standby<D> {
    open: Open<D>,
    clock: Clock,
    counters: Arc<Counters>,
    state: Mutex<State<D>>,
    pub(super) trouble: Trouble,
}

struct State<D> {
    device: Option<D>,
    /// A wrong answer has been seen.
    is_distrusted: bool,
    /// The most demanding tier whose answers have not been wrong when it was opened.
    highest: Option<Tier>,
    /// When the device may be opened again, and the pause after the next failure.
    retry_ns: u64,
    pause_ns: u64,
    /// Moves the sample from request to request.
    requests: u64,
}

impl<D: Tried> Standby<D> {
    pub(super) fn new(
        open: Open<D>,
        clock: Clock,
        counters: Arc<Counters>,
        trouble: Trouble,
    ) -> Self {
        let state = State {
            device: None,
            is_distrusted: false,
            highest: None,
            retry_ns: 0,
            pause_ns: 0,
            requests: 0,
        };
        Self {
            open,
            clock,
            counters,
            state: Mutex::new(state),
            trouble,
        }
    }

    /// Lets the device do `work` of so many windows, which is told the number of the request. `None` where
    /// it did not, for whatever reason: the CPU is to do it.
    pub(super) fn ask<T>(
        &self,
        windows: u64,
        work: impl FnOnce(&mut D, u64) -> Result<T, Refusal>,
    ) -> Option<T> {
        let mut state = guard(&self.state);
        let outcome = self.opened(&mut state).and_then(|is_open| {
            state.requests += 1;
            let number = state.requests;
            match &mut state.device {
                Some(device) if is_open => work(device, number).map(Some),
                _ => Ok(None),
            }
        });
        let done = outcome.unwrap_or_else(|refusal| {
            self.refuse(&mut state, refusal);
            None
        });
        let counter = match done {
            Some(_) => Counter::GpuWindows,
            None => Counter::RescuedWindows,
        };
        if done.is_some() {
            state.pause_ns = 0;
        }
        self.counters.add(counter, windows);
        done
    }

    /// Opens the device where it is not and may be; whether it is open. A tier that answers wrongly gives
    /// way to the next.
    fn opened(&self, state: &mut State<D>) -> Result<bool, Refusal> {
        if state.is_distrusted {
            return Ok(false);
        }
        while state.device.is_none() {
            if self.clock.monotonic_ns() < state.retry_ns {
                return Ok(false);
            }
            let mut device = (self.open)(state.highest).map_err(Refusal::Failed)?;
            match device.try_out() {
                Ok(()) => state.device = Some(device),
                Err(Refusal::Wrong) => match device.tier().and_then(Tier::below) {
                    None => return Err(Refusal::Wrong),
                    Some(below) => {
                        let tier = device.tier().unwrap_or(below);
                        self.counters.add(Counter::GpuTiersGivenUp, 1);
                        self.say(format!("the GPU's answers in tier {tier} are wrong"));
                        state.highest = Some(below);
                    }
                },
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(true)
    }

    /// Takes note of why the CPU answers.
    fn refuse(&self, state: &mut State<D>, refusal: Refusal) {
        state.device = None;
        match refusal {
            Refusal::Failed(error) => {
                let pause = state.pause_ns.max(FIRST_PAUSE_NS);
                state.retry_ns = self.clock.monotonic_ns().saturating_add(pause);
                state.pause_ns = (2 * pause).min(LONGEST_PAUSE_NS);
                self.counters.add(Counter::GpuFailures, 1);
                self.say(error.to_string());
            }
            Refusal::Wrong => {
                state.is_distrusted = true;
                self.counters.add(Counter::GpuWrongAnswers, 1);
                self.say("the GPU's answers are wrong".to_owned());
            }
        }
    }

    fn say(&self, reason: String) {
        guard(&self.trouble).get_or_insert(reason);
    }
}

pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that look random.
pub(super) fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}
