//! `replay` and `scan`: rows from files.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::absent::Absent;
use super::choice::Choice;
use super::error::say;
use super::output::writer;
use super::overwrite::overwrites_no_input;
use super::request::{Destination, Request};
use super::{Error, error, live, remarks};
use crate::metrics::Counter;
use crate::{
    Backend, Chain, Clock, Engine, FILE_BUFFER_BYTES, FeedError, Mode, Options, Pool, Summary,
    ThreadOptions, Wanted, engine, open_any,
};

/// Buffers for file input: a batch of a capture's datagrams.
const BUFFERS: usize = 64;
/// Batches, and results, on their way from one thread to the next at most.
const QUEUE: usize = 4;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// ITCH 5.0 BinaryFILEs, pcap or pcapng captures of MoldUDP64, or logs of FIX messages; .gz and
    /// .zst too. Several files are read one after the other: captures of line A and of line B are to be merged by time
    /// first (mergecap).
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
    /// Exit with 0 even if a file ends inside a message, or a capture holds packets of another session beside those of
    /// the one that is followed.
    #[arg(long)]
    lenient: bool,
}

pub(super) fn run(args: &Args, mode: Mode) -> Result<(), Error> {
    let spec = args.request.spec()?;
    let mut only = args.destination.only()?;
    let absent = Absent::among(only.as_ref());
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
    overwrites_no_input("--out", &args.destination.out, &args.files)?;
    let pool = Pool::new(BUFFERS, FILE_BUFFER_BYTES);
    let sources = args
        .files
        .iter()
        .map(|file| open_any(file, Arc::clone(&pool)))
        .collect::<Result<Vec<_>, FeedError>>()?;
    let chain = Chain::new(sources);
    let truncated = chain.truncated();
    let (format, out) = (args.destination.format, &args.destination.out);
    let publishers = vec![writer(&spec, format, out, only)?];
    let options = Options {
        wanted,
        mode,
        backend: args.request.backend,
        #[cfg(feature = "gpu")]
        gpu: args.request.gpu(),
        files: args.files.clone(),
        queue: QUEUE,
        threads: threads(),
        ..Options::new(spec)
    };
    let mut engine = Engine::new(Box::new(chain), publishers, options)?;
    let interrupted = live::stop_on_signal(engine.stop_switch())?;
    engine.add_publisher(Box::new(live::Progress::new(engine.counters())));
    engine.add_publisher(Box::new(absent.clone()));
    let (summary, outcome) = engine.run(&Clock::machine());
    remarks::warn(&summary);
    if args.explain {
        explain(&summary);
    }
    let truncated = std::mem::take(&mut *truncated.lock().unwrap_or_else(PoisonError::into_inner));
    let interrupted = interrupted.load(Ordering::Relaxed);
    if outcome.is_ok() && !interrupted {
        absent.warn();
    }
    finish(args, truncated, interrupted, &summary, outcome)
}

/// Threads to read and decompress, to decode, to compute and to write; one where there is one core, as handing on gains
/// nothing there.
fn threads() -> ThreadOptions {
    let default = ThreadOptions::default();
    match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => ThreadOptions {
            count: 1,
            ..default
        },
        _ => default,
    }
}

/// What the command came to, now that the rows are written.
fn finish(
    args: &Args,
    truncated: Vec<FeedError>,
    interrupted: bool,
    summary: &Summary,
    outcome: Result<(), engine::Error>,
) -> Result<(), Error> {
    let failures = truncated.into_iter().map(Error::Feed);
    let mut failure = None;
    for error in failures.chain(remarks::foreign(summary)) {
        if let Some(earlier) = failure.replace(error) {
            say(format_args!("widetape: {earlier}"));
        }
    }
    let outcome = error::outcome(outcome, &args.destination.out)
        .and_then(|()| is_whole(interrupted, summary))
        .and_then(|()| remarks::has_used_a_packet(summary));
    match failure {
        Some(error) if args.lenient => {
            let rest = match error {
                Error::Feed(_) => "; everything before it counts",
                _ => "",
            };
            say(format_args!("widetape: warning: {error}{rest}"));
            outcome
        }
        Some(error) if outcome.is_ok() => Err(error),
        Some(error) => {
            error.report();
            outcome
        }
        None => outcome,
    }
}

fn is_whole(interrupted: bool, summary: &Summary) -> Result<(), Error> {
    if interrupted {
        let messages = summary.counters.get(Counter::Messages);
        return Err(Error::Failed(format!(
            "interrupted after {messages} messages: not all rows are there"
        )));
    }
    Ok(())
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
