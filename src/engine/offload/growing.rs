//! A day that grows on a GPU that may fail: the sums of the wide windows.
//!
//! The device is sent what has come since it was last asked, and shown the ends at which rows are due. The
//! host knows how many executions each window holds, so all answers are held against that, and a sample of
//! them against the oracle. Where the device does not answer, the survey sums the same windows itself; a
//! device that is opened again is loaded with the whole day.

use std::sync::Arc;

use super::super::backend::Trouble;
use super::super::survey::{Asked, Request, Summing};
use super::super::{Clock, Survey};
use super::day::{DayAccelerator, GpuHolding, OpenDayAccelerator, trial};
use super::standby::{Refusal, Standby, Tried, mixed};
use super::{SAMPLE, SAMPLE_EXECUTIONS};
use crate::columns::{Position, Resident};
use crate::cpu::Scalar;
use crate::gpu::{self, GpuOptions, Tier};
use crate::market::{Duration, Locate, NANOS_PER_MILLI};
use crate::metrics::Counters;
use crate::window::day::{Grid, GridBlock, Visit};
use crate::window::{Job, Kernel, Spec, Sums, Width};

/// An accelerator, and up to where in the log it holds the day.
struct Kept {
    device: Box<dyn DayAccelerator>,
    until: Option<Position>,
}

impl Tried for Kept {
    fn tier(&self) -> Option<Tier> {
        self.device.tier()
    }

    fn try_out(&mut self) -> Result<(), Refusal> {
        self.until = None;
        trial::try_out(self.device.as_mut())
    }
}

impl Kept {
    /// Sends what has come since the device was last asked.
    fn catch_up(&mut self, request: &Request<'_>, chunk: &mut Resident) -> Result<(), Refusal> {
        let from = self.until.replace(request.log.end());
        if from == self.until {
            return Ok(());
        }
        let stretches = request.since(from.unwrap_or(0));
        let filled = chunk.fill(&stretches);
        filled.map_err(|error| Refusal::Failed(gpu::Error::Refused(error.to_string())))?;
        let sent = match from {
            None => self.device.hold(chunk),
            Some(_) if chunk.is_empty() => Ok(()),
            Some(_) => self.device.append(chunk),
        };
        sent.map_err(Refusal::Failed)
    }

    /// Asks for the ends of the request, runs of them that follow each other at a time.
    fn answer(&mut self, request: &Request<'_>, sums: &mut [Sums]) -> Result<(), Refusal> {
        let (step, nanos) = step(request.spec);
        let mut left = sums;
        let runs = request
            .asked
            .chunk_by(|one, next| next.end - one.end <= nanos);
        for run in runs {
            let first = run[0].end / nanos;
            let last = run[run.len() - 1].end / nanos;
            let grid = Grid {
                first: first as u32,
                ends: (last - first + 1) as u32,
                widths: widths(request.spec, nanos, last),
            };
            let (these, rest) = left.split_at_mut(run.len());
            left = rest;
            let mut found = Found::new(run, nanos, these);
            let shown = self.device.grid(step, &grid, &mut found);
            shown.map_err(Refusal::Failed)?;
        }
        Ok(())
    }
}

/// The greatest step of which the distance of ends and all widths are multiples, and its nanoseconds.
fn step(spec: &Spec) -> (Duration, u64) {
    let nanos = spec
        .finite_widths()
        .fold(spec.step.nanos(), |mut greatest, mut rest| {
            while rest > 0 {
                (greatest, rest) = (rest, greatest % rest);
            }
            greatest
        });
    let step = Duration::from_millis(nanos / NANOS_PER_MILLI);
    (step.unwrap_or(spec.step), nanos)
}

/// The widths in steps; the session reaches to midnight from the last end too.
fn widths(spec: &Spec, nanos: u64, last: u64) -> Vec<u32> {
    let widths = spec.windows.iter().map(|window| match window.width {
        Width::Finite(width) => (width.nanos() / nanos) as u32,
        Width::Session => last as u32,
    });
    widths.collect()
}

