//! The GPU as others see it: jobs in, answers or an error out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::device::Device;
use super::dispatch::Dispatcher;
use super::plan::{JobSize, Limits, Pass, passes};
use super::shader::Shaders;
use super::{AdapterSummary, Error, Tier, canary};
use crate::window::{Job, Sums};

/// How a GPU is opened.
#[derive(Clone, Debug)]
pub struct GpuOptions {
    /// The form of the shaders; `None` is the most demanding that works.
    pub tier: Option<Tier>,
    /// The most demanding form that is tried where none is given; `None` is any.
    pub highest: Option<Tier>,
    /// How long one pass may take.
    pub time_limit: Duration,
    /// At most so much in a pass, below what the device lets it have.
    pub limits: Option<Limits>,
    /// The stages. Tests plant faults in them.
    pub shaders: Shaders,
    /// What the device is tried out with. Tests plant faults in it.
    pub canary: Shaders,
    /// Packs jobs into passes. Tests plant faults in it.
    pub planner: fn(&[JobSize], &Limits) -> Vec<Pass>,
}

impl Default for GpuOptions {
    fn default() -> Self {
        Self {
            tier: None,
            highest: None,
            time_limit: Duration::from_secs(20),
            limits: None,
            shaders: Shaders::default(),
            canary: Shaders::default(),
            planner: passes,
        }
    }
}

impl GpuOptions {
    /// The same with no tier above `highest`; a tier that is given stays.
    #[must_use]
    pub fn below(self, highest: Option<Tier>) -> Self {
        Self { highest, ..self }
    }
}

/// An open device with the stages compiled. It answers one caller at a time.
pub struct Gpu {
    /// Nothing once it has hung.
    state: Mutex<Option<State>>,
    planner: fn(&[JobSize], &Limits) -> Vec<Pass>,
    pub(super) limits: Limits,
    adapter: AdapterSummary,
    tier: Tier,
    device: wgpu::Device,
}

struct State {
    device: Device,
    dispatcher: Dispatcher,
}

impl Gpu {
    /// Opens the preferred adapter and compiles the stages.
    ///
    /// # Errors
    /// When there is none, it does not have the tier, or it fails the canary.
    pub fn open(options: &GpuOptions) -> Result<Self, Error> {
        let sing = |device: &Device| canary::sing(device, &options.canary);
        let device = Device::open(options.tier, options.highest, sing)?;
        let fits = Limits::new(device.binding_bytes);
        let limits = options.limits.unwrap_or(fits);
        let gpu = Self {
            planner: options.planner,
            limits: Limits {
                executions: limits.executions.min(fits.executions),
                windows: limits.windows.min(fits.windows),
            },
            adapter: device.adapter.clone(),
            tier: device.tier,
            device: device.device.clone(),
            state: Mutex::new(Some(State {
                dispatcher: Dispatcher::new(&device, &options.shaders, options.time_limit)?,
                device,
            })),
        };
        Ok(gpu)
    }

    /// What it runs on.
    #[must_use]
    pub fn adapter(&self) -> &AdapterSummary {
        &self.adapter
    }

    /// The form of the shaders that it runs.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Destroys the device, whoever uses it: from now on there are only errors.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Answers all jobs, as [`crate::window::Kernel::evaluate`] does.
    ///
    /// # Errors
    /// When the device did not do its work. Some answers may have been written then, and mean nothing.
    pub fn evaluate(&self, jobs: &mut [Job<'_>]) -> Result<(), Error> {
        self.with(|device, dispatcher| {
            for job in jobs.iter_mut() {
                job.sums.fill(Sums::default());
            }
            let size = |job: &Job<'_>| JobSize {
                executions: job.prices.len(),
                windows: job.bounds.len(),
            };
            let sizes: Vec<JobSize> = jobs.iter().map(size).collect();
            let mut passes = (self.planner)(&sizes, &self.limits).into_iter();
            passes.try_for_each(|pass| dispatcher.run(device, jobs, &pass))
        })
    }

    /// Does something with the device.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Device, &mut Dispatcher) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(State { device, dispatcher }) = &mut *state else {
            return Err(Error::Lost("it hangs".to_owned()));
        };
        let outcome = device.check().and_then(|()| work(device, dispatcher));
        if let Err(error @ Error::TimedOut(_)) = &outcome
            && let Some(State { device, dispatcher }) = state.take()
        {
            // What the work uses lives as long as the work.
            std::mem::forget(dispatcher);
            device.give_up(error);
        }
        outcome
    }
}
