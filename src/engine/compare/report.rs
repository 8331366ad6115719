//! What was measured.

use serde::Serialize;

use super::{Digest, Size};
use crate::columns::Resident;
use crate::market::Duration;
use crate::window::day::Grid;

/// Bytes of an execution that a job must read at least: time, price, shares.
const EXECUTION_BYTES: u64 = 16;
/// Bytes of an answer: sums, number and four prices.
const ANSWER_BYTES: u64 = 40;

/// All that was measured on one machine.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this program.
    pub version: &'static str,
    /// Threads of `parallel`.
    pub threads: usize,
    /// The device, where there is one.
    pub adapter: Option<Adapter>,
    /// What is missing, and why.
    pub notes: Vec<String>,
    /// How fast memory is copied.
    pub copies: Copies,
    /// From the smallest to the largest.
    pub sizes: Vec<SizeReport>,
    /// Where each tier of the GPU begins to beat `parallel`.
    pub crossovers: Vec<Crossover>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// Its name, as the driver gives it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// Whether the processor does its work.
    pub is_software: bool,
}

/// Bytes a second that are read and written while memory is copied.
#[derive(Clone, Debug, Serialize)]
pub struct Copies {
    /// By one thread of the processor.
    pub one_thread: f64,
    /// By as many threads as `parallel` has.
    pub all_threads: f64,
    /// Within the device, by each of the backends that run on it.
    pub devices: Vec<(String, f64)>,
}

/// One size, by every backend.
#[derive(Clone, Debug, Serialize)]
pub struct SizeReport {
    /// Symbols.
    pub symbols: usize,
    /// Executions.
    pub trades: usize,
    /// First end in steps since midnight.
    pub first: u32,
    /// Ends.
    pub ends: u32,
    /// Length of a step in milliseconds.
    pub step_ms: u64,
    /// Widths in steps.
    pub widths: Vec<u32>,
    /// Symbols × ends × widths.
    pub windows: u64,
    /// Effective traffic: every execution read once and every answer written once.
    pub bytes: u64,
    /// The answers of all backends, in a few words.
    pub answers: Digest,
    /// The backends, each timed.
    pub rows: Vec<Measured>,
    /// What is missing, and why.
    pub notes: Vec<String>,
    /// How people know it.
    #[serde(skip)]
    pub name: String,
}

/// One backend at one size, all times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Which backend.
    pub backend: String,
    /// Columns sent to where they are computed over; nothing where they are there.
    pub upload: Option<f64>,
    /// What all windows share: bars, or prefix sums and extremes.
    pub build: f64,
    /// Answers computed.
    pub compute: f64,
    /// Answers copied to the host; nothing where they are there.
    pub read_back: Option<f64>,
    /// From columns on the host to answers looked at by it.
    pub total: f64,
    /// The same where upload and build have been done before.
    pub resident: f64,
    /// As `resident`, for the totals of the universe at every end and width alone: they are added up where
    /// the answers are computed.
    pub reduced: f64,
    /// Effective traffic by the time of `compute`.
    pub bytes_per_second: f64,
    /// The same by the bandwidth of copying there.
    pub copy_fraction: Option<f64>,
}

/// Fewest windows from which on a backend beats `parallel` at every size that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crossover {
    /// Which backend.
    pub backend: String,
    /// By `total`.
    pub from_nothing: Option<u64>,
    /// By `resident`.
    pub resident: Option<u64>,
}

impl SizeReport {
    pub(super) fn new(size: &Size, day: &Resident, grid: &Grid, step: Duration) -> Self {
        let symbols = day.locates().count();
        let windows = symbols as u64 * u64::from(grid.ends) * grid.widths.len() as u64;
        Self {
            symbols,
            trades: day.len(),
            first: grid.first,
            ends: grid.ends,
            step_ms: step.nanos() / crate::market::NANOS_PER_MILLI,
            widths: grid.widths.clone(),
            windows,
            bytes: day.len() as u64 * EXECUTION_BYTES + windows * ANSWER_BYTES,
            answers: Digest::default(),
            rows: Vec::new(),
            notes: Vec::new(),
            name: size.to_string(),
        }
    }

    fn row(&self, backend: &str) -> Option<&Measured> {
        self.rows.iter().find(|row| row.backend == backend)
    }
}

