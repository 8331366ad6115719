//! How long the parts of a grid take on the device. Each part is run and waited for by itself, so the parts
//! of a grid need not add up to the time in which [`Gpu::grid`] does all of them.

use std::collections::VecDeque;
use std::time::{Duration as Wait, Instant};

use wgpu::{BufferUsages, CommandEncoderDescriptor};

use super::day::{Asked, Loaded, held_of, starts};
use super::device::Device;
use super::dispatch::Dispatcher;
use super::plan::{Shape, Shard, Stretch, stretches};
use super::shader::{Plane, Stage};
use super::{Error, Gpu, GpuDay, buffers};
use crate::columns::Resident;
use crate::market::Duration;
use crate::window::day::Grid;

/// Stretches that are submitted before the oldest is waited for.
const IN_FLIGHT: usize = 4;
/// Bytes that are copied on the device at a time, where it binds so many.
const COPY_BYTES: u64 = 256 << 20;
/// Copies in one go, and how often that is timed.
const COPIES: (u32, usize) = (8, 5);

/// Of [`Gpu::load`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadTimes {
    /// Columns gathered, sent and received.
    pub upload: Wait,
    /// Sums and extremes made of them.
    pub build: Wait,
}

/// Of [`Gpu::grid`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridTimes {
    /// Answers computed into memory of the device.
    pub compute: Wait,
    /// As many answers copied to the host.
    pub read_back: Wait,
}

impl Gpu {
    /// Loads a day as [`Gpu::load`] does, and says how long its parts took.
    ///
    /// # Errors
    /// As [`Gpu::load`].
    pub fn time_load(&self, day: &Resident) -> Result<(GpuDay, LoadTimes), Error> {
        let mut times = LoadTimes::default();
        let held = held_of(day);
        let starts = starts(&held);
        let shards = self.shards(&held, &starts)?;
        let mut loaded = GpuDay::default();
        loaded.shards = self.with(|device, dispatcher| {
            let mut lap = Instant::now();
            let mut time = |part: &mut Wait| {
                device.wait(device.queue.submit([]), dispatcher.time_limit)?;
                *part += lap.elapsed();
                lap = Instant::now();
                Ok(())
            };
            let mut load = |shard: Shard| {
                let buffers = dispatcher.upload_shard(device, day, &held, &shard)?;
                time(&mut times.upload)?;
                let loaded = dispatcher.build(device, &held, &starts, shard, buffers)?;
                time(&mut times.build).map(|()| loaded)
            };
            shards.into_iter().map(&mut load).collect()
        })?;
        loaded.take(held);
        Ok((loaded, times))
    }

    /// How long the parts of showing a grid take.
    ///
    /// # Errors
    /// When the device fails.
    pub fn time_grid(&self, day: &GpuDay, step: Duration, grid: &Grid) -> Result<GridTimes, Error> {
        let asked = Asked::of(step, grid);
        self.with(|device, dispatcher| {
            let mut times = GridTimes::default();
            for loaded in &day.shards {
                let rows = (loaded.shard.symbols.len() * grid.widths.len()) as u32;
                let stretches = || stretches(rows, grid.ends, &self.limits);
                let start = Instant::now();
                dispatcher.compute(device, loaded, &asked, stretches())?;
                times.compute += start.elapsed();
                let start = Instant::now();
                for stretch in stretches() {
                    dispatcher.read_answers(device, stretch.windows())?;
                }
                times.read_back += start.elapsed();
            }
            Ok(times)
        })
    }

    /// Bytes a second that the device reads and writes while it copies: twice those that are copied.
    ///
    /// # Errors
    /// When the device fails.
    pub fn copy_bandwidth(&self) -> Result<f64, Error> {
        self.with(|device, dispatcher| {
            let bytes = COPY_BYTES.min(device.binding_bytes / 4 * 4);
            let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
            let [from, to] = [0; 2].map(|_| buffers::new(device, bytes, usage));
            let (copies, times) = COPIES;
            let mut fastest = f64::INFINITY;
            for _ in 0..times {
                let descriptor = CommandEncoderDescriptor::default();
                let mut encoder = device.device.create_command_encoder(&descriptor);
                for _ in 0..copies {
                    encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
                }
                let commands = encoder.finish();
                let start = Instant::now();
                let copied = device.queue.submit([commands]);
                device.wait(copied, dispatcher.time_limit)?;
                fastest = fastest.min(start.elapsed().as_secs_f64());
            }
            Ok(2.0 * bytes as f64 * f64::from(copies) / fastest)
        })
    }
}

impl Dispatcher {
    /// Computes all windows of a shard and reads none. The device always has work waiting.
    fn compute(
        &mut self,
        device: &Device,
        loaded: &Loaded,
        asked: &Asked,
        stretches: impl Iterator<Item = Stretch>,
    ) -> Result<(), Error> {
        let mut submitted = VecDeque::with_capacity(IN_FLIGHT + 1);
        for stretch in stretches {
            let shape = Shape {
                windows: stretch.windows(),
                ..loaded.shape
            };
            self.ask(device, asked, &stretch, &shape)?;
            let planes = |plane| loaded.plane(plane, &self.buffers);
            let stages = [Stage::GridBounds, Stage::Windows];
            let sizes = (&shape, loaded.is_wide);
            let commands = self.encode(device, &stages, sizes, &self.buffers, planes);
            submitted.push_back(device.queue.submit([commands.finish()]));
            if submitted.len() > IN_FLIGHT
                && let Some(oldest) = submitted.pop_front()
            {
                device.wait(oldest, self.time_limit)?;
            }
        }
        match submitted.pop_back() {
            Some(newest) => device.wait(newest, self.time_limit),
            None => Ok(()),
        }
    }

    /// Copies the first answers that stand on the device to the host.
    fn read_answers(&mut self, device: &Device, windows: u32) -> Result<(), Error> {
        let shape = Shape::new(0, windows);
        let bytes = shape.bytes(Plane::Answers);
        self.buffers.fit_read(device, bytes);
        let own = &self.buffers;
        let nothing = self.encode(device, &[], (&shape, false), own, |plane| own.plane(plane));
        let commands = nothing.read(own.plane(Plane::Answers), own, bytes);
        let mut host = Vec::new();
        device.read(commands, &own.staging, bytes, self.time_limit, |bytes| {
            host.extend_from_slice(bytes);
        })?;
        std::hint::black_box(&host);
        Ok(())
    }
}
