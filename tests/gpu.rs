//! The GPU, where there is one: without an adapter these tests say SKIPPED, and fail if `REQUIRE_GPU=1`.

/// Executions that are appended to a day that stays.
mod appending;
/// All tiers and the CPU on one job, by the harness that times them.
mod compare;
/// The grid of a day that stays on the device.
mod day;
/// A day on a GPU that is lost, wrong or full.
mod day_offload;
/// The engine and a GPU that is lost, wrong, full or late.
mod offload;
/// What selections tell of the ends of a day that stays.
mod reductions;
/// The command with `--backend gpu`: the bytes of the oracle, with and without a device.
mod rows;
/// Sums in every tier against the suite, and faults planted in shaders and plans.
mod sums;
/// The wide windows of a service on a GPU, and on one that is destroyed.
mod survey;
/// VWAPs divided on the device.
mod vwaps;

use proptest::prelude::ProptestConfig;
use widetape::gpu::{Error, Gpu, GpuOptions};
use widetape::window::{Job, Kernel};

/// An open GPU; `None` where there is no adapter and none is required.
pub(crate) fn open(options: &GpuOptions) -> Option<OnGpu> {
    match Gpu::open(options) {
        Ok(gpu) => Some(OnGpu(gpu)),
        Err(Error::NoAdapter) if !is_required() => {
            println!("SKIPPED: no GPU adapter");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// So many cases are drawn.
pub(crate) fn drawing(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub(crate) fn is_required() -> bool {
    std::env::var_os("REQUIRE_GPU").is_some_and(|value| value == "1")
}

/// A GPU that is trusted to answer.
pub(crate) struct OnGpu(pub(crate) Gpu);

impl Kernel for OnGpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        self.0.evaluate(jobs).expect("the GPU answers");
    }
}
