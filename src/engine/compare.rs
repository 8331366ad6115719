//! One job by every backend: the answers are compared first, then each part is timed.
//!
//! The job is the dense grid: every end × symbol × width over the executions of a day in memory. A size
//! is generated or read from files, asked of the oracle, of `simd`, of `parallel` and of every tier of
//! the GPU, and refused if one answer differs. Where the oracle, which adds up every window anew, would
//! take too long, it answers a sample of the ends and is not timed.

mod bandwidth;
#[cfg(feature = "gpu")]
mod devices;
mod digest;
mod files;
mod processors;
mod report;
mod size;
mod totals;

use std::path::PathBuf;

use super::Error;
use crate::columns::{Resident, ResidentError, TradeSlices};
use crate::market::Duration;
use crate::window::day::Grid;

pub use digest::Digest;
pub use report::{Adapter, Copies, Crossover, Measured, Report, SizeReport};
pub use size::{Size, ladder};

use bandwidth::copy_bandwidth;
use devices::Devices;
use digest::Answers;
use processors::Processors;

#[cfg(not(feature = "gpu"))]
mod devices {
    //! A build that has no device.

    use super::{Adapter, Answers, Job, Mismatch, SizeReport};

    pub(super) struct Devices {
        pub(super) notes: Vec<String>,
    }

    impl Devices {
        pub(super) fn open() -> Self {
            let reason = "this build has no GPU backend: the CPU alone is measured";
            Self {
                notes: vec![reason.to_owned()],
            }
        }

        pub(super) fn adapter(&self) -> Option<Adapter> {
            None
        }

        pub(super) fn copies(&self) -> Vec<(String, f64)> {
            Vec::new()
        }

        pub(super) fn measure(
            &self,
            _: &Job<'_>,
            _: &Answers,
            _: &mut SizeReport,
        ) -> Result<(), Mismatch> {
            Ok(())
        }
    }
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is asked, from the smallest to the largest.
    pub sizes: Vec<Size>,
    /// Files whose executions are taken instead of generated ones: then there is one size, of which
    /// only the widths are used.
    pub files: Vec<PathBuf>,
    /// Distance between ends.
    pub step: Duration,
    /// Where the generated executions of the last size are left for other programs: raw columns, a file
    /// each.
    pub columns: Option<PathBuf>,
    /// How devices are opened: in every tier, unless it names one.
    #[cfg(feature = "gpu")]
    pub gpu: crate::gpu::GpuOptions,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Two backends do not agree.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The executions do not fit.
    #[error(transparent)]
    Day(#[from] ResidentError),
    /// The files cannot be read.
    #[error(transparent)]
    Input(#[from] Error),
    /// The files hold no execution.
    #[error("there is no execution to compare with")]
    Nothing,
    /// The columns cannot be written.
    #[error("{}: {error}", path.display())]
    Columns {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// An answer that is not the reference's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{backend} does not agree with {reference} on {size}: {what}")]
pub struct Mismatch {
    /// Who is held against the reference.
    pub backend: String,
    /// Whose answers count.
    pub reference: String,
    /// What was asked.
    pub size: String,
    /// What differs.
    pub what: String,
}

/// A day and what is asked of it.
struct Job<'a> {
    day: &'a Resident,
    step: Duration,
    grid: Grid,
    /// How people know it.
    name: String,
}

impl Job<'_> {
    /// Refuses answers that are not `wanted`.
    fn agree(
        &self,
        (reference, wanted): (&str, &Answers),
        (backend, got): (&str, &Answers),
    ) -> Result<(), Mismatch> {
        wanted.difference(got).map_or(Ok(()), |what| {
            Err(Mismatch {
                backend: backend.to_owned(),
                reference: reference.to_owned(),
                size: self.name.clone(),
                what,
            })
        })
    }
}

impl Comparison {
    /// Compares and measures; `progress` is told what is being done.
    ///
    /// # Errors
    /// When answers differ, or there is nothing to compare.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<Report, CompareError> {
        progress("reading files");
        let given = match self.files.is_empty() {
            true => None,
            false => Some(files::read(&self.files)?),
        };
        progress("opening devices");
        #[cfg(feature = "gpu")]
        let devices = Devices::open(&self.gpu);
        #[cfg(not(feature = "gpu"))]
        let devices = Devices::open();
        progress("copying memory");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let copies = Copies {
            one_thread: copy_bandwidth(1),
            all_threads: copy_bandwidth(threads),
            devices: devices.copies(),
        };
        let mut report = Report::new(threads, copies, devices.adapter(), devices.notes.clone());
        for size in &self.sizes {
            progress(&format!("making the executions of {size}"));
            let measured = match &given {
                Some(day) => {
                    let size = size.of(day, self.step).ok_or(CompareError::Nothing)?;
                    self.measure(&size, day, &devices, &report.copies, progress)?
                }
                None => {
                    let day = self.generated(size)?;
                    self.measure(size, &day, &devices, &report.copies, progress)?
                }
            };
            report.sizes.push(measured);
        }
        report.find_crossovers();
        Ok(report)
    }

    /// The executions of a size; those of the last one are left in the folder for columns.
    fn generated(&self, size: &Size) -> Result<Resident, CompareError> {
        let made = size.executions();
        if let Some(path) = &self.columns
            && Some(size) == self.sizes.last()
        {
            let path = path.clone();
            let written = files::export(&path, &made);
            written.map_err(|error| CompareError::Columns { path, error })?;
        }
        let mut day = Resident::default();
        day.fill(&[TradeSlices {
            times: &made.times,
            locates: &made.locates,
            prices: &made.prices,
            shares: &made.shares,
            ..TradeSlices::default()
        }])?;
        Ok(day)
    }

    fn measure(
        &self,
        size: &Size,
        day: &Resident,
        devices: &Devices,
        copies: &Copies,
        progress: &mut dyn FnMut(&str),
    ) -> Result<SizeReport, CompareError> {
        let job = Job {
            day,
            step: self.step,
            grid: size.grid(self.step),
            name: size.to_string(),
        };
        let mut report = SizeReport::new(size, day, &job.grid, self.step);
        let mut processors = Processors::default();
        progress(&format!("comparing the processors' answers on {size}"));
        let wanted = processors.compare(&job, &mut report)?;
        progress(&format!("timing the processors on {size}"));
        processors.measure(&job, copies, &mut report);
        progress(&format!("comparing and timing the GPU on {size}"));
        devices.measure(&job, &wanted, &mut report)?;
        report.answers = wanted.digest;
        Ok(report)
    }
}
