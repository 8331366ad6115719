//! The GPU's tiers.

use super::digest::{Answers, Look};
use super::processors::median;
use super::totals::Totals;
use super::{Adapter, Digest, Job, Measured, Mismatch, SizeReport};
use crate::gpu::{Error, Gpu, GpuDay, GpuOptions, LoadTimes, Tier};
use crate::market::{Duration, NANOS_PER_MILLI};
use crate::window::day::Reduction;
use crate::window::{Selection, Width};

/// The preferred adapter, opened once for each tier that it has.
pub(super) struct Devices {
    opened: Vec<Opened>,
    /// What is missing, and why.
    pub(super) notes: Vec<String>,
}

struct Opened {
    gpu: Gpu,
    name: String,
    /// Bytes a second.
    copy_bandwidth: f64,
}

impl Devices {
    pub(super) fn open(options: &GpuOptions) -> Self {
        let mut devices = Self {
            opened: Vec::new(),
            notes: Vec::new(),
        };
        let asked = |tier: &Tier| options.tier.is_none_or(|only| only == *tier);
        for tier in Tier::EACH.into_iter().filter(asked) {
            let name = format!("gpu {tier}");
            let options = GpuOptions {
                tier: Some(tier),
                ..options.clone()
            };
            let opened = Gpu::open(&options).and_then(|gpu| {
                let copy_bandwidth = gpu.copy_bandwidth()?;
                Ok((gpu, copy_bandwidth))
            });
            match opened {
                Ok((gpu, copy_bandwidth)) => devices.opened.push(Opened {
                    gpu,
                    name,
                    copy_bandwidth,
                }),
                Err(Error::NoAdapter) => {
                    let reason = "no GPU adapter: the CPU alone is measured";
                    devices.notes.push(reason.to_owned());
                    break;
                }
                Err(error) => devices.notes.push(format!("{name} is left out: {error}")),
            }
        }
        devices
    }

    pub(super) fn adapter(&self) -> Option<Adapter> {
        self.opened.first().map(|opened| {
            let adapter = opened.gpu.adapter();
            Adapter {
                name: adapter.name.clone(),
                driver: adapter.driver.clone(),
                is_software: adapter.is_software,
            }
        })
    }

    /// Bytes a second of copying, by backend.
    pub(super) fn copies(&self) -> Vec<(String, f64)> {
        let copies = self.opened.iter();
        copies
            .map(|opened| (opened.name.clone(), opened.copy_bandwidth))
            .collect()
    }

    /// Compares and times every tier. One that fails is left out, with a note; one that is wrong is
    /// an error.
    pub(super) fn measure(
        &self,
        job: &Job<'_>,
        wanted: &Answers,
        report: &mut SizeReport,
    ) -> Result<(), Mismatch> {
        for opened in &self.opened {
            match opened.ask(job) {
                Ok((day, answers)) => {
                    job.agree(("simd", wanted), (&opened.name, &answers))?;
                    match opened.time(job, &day, report.bytes) {
                        Ok(row) => report.rows.push(row),
                        Err(error) => report.notes.push(opened.left_out(&error)),
                    }
                }
                Err(error) => report.notes.push(opened.left_out(&error)),
            }
        }
        Ok(())
    }
}

impl Opened {
    fn left_out(&self, error: &Error) -> String {
        format!("{} is left out: {error}", self.name)
    }

    fn ask(&self, job: &Job<'_>) -> Result<(GpuDay, Answers), Error> {
        let day = self.gpu.load(job.day)?;
        let mut digest = Digest::default();
        self.gpu.grid(&day, job.step, &job.grid, &mut digest)?;
        let totals = self.totals(job, &day)?;
        Ok((day, Answers { digest, totals }))
    }

    /// The totals of the universe, added up on the device.
    fn totals(&self, job: &Job<'_>, day: &GpuDay) -> Result<Totals, Error> {
        let mut totals = Totals::new(&job.grid);
        let reduction = totals_of(job);
        self.gpu
            .reduce(day, &reduction, |picked| totals.take(&picked))?;
        Ok(totals)
    }

    fn time(&self, job: &Job<'_>, day: &GpuDay, bytes: u64) -> Result<Measured, Error> {
        let LoadTimes { upload, build } = self.gpu.time_load(job.day)?.1;
        let (upload, build) = (upload.as_secs_f64(), build.as_secs_f64());
        let parts = self.gpu.time_grid(day, job.step, &job.grid)?;
        let mut failure = None;
        let resident = median(|| {
            let mut look = Look::default();
            let shown = self.gpu.grid(day, job.step, &job.grid, &mut look);
            failure = failure.take().or(shown.err());
            look.sum()
        });
        let reduced = median(|| {
            let told = self.totals(job, day);
            failure = failure.take().or(told.err());
        });
        if let Some(error) = failure {
            return Err(error);
        }
        let compute = parts.compute.as_secs_f64();
        let read_back = Some(parts.read_back.as_secs_f64());
        Ok(Measured::new(
            &self.name,
            (Some(upload), build, compute, read_back),
            (upload + build + resident, resident, reduced),
            (bytes, Some(self.copy_bandwidth)),
        ))
    }
}

/// Asks for the totals of all windows of a job.
fn totals_of(job: &Job<'_>) -> Reduction {
    let width = |&steps: &u32| {
        let nanos = u64::from(steps) * job.step.nanos();
        Width::Finite(Duration::from_millis(nanos / NANOS_PER_MILLI).unwrap_or(job.step))
    };
    Reduction {
        step: job.step,
        first: job.grid.first,
        ends: job.grid.ends,
        widths: job.grid.widths.iter().map(width).collect(),
        selection: Selection::Totals,
    }
}
