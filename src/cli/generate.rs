//! `generate`: a synthetic ITCH day as a BinaryFILE.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::live::redraw;
use crate::{Duration, Profile, SyntheticDay, SyntheticOptions};

/// Bytes gathered before they are written.
const CHUNK: usize = 1 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many messages.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    messages: u64,
    /// How many symbols.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..))]
    symbols: u16,
    /// Same seed, same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Mix of messages: day (like a real day) or sample (more executions and breaks).
    #[arg(long, value_name = "NAME", default_value = "day")]
    profile: Profile,
    /// How long the day lasts from 04:00 on, 16 hours at most; a shorter one has as many messages at any time,
    /// and the pace of an exchange under load, at which `send --speed 1x` plays it.
    #[arg(long, value_name = "DURATION", default_value = "16h", value_parser = within_a_day)]
    duration: Duration,
    /// File to write; compressed if it ends in .gz or .zst; - is standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn within_a_day(text: &str) -> Result<Duration, String> {
    let duration: Duration = text.parse().map_err(|error| format!("{error}"))?;
    match duration.nanos() <= SyntheticDay::LENGTH_NS {
        true => Ok(duration),
        false => Err("a day lasts 16h at most".to_owned()),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let options = SyntheticOptions {
        messages: args.messages,
        symbols: args.symbols,
        seed: args.seed,
        profile: args.profile,
    };
    let total = options.messages;
    let day = SyntheticDay::new(options).map_err(|error| Error::Usage(error.to_string()))?;
    let day = day.lasting(args.duration);
    write_day(day, total, &args.out).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Error::OutputClosed,
        _ => Error::Failed(format!("{}: {error}", args.out.display())),
    })
}

fn write_day(day: SyntheticDay, total: u64, out: &Path) -> io::Result<()> {
    match out.extension().and_then(|extension| extension.to_str()) {
        _ if out == Path::new("-") => write_blocks(day, total, &mut io::stdout().lock()),
        Some("gz") => {
            let level = flate2::Compression::best();
            let mut file = flate2::write::GzEncoder::new(File::create(out)?, level);
            write_blocks(day, total, &mut file)?;
            file.finish()?.sync_all()
        }
        Some("zst") => {
            let mut file = zstd::Encoder::new(File::create(out)?, 19)?;
            write_blocks(day, total, &mut file)?;
            file.finish()?.sync_all()
        }
        _ => {
            let mut file = BufWriter::new(File::create(out)?);
            write_blocks(day, total, &mut file)?;
            file.flush()
        }
    }
}

fn write_blocks(mut day: SyntheticDay, total: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(CHUNK + 64);
    let (mut written, mut shown) = (0_u64, 0);
    let terminal = io::stderr().is_terminal();
    while day.next_block(&mut bytes) {
        written += 1;
        if bytes.len() >= CHUNK {
            out.write_all(&bytes)?;
            bytes.clear();
            if terminal && written * 100 / total.max(1) > shown {
                shown = written * 100 / total.max(1);
                redraw(format_args!("{shown} %"));
            }
        }
    }
    if shown > 0 {
        redraw(format_args!(""));
    }
    out.write_all(&bytes)
}
