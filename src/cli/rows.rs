//! `replay` and `scan`: rows from files.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::choice::Choice;
use super::error::say;
use super::output::writer;
use super::request::{Destination, Request};
use super::{Error, error, live};
use crate::metrics::Counter;
use crate::{
    Backend, Chain, Clock, Engine, FeedError, Mode, Options, Pool, Summary, Wanted, open_any,
};

/// Buffers for file input, and bytes in each: a whole block of a BinaryFILE always fits.
const BUFFERS: usize = 16;
const BUFFER_BYTES: usize = 256 << 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// ITCH 5.0 BinaryFILEs, pcap or pcapng captures of MoldUDP64, or logs of FIX messages; .gz and
    /// .zst too. Several files are read one after the other.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    choice: Choice,
    /// Say which processor --backend auto chose, and why: rows, bytes, predicted and measured time.
    #[arg(long)]
    explain: bool,
    /// Exit with 0 even if a file ends inside a message.
    #[arg(long)]
    lenient: bool,
}

pub(super) fn run(args: &Args, mode: Mode) -> Result<(), Error> {
    let spec = args.request.spec()?;
    let mut only = args.destination.only()?;
    let selection = args.choice.selection(&spec, mode)?;
    let wanted = selection.map(|selection| Wanted {
        symbols: only.take(),
        selection,
    });
    has_a_choice_to_explain(args, mode)?;
    if args.files.len() > Chain::MAX_FILES {
        return Err(Error::Usage(format!(
            "more than {} files",
            Chain::MAX_FILES
        )));
    }
    destroys_no_input(args)?;
    let pool = Pool::new(BUFFERS, BUFFER_BYTES);
    let sources = args
        .files
        .iter()
        .map(|file| open_any(file, Arc::clone(&pool)))
        .collect::<Result<Vec<_>, FeedError>>()?;
    let chain = Chain::new(sources);
    let truncated = chain.truncated();
    let (format, out) = (args.destination.format, &args.destination.out);
    let publishers = vec![writer(&spec, format, out, only, false)?];
    let options = Options {
        wanted,
        mode,
        backend: args.request.backend,
        #[cfg(feature = "gpu")]
        gpu: args.request.gpu(),
        files: args.files.clone(),
        ..Options::new(spec)
    };
    let mut engine = Engine::new(Box::new(chain), publishers, options)?;
    let interrupted = live::stop_on_signal(engine.stop_switch())?;
    engine.add_publisher(Box::new(live::Progress::new(engine.counters())));
    let (summary, outcome) = engine.run_inline(&Clock::machine(), None);
    warn(&summary);
    if args.explain {
        explain(&summary);
    }
    let truncated = std::mem::take(&mut *truncated.lock().unwrap_or_else(PoisonError::into_inner));
    let mut failure = None;
    for error in truncated {
        if let Some(earlier) = failure.replace(error) {
            say(format_args!("widetape: {earlier}"));
        }
    }
    error::outcome(outcome, &args.destination.out)?;
    if interrupted.load(Ordering::Relaxed) {
        let messages = summary.counters.get(Counter::Messages);
        return Err(Error::Failed(format!(
            "interrupted after {messages} messages: not all rows are there"
        )));
    }
    match failure {
        Some(error) if args.lenient => {
            say(format_args!(
                "widetape: warning: {error}; everything before it counts"
            ));
            Ok(())
        }
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Refuses to explain where nothing is decided.
fn has_a_choice_to_explain(args: &Args, mode: Mode) -> Result<(), Error> {
    if args.explain && (mode, args.request.backend) != (Mode::Batch, Backend::Auto) {
        let reason = "--explain: only scan with --backend auto has a choice";
        return Err(Error::Usage(reason.to_owned()));
    }
    Ok(())
}

/// Says what was decided, and why.
fn explain(summary: &Summary) {
    for route in &summary.routes.routes {
        say(format_args!("widetape: {route}"));
    }
}

/// Refuses an output file that is one of the inputs.
fn destroys_no_input(args: &Args) -> Result<(), Error> {
    let out = args.destination.out.canonicalize();
    let is_out = |file: &&PathBuf| matches!((file.canonicalize(), &out), (Ok(file), Ok(out)) if file == *out);
    match args.files.iter().find(is_out) {
        Some(file) => Err(Error::Usage(format!(
            "--out {} would overwrite an input file",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// Says what a user should know about the rows that were written.
fn warn(summary: &Summary) {
    let count = |counter| summary.counters.get(counter);
    if let Some(trouble) = &summary.gpu_trouble {
        say(format_args!(
            "widetape: warning: {trouble}; the CPU computed {} of the windows asked of the GPU",
            count(Counter::RescuedWindows)
        ));
    }
    if let Some(told) = &summary.routes.told {
        say(format_args!("widetape: {told}"));
    }
    if count(Counter::Gaps) > 0 {
        say(format_args!(
            "widetape: warning: gaps {1}, lost messages {0}: rows that they touch say complete=false",
            count(Counter::LostMessages),
            count(Counter::Gaps)
        ));
    }
    if count(Counter::UnpriceableExecutions) > 0 {
        let symbols: Vec<String> = summary.flagged.iter().map(ToString::to_string).collect();
        say(format_args!(
            "widetape: warning: executions of unknown orders, which have no price and are not counted: {}, of {}",
            count(Counter::UnpriceableExecutions),
            symbols.join(" ")
        ));
    }
    for (counter, what) in [
        (Counter::UnknownTypes, "messages of unknown type, skipped"),
        (Counter::MalformedMessages, "malformed messages, skipped"),
        (
            Counter::GarbledBytes,
            "bytes of a log that are in no FIX message, skipped",
        ),
        (
            Counter::UnusedEntries,
            "FIX entries that are neither trades nor quotes",
        ),
        (
            Counter::UnusableEntries,
            "FIX trades and quotes without a symbol, price, size or time that fits",
        ),
        (
            Counter::ShareOverflow,
            "crosses of more shares than fit, skipped",
        ),
        (
            Counter::TimeBackwards,
            "messages with a time before that of an earlier one",
        ),
        (Counter::BreaksUnknown, "breaks of unknown executions"),
    ] {
        if count(counter) > 0 {
            say(format_args!(
                "widetape: warning: {what}: {}",
                count(counter)
            ));
        }
    }
}
