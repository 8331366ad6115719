//! The service's configuration: a TOML file of the options that the stages own.
//!
//! Every key has a default, and an unknown key is refused with the nearest known one.
//! `widetape run --print-config` prints the whole file with all defaults and what each key means.

mod error;
mod feed;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

pub use error::ConfigError;
pub use feed::FeedConfig;

use crate::engine::{Backend, Cores, RecoveryOptions, ThreadOptions, Wait, Wide};
use crate::market::Duration;
use crate::publish::fix::AcceptorOptions;
use crate::publish::text::Format;
use crate::session::SequencerOptions;
use crate::window::{Corrections, Policy, Spec, SpecError, Window};

/// The default configuration, as `--print-config` prints it.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// Everything that `widetape run` can be told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where packets come from.
    pub feed: FeedConfig,
    /// How packets are put in order.
    pub session: SequencerOptions,
    /// Who is asked for lost packets.
    pub recovery: RecoveryOptions,
    /// Which rows are computed.
    pub window: WindowConfig,
    /// Wide windows, which a GPU keeps.
    pub gpu: GpuConfig,
    /// The FIX acceptor.
    pub fix: FixConfig,
    /// A file of rows; none unless said.
    pub output: Option<OutputConfig>,
    /// Threads and channels.
    pub engine: EngineConfig,
}

/// Which rows are computed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowConfig {
    /// Durations such as `1s`, or `session`.
    #[serde(deserialize_with = "windows")]
    pub windows: Vec<Window>,
    /// Distance between ends.
    #[serde(deserialize_with = "parsed")]
    pub step: Duration,
    /// Which executions count.
    #[serde(deserialize_with = "parsed")]
    pub policy: Policy,
    /// Write a row at every end while its window holds an execution.
    pub every_end: bool,
    /// How old a broken execution may be for its rows to be written again.
    #[serde(deserialize_with = "parsed")]
    pub corrections: Corrections,
    /// Who computes corrected rows.
    #[serde(deserialize_with = "parsed")]
    pub backend: Backend,
}

/// Wide windows, which a GPU keeps.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// Durations, or `session`; none that `window.windows` has.
    #[serde(deserialize_with = "windows")]
    pub windows: Vec<Window>,
    /// Distance between their ends.
    #[serde(deserialize_with = "parsed")]
    pub every: Duration,
    /// The form of the shaders; the best that works unless said.
    #[cfg(feature = "gpu")]
    #[serde(deserialize_with = "named")]
    pub tier: Option<crate::gpu::Tier>,
}

/// The FIX acceptor.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FixConfig {
    /// Whether there is none.
    pub disabled: bool,
    /// Its options.
    pub acceptor: AcceptorOptions,
}

/// A file of rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputConfig {
    /// The file; `-` is standard output.
    pub file: PathBuf,
    /// How rows are written.
    #[serde(default, deserialize_with = "parsed")]
    pub format: Format,
}

/// Threads and channels.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineConfig {
    /// Batches that a pipe between two agents holds before the one in front of it waits; the receiver's holds
    /// as many as there are buffers at least.
    pub queue: usize,
    /// Threads that the four agents run on: 4, 3, 2 or 1. Wide windows take one more.
    pub threads: usize,
    /// What a thread does while there is nothing to do.
    #[serde(deserialize_with = "parsed")]
    pub wait: Wait,
    /// Cores, one for each thread in the order of the agents, that of wide windows last; anywhere if there
    /// are none.
    #[serde(deserialize_with = "parsed")]
    pub cores: Cores,
    /// NUMA node that the threads stay on; anywhere unless said.
    pub numa_node: Option<usize>,
    /// Real-time priority of the threads that the feed needs; none unless said.
    pub real_time_priority: Option<u8>,
    /// Live orders for which the book has room from the start.
    pub orders: usize,
    /// Executions for which the windows have room from the start.
    pub executions: usize,
}

/// Most executions for which room may be asked for: as many as a day may have.
const MAX_EXECUTIONS: usize = u32::MAX as usize - 1;

/// Most live orders for which room may be asked for: a ring of 2^30 slots.
const MAX_ORDERS: usize = 1 << 27;

