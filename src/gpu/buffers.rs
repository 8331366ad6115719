//! The planes on the device: grown as passes need, kept from pass to pass.

use wgpu::{Buffer, BufferDescriptor, BufferUsages};

use super::device::Device;
use super::plan::Shape;
use super::shader::Plane;

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

    /// Makes room for a pass. Bits 64 to 95 of notionals need none unless it `is_wide`.
    pub(super) fn fit(&mut self, device: &Device, shape: &Shape, is_wide: bool) {
        for plane in Plane::EACH {
            if plane != Plane::NotionalHighs || is_wide {
                let buffer = &mut self.planes[plane as usize - 1];
                grow(device, buffer, shape.bytes(plane));
            }
        }
        grow(device, &mut self.staging, shape.bytes(Plane::Answers));
    }

    pub(super) fn plane(&self, plane: Plane) -> &Buffer {
        &self.planes[plane as usize - 1]
    }
}

const STAGING: BufferUsages = BufferUsages::MAP_READ.union(BufferUsages::COPY_DST);

fn usage(plane: Plane) -> BufferUsages {
    let copied = match plane {
        Plane::Prices | Plane::Shares | Plane::Bounds => BufferUsages::COPY_DST,
        Plane::Answers => BufferUsages::COPY_SRC,
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
