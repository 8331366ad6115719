//! The device that `--backend auto` may choose: hardware, with what it costs to ask it.

#[cfg(feature = "gpu")]
use std::sync::PoisonError;

use super::auto::Sought;
#[cfg(feature = "gpu")]
use super::calibration::{Calibration, Machine, measure, place};
use super::route::Known;
#[cfg(feature = "gpu")]
use crate::{cpu::Parallel, metrics::Counters};

/// Looks for a device and measures its costs, or reads what was measured before.
#[cfg(feature = "gpu")]
pub(super) fn seek(
    options: &crate::gpu::GpuOptions,
    counters: &std::sync::Arc<Counters>,
) -> Sought {
    let Some(adapter) = crate::gpu::adapters().into_iter().next() else {
        return Sought::nothing(Known::NoDevice("no GPU adapter".to_owned()));
    };
    if adapter.is_software {
        return Sought::nothing(Known::Software(adapter.name));
    }
    let machine = Machine {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device: adapter.name,
        driver: adapter.driver,
        tier: options.tier.unwrap_or(adapter.tier).to_string(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let measured = || {
        let (gpu, trouble) = super::offload::to_gpu(options.clone(), &Counters::new());
        let costs = (measure(&Parallel::default()), measure(gpu.as_ref()));
        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.take().map_or(Ok(costs), Err)
    };
    match Calibration::kept_or_measured(place().as_deref(), &machine, measured) {
        Err(why) => Sought::nothing(Known::NoDevice(why)),
        Ok((Calibration { cpu, gpu, .. }, told)) => {
            let (kernel, trouble) = super::offload::to_gpu(options.clone(), counters);
            Sought {
                known: Known::Device { cpu, gpu },
                gpu: Some((kernel, trouble)),
                told,
            }
        }
    }
}

/// A build without the GPU backend.
#[cfg(not(feature = "gpu"))]
pub(super) fn seek() -> Sought {
    Sought::nothing(Known::NoDevice("this build has no GPU backend".to_owned()))
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use super::*;

    #[test]
    fn software_and_nothing_are_not_chosen() {
        let adapter = crate::gpu::adapters().into_iter().next();
        let known = match adapter {
            Some(adapter) if !adapter.is_software => {
                println!(
                    "SKIPPED: {} is no software, and would be chosen",
                    adapter.name
                );
                return;
            }
            Some(adapter) => Known::Software(adapter.name),
            None => Known::NoDevice("no GPU adapter".to_owned()),
        };
        let found = seek(&crate::gpu::GpuOptions::default(), &Counters::new());
        assert_eq!(found.known, known);
        assert!(found.gpu.is_none());
    }
}
