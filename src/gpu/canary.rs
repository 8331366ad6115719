//! Whether a device does what the stages rely on: tried when it is opened.
//!
//! Some drivers stop long loops silently, others get carries or sums over lanes wrong. A tier that
//! fails is not used.

use std::time::Duration;

use wgpu::{
    BindGroupDescriptor, BindGroupEntry, BufferUsages, CommandEncoderDescriptor,
    ComputePassDescriptor,
};

use super::Error;
use super::buffers;
use super::device::Device;
use super::params::LANES;
use super::pipeline::{layout, pipeline};
use super::plan::MOST_ITERATIONS;
use super::shader::Shaders;

/// As `shaders/canary.wgsl` reads them.
const INPUTS: [u32; 7] = [
    MOST_ITERATIONS,
    0xffff_fff1,
    0xffff_ffd3,
    0xfedc_ba98,
    0x1_2345,
    1 << 31,
    u32::MAX,
];

const WORDS: usize = 16;

/// How long it may take, the driver's compiler included.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What the device must write, in the order of `shaders/canary.wgsl`.
fn expected() -> [u32; WORDS] {
    let [iterations, a, b, dividend, divisor, ..] = INPUTS;
    let (a, b) = (u128::from(a), u128::from(b));
    let lanes = u128::from(LANES);
    let product = a * b;
    let places = (0..lanes).sum::<u128>();
    let total = (lanes / 2) << 64;
    let last = (1 << 62) + u128::from(INPUTS[5] - 1).pow(2);
    let before = total - last;
    let word = |value: u128, index: u32| (value >> (32 * index)) as u32;
    [
        iterations,
        word(a + b, 0),
        word(a + b, 1),
        word(product, 0),
        word(product, 1),
        dividend / divisor,
        dividend % divisor,
        word(total, 0),
        word(total, 1),
        word(total, 2),
        word(before, 0),
        word(before, 1),
        word(before, 2),
        word(places, 0),
        word(places - (lanes - 1), 0),
        0,
    ]
}

/// Tries the device out.
pub(super) fn sing(device: &Device, shaders: &Shaders) -> Result<(), Error> {
    let storage = BufferUsages::STORAGE;
    let bytes = size_of::<[u32; WORDS]>() as u64;
    let inputs = buffers::new(device, 256, storage | BufferUsages::COPY_DST);
    let outputs = buffers::new(device, 256, storage | BufferUsages::COPY_SRC);
    let staging = buffers::new(device, 256, BufferUsages::MAP_READ | BufferUsages::COPY_DST);
    device
        .queue
        .write_buffer(&inputs, 0, bytemuck::bytes_of(&INPUTS));
    let layout = layout(device, &[(1, true), (2, false)], None);
    let pipeline = pipeline(device, &layout, &shaders.canary(device.tier), &[]);
    device.check()?;
    let entries = [(1, &inputs), (2, &outputs)].map(|(binding, buffer)| BindGroupEntry {
        binding,
        resource: buffer.as_entire_binding(),
    });
    let bound = device.device.create_bind_group(&BindGroupDescriptor {
        label: None,
        layout: &layout,
        entries: &entries,
    });
    let descriptor = CommandEncoderDescriptor::default();
    let mut encoder = device.device.create_command_encoder(&descriptor);
    let mut commands = encoder.begin_compute_pass(&ComputePassDescriptor::default());
    commands.set_pipeline(&pipeline);
    commands.set_bind_group(0, &bound, &[]);
    commands.dispatch_workgroups(1, 1, 1);
    drop(commands);
    encoder.copy_buffer_to_buffer(&outputs, 0, &staging, 0, bytes);
    let mut words = [0; WORDS];
    device.read(encoder.finish(), &staging, bytes, TIME_LIMIT, |bytes| {
        bytemuck::bytes_of_mut(&mut words).copy_from_slice(bytes);
    })?;
    match wrong(&words) {
        None => Ok(()),
        Some(what) => Err(Error::Canary {
            adapter: device.adapter.name.clone(),
            tier: device.tier,
            what,
        }),
    }
}

/// The first thing that came out wrong.
fn wrong(words: &[u32; WORDS]) -> Option<&'static str> {
    let matches = words
        .iter()
        .zip(expected())
        .map(|(&got, wanted)| got == wanted);
    matches
        .into_iter()
        .position(|matches| !matches)
        .map(|index| match index {
            0 => "a long loop",
            1 | 2 => "a carry",
            3 | 4 => "a product",
            5 | 6 => "a division",
            _ => "a sum over lanes",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_looked_at() {
        assert_eq!(wrong(&expected()), None);
        for index in 0..WORDS {
            let mut words = expected();
            words[index] ^= 1;
            assert!(wrong(&words).is_some(), "word {index}");
        }
        assert_eq!(
            expected()[7..10],
            [0, 0, 128],
            "every pair of lanes carries"
        );
    }
}
