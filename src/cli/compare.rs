//! `compare`: the same job by every backend, answers compared and then timed.

mod plot;
mod table;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::Error;
use super::error::tell;
use super::live::redraw;
use super::overwrite::overwrites_no_input;
use crate::engine::compare::{CompareError, Comparison, Report, Size, ladder};
use crate::{Duration, Width, Window};

/// Symbols and seconds of one size, where only other things of it are told.
const ONE_SIZE: (u16, u32) = (1_000, 600);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files whose executions are taken instead of generated ones, as `scan` reads them. Breaks are
    /// ignored.
    #[arg(value_name = "FILE", conflicts_with_all = ["symbols", "trades", "seconds", "up_to", "columns"])]
    files: Vec<PathBuf>,
    /// One size with so many symbols, instead of a ladder of sizes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    symbols: Option<u16>,
    /// One size with so many executions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    trades: Option<u32>,
    /// One size with so many seconds of trading.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=52_200))]
    seconds: Option<u32>,
    /// Widths of the windows, multiples of the step.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1s,5s,10s,30s,1m,5m,10m,30m"
    )]
    window: Vec<Window>,
    /// Distance between ends.
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    step: Duration,
    /// One form of the GPU's shaders, u32, u64 or subgroups, instead of all.
    #[cfg(feature = "gpu")]
    #[arg(long, value_name = "NAME")]
    gpu_tier: Option<crate::GpuTier>,
    /// The ladder goes up to so many windows.
    #[arg(long, value_name = "N", default_value_t = 30_000_000, conflicts_with_all = ["symbols", "trades", "seconds"])]
    up_to: u64,
    /// File that all figures are written to as JSON; - is standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// File that the times are drawn into, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Folder that the executions of the last size are left in, for other programs: raw columns.
    #[arg(long, value_name = "FOLDER")]
    columns: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    for (option, out) in [("--json", &args.json), ("--plot", &args.plot)] {
        if let Some(out) = out {
            overwrites_no_input(option, out, &args.files)?;
        }
    }
    let comparison = args.comparison()?;
    let terminal = io::stderr().is_terminal();
    let mut progress = |doing: &str| {
        if terminal {
            redraw(format_args!("{doing}"));
        }
    };
    let outcome = comparison.run(&mut progress);
    progress("");
    let report = outcome.map_err(|error| match error {
        CompareError::Input(error) => Error::Engine(error),
        error => Error::Failed(error.to_string()),
    })?;
    if let Some(path) = &args.plot {
        write(path, &plot::draw(&report))?;
    }
    let json = args.json.as_deref().map(|path| (path, json(&report)));
    match json {
        Some((path, text)) if path == Path::new("-") => return tell(format_args!("{text}")),
        Some((path, text)) => write(path, &text)?,
        None => {}
    }
    tell(format_args!("{}", table::text(&report)))
}

fn json(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report);
    format!("{}\n", text.expect("a report has no maps or odd numbers"))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error| Error::Failed(format!("{}: {error}", path.display()));
    fs::write(path, text).map_err(failed)
}

impl Args {
    fn comparison(&self) -> Result<Comparison, Error> {
        let widths = self.widths()?;
        let told = [self.trades, self.seconds, self.symbols.map(u32::from)];
        let sizes = if told.iter().any(Option::is_some) || !self.files.is_empty() {
            let symbols = self.symbols.unwrap_or(ONE_SIZE.0);
            let seconds = self.seconds.unwrap_or(ONE_SIZE.1);
            vec![Size::new(symbols, seconds, &widths, self.trades)]
        } else {
            ladder(&widths, self.step, self.up_to)
        };
        if sizes.is_empty() {
            let reason = format!("--up-to {}: no size is so small", self.up_to);
            return Err(Error::Usage(reason));
        }
        Ok(Comparison {
            sizes,
            files: self.files.clone(),
            step: self.step,
            columns: self.columns.clone(),
            #[cfg(feature = "gpu")]
            gpu: crate::GpuOptions {
                tier: self.gpu_tier,
                ..crate::GpuOptions::default()
            },
        })
    }

    fn widths(&self) -> Result<Vec<Duration>, Error> {
        let width = |window: &Window| match window.width {
            Width::Finite(width) if width.nanos() % self.step.nanos() == 0 => Ok(width),
            _ => Err(Error::Usage(format!(
                "--window: `{}` is no multiple of the step",
                window.label
            ))),
        };
        self.window.iter().map(width).collect()
    }
}
