//! A pass on the device: upload, stages, answers back.

use std::time::Duration;

use wgpu::{
    Buffer, CommandBuffer, CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor,
};

use super::Error;
use super::buffers::{Buffers, PARAMS_STRIDE};
use super::device::Device;
use super::params::{Answer, Params};
use super::pipeline::Compiled;
use super::plan::{Pass, Piece, Shape};
use super::shader::{Plane, Shaders, Stage};
use crate::market::{Notional, Price};
use crate::window::{Bounds, Job, Sums};

/// The stages of one device, and its buffers.
pub(super) struct Dispatcher {
    stages: [Compiled; Stage::EACH.len()],
    pub(super) buffers: Buffers,
    /// How long a pass may take.
    pub(super) time_limit: Duration,
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
            stages,
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
        self.buffers.fit_executions(device, &shape, is_wide);
        self.buffers.fit_windows(device, &shape);
        self.buffers.fit_read(device, shape.bytes(Plane::Answers));
        self.upload(device, jobs, pass, &shape)?;
        let stages = [&Stage::OF_EXECUTIONS[..], &[Stage::Windows]].concat();
        let planes = |plane| self.buffers.plane(plane);
        let commands = self.encode(device, &stages, (&shape, is_wide), &self.buffers, planes);
        let bytes = shape.bytes(Plane::Answers);
        let commands = commands.read(self.buffers.plane(Plane::Answers), &self.buffers, bytes);
        device.read(
            commands,
            &self.buffers.staging,
            bytes,
            self.time_limit,
            |bytes| {
                let mut answers = bytes.chunks_exact(size_of::<Answer>());
                for piece in &pass.pieces {
                    let job = &mut jobs[piece.job];
                    let executions = piece.executions.len();
                    for window in piece.windows.clone() {
                        let answer = answers.next().map(bytemuck::pod_read_unaligned);
                        let sums = sums(&answer.unwrap_or_default(), executions);
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
        let buffers = &self.buffers;
        for (plane, column) in [
            (Plane::Prices, (|job| job.prices) as Column),
            (Plane::Shares, |job| job.shares),
        ] {
            let words = pieces().map(|(piece, job)| &column(job)[piece.executions.clone()]);
            buffers.write(device, plane, executions, words.map(bytemuck::cast_slice))?;
        }
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
        buffers.write(device, Plane::Bounds, bytes, words)?;
        buffers.describe(device, shape, Params::default());
        device.check()
    }

    /// The stages, in order, over the planes that `buffer_of` gives; `own` has the parameters.
    pub(super) fn encode<'a>(
        &self,
        device: &Device,
        stages: &[Stage],
        (shape, is_wide): (&Shape, bool),
        own: &Buffers,
        buffer_of: impl Fn(Plane) -> &'a Buffer + Copy,
    ) -> Encoded {
        let descriptor = CommandEncoderDescriptor::default();
        let mut encoder = device.device.create_command_encoder(&descriptor);
        let mut commands = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        for &stage in stages {
            let compiled = &self.stages[stage as usize];
            commands.set_pipeline(compiled.pipeline(is_wide));
            let planes = compiled.bind(device, &own.params, buffer_of);
            let times = match stage {
                Stage::ExtremesLevel => shape.levels - 1,
                _ => 1,
            };
            for level in 0..times {
                let offset = level * PARAMS_STRIDE as u32;
                commands.set_bind_group(0, &planes, &[offset]);
                commands.dispatch_workgroups(shape.workgroups(stage), 1, 1);
            }
        }
        drop(commands);
        Encoded(encoder)
    }
}

/// Stages that are ready to run.
pub(super) struct Encoded(CommandEncoder);

impl Encoded {
    /// With nothing to be read.
    pub(super) fn finish(self) -> CommandBuffer {
        self.0.finish()
    }

    /// With the first `bytes` bytes of `plane` copied to the staging buffer of `own`.
    pub(super) fn read(mut self, plane: &Buffer, own: &Buffers, bytes: u64) -> CommandBuffer {
        self.0
            .copy_buffer_to_buffer(plane, 0, &own.staging, 0, bytes);
        self.0.finish()
    }
}

/// A column of a job.
type Column = for<'a> fn(&Job<'a>) -> &'a [u32];

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

/// An answer of the device about so many executions at most, as the host has it. Whatever a device that
/// is out of order says, adding up what it says of all pieces does not overflow. Where it has counted too many
/// executions, there are still too many.
pub(super) fn sums(answer: &Answer, executions: usize) -> Sums {
    let (executions, most) = (executions as u32, u64::from(u32::MAX));
    let notional = Notional::of_parts(answer.notional(), answer.notional_high).get();
    Sums {
        notional: Notional::new(notional.min(u128::from(executions) * u128::from(most * most))),
        volume: answer.volume().min(u64::from(executions) * most),
        trades: answer.trades.min(executions.saturating_add(1)),
        open: Price(answer.open),
        high: Price(answer.high),
        low: Price(answer.low),
        close: Price(answer.close),
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn the_most_that_a_device_can_say_can_be_added_up_and_is_seen_to_be_too_much() {
        let most: Answer = bytemuck::cast([u32::MAX; size_of::<Answer>() / 4]);
        let executions = [3, 1 << 30];
        let [one, other] = executions.map(|executions| sums(&most, executions));
        let both = one.then(&other);
        assert!(both.trades > 3 + (1 << 30));
        assert_eq!(one.volume, 3 * u64::from(u32::MAX));
        assert_eq!(one.notional.get(), 3 * u128::from(u32::MAX).pow(2));
        assert_eq!(sums(&Answer::zeroed(), 3), Sums::default());
    }
}