impl Measured {
    /// The times of `backend`: upload, build, compute and read back; in all, where the day is
    /// resident, and for totals. `traffic` is the effective one in bytes, and the bandwidth of copying.
    pub(super) fn new(
        backend: &str,
        (upload, build, compute, read_back): (Option<f64>, f64, f64, Option<f64>),
        (total, resident, reduced): (f64, f64, f64),
        (bytes, copy_bandwidth): (u64, Option<f64>),
    ) -> Self {
        let bytes_per_second = bytes as f64 / compute;
        Self {
            backend: backend.to_owned(),
            upload,
            build,
            compute,
            read_back,
            total,
            resident,
            reduced,
            bytes_per_second,
            copy_fraction: copy_bandwidth.map(|copied| bytes_per_second / copied),
        }
    }

    /// Whether it ran on a device.
    #[must_use]
    pub fn is_device(&self) -> bool {
        self.upload.is_some()
    }
}

impl Report {
    pub(super) fn new(
        threads: usize,
        copies: Copies,
        adapter: Option<Adapter>,
        notes: Vec<String>,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            threads,
            adapter,
            notes,
            copies,
            sizes: Vec::new(),
            crossovers: Vec::new(),
        }
    }

    /// The backends that were measured, in the order of their first rows.
    #[must_use]
    pub fn backends(&self) -> Vec<&Measured> {
        let mut found: Vec<&Measured> = Vec::new();
        for row in self.sizes.iter().flat_map(|size| &size.rows) {
            if found.iter().all(|known| known.backend != row.backend) {
                found.push(row);
            }
        }
        found
    }

    pub(super) fn find_crossovers(&mut self) {
        let backends = self.backends().into_iter();
        let devices = backends.filter(|row| row.is_device());
        let found = devices.map(|row| Crossover {
            backend: row.backend.clone(),
            from_nothing: self.crossover(&row.backend, |row| row.total),
            resident: self.crossover(&row.backend, |row| row.resident),
        });
        self.crossovers = found.collect();
    }

    fn crossover(&self, backend: &str, time: fn(&Measured) -> f64) -> Option<u64> {
        let pair = |size: &SizeReport| {
            let (row, rival) = (size.row(backend)?, size.row("parallel")?);
            Some((size.windows, time(row) < time(rival)))
        };
        let mut pairs: Vec<(u64, bool)> = self.sizes.iter().filter_map(pair).collect();
        pairs.sort_unstable();
        let ahead = pairs.iter().rev().take_while(|(_, wins)| *wins);
        ahead.last().map(|&(windows, _)| windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report of sizes with (windows, seconds of `parallel`, seconds of the GPU).
    fn report(sizes: &[(u64, f64, f64)]) -> Report {
        let copies = Copies {
            one_thread: 1.0,
            all_threads: 1.0,
            devices: Vec::new(),
        };
        let mut report = Report::new(1, copies, None, Vec::new());
        let step = Duration::from_millis(1_000).expect("a second");
        for &(windows, ours, theirs) in sizes {
            let row = |backend, upload, total: f64| {
                let times = (upload, 0.0, total, None);
                Measured::new(
                    backend,
                    times,
                    (total, total / 4.0, total),
                    (80, Some(40.0)),
                )
            };
            let size = Size::new(1, 1, &[step], None);
            let day = Resident::default();
            report.sizes.push(SizeReport {
                windows,
                rows: vec![row("parallel", None, ours), row("gpu", Some(0.0), theirs)],
                ..SizeReport::new(&size, &day, &size.grid(step), step)
            });
        }
        report.find_crossovers();
        report
    }

    #[test]
    fn a_crossover_is_where_the_gpu_stays_ahead() {
        let from = |sizes: &[(u64, f64, f64)]| report(sizes).crossovers[0].from_nothing;
        assert_eq!(
            from(&[(1, 1.0, 2.0), (2, 2.0, 1.0), (3, 3.0, 1.0)]),
            Some(2)
        );
        assert_eq!(
            from(&[(1, 2.0, 1.0), (2, 1.0, 2.0), (3, 3.0, 1.0)]),
            Some(3)
        );
        assert_eq!(from(&[(3, 3.0, 1.0), (1, 1.0, 2.0)]), Some(3), "any order");
        assert_eq!(
            from(&[(1, 2.0, 1.0), (2, 1.0, 1.0)]),
            None,
            "a tie is no win"
        );
        let found = report(&[(1, 1.0, 2.0)]);
        assert_eq!(found.crossovers[0].backend, "gpu");
        assert_eq!(found.crossovers.len(), 1, "parallel does not beat itself");
    }

    #[test]
    fn traffic_is_told_against_copying() {
        let found = &report(&[(1, 2.0, 1.0)]).sizes[0].rows[0];
        assert_eq!(found.bytes_per_second, 40.0);
        assert_eq!(found.copy_fraction, Some(1.0));
    }
}
