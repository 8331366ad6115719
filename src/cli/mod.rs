//! What was typed: arguments, one file a subcommand, and the exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | failed on the data, the machine or the answers |
//! | 2 | wrong usage |
//! | 78 | bad configuration |

mod absent;
mod choice;
mod compare;
mod demo;
mod doctor;
mod error;
mod generate;
mod inspect;
mod live;
mod outflow;
mod output;
mod overwrite;
mod password;
mod remarks;
mod request;
mod rows;
mod run;
mod send;
mod subscriber;

use std::ffi::OsString;
use std::net::SocketAddr;

use crate::Mode;
use clap::{Parser, Subcommand};

pub use error::Error;

/// Exact window analytics over the whole universe of symbols of an exchange feed.
///
/// Without a subcommand: replays the bundled sample day as a MoldUDP64 multicast feed on loopback
/// through the whole pipeline, serves FIX, and checks the final VWAPs against the golden answers.
#[derive(Debug, Parser)]
#[command(name = "widetape", version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Address of the FIX acceptor of the sample day.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9878")]
    fix: SocketAddr,
    /// How long the sample day takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The service: a live feed in, rows out over FIX and to files.
    Run(Box<run::Args>),
    /// The same engine fed from files, rows and corrections as they come.
    Replay(rows::Args),
    /// The batch path: each row once, at its final revision.
    Scan(rows::Args),
    /// One job by every backend: answers compared, then timed.
    Compare(compare::Args),
    /// Sends a file as a MoldUDP64 feed, with a re-request server.
    Send(send::Args),
    /// Writes a synthetic ITCH day.
    Generate(generate::Args),
    /// Prints one decoded message a line.
    Inspect(inspect::Args),
    /// Says what this machine gives, and what to change.
    Doctor(doctor::Args),
    /// Hashes a counterparty's password, asked for at a terminal or read from standard input.
    Password(password::Args),
}

/// Does what was typed.
///
/// # Errors
/// See [`Error`]; it knows its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Error> {
    let args = Args::try_parse_from(arguments)?;
    match args.command {
        None => demo::run(args.fix, args.seconds),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Replay(args)) => rows::run(&args, Mode::Stream),
        Some(Command::Scan(args)) => rows::run(&args, Mode::Batch),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Send(args)) => send::run(&args),
        Some(Command::Generate(args)) => generate::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Password(args)) => password::run(&args),
    }
}