impl Default for WindowConfig {
    fn default() -> Self {
        let window = |label: &str, width| Window {
            label: label.to_owned(),
            width,
        };
        let finite = |millis| Duration::from_millis(millis).map(crate::window::Width::Finite);
        let windows = [("1s", finite(1_000)), ("1m", finite(60_000))];
        let windows = windows
            .into_iter()
            .filter_map(|(label, width)| Some(window(label, width?)));
        let session = window("session", crate::window::Width::Session);
        Self {
            windows: windows.chain([session]).collect(),
            step: Duration::HUNDRED_MILLISECONDS,
            policy: Policy::All,
            every_end: false,
            corrections: Duration::from_millis(3_600_000)
                .map_or(Corrections::All, Corrections::Within),
            backend: Backend::Auto,
        }
    }
}

impl Default for GpuConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            windows: Vec::new(),
            every: Duration::SECOND,
            #[cfg(feature = "gpu")]
            tier: None,
        }
    }
}

impl GpuConfig {
    /// The windows that these options ask for.
    #[must_use]
    pub fn wide(&self) -> Option<Wide> {
        self.enabled.then(|| Wide {
            windows: self.windows.clone(),
            every: self.every,
        })
    }

    /// What no single key shows.
    fn check(&self, stream: &Spec) -> Result<(), String> {
        let Some(wide) = self.wide() else {
            return Ok(());
        };
        if cfg!(not(feature = "gpu")) {
            let reason = "gpu.enabled: this build has no GPU; build it with the feature gpu, or ask for \
                          the windows in window.windows";
            return Err(reason.to_owned());
        }
        let checked = wide.published(stream);
        checked
            .map(|_| ())
            .map_err(|error| format!("gpu.windows: {error}"))
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        // Fewer hand-offs than the engine's own default, which is for files: a message is published
        // sooner (benches/latency.rs).
        Self {
            queue: 1_024,
            threads: 2,
            wait: Wait::Backoff,
            cores: Cores::default(),
            numa_node: None,
            real_time_priority: None,
            orders: 1 << 18,
            executions: 1 << 18,
        }
    }
}

impl EngineConfig {
    /// How the agents run on threads.
    #[must_use]
    pub fn threads(&self) -> ThreadOptions {
        ThreadOptions {
            count: self.threads,
            wait: self.wait,
            cores: self.cores.clone(),
            numa_node: self.numa_node,
            real_time_priority: self.real_time_priority,
        }
    }
}

impl WindowConfig {
    /// The request that these options make.
    #[must_use]
    pub fn spec(&self) -> Spec {
        Spec {
            windows: self.windows.clone(),
            step: self.step,
            policy: self.policy,
            every_end: self.every_end,
            corrections: self.corrections,
        }
    }
}

impl Config {
    /// The request with all windows that publishers see: those of the stream, then the wide ones.
    ///
    /// # Errors
    /// When they do not go together.
    pub fn published(&self) -> Result<Spec, SpecError> {
        let stream = self.window.spec();
        match self.gpu.wide() {
            Some(wide) => wide.published(&stream),
            None => stream.check().map(|()| stream),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has unknown keys, or values that make no sense.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Config =
            toml::from_str(text).map_err(|error| ConfigError::invalid(path, text, &error))?;
        config.check().map_err(|reason| ConfigError::Senseless {
            path: path.to_owned(),
            reason,
        })?;
        Ok(config)
    }

    /// What no single key shows.
    fn check(&self) -> Result<(), String> {
        self.window
            .spec()
            .check()
            .map_err(|error| format!("window.windows: {error}"))?;
        self.gpu.check(&self.window.spec())?;
        self.feed.check(&self.session)?;
        self.fix
            .acceptor
            .validate()
            .map_err(|error| error.to_string())?;
        if !(1..=65_536).contains(&self.engine.queue) {
            return Err("engine.queue must be from 1 to 65536".to_owned());
        }
        if self.engine.orders > MAX_ORDERS {
            return Err(format!("engine.orders must be at most {MAX_ORDERS}"));
        }
        if self.engine.executions > MAX_EXECUTIONS {
            return Err(format!(
                "engine.executions must be at most {MAX_EXECUTIONS}"
            ));
        }
        self.engine.threads().shares().map(|_| ())
    }
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

#[cfg(feature = "gpu")]
fn named<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    parsed(deserializer).map(Some)
}

fn windows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Window>, D::Error> {
    let labels = Vec::<String>::deserialize(deserializer)?;
    labels
        .iter()
        .map(|label| label.parse().map_err(D::Error::custom))
        .collect()
}
