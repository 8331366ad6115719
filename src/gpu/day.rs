//! A day's executions kept on the device, and the grid of their windows.
//!
//! What is uploaded once: prices, shares and times, symbol by symbol. What is made of them once: prefix
//! sums and extremes. A pass then finds the executions of each window and answers them with the stage
//! that jobs use. There are no planes with a place for every step: 10,000 symbols x 23,400 seconds would
//! be 234 million places a plane, for executions of which most symbols have a few hundred.

use super::buffers::Buffers;
use super::device::Device;
use super::dispatch::Dispatcher;
use super::params::{Answer, Params};
use super::plan::{Shape, Shard, Stretch, shards, stretches};
use super::shader::{Plane, Stage};
use super::{Error, Gpu};
use crate::columns::Resident;
use crate::market::{Duration, Locate, NANOS_PER_MILLI};
use crate::window::day::{Grid, GridBlock, Visit};

/// The executions of a day on the device that loaded them.
#[derive(Default)]
pub struct GpuDay {
    pub(super) locates: Vec<Locate>,
    pub(super) held: Vec<Held>,
    pub(super) shards: Vec<Loaded>,
}

pub(super) struct Loaded {
    pub(super) shard: Shard,
    pub(super) shape: Shape,
    pub(super) buffers: Buffers,
    /// Whether a window may reach 2^64 ticks·shares.
    pub(super) is_wide: bool,
}

/// What there is of one symbol.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) locate: Locate,
    pub(super) executions: u32,
    /// Times of the first and the last in nanoseconds.
    pub(super) first: u64,
    pub(super) last: u64,
    /// The greatest.
    pub(super) price: u32,
    pub(super) shares: u32,
}

impl GpuDay {
    /// Notes what its shards hold.
    pub(super) fn take(&mut self, held: Vec<Held>) {
        self.locates = held.iter().map(|held| held.locate).collect();
        self.held = held;
    }
}

/// What a day holds, in the order of locates.
pub(super) fn held_of(day: &Resident) -> Vec<Held> {
    let held = |locate| {
        let symbol = day.symbol(locate);
        let greatest = |values: &[u32]| values.iter().copied().max().unwrap_or(0);
        Held {
            locate,
            executions: symbol.times.len() as u32,
            first: symbol.times.first().copied().unwrap_or(0),
            last: symbol.times.last().copied().unwrap_or(0),
            price: greatest(symbol.prices),
            shares: greatest(symbol.shares),
        }
    };
    day.locates().map(held).collect()
}

/// Where the executions of each symbol start, and at last their number.
pub(super) fn starts(held: &[Held]) -> Vec<u32> {
    let sum = |next: &mut u32, held: &Held| {
        *next = next.saturating_add(held.executions);
        Some(*next)
    };
    std::iter::once(0).chain(held.iter().scan(0, sum)).collect()
}

/// The windows of a grid.
pub(super) struct Asked {
    /// Length of a step in milliseconds.
    pub(super) step: u32,
    /// First end in steps since midnight.
    pub(super) first: u32,
    /// Milliseconds.
    pub(super) widths: Vec<u64>,
    /// What else the stages are to know.
    pub(super) params: Params,
}

impl Asked {
    /// All windows of `grid`.
    pub(super) fn of(step: Duration, grid: &Grid) -> Self {
        let millis = step.nanos() / NANOS_PER_MILLI;
        let widths = grid.widths.iter().map(|&width| u64::from(width.max(1)));
        Self {
            step: millis as u32,
            first: grid.first,
            widths: widths.map(|width| width * millis).collect(),
            params: Params::default(),
        }
    }
}

impl Loaded {
    /// The buffer of a plane: `own` has what is made for each request.
    pub(super) fn plane<'a>(&'a self, plane: Plane, own: &'a Buffers) -> &'a wgpu::Buffer {
        match plane {
            Plane::Bounds | Plane::Answers | Plane::Widths | Plane::Told | Plane::Counts => {
                own.plane(plane)
            }
            _ => self.buffers.plane(plane),
        }
    }
}

/// The columns of a [`GridBlock`], used again for every row.
#[derive(Default)]
struct Columns {
    notionals: Vec<u64>,
    notional_highs: Vec<u32>,
    volumes: Vec<u64>,
    trades: Vec<u32>,
    opens: Vec<u32>,
    highs: Vec<u32>,
    lows: Vec<u32>,
    closes: Vec<u32>,
}

