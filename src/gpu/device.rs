//! An adapter found, a device opened, and what goes wrong with it.
//!
//! Errors of the driver arrive beside the calls that cause them. The first is kept, and
//! [`Device::check`] reports it before any answer is believed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wgpu::{
    Backends, Buffer, DeviceType, Instance, InstanceDescriptor, Limits, MapMode, PollType,
    SubmissionIndex,
};

use super::{Error, Tier};

/// What is known of an adapter without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// Its name, as the driver gives it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// Whether the processor does its work: right, but never faster.
    pub is_software: bool,
    /// The most demanding tier whose features it has.
    pub tier: Tier,
}

/// The adapters of this machine, the ones to be preferred first.
#[must_use]
pub fn adapters() -> Vec<AdapterSummary> {
    found().iter().map(summary).collect()
}

/// An open device.
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) tier: Tier,
    pub(super) adapter: AdapterSummary,
    /// Bytes that a stage may bind at a time.
    pub(super) binding_bytes: u64,
    /// The first error that no call returned.
    fault: Arc<Mutex<Option<Error>>>,
}

/// The result of a future that is complete when it is made, as all of a native device are.
fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        std::thread::yield_now();
    }
}

fn found() -> Vec<wgpu::Adapter> {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.backends = Backends::VULKAN;
    let mut found = complete(Instance::new(descriptor).enumerate_adapters(Backends::VULKAN));
    found.sort_by_key(|adapter| match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    });
    found
}

fn summary(adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    let features = adapter.features();
    let fits = |tier: &Tier| features.contains(tier.features());
    AdapterSummary {
        name: info.name,
        driver: format!("{} {}", info.driver, info.driver_info),
        is_software: info.device_type == DeviceType::Cpu,
        tier: Tier::EACH
            .into_iter()
            .rev()
            .find(fits)
            .unwrap_or(Tier::Words),
    }
}

impl Device {
    /// Opens the preferred adapter in the `forced` tier, or else in the most demanding one that it has, that
    /// `try_out` accepts, and that is not above `highest`.
    pub(super) fn open(
        forced: Option<Tier>,
        highest: Option<Tier>,
        try_out: impl Fn(&Device) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let adapter = found().into_iter().next().ok_or(Error::NoAdapter)?;
        let summary = summary(&adapter);
        let most = highest.map_or(summary.tier, |highest| highest.min(summary.tier));
        if let Some(tier) = forced.filter(|&tier| tier > most) {
            let adapter = summary.name;
            return Err(Error::NoTier { adapter, tier });
        }
        let mut outcome = Err(Error::NoAdapter);
        for tier in Tier::EACH.into_iter().rev() {
            let is_asked = forced.is_none_or(|forced| forced == tier);
            if tier > most || !is_asked {
                continue;
            }
            outcome = Self::open_tier(&adapter, &summary, tier).and_then(|device| {
                match try_out(&device) {
                    Ok(()) => Ok(device),
                    Err(error) => {
                        device.give_up(&error);
                        Err(error)
                    }
                }
            });
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn open_tier(
        adapter: &wgpu::Adapter,
        summary: &AdapterSummary,
        tier: Tier,
    ) -> Result<Self, Error> {
        let mut limits = Limits::default();
        if tier > Tier::Words {
            let offered = adapter.limits();
            limits.max_storage_buffer_binding_size = offered.max_storage_buffer_binding_size;
            limits.max_buffer_size = offered.max_buffer_size;
        }
        let binding_bytes = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        let descriptor = wgpu::DeviceDescriptor {
            required_features: tier.features(),
            required_limits: limits,
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            complete(adapter.request_device(&descriptor)).map_err(|error| Error::NoDevice {
                adapter: summary.name.clone(),
                reason: error.to_string(),
            })?;
        let fault = Arc::new(Mutex::new(None));
        let keep = |fault: &Arc<Mutex<Option<Error>>>| {
            let fault = Arc::clone(fault);
            move |error| {
                let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                fault.get_or_insert(error);
            }
        };
        let lost = keep(&fault);
        device.set_device_lost_callback(move |_, reason| lost(Error::Lost(reason)));
        let refused = keep(&fault);
        device.on_uncaptured_error(Arc::new(move |error| refused(fault_of(&error))));
        Ok(Self {
            device,
            queue,
            tier,
            adapter: summary.clone(),
            binding_bytes,
            fault,
        })
    }

    /// The first error since the device was opened, if there was one.
    pub(super) fn check(&self) -> Result<(), Error> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone().map_or(Ok(()), Err)
    }

    /// Closes the device after `error`. One that hangs is left as it is: closing it would wait for it.
    pub(super) fn give_up(self, error: &Error) {
        if matches!(error, Error::TimedOut(_)) {
            std::mem::forget(self);
        }
    }

    /// Runs `commands` and hands the first `bytes` bytes of `staging`, into which they copied what is to
    /// be read.
    pub(super) fn read(
        &self,
        commands: wgpu::CommandBuffer,
        staging: &Buffer,
        bytes: u64,
        time_limit: Duration,
        take: impl FnOnce(&[u8]),
    ) -> Result<(), Error> {
        let submission = self.queue.submit([commands]);
        self.check()?;
        let (mapped, outcome) = channel();
        let slice = staging.slice(..bytes);
        slice.map_async(MapMode::Read, move |result| {
            // Nobody listens where the wait was given up.
            let _ = mapped.send(result);
        });
        self.wait(submission, time_limit)?;
        let unread = || Error::Lost("its answer cannot be read".to_owned());
        outcome
            .try_recv()
            .map_err(|_| unread())?
            .map_err(|_| unread())?;
        take(&slice.get_mapped_range().map_err(|_| unread())?);
        staging.unmap();
        self.check()
    }

    /// Waits until the device has done what was submitted up to `submission`.
    pub(super) fn wait(
        &self,
        submission: SubmissionIndex,
        time_limit: Duration,
    ) -> Result<(), Error> {
        let wait = PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(time_limit),
        };
        // A driver that reports the loss of its device here makes the call panic.
        let waited = catch_unwind(AssertUnwindSafe(|| self.device.poll(wait)));
        self.check()?;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(wgpu::PollError::Timeout)) => Err(Error::TimedOut(time_limit)),
            Ok(Err(error)) => Err(Error::Refused(error.to_string())),
            Err(_) => Err(Error::Lost(
                "its driver failed while it was waited for".into(),
            )),
        }
    }
}

fn fault_of(error: &wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory,
        error => Error::Refused(one_line(&error.to_string())),
    }
}

/// The first lines that say something, in one.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(3).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_in_one_line() {
        let source = || "driver".into();
        let memory = wgpu::Error::OutOfMemory { source: source() };
        assert_eq!(fault_of(&memory), Error::OutOfMemory);
        let refused = wgpu::Error::Validation {
            source: source(),
            description: "\nIn a pass\n  a buffer\n\n".to_owned(),
        };
        assert_eq!(
            fault_of(&refused),
            Error::Refused("In a pass: a buffer".to_owned())
        );
    }
}
