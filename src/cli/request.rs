//! The options that say which rows are asked for and where they go.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Error;
use crate::{Backend, Corrections, Duration, Format, Policy, Spec, Symbol, Window};

/// Which rows.
#[derive(Debug, clap::Args)]
pub(super) struct Request {
    /// Windows: durations such as 250ms, 1s, 5m, 2h, or session.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1s,1m,session"
    )]
    pub(super) window: Vec<Window>,
    /// Distance between ends; ends are its multiples since midnight.
    #[arg(long, value_name = "DURATION", default_value = "100ms")]
    pub(super) step: Duration,
    /// Which executions count: itch.all, itch.continuous, itch.auction or itch.displayed.
    #[arg(long, value_name = "NAME", default_value = "itch.all")]
    pub(super) policy: Policy,
    /// Who computes: auto, scalar, simd, parallel or gpu.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(super) backend: Backend,
    /// The form of the GPU's shaders: u32, u64 or subgroups; the last that works unless said.
    #[cfg(feature = "gpu")]
    #[arg(long, value_name = "NAME")]
    pub(super) gpu_tier: Option<crate::GpuTier>,
    /// Write a row at every end while its window holds an execution.
    #[arg(long)]
    pub(super) every_end: bool,
    /// How old a broken execution may be for its rows to be written again: all, off or a duration.
    #[arg(long, value_name = "AGE", default_value = "all")]
    pub(super) corrections: Corrections,
}

impl Request {
    /// The request, checked.
    pub(super) fn spec(&self) -> Result<Spec, Error> {
        let spec = Spec {
            windows: self.window.clone(),
            step: self.step,
            policy: self.policy,
            every_end: self.every_end,
            corrections: self.corrections,
        };
        spec.check()
            .map_err(|error| Error::Usage(format!("--window: {error}")))?;
        Ok(spec)
    }
}

#[cfg(feature = "gpu")]
impl Request {
    /// How a GPU is opened.
    pub(super) fn gpu(&self) -> crate::GpuOptions {
        crate::GpuOptions {
            tier: self.gpu_tier,
            ..crate::GpuOptions::default()
        }
    }
}

/// Where rows go.
#[derive(Debug, clap::Args)]
pub(super) struct Destination {
    /// How rows are written: table, csv or jsonl.
    #[arg(long, value_name = "NAME", default_value = "table")]
    pub(super) format: Format,
    /// File that rows are written to; - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) out: PathBuf,
    /// Only rows of these symbols.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) symbols: Vec<String>,
}

impl Destination {
    /// The symbols asked for; `None` for all.
    pub(super) fn only(&self) -> Result<Option<BTreeSet<Symbol>>, Error> {
        if self.symbols.is_empty() {
            return Ok(None);
        }
        let symbol = |name: &String| {
            Symbol::new(name).ok_or_else(|| {
                Error::Usage(format!(
                    "--symbols: `{name}` is no symbol: one to eight printable ASCII characters"
                ))
            })
        };
        self.symbols
            .iter()
            .map(symbol)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