impl Gpu {
    /// Uploads the executions of `day`, and makes of them what all grids need.
    ///
    /// # Errors
    /// When one symbol has more executions than the device binds at a time, or the device fails.
    pub fn load(&self, day: &Resident) -> Result<GpuDay, Error> {
        let mut loaded = GpuDay::default();
        let held = held_of(day);
        let starts = starts(&held);
        let shards = self.shards(&held, &starts)?;
        loaded.shards = self.with(|device, dispatcher| {
            let load = |shard: Shard| {
                let buffers = dispatcher.upload_shard(device, day, &held, &shard)?;
                dispatcher.build(device, &held, &starts, shard, buffers)
            };
            shards.into_iter().map(load).collect()
        })?;
        loaded.take(held);
        Ok(loaded)
    }

    /// Cuts what a day holds.
    pub(super) fn shards(&self, held: &[Held], starts: &[u32]) -> Result<Vec<Shard>, Error> {
        shards(starts, &self.limits).map_err(|symbol| Error::TooLarge {
            locate: held[symbol].locate,
            most: self.limits.executions,
        })
    }

    /// Shows every end × symbol × width of `grid` to `visitor`, as
    /// [`crate::window::day::DayKernel::grid`] does.
    ///
    /// # Errors
    /// When the device fails. The visitor may have seen a part of the grid then.
    ///
    /// # Panics
    /// If the last end is not below 2^32 steps.
    pub fn grid(
        &self,
        day: &GpuDay,
        step: Duration,
        grid: &Grid,
        visitor: &mut dyn Visit,
    ) -> Result<(), Error> {
        assert!(grid.first.checked_add(grid.ends).is_some(), "{grid:?}");
        let mut columns = Columns::default();
        let asked = Asked::of(step, grid);
        self.with(|device, dispatcher| {
            for loaded in &day.shards {
                let rows = (loaded.shard.symbols.len() * grid.widths.len()) as u32;
                for stretch in stretches(rows, grid.ends, &self.limits) {
                    dispatcher.answer(device, loaded, &asked, &stretch, |answers| {
                        let locates = &day.locates[loaded.shard.symbols.clone()];
                        columns.show(answers, locates, grid, &stretch, visitor);
                    })?;
                }
            }
            Ok(())
        })
    }
}

impl Dispatcher {
    /// Uploads the executions of a shard.
    pub(super) fn upload_shard(
        &self,
        device: &Device,
        day: &Resident,
        held: &[Held],
        shard: &Shard,
    ) -> Result<Buffers, Error> {
        let held = &held[shard.symbols.clone()];
        let symbols = || held.iter().map(|held| day.symbol(held.locate));
        let executions = shard.executions.end - shard.executions.start;
        let shape = Shape::new(executions, 0);
        let mut buffers = Buffers::new(device);
        for plane in [Plane::Prices, Plane::Shares, Plane::Times] {
            buffers.fit(device, plane, shape.bytes(plane));
        }
        let bytes = u64::from(executions) * 4;
        let prices = symbols().map(|symbol| bytemuck::cast_slice(symbol.prices));
        buffers.write(device, Plane::Prices, bytes, prices)?;
        let shares = symbols().map(|symbol| bytemuck::cast_slice(symbol.shares));
        buffers.write(device, Plane::Shares, bytes, shares)?;
        let times = symbols().flat_map(|symbol| symbol.times);
        let times: Vec<u32> = times.map(|time| (time / NANOS_PER_MILLI) as u32).collect();
        let times = std::iter::once(bytemuck::cast_slice(&times));
        buffers.write(device, Plane::Times, bytes, times)?;
        Ok(buffers)
    }

    /// Makes of the executions of a shard what all grids need.
    pub(super) fn build(
        &self,
        device: &Device,
        held: &[Held],
        starts: &[u32],
        shard: Shard,
        mut buffers: Buffers,
    ) -> Result<Loaded, Error> {
        let held = &held[shard.symbols.clone()];
        let greatest = |of: fn(&Held) -> u32| u128::from(held.iter().map(of).max().unwrap_or(0));
        let (price, shares) = (greatest(|held| held.price), greatest(|held| held.shares));
        let bound = price * shares * greatest(|held| held.executions);
        let is_wide = u64::try_from(bound).is_err();
        let shape = Shape::new(shard.executions.end - shard.executions.start, 0);
        buffers.fit_executions(device, &shape, is_wide);
        let starts = starts[shard.symbols.start..=shard.symbols.end].iter();
        let starts: Vec<u32> = starts.map(|at| at - shard.executions.start).collect();
        let words = bytemuck::cast_slice(&starts);
        buffers.fit(device, Plane::Starts, words.len() as u64);
        let whole = std::iter::once(words);
        buffers.write(device, Plane::Starts, words.len() as u64, whole)?;
        buffers.describe(device, &shape, Params::default());
        let (sizes, planes) = ((&shape, is_wide), |plane| buffers.plane(plane));
        let commands = self.encode(device, &Stage::OF_EXECUTIONS, sizes, &buffers, planes);
        device.queue.submit([commands.finish()]);
        device.check()?;
        Ok(Loaded {
            shard,
            shape,
            buffers,
            is_wide,
        })
    }

