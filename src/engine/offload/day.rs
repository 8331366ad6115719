//! A day that stays on a GPU that may fail, with the CPU behind it.
//!
//! What is selected of a day is checked before it is handed on: one end of every request is told again by
//! the oracle. A grid is handed on while it is computed, some windows of it checked first; where the device
//! fails the CPU goes on from there, so that the visitor is shown every window once.

mod shown;
pub(super) mod trial;

use std::sync::{Arc, Mutex};

use super::super::Clock;
use super::super::backend::Trouble;
use super::super::residents::Reducer;
use super::standby::{Open, Refusal, Standby, Tried, guard, mixed};
use crate::columns::Resident;
use crate::cpu::{Parallel, Scalar, Simd};
use crate::gpu::plan::MOST_TOP;
use crate::gpu::{self, Gpu, GpuDay, GpuOptions, Tier};
use crate::market::{Duration, Locate};
use crate::metrics::Counters;
use crate::window::Selection;
use crate::window::day::{Bars, DayKernel, Grid, Picked, Reduction, Visit, reduce};
use shown::{Checked, Rest, SAMPLE_EXECUTIONS};

/// Windows of a grid that the oracle sums again, about.
const SAMPLE: u64 = 16;
/// Executions of the windows of an end that the oracle sums again: ends with more are passed over.
const END_EXECUTIONS: u64 = 1 << 20;

/// Something that keeps a day, answers from it, and may fail at it.
pub trait DayAccelerator: Send {
    /// Takes a day in place of the one before.
    ///
    /// # Errors
    /// When it did not; it holds none then.
    fn hold(&mut self, day: &Resident) -> Result<(), gpu::Error>;

    /// Appends executions to the day that it holds, each behind those of its symbol.
    ///
    /// # Errors
    /// When it did not.
    fn append(&mut self, chunk: &Resident) -> Result<(), gpu::Error>;

    /// Shows every window of `grid`, by symbol, width and end.
    ///
    /// # Errors
    /// When it did not; the visitor has seen a part of the grid, from its start on.
    fn grid(
        &mut self,
        step: Duration,
        grid: &Grid,
        visitor: &mut dyn Visit,
    ) -> Result<(), gpu::Error>;

    /// Tells what [`reduce`] tells.
    ///
    /// # Errors
    /// When it did not; what has been told means nothing then.
    fn reduce(
        &mut self,
        reduction: &Reduction,
        tell: &mut dyn FnMut(Picked),
    ) -> Result<(), gpu::Error>;

    /// The form of the shaders that it runs; `None` where there are no others.
    fn tier(&self) -> Option<Tier> {
        None
    }
}

/// A GPU and the day that it holds.
pub(super) struct GpuHolding {
    gpu: Gpu,
    day: Option<GpuDay>,
}

impl GpuHolding {
    /// Opens GPUs as `options` say.
    pub(super) fn opener(options: GpuOptions) -> OpenDayAccelerator {
        Box::new(move |highest| {
            let gpu = Gpu::open(&options.clone().below(highest))?;
            Ok(Box::new(GpuHolding { gpu, day: None }) as Box<dyn DayAccelerator>)
        })
    }

    fn day(&self) -> Result<&GpuDay, gpu::Error> {
        self.day.as_ref().ok_or_else(no_day)
    }
}

fn no_day() -> gpu::Error {
    gpu::Error::Refused("it holds no day".to_owned())
}

impl DayAccelerator for GpuHolding {
    fn hold(&mut self, day: &Resident) -> Result<(), gpu::Error> {
        self.day = None;
        self.day = Some(self.gpu.load(day)?);
        Ok(())
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), gpu::Error> {
        let day = self.day.as_mut().ok_or_else(no_day)?;
        self.gpu.append(day, chunk)
    }

    fn grid(
        &mut self,
        step: Duration,
        grid: &Grid,
        visitor: &mut dyn Visit,
    ) -> Result<(), gpu::Error> {
        self.gpu.grid(self.day()?, step, grid, visitor)
    }

    fn reduce(
        &mut self,
        reduction: &Reduction,
        tell: &mut dyn FnMut(Picked),
    ) -> Result<(), gpu::Error> {
        self.gpu.reduce(self.day()?, reduction, tell)
    }

    fn tier(&self) -> Option<Tier> {
        Some(self.gpu.tier())
    }
}

/// An accelerator, and which day it holds.
struct Holding {
    device: Box<dyn DayAccelerator>,
    version: u64,
}

impl Holding {
    fn hold(&mut self, day: &Resident, version: u64) -> Result<(), Refusal> {
        if self.version != version {
            self.device.hold(day).map_err(Refusal::Failed)?;
            self.version = version;
        }
        Ok(())
    }
}

impl Tried for Holding {
    fn tier(&self) -> Option<Tier> {
        self.device.tier()
    }

    fn try_out(&mut self) -> Result<(), Refusal> {
        trial::try_out(self.device.as_mut())
    }
}

/// Opens a device, in no tier above the one that is given.
pub type OpenDayAccelerator = Open<Box<dyn DayAccelerator>>;

/// A day of which an accelerator is asked first.
pub struct DayOffload {
    standby: Standby<Holding>,
    day: Resident,
    /// Which day it is, counted from 1.
    version: u64,
    cpu: Parallel,
}

impl DayOffload {
    /// A day without executions, of which what `open` opens is asked; what becomes of that is counted.
    #[must_use]
    pub fn new(open: OpenDayAccelerator, clock: Clock, counters: Arc<Counters>) -> Self {
        Self::telling(open, clock, counters, Trouble::default())
    }

