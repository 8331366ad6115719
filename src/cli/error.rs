//! Errors as people and scripts see them: one line, and an exit code.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::{FeedError, FixError, engine};

/// As people call it.
pub(super) const STANDARD_OUTPUT: &str = "standard output";

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong usage, or a request for help.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// Wrong usage that the grammar of arguments does not show.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// FIX cannot be served.
    #[error(transparent)]
    Fix(#[from] FixError),
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The input cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Anything else that failed on the data or the machine.
    #[error("{0}")]
    Failed(String),
    /// The reader of our output has gone, which is its right.
    #[error("output closed")]
    OutputClosed,
}

impl Error {
    /// Says it on standard error.
    pub fn report(&self) {
        match self {
            Error::OutputClosed => {}
            // Help and version go to standard output; nothing can be done if that fails.
            Error::Arguments(error) if error.exit_code() == 0 => drop(error.print()),
            Error::Arguments(error) => say(format_args!("widetape: {}", first_paragraph(error))),
            error => say(format_args!("widetape: {error}")),
        }
    }

    /// The documented exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Arguments(error) if error.exit_code() == 0 => ExitCode::SUCCESS,
            Error::Arguments(_) | Error::Usage(_) => ExitCode::from(2),
            Error::Engine(
                engine::Error::Spec(_) | engine::Error::WantedOfStream | engine::Error::WideOfBatch,
            ) => ExitCode::from(2),
            Error::Config(_)
            | Error::Fix(
                FixError::Option { .. }
                | FixError::PlainText { .. }
                | FixError::NoTls
                | FixError::Certificate { .. },
            )
            | Error::Engine(engine::Error::Threads(_) | engine::Error::Placement(_)) => {
                ExitCode::from(78)
            }
            Error::OutputClosed => ExitCode::SUCCESS,
            Error::Engine(_) | Error::Feed(_) | Error::Fix(_) | Error::Failed(_) => {
                ExitCode::from(1)
            }
        }
    }
}

/// What is wrong with the arguments, in one line.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    format!("{} (see --help)", line.trim_start_matches("error: "))
}

/// An engine's outcome: a closed output is told apart from a failure, and a failure of the rows'
/// output names `out`.
pub(super) fn outcome(outcome: Result<(), engine::Error>, out: &Path) -> Result<(), Error> {
    match outcome {
        Err(engine::Error::Publish { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Error::OutputClosed)
        }
        Err(engine::Error::Publish { publisher, error }) if publisher == "output" => {
            Err(Error::Failed(format!("{}: {error}", out.display())))
        }
        other => other.map_err(Error::Engine),
    }
}

/// A line on standard error. Where nobody can read it, the work goes on.
pub(super) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Text on standard output.
pub(super) fn tell(text: fmt::Arguments<'_>) -> Result<(), Error> {
    let mut out = io::stdout();
    out.write_fmt(text)
        .and_then(|()| out.flush())
        .map_err(unwritten)
}

/// Standard output cannot be written.
pub(super) fn unwritten(error: io::Error) -> Error {
    unwritten_to(STANDARD_OUTPUT, error)
}

/// The output of this name cannot be written.
pub(super) fn unwritten_to(name: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::OutputClosed,
        _ => Error::Failed(format!("{name}: {error}")),
    }
}
