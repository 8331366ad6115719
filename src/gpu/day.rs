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
pub struct GpuDay {
    pub(super) locates: Vec<Locate>,
    pub(super) shards: Vec<Loaded>,
}

pub(super) struct Loaded {
    pub(super) shard: Shard,
    pub(super) shape: Shape,
    buffers: Buffers,
    /// Whether a window may reach 2^64 ticks·shares.
    pub(super) is_wide: bool,
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
        let locates: Vec<Locate> = day.locates().collect();
        let mut starts: Vec<u32> = locates.iter().map(|l| day.starts()[l.index()]).collect();
        starts.push(day.len() as u32);
        let shards = shards(&starts, &self.limits).map_err(|symbol| Error::TooLarge {
            locate: locates[symbol],
            most: self.limits.executions,
        })?;
        self.with(|device, dispatcher| {
            let load = |shard: Shard| {
                let starts = &starts[shard.symbols.start..=shard.symbols.end];
                dispatcher.load(device, day, &locates[shard.symbols.clone()], starts, shard)
            };
            shards.into_iter().map(load).collect()
        })
        .map(|shards| GpuDay { locates, shards })
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
        let millis = step.nanos() / NANOS_PER_MILLI;
        let widths = grid.widths.iter().map(|&width| u64::from(width.max(1)));
        let asked = Asked {
            step: millis as u32,
            first: grid.first,
            widths: widths.map(|width| width * millis).collect(),
            params: Params::default(),
        };
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
    fn load(
        &self,
        device: &Device,
        day: &Resident,
        locates: &[Locate],
        starts: &[u32],
        shard: Shard,
    ) -> Result<Loaded, Error> {
        let symbols = || locates.iter().map(|&locate| day.symbol(locate));
        let executions = shard.executions.end - shard.executions.start;
        let shape = Shape::new(executions, 0);
        let greatest = |values: &[u32]| u128::from(values.iter().copied().max().unwrap_or(0));
        let price = symbols().map(|symbol| greatest(symbol.prices)).max();
        let shares = symbols().map(|symbol| greatest(symbol.shares)).max();
        let most = symbols().map(|symbol| symbol.prices.len() as u128).max();
        let bound = price.unwrap_or(0) * shares.unwrap_or(0) * most.unwrap_or(0);
        let is_wide = u64::try_from(bound).is_err();
        let mut buffers = Buffers::new(device);
        buffers.fit_executions(device, &shape, is_wide);
        let bytes = u64::from(executions) * 4;
        let prices = symbols().map(|symbol| bytemuck::cast_slice(symbol.prices));
        buffers.write(device, Plane::Prices, bytes, prices)?;
        let shares = symbols().map(|symbol| bytemuck::cast_slice(symbol.shares));
        buffers.write(device, Plane::Shares, bytes, shares)?;
        let times = symbols().flat_map(|symbol| symbol.times);
        let times: Vec<u32> = times.map(|time| (time / NANOS_PER_MILLI) as u32).collect();
        let starts: Vec<u32> = starts
            .iter()
            .map(|at| at - shard.executions.start)
            .collect();
        for (plane, words) in [(Plane::Times, &times), (Plane::Starts, &starts)] {
            let words = bytemuck::cast_slice(words);
            buffers.fit(device, plane, words.len() as u64);
            let whole = std::iter::once(words);
            buffers.write(device, plane, words.len() as u64, whole)?;
        }
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