    /// Computes the windows of a stretch and shows their answers.
    fn answer(
        &mut self,
        device: &Device,
        loaded: &Loaded,
        asked: &Asked,
        stretch: &Stretch,
        take: impl FnOnce(&[Answer]),
    ) -> Result<(), Error> {
        let shape = Shape {
            windows: stretch.windows(),
            ..loaded.shape
        };
        self.ask(device, asked, stretch, &shape)?;
        let stages = [Stage::GridBounds, Stage::Windows];
        let bytes = shape.bytes(Plane::Answers);
        self.buffers.fit_read(device, bytes);
        let planes = |plane| loaded.plane(plane, &self.buffers);
        let sizes = (&shape, loaded.is_wide);
        let commands = self.encode(device, &stages, sizes, &self.buffers, planes);
        let commands = commands.read(self.buffers.plane(Plane::Answers), &self.buffers, bytes);
        device.read(
            commands,
            &self.buffers.staging,
            bytes,
            self.time_limit,
            |bytes| take(&bytemuck::pod_collect_to_vec(bytes)),
        )
    }

    /// Makes room for the windows of a stretch and says which they are.
    pub(super) fn ask(
        &mut self,
        device: &Device,
        asked: &Asked,
        stretch: &Stretch,
        shape: &Shape,
    ) -> Result<(), Error> {
        let words = bytemuck::cast_slice(&asked.widths);
        self.buffers.fit_windows(device, shape);
        self.buffers.fit(device, Plane::Widths, words.len() as u64);
        let whole = std::iter::once(words);
        self.buffers
            .write(device, Plane::Widths, words.len() as u64, whole)?;
        let params = Params {
            first_row: stretch.rows.start,
            widths: asked.widths.len() as u32,
            first_end: asked.first + stretch.ends.start,
            ends: stretch.ends.len() as u32,
            step: asked.step,
            ..asked.params
        };
        self.buffers.describe(device, shape, params);
        Ok(())
    }
}

impl Columns {
    /// Shows the answers of a stretch, row by row; rows of empty windows are left out.
    fn show(
        &mut self,
        answers: &[Answer],
        locates: &[Locate],
        grid: &Grid,
        stretch: &Stretch,
        visitor: &mut dyn Visit,
    ) {
        let rows = answers.chunks(stretch.ends.len());
        for (row, answers) in stretch.rows.clone().zip(rows) {
            if answers.iter().all(|answer| answer.trades == 0) {
                continue;
            }
            let words = |column: &mut Vec<u32>, field: fn(&Answer) -> u32| {
                column.clear();
                column.extend(answers.iter().map(field));
            };
            let longs = |column: &mut Vec<u64>, field: fn(&Answer) -> u64| {
                column.clear();
                column.extend(answers.iter().map(field));
            };
            longs(&mut self.notionals, Answer::notional);
            longs(&mut self.volumes, Answer::volume);
            words(&mut self.notional_highs, |answer| answer.notional_high);
            words(&mut self.trades, |answer| answer.trades);
            words(&mut self.opens, |answer| answer.open);
            words(&mut self.highs, |answer| answer.high);
            words(&mut self.lows, |answer| answer.low);
            words(&mut self.closes, |answer| answer.close);
            visitor.visit(&GridBlock {
                locate: locates[row as usize / grid.widths.len()],
                width: row as usize % grid.widths.len(),
                first: grid.first + stretch.ends.start,
                notionals: &self.notionals,
                notional_highs: &self.notional_highs,
                volumes: &self.volumes,
                trades: &self.trades,
                opens: &self.opens,
                highs: &self.highs,
                lows: &self.lows,
                closes: &self.closes,
            });
        }
    }
}
