//! The planes on the device: grown as passes need, kept from pass to pass.

use std::num::NonZero;

use wgpu::{Buffer, BufferDescriptor, BufferUsages};

use super::Error;
use super::device::Device;
use super::params::Params;
use super::plan::Shape;
use super::shader::{Plane, Stage};

/// Distance of the parameters of two levels, as every device allows it.
pub(super) const PARAMS_STRIDE: u64 = 256;
/// Levels of extremes that 2^32 executions have at most.
const MOST_LEVELS: u64 = 32;
/// Bytes of the smallest plane.
const LEAST_BYTES: u64 = 256;

/// Buffers for passes of one device.
pub(super) struct Buffers {
    planes: [Buffer; Plane::EACH.len()],
    /// Parameters, one for each level of extremes.
    pub(super) params: Buffer,
    /// Answers on their way to the host.
    pub(super) staging: Buffer,
}

impl Buffers {
    pub(super) fn new(device: &Device) -> Self {
        let params = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        Self {
            planes: Plane::EACH.map(|plane| new(device, LEAST_BYTES, usage(plane))),
            params: new(device, MOST_LEVELS * PARAMS_STRIDE, params),
            staging: new(device, LEAST_BYTES, STAGING),
        }
    }

    /// Makes room for the executions of a pass. Bits 64 to 95 of notionals need none unless it `is_wide`.
    pub(super) fn fit_executions(&mut self, device: &Device, shape: &Shape, is_wide: bool) {
        for stage in Stage::OF_EXECUTIONS {
            let (read, written) = stage.planes();
            for &plane in read.iter().chain(written) {
                if plane != Plane::NotionalHighs || is_wide {
                    self.fit(device, plane, shape.bytes(plane));
                }
            }
        }
    }

    /// Makes room for the windows of a pass.
    pub(super) fn fit_windows(&mut self, device: &Device, shape: &Shape) {
        for plane in [Plane::Bounds, Plane::Answers] {
            self.fit(device, plane, shape.bytes(plane));
        }
    }

    /// Makes room for answers that are read.
    pub(super) fn fit_read(&mut self, device: &Device, bytes: u64) {
        grow(device, &mut self.staging, bytes);
    }

    /// Makes room for what is told of the windows of a pass: `bytes` of [`Plane::Told`].
    pub(super) fn fit_told(&mut self, device: &Device, shape: &Shape, bytes: u64) {
        let counts = shape.bytes(Plane::Counts);
        self.fit(device, Plane::Told, bytes);
        self.fit(device, Plane::Counts, counts);
        self.fit_read(device, bytes.max(counts));
    }

    /// Makes room in one plane.
    pub(super) fn fit(&mut self, device: &Device, plane: Plane, bytes: u64) {
        grow(device, &mut self.planes[plane as usize - 1], bytes);
    }

    /// Writes the parts one after the other into a plane; together they have `bytes` bytes.
    pub(super) fn write<'a>(
        &self,
        device: &Device,
        plane: Plane,
        bytes: u64,
        parts: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Error> {
        let Some(bytes) = NonZero::new(bytes) else {
            return Ok(());
        };
        let buffer = self.plane(plane);
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

    /// Says what every stage is to know: `params` with the sizes of a pass, one for each level.
    pub(super) fn describe(&self, device: &Device, shape: &Shape, params: Params) {
        for level in 0..shape.levels {
            let params = Params {
                executions: shape.executions,
                windows: shape.windows,
                sum_blocks: shape.sum_blocks,
                extreme_blocks: shape.extreme_blocks,
                level,
                ..params
            };
            let offset = u64::from(level) * PARAMS_STRIDE;
            let bytes = bytemuck::bytes_of(&params);
            device.queue.write_buffer(&self.params, offset, bytes);
        }
    }

    pub(super) fn plane(&self, plane: Plane) -> &Buffer {
        &self.planes[plane as usize - 1]
    }
}

const STAGING: BufferUsages = BufferUsages::MAP_READ.union(BufferUsages::COPY_DST);

fn usage(plane: Plane) -> BufferUsages {
    let copied = match plane {
        Plane::Prices | Plane::Shares | Plane::Bounds => BufferUsages::COPY_DST,
        Plane::Times | Plane::Starts | Plane::Widths | Plane::Places => BufferUsages::COPY_DST,
        Plane::Answers | Plane::Told => BufferUsages::COPY_SRC,
        Plane::Counts => BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
        _ => BufferUsages::empty(),
    };
    BufferUsages::STORAGE | copied
}

/// Replaces a buffer that is too small, by one twice as large where that may be bound.
fn grow(device: &Device, buffer: &mut Buffer, bytes: u64) {
    if buffer.size() < bytes {
        let room = bytes.next_power_of_two().min(device.binding_bytes / 4 * 4);
        *buffer = new(device, room.max(bytes), buffer.usage());
    }
}

pub(super) fn new(device: &Device, size: u64, usage: BufferUsages) -> Buffer {
    device.device.create_buffer(&BufferDescriptor {
        label: None,
        size,
        usage,
        mapped_at_creation: false,
    })
}
