//! A pass on the device: upload, stages, answers back.

use std::time::Duration;

use wgpu::{CommandBuffer, CommandEncoderDescriptor, ComputePassDescriptor};

use super::Error;
use super::buffers::{Buffers, PARAMS_STRIDE};
use super::device::Device;
use super::params::{Answer, Params};
use super::pipeline::Compiled;
use super::plan::{Pass, Piece, Shape};
use super::shader::{Plane, Shaders, Stage};
use crate::market::Price;
use crate::window::{Bounds, Job, Sums};

/// The stages of one device, and its buffers.
pub(super) struct Dispatcher {
    stages: Vec<Compiled>,
    buffers: Buffers,
    /// How long a pass may take.
    time_limit: Duration,
}

impl Dispatcher {
    /// Compiles the stages.
    pub(super) fn new(
        device: &Device,
        shaders: &Shaders,
        time_limit: Duration,
    ) -> Result<Self, Error> {
        let stages = Stage::EACH.map(|stage| Compiled::new(device, shaders, stage));
        let dispatcher = Self {
            stages: stages.into(),
            buffers: Buffers::new(device),
            time_limit,
        };
        device.check().map(|()| dispatcher)
    }

    /// Adds the sums of a pass to those of its jobs.
    pub(super) fn run(
        &mut self,
        device: &Device,
        jobs: &mut [Job<'_>],
        pass: &Pass,
    ) -> Result<(), Error> {
        let shape = Shape::new(pass.executions, pass.windows);
        let is_wide = pass.pieces.iter().any(|piece| !fits_64_bits(jobs, piece));
        self.buffers.fit(device, &shape, is_wide);
        self.upload(device, jobs, pass, &shape)?;
        let commands = self.encode(device, &shape, is_wide);
        let bytes = shape.bytes(Plane::Answers);
        device.read(
            commands,
            &self.buffers.staging,
            bytes,
            self.time_limit,
            |bytes| {
                let mut answers = bytes.chunks_exact(size_of::<Answer>());
                for piece in &pass.pieces {
                    let job = &mut jobs[piece.job];
                    for window in piece.windows.clone() {
                        let answer = answers.next().map(bytemuck::pod_read_unaligned);
                        let bounds = clipped(job.bounds[window], piece);
                        let sums = sums(&answer.unwrap_or_default(), job.prices, bounds);
                        job.sums[window] = job.sums[window].then(&sums);
                    }
                }
            },
        )
    }

    fn upload(
        &self,
        device: &Device,
        jobs: &[Job<'_>],
        pass: &Pass,
        shape: &Shape,
    ) -> Result<(), Error> {
        let executions = u64::from(pass.executions) * 4;
        let pieces = || pass.pieces.iter().map(|piece| (piece, &jobs[piece.job]));
        let prices = pieces().map(|(piece, job)| &job.prices[piece.executions.clone()]);
        self.write(
            device,
            Plane::Prices,
            executions,
            prices.map(bytemuck::cast_slice),
        )?;
        let shares = pieces().map(|(piece, job)| &job.shares[piece.executions.clone()]);
        self.write(
            device,
            Plane::Shares,
            executions,
            shares.map(bytemuck::cast_slice),
        )?;
        let mut first = 0;
        let mut bounds: Vec<[u32; 2]> = Vec::with_capacity(pass.windows as usize);
        for (piece, job) in pieces() {
            let windows = job.bounds[piece.windows.clone()].iter();
            bounds.extend(windows.map(|&asked| {
                let inside = clipped(asked, piece);
                let skipped = piece.executions.start as u32;
                [inside.low - skipped + first, inside.high - skipped + first]
            }));
            first += piece.executions.len() as u32;
        }
        let bytes = shape.bytes(Plane::Bounds);
        let words = std::iter::once(bytemuck::cast_slice(&bounds));
        self.write(device, Plane::Bounds, bytes, words)?;
        for level in 0..shape.levels {
            let params = Params {
                executions: shape.executions,
                windows: shape.windows,
                sum_blocks: shape.sum_blocks,
                extreme_blocks: shape.extreme_blocks,
                level,
            };
            let (buffer, offset) = (&self.buffers.params, u64::from(level) * PARAMS_STRIDE);
            device
                .queue
                .write_buffer(buffer, offset, bytemuck::bytes_of(&params));
        }
        device.check()
    }

    /// Writes the parts one after the other into a plane; together they have `bytes` bytes.
    fn write<'a>(
        &self,
        device: &Device,
        plane: Plane,
        bytes: u64,
        parts: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Error> {
        let Some(bytes) = std::num::NonZero::new(bytes) else {
            return Ok(());
        };
        let buffer = self.buffers.plane(plane);
        let Some(mut view) = device.queue.write_buffer_with(buffer, 0, bytes) else {
            return device.check().and(Err(Error::OutOfMemory));
        };
        let mut at = 0;
        for part in parts {
            view.slice(at..at + part.len()).copy_from_slice(part);
            at += part.len();
        }
        Ok(())
    }

    fn encode(&self, device: &Device, shape: &Shape, is_wide: bool) -> CommandBuffer {
        let descriptor = CommandEncoderDescriptor::default();
        let mut encoder = device.device.create_command_encoder(&descriptor);
        let mut commands = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        for compiled in &self.stages {
            commands.set_pipeline(compiled.pipeline(is_wide));
            let planes = compiled.bind(device, &self.buffers);
            let times = match compiled.stage {
                Stage::ExtremesLevel => shape.levels - 1,
                _ => 1,
            };
            for level in 0..times {
                let offset = level * PARAMS_STRIDE as u32;
                commands.set_bind_group(0, &planes, &[offset]);
                commands.dispatch_workgroups(shape.workgroups(compiled.stage), 1, 1);
            }
        }
        drop(commands);
        let answers = self.buffers.plane(Plane::Answers);
        let bytes = shape.bytes(Plane::Answers);
        encoder.copy_buffer_to_buffer(answers, 0, &self.buffers.staging, 0, bytes);
        encoder.finish()
    }
}

/// Whether no window of the piece can reach 2^64 ticks·shares.
fn fits_64_bits(jobs: &[Job<'_>], piece: &Piece) -> bool {
    let job = &jobs[piece.job];
    let greatest = |values: &[u32]| {
        let inside = &values[piece.executions.clone()];
        u128::from(inside.iter().copied().max().unwrap_or(0))
    };
    let bounds = job.bounds[piece.windows.clone()].iter();
    let width = |asked: &Bounds| {
        let inside = clipped(*asked, piece);
        inside.high - inside.low
    };
    let widest = u128::from(bounds.map(width).max().unwrap_or(0));
    greatest(job.prices) * greatest(job.shares) * widest <= u128::from(u64::MAX)
}

/// The part of a window that lies among the executions of a piece, counted within the job.
fn clipped(bounds: Bounds, piece: &Piece) -> Bounds {
    let (start, end) = (piece.executions.start as u32, piece.executions.end as u32);
    Bounds {
        low: bounds.low.clamp(start, end),
        high: bounds.high.clamp(start, end),
    }
}

/// An answer of the device with the prices that the host looks up.
fn sums(answer: &Answer, prices: &[u32], bounds: Bounds) -> Sums {
    if bounds.low == bounds.high {
        return Sums::default();
    }
    let words = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    let notional = words(answer.notional_low, answer.notional_middle);
    Sums {
        notional: u128::from(answer.notional_high) << 64 | u128::from(notional),
        volume: words(answer.volume_low, answer.volume_high),
        trades: u64::from(answer.trades),
        open: Price(prices[bounds.low as usize]),
        high: Price(answer.high),
        low: Price(answer.low),
        close: Price(prices[bounds.high as usize - 1]),
    }
}