    /// A day of which the GPU opened with `options` is asked.
    pub(in crate::engine) fn to_gpu(
        options: GpuOptions,
        counters: &Arc<Counters>,
        trouble: Trouble,
    ) -> Self {
        Self::telling(
            GpuHolding::opener(options),
            Clock::machine(),
            Arc::clone(counters),
            trouble,
        )
    }

    fn telling(
        open: OpenDayAccelerator,
        clock: Clock,
        counters: Arc<Counters>,
        trouble: Trouble,
    ) -> Self {
        let open = move |highest| open(highest).map(|device| Holding { device, version: 0 });
        Self {
            standby: Standby::new(Box::new(open), clock, counters, trouble),
            day: Resident::default(),
            version: 1,
            cpu: Parallel::default(),
        }
    }

    /// Takes a day in place of the one before.
    pub fn hold(&mut self, day: Resident) {
        self.day = day;
        self.version += 1;
    }

    /// The first thing that went wrong, in words.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        guard(&self.standby.trouble).clone()
    }

    /// What [`reduce`] tells.
    ///
    /// # Panics
    /// If the last end is not below 2^32 steps.
    #[must_use]
    pub fn reduce(&self, reduction: &Reduction) -> Vec<Picked> {
        let windows = self.windows(reduction.widths.len(), reduction.ends);
        let told = self.standby.ask(windows, |holding, number| {
            holding.hold(&self.day, self.version)?;
            let mut told = Vec::new();
            let tell = &mut |picked| told.push(picked);
            let done = holding.device.reduce(reduction, tell);
            done.map_err(Refusal::Failed)?;
            match is_right(&self.day, reduction, &told, number) {
                true => Ok(told),
                false => Err(Refusal::Wrong),
            }
        });
        told.unwrap_or_else(|| {
            let mut told = Vec::new();
            reduce(&self.cpu, &self.day, reduction, |picked| told.push(picked));
            told
        })
    }

    /// Shows every window of `grid` to `visitor`, as [`DayKernel::grid`] does: each once, whatever fails.
    ///
    /// # Panics
    /// If the last end is not below 2^32 steps.
    pub fn grid(&self, step: Duration, grid: &Grid, visitor: &mut (impl Visit + Send)) {
        let windows = self.windows(grid.widths.len(), grid.ends);
        let rows = self.day.locates().count() * grid.widths.len();
        let mut checked = Checked {
            day: &self.day,
            asked: (step, grid),
            every: (rows as u64 / SAMPLE).max(1),
            draw: 0,
            left: SAMPLE_EXECUTIONS,
            is_wrong: false,
            reached: (Locate(0), 0, 0),
            visitor,
        };
        let done = self.standby.ask(windows, |holding, number| {
            holding.hold(&self.day, self.version)?;
            checked.draw = number << 32;
            let done = holding.device.grid(step, grid, &mut checked);
            done.map_err(Refusal::Failed)?;
            match checked.is_wrong {
                false => Ok(()),
                true => Err(Refusal::Wrong),
            }
        });
        if done.is_none() {
            let mut bars = Bars::default();
            self.cpu.bars(&self.day, step, &mut bars);
            let (reached, visitor) = (checked.reached, Mutex::new(checked.visitor));
            let rest = || Rest {
                reached,
                visitor: &visitor,
            };
            // On one thread, so that symbols come in order.
            Simd::default().grid(&bars, grid, rest);
        }
    }

    /// Whether a GPU tells what is selected.
    pub(in crate::engine) fn tells(selection: Selection) -> bool {
        !matches!(selection, Selection::Top { count, .. } if count > MOST_TOP as usize)
    }

    fn windows(&self, widths: usize, ends: u32) -> u64 {
        (self.day.locates().count() * widths) as u64 * u64::from(ends)
    }
}

impl Reducer for DayOffload {
    fn hold(&mut self, day: Resident) {
        DayOffload::hold(self, day);
    }

    fn reduce(&mut self, reduction: &Reduction) -> Vec<Picked> {
        DayOffload::reduce(self, reduction)
    }
}

/// Whether what is told of one end is what the oracle tells, of an end whose windows are not too wide.
fn is_right(day: &Resident, reduction: &Reduction, told: &[Picked], number: u64) -> bool {
    let draws = (number * 4..number * 4 + 4).filter(|_| reduction.ends > 0);
    let ends = draws.map(|draw| mixed(draw) % u64::from(reduction.ends));
    let one = ends.map(|index| Reduction {
        first: reduction.first + index as u32,
        ends: 1,
        ..reduction.clone()
    });
    let mut light = one.filter(|one| executions(day, one) <= END_EXECUTIONS);
    light.next().is_none_or(|one| {
        let mut wanted = Vec::new();
        reduce(&Scalar, day, &one, |picked| wanted.push(picked));
        let of_end = told.iter().filter(|picked| picked.end == one.first);
        of_end.eq(&wanted)
    })
}

/// Executions in all windows of the one end that is asked.
fn executions(day: &Resident, one: &Reduction) -> u64 {
    let end = u64::from(one.first) * one.step.nanos();
    let held = day.locates().map(|locate| {
        let times = day.symbol(locate).times;
        let since = |time: u64| times.partition_point(|&at| at < time) as u64;
        let of_width = one
            .widths
            .iter()
            .map(|width| since(end) - since(width.start(end)));
        of_width.sum::<u64>()
    });
    held.sum()
}
