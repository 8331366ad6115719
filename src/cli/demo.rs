//! No subcommand: the bundled sample day over loopback multicast, through the whole service.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::error::tell;
use super::subscriber::{read_to_end, subscribe};
use super::{Error, error, live};
use crate::config::WindowConfig;
use crate::engine::beside;
use crate::metrics::{Counter, report};
use crate::{
    Acceptor, AcceptorOptions, Clock, Corrections, Engine, LiveTable, NANOS_PER_SECOND, Newest,
    Options, Pool, Publisher, Recovery, RecoveryOptions, RerequestOptions, Row, Sender,
    SenderOptions, SequencerOptions, Shared, Spec, Speed, Summary, Tape, UdpOptions, UdpSource,
    Width, vwap_micros,
};

/// The sample day, as datasets/README.md describes it.
const SAMPLE: &[u8] = include_bytes!("../../datasets/sample_day.itch.gz");
/// Its answers, made by datasets/golden.py.
const GOLDEN: &str = include_str!("../../datasets/golden/sample_day.session.csv");
/// Feed time of the sample day from its first to its last message, in seconds.
const SAMPLE_SECONDS: f64 = 61_500.0;
/// Age at which a hole is given up: long, because a busy machine may be slow and the answers must be
/// whole.
const GAP_TIMEOUT_NS: u64 = 5 * NANOS_PER_SECOND;
/// Packet buffers, and batches in a pipe: more than the whole day has packets on one line.
const QUEUE: usize = 16_384;
/// Rows of the final table that are printed.
const FINAL_ROWS: usize = 10;

pub(super) fn run(fix: SocketAddr, seconds: u64) -> Result<(), Error> {
    let spec = Spec {
        corrections: Corrections::All,
        ..WindowConfig::default().spec()
    };
    let labels = spec
        .windows
        .iter()
        .map(|window| window.label.clone())
        .collect();
    let acceptor = AcceptorOptions {
        listen: fix,
        ..AcceptorOptions::default()
    };
    let acceptor = Acceptor::bind(acceptor, labels)?;
    let address = acceptor.local_address().map_err(failed)?;
    let (udp, recovery, mut sender) = feed(seconds)?;
    let groups: Vec<String> = udp
        .bound_addresses()
        .map(|group| group.to_string())
        .collect();
    tell(format_args!(
        "sample day in about {seconds} s: lines {} on loopback, receive buffers {} bytes, FIX on {address}\n",
        groups[..2].join(" and "),
        udp.granted_receive_buffer()
    ))?;

    let out = io::stdout();
    let terminal = out.is_terminal();
    let table = Shared::new(LiveTable::new(&spec, out, terminal).with_columns(live::columns()));
    let newest = Shared::new(Newest::default());
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![
        Box::new(acceptor),
        Box::new(table.clone()),
        Box::new(newest.clone()),
    ];
    let options = options(recovery, &spec);
    let engine = Engine::new(Box::new(udp), publishers, options)?;
    let stop = engine.stop_switch();
    let interrupted = live::stop_on_signal(Arc::clone(&stop))?;
    let client = subscribe(address).map_err(failed)?;
    let received = beside("subscriber", move || read_to_end(client)).map_err(failed)?;
    let sending = Arc::clone(&stop);
    let sent = beside("sender", move || sender.run(&sending, |_| {})).map_err(failed)?;
    let (summary, outcome) = engine.run(&Clock::machine());
    stop.store(true, Ordering::Relaxed);
    sent.join()
        .map_err(|_| failed("the sender failed"))?
        .map_err(failed)?;
    let received = received
        .join()
        .map_err(|_| failed("the subscriber failed"))?
        .map_err(failed)?;
    error::outcome(outcome, Path::new("-"))?;

    let table = table.lock();
    tell(format_args!(
        "{}FIX subscriber     {received} messages received\n{}\n{}\n",
        report(&summary.counters, &summary.latency, summary.elapsed()),
        table.heading(),
        table.final_rows(FINAL_ROWS).join("\n")
    ))?;
    if interrupted.load(Ordering::Relaxed) {
        return tell(format_args!("interrupted: the answers are not compared\n"));
    }
    compare(&spec, &newest.lock(), &summary)
}

