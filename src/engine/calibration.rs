//! What requests cost on this machine: measured when first needed, then kept in a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::route::Costs;
use crate::window::{Bounds, Job, Kernel, Sums};

/// Executions and windows of the requests that are timed: small ones, and many.
const SMALL: (u32, u32) = (1_024, 16);
const MANY: u32 = 1 << 20;
/// Runs of each, of which the fastest counts; the first one also warms up.
const RUNS: usize = 4;

/// What costs depend on: where it changes, they are measured again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The version of this program.
    pub version: String,
    /// The device, as its driver names it.
    pub device: String,
    /// The driver and its version.
    pub driver: String,
    /// The form of the shaders.
    pub tier: String,
    /// Threads of the CPU.
    pub threads: usize,
}

/// The costs of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Where they were measured.
    pub machine: Machine,
    /// Of the CPU, all of its threads together.
    pub cpu: Costs,
    /// Of the device.
    pub gpu: Costs,
}

/// Why costs that are kept are not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// It cannot be read, or says what cannot be.
    #[error("is damaged")]
    Damaged,
    /// They were measured elsewhere, or by another version.
    #[error("is of another device, driver or version")]
    Elsewhere,
}

impl Calibration {
    /// Reads what [`Calibration::text`] wrote.
    ///
    /// # Errors
    /// When it is damaged, or not of `machine`.
    pub fn read(text: &str, machine: &Machine) -> Result<Self, Stale> {
        let kept: Self = toml::from_str(text).map_err(|_| Stale::Damaged)?;
        match () {
            () if !text.ends_with('\n') => Err(Stale::Damaged),
            () if kept.machine != *machine => Err(Stale::Elsewhere),
            () if !kept.cpu.are_sane() || !kept.gpu.are_sane() => Err(Stale::Damaged),
            () => Ok(kept),
        }
    }

    /// As it is kept.
    #[must_use]
    pub fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// What is kept at `path`, or else what `measure` finds, which is then kept there. The second value
    /// is what a user should be told: why it was measured anew, or could not be kept.
    ///
    /// # Errors
    /// When `measure` fails.
    pub fn kept_or_measured(
        path: Option<&Path>,
        machine: &Machine,
        measure: impl FnOnce() -> Result<(Costs, Costs), String>,
    ) -> Result<(Self, Option<String>), String> {
        let mut told = None;
        if let Some(path) = path
            && let Ok(bytes) = fs::read(path)
        {
            match Self::read(&String::from_utf8_lossy(&bytes), machine) {
                Ok(kept) => return Ok((kept, None)),
                Err(stale) => {
                    told = Some(format!(
                        "{} {stale}: costs are measured anew",
                        path.display()
                    ))
                }
            }
        }
        let (cpu, gpu) = measure()?;
        let measured = Self {
            machine: machine.clone(),
            cpu,
            gpu,
        };
        if let Some(path) = path
            && let Err(error) = keep(path, &measured.text())
        {
            told = Some(format!("costs cannot be kept: {}: {error}", path.display()));
        }
        Ok((measured, told))
    }
}

/// Writes a file whole or not at all: whoever reads beside us finds the old one or the new one.
fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// Where costs are kept: in the user's folder for caches, where there is one.
#[must_use]
pub fn place() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let caches = folder("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    let caches = caches.or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("widetape").join("costs.toml"))
}

/// Measures what requests cost a kernel.
#[must_use]
pub fn measure(kernel: &dyn Kernel) -> Costs {
    let (executions, windows) = SMALL;
    let seconds = [
        SMALL,
        (executions + MANY, windows),
        (executions, windows + MANY),
    ]
    .map(|(executions, windows)| time(kernel, executions, windows));
    Costs::of(seconds, MANY.into(), MANY.into())
}