/// Takes out of a grid what is asked.
struct Found<'a> {
    /// Symbol, window and end in steps, ascending, and the place of the answer.
    places: Vec<(Locate, usize, u32, usize)>,
    sums: &'a mut [Sums],
}

impl<'a> Found<'a> {
    fn new(run: &[Asked], nanos: u64, sums: &'a mut [Sums]) -> Self {
        let key = |(place, asked): (usize, &Asked)| {
            let end = (asked.end / nanos) as u32;
            (asked.locate, usize::from(asked.window), end, place)
        };
        let mut places: Vec<_> = run.iter().enumerate().map(key).collect();
        places.sort_unstable();
        Self { places, sums }
    }
}

impl Visit for Found<'_> {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let beginning = (block.locate, block.width, block.first, 0);
        let from = self.places.partition_point(|place| *place < beginning);
        for &(locate, width, end, place) in &self.places[from..] {
            let index = end.wrapping_sub(block.first) as usize;
            if (locate, width) != (block.locate, block.width) || index >= block.trades.len() {
                return;
            }
            self.sums[place] = block.sums(index);
        }
    }
}

/// The sums of a survey by a device.
struct Growing {
    standby: Standby<Kept>,
    chunk: Resident,
}

impl Summing for Growing {
    fn prepare(&mut self) {
        self.standby.ask(0, |_, _| Ok(()));
    }

    fn sum(&mut self, request: &Request<'_>, sums: &mut [Sums]) -> bool {
        let chunk = &mut self.chunk;
        let answered = self.standby.ask(sums.len() as u64, |kept, number| {
            kept.catch_up(request, chunk)?;
            kept.answer(request, sums)?;
            match is_right(request, sums, number) {
                true => Ok(()),
                false => Err(Refusal::Wrong),
            }
        });
        answered.is_some()
    }
}

/// Whether every window has as many executions as the host knows, and some the oracle's sums.
fn is_right(request: &Request<'_>, sums: &[Sums], number: u64) -> bool {
    let counted =
        |(asked, sums): (&Asked, &Sums)| sums.trades == asked.bounds.high - asked.bounds.low;
    if !request.asked.iter().zip(sums).all(counted) {
        return false;
    }
    let mut left = SAMPLE_EXECUTIONS;
    (number * SAMPLE..(number + 1) * SAMPLE).all(|draw| {
        let place = mixed(draw) as usize % sums.len();
        let asked = &request.asked[place];
        match left.checked_sub(asked.bounds.high - asked.bounds.low) {
            None => true,
            Some(rest) => {
                left = rest;
                oracle(request, asked) == sums[place]
            }
        }
    })
}

fn oracle(request: &Request<'_>, asked: &Asked) -> Sums {
    let symbol = &request.symbols[asked.locate.index()];
    let mut sums = [Sums::default()];
    Scalar.evaluate(&mut [Job {
        prices: &symbol.prices,
        shares: &symbol.shares,
        bounds: &[asked.bounds],
        sums: &mut sums,
    }]);
    sums[0]
}

impl Survey {
    /// A survey of which what `open` opens is asked; what becomes of that is counted.
    #[must_use]
    pub fn on(self, open: OpenDayAccelerator, clock: Clock, counters: Arc<Counters>) -> Self {
        self.telling(open, clock, counters, Trouble::default())
    }

    /// A survey of which the GPU opened with `options` is asked.
    pub(in crate::engine) fn by_gpu(
        self,
        options: GpuOptions,
        counters: &Arc<Counters>,
        trouble: Trouble,
    ) -> Self {
        let open = GpuHolding::opener(options);
        self.telling(open, Clock::machine(), Arc::clone(counters), trouble)
    }

    pub(in crate::engine) fn telling(
        self,
        open: OpenDayAccelerator,
        clock: Clock,
        counters: Arc<Counters>,
        trouble: Trouble,
    ) -> Self {
        let open = move |highest| {
            open(highest).map(|device| Kept {
                device,
                until: None,
            })
        };
        self.asking(Box::new(Growing {
            standby: Standby::new(Box::new(open), clock, counters, trouble),
            chunk: Resident::default(),
        }))
    }
}