fn options(recovery: Option<Recovery>, spec: &Spec) -> Options {
    let sequencer = SequencerOptions {
        gap_timeout_ns: GAP_TIMEOUT_NS,
        ..SequencerOptions::default()
    };
    Options {
        recovery,
        sequencer,
        queue: QUEUE,
        ..Options::new(spec.clone())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(error.to_string())
}

/// Both ends of the feed: sockets on two groups, with who to ask for lost packets, and the sender.
fn feed(seconds: u64) -> Result<(UdpSource, Option<Recovery>, Sender), Error> {
    let line = |line: u8| UdpOptions {
        line,
        ..UdpOptions::new(SocketAddrV4::new(Ipv4Addr::new(239, 192, 77, line + 1), 0))
    };
    let mut udp = UdpSource::open(&[line(0), line(1)], Pool::new(QUEUE, 2_048))?;
    let groups: Vec<SocketAddrV4> = udp.bound_addresses().collect();
    let sender = sender(&groups, seconds)?;
    let Some(SocketAddr::V4(server)) = sender.rerequest_address() else {
        return Err(failed("the re-request server has no address"));
    };
    let schedule = RerequestOptions {
        max_tries: 100,
        ..RerequestOptions::default()
    };
    let recovery = RecoveryOptions {
        server,
        schedule,
        ..RecoveryOptions::default()
    };
    let recovery = Recovery::open(&recovery, &mut udp)?;
    Ok((udp, recovery, sender))
}

/// The sender of the sample day, whose sockets are open.
fn sender(groups: &[SocketAddrV4], seconds: u64) -> Result<Sender, Error> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(SAMPLE)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Failed(format!("the bundled sample day: {error}")))?;
    let tape = Tape::new(Bytes::from(bytes)).map_err(failed)?;
    let options = SenderOptions {
        group_b: groups.get(1).copied(),
        speed: Speed::Multiple(SAMPLE_SECONDS / seconds as f64),
        start_delay_ns: NANOS_PER_SECOND / 4,
        rerequest: Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)),
        ..SenderOptions::to(groups[0])
    };
    Sender::new(tape, options).map_err(failed)
}

/// Holds the final session rows against the golden answers, and says so.
fn compare(spec: &Spec, newest: &Newest, summary: &Summary) -> Result<(), Error> {
    let lost = summary.counters.get(Counter::LostMessages);
    if lost > 0 {
        return Err(failed(format!(
            "lost messages: {lost} (see the drops above); try more --seconds"
        )));
    }
    let session = spec
        .windows
        .iter()
        .position(|window| window.width == Width::Session);
    let found: BTreeMap<String, String> = newest
        .rows()
        .filter(|row| Some(usize::from(row.window)) == session && row.sums.trades > 0)
        .map(|row| (row.symbol.name(), golden_line(row)))
        .collect();
    let wanted: BTreeMap<&str, &str> = GOLDEN
        .lines()
        .skip(1)
        .filter_map(|line| Some((line.split_once(',')?.0, line)))
        .collect();
    for (symbol, line) in &wanted {
        let found = found.get(*symbol).map_or("no row", String::as_str);
        if found != *line {
            return Err(failed(format!(
                "{symbol} differs from the golden answer\n  golden {line}\n  found  {found}"
            )));
        }
    }
    if let Some(symbol) = found
        .keys()
        .find(|symbol| !wanted.contains_key(symbol.as_str()))
    {
        return Err(failed(format!("{symbol} has no golden answer")));
    }
    tell(format_args!(
        "session VWAPs of {} symbols equal the golden answers\n",
        wanted.len()
    ))
}

/// symbol,trades,volume,notional,vwap,open,high,low,close
fn golden_line(row: &Row) -> String {
    let sums = &row.sums;
    let micros = vwap_micros(sums.notional, sums.volume).unwrap_or(0);
    format!(
        "{},{},{},{},{}.{:06},{},{},{},{}",
        row.symbol,
        sums.trades,
        sums.volume,
        sums.notional,
        micros / 1_000_000,
        micros % 1_000_000,
        sums.open,
        sums.high,
        sums.low,
        sums.close
    )
}