/// Seconds of one request about sixteen symbols.
fn time(kernel: &dyn Kernel, executions: u32, windows: u32) -> f64 {
    const SYMBOLS: u32 = 16;
    let (executions, windows) = (executions / SYMBOLS, windows / SYMBOLS);
    let prices: Vec<u32> = (0..executions)
        .map(|index| 1_000_000 + index * 7 % 1_000)
        .collect();
    let shares: Vec<u32> = (0..executions).map(|index| 1 + index * 11 % 900).collect();
    let bound = |index: u32| {
        let high = u64::from(index + 1) * u64::from(executions) / u64::from(windows.max(1));
        Bounds {
            low: (high as u32).saturating_sub(64),
            high: high as u32,
        }
    };
    let bounds: Vec<Bounds> = (0..windows).map(bound).collect();
    let mut sums = vec![vec![Sums::default(); bounds.len()]; SYMBOLS as usize];
    let mut fastest = f64::INFINITY;
    for _ in 0..RUNS {
        let mut jobs: Vec<Job<'_>> = sums
            .iter_mut()
            .map(|sums| Job {
                prices: &prices,
                shares: &shares,
                bounds: &bounds,
                sums,
            })
            .collect();
        let start = Instant::now();
        kernel.evaluate(&mut jobs);
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    fastest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let costs = |request| Costs {
            request,
            execution: 1.5e-9,
            window: 0.25,
        };
        Calibration {
            machine: Machine {
                version: "1.2.3".into(),
                device: "A \"device\"".into(),
                driver: "of 7".into(),
                tier: "u64".into(),
                threads: 16,
            },
            cpu: costs(0.0),
            gpu: costs(1e-4),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let wanted = calibration();
        assert_eq!(
            Calibration::read(&wanted.text(), &wanted.machine),
            Ok(wanted)
        );
    }

    #[test]
    fn another_machine_and_every_damage_are_told_apart() {
        let wanted = calibration();
        let (text, machine) = (wanted.text(), &wanted.machine);
        for (old, new) in [
            ("1.2.3", "1.2.4"),
            ("of 7", "of 8"),
            ("\"u64\"", "\"u32\""),
            ("16", "8"),
        ] {
            let found = Calibration::read(&text.replace(old, new), machine);
            assert_eq!(found, Err(Stale::Elsewhere), "{old}");
        }
        for length in 0..text.len() {
            let found = Calibration::read(&text[..length], machine);
            assert_eq!(found, Err(Stale::Damaged), "cut at {length}");
        }
        for damage in [
            text.replace("0.25", "nan"),
            text.replace("0.25", "-1.0"),
            text.replace("window", "widow"),
        ] {
            assert_ne!(damage, text);
            assert_eq!(Calibration::read(&damage, machine), Err(Stale::Damaged));
        }
    }

    #[test]
    fn costs_are_measured_once_and_anew_when_the_file_is_of_no_use() {
        let folder = std::env::temp_dir().join(format!("widetape-costs-{}", std::process::id()));
        let path = folder.join("deep").join("costs.toml");
        let wanted = calibration();
        let ask = |times: &mut u32| {
            Calibration::kept_or_measured(Some(&path), &wanted.machine, || {
                *times += 1;
                Ok((wanted.cpu, wanted.gpu))
            })
            .expect("it is measured")
        };
        let mut times = 0;
        assert_eq!(ask(&mut times), (wanted.clone(), None));
        assert_eq!(ask(&mut times), (wanted.clone(), None));
        assert_eq!(times, 1);
        fs::write(&path, b"\xff\xfe").expect("a file");
        let (found, told) = ask(&mut times);
        assert_eq!((found, times), (wanted.clone(), 2));
        assert!(told.is_some_and(|told| told.contains("is damaged")));
        assert_eq!(ask(&mut times), (wanted.clone(), None));
        fs::remove_dir_all(&folder).expect("a folder to remove");
        fs::write(&folder, "in the way").expect("a file");
        let (found, told) = ask(&mut times);
        assert_eq!((found, times), (wanted.clone(), 3));
        assert!(told.is_some_and(|told| told.contains("cannot be kept")));
        fs::remove_file(&folder).expect("a file to remove");
    }

    #[test]
    fn the_costs_of_a_kernel_are_sane() {
        assert!(measure(&crate::cpu::Simd::default()).are_sane());
    }
}
