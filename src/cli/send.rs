//! `send`: a file as a MoldUDP64 feed, with its re-request server.

use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::{Bytes, BytesMut};

use super::error::say;
use super::live::redraw;
use super::{Error, live};
use crate::{
    Duration, FILE_BUFFER_BYTES, ItchFile, Loss, Packet, Poll, Pool, Sender, SenderOptions, Source,
    Speed, Tape, session_id,
};

/// The most packets per second and line unless something else is said.
const PACKETS_PER_SECOND: u32 = 50_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// ITCH 5.0 BinaryFILE; .gz and .zst too.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Group and port of line A.
    #[arg(long, value_name = "ADDRESS", default_value = "239.192.0.1:5000")]
    group: SocketAddrV4,
    /// Group and port of line B; there is only line A without it.
    #[arg(long, value_name = "ADDRESS")]
    group_b: Option<SocketAddrV4>,
    /// Address of the interface that multicast leaves by.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST)]
    interface: Ipv4Addr,
    /// Hops that multicast may take.
    #[arg(long, value_name = "N", default_value_t = 1)]
    ttl: u32,
    /// Pace: max, or a multiple of the pace of the messages' times such as 1x or 50x.
    #[arg(long, value_name = "PACE", default_value = "max")]
    speed: Speed,
    /// Pace instead: so many messages per second, evenly, whatever their times say.
    #[arg(long, value_name = "N", conflicts_with = "speed", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// The most packets per second and line; fewer are fuller where the pace is not max. Default 50000,
    /// because max is too fast for most receivers; with --rate no limit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    packets_per_second: Option<u32>,
    /// The most bytes of a packet, its header of 20 included: 22 to 65507. Above the 1472 of an Ethernet
    /// link it takes loopback or jumbo frames, and receivers whose buffers are as large.
    #[arg(long, value_name = "BYTES", default_value_t = 1_400, value_parser = clap::value_parser!(u16).range(22..=65_507))]
    packet_bytes: u16,
    /// Name of the session, up to ten characters.
    #[arg(long, value_name = "NAME", default_value = "WIDETAPE")]
    session: String,
    /// Where re-requests are answered.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5001")]
    rerequest: SocketAddrV4,
    /// Answer no re-requests: what is lost on both lines is lost for good.
    #[arg(long)]
    no_rerequest: bool,
    /// Time for receivers to join before the first message.
    #[arg(long, value_name = "DURATION", default_value = "500ms")]
    start_delay: Duration,
    /// How long re-requests are still answered, and the end is repeated, after the last message.
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    linger: Duration,
    /// Part of the packets that is lost at random on each line by itself, such as 5% or 0.05.
    #[arg(long, value_name = "PART", default_value = "0")]
    loss: Part,
    /// Packets lost on both lines, counted from 1; re-requests bring them back unless --no-rerequest.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    lose_both: Vec<u64>,
    /// Seed of the losses.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A probability.
#[derive(Clone, Copy, Debug)]
struct Part(f64);

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = match text.strip_suffix('%') {
            Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
            None => text.parse(),
        };
        part.ok()
            .filter(|part| (0.0..=1.0).contains(part))
            .map(Part)
            .ok_or_else(|| format!("`{text}` is no part: write 5% or 0.05"))
    }
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let session =
        session_id(&args.session).map_err(|error| Error::Usage(format!("--session: {error}")))?;
    let all_at_once = args.rate.is_none().then_some(PACKETS_PER_SECOND);
    let options = SenderOptions {
        session,
        group_b: args.group_b,
        interface: args.interface,
        ttl: args.ttl,
        speed: args.rate.map_or(args.speed, Speed::Rate),
        packets_per_second: args.packets_per_second.or(all_at_once),
        payload_limit: usize::from(args.packet_bytes),
        start_delay_ns: args.start_delay.nanos(),
        linger_ns: args.linger.nanos(),
        rerequest: (!args.no_rerequest).then_some(args.rerequest),
        loss: Loss {
            line_a: args.loss.0,
            line_b: args.loss.0,
            seed: args.seed,
            both_lines: args.lose_both.clone(),
        },
        ..SenderOptions::to(args.group)
    };
    let paced = options.speed != Speed::Max;
    let (bytes, truncated) = messages_of(&args.file)?;
    let failed = |error: String| Error::Failed(format!("{}: {error}", args.file.display()));
    let tape = Tape::new(bytes).map_err(|error| failed(error.to_string()))?;
    let total = tape.count();
    let mut sender =
        Sender::new(tape, options).map_err(|error| Error::Failed(error.to_string()))?;
    if let Some(address) = sender.rerequest_address() {
        say(format_args!("re-requests are answered at {address}"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    live::stop_on_signal(Arc::clone(&stop))?;
    let terminal = io::stderr().is_terminal();
    let counts = sender
        .run(&stop, |counts| {
            if terminal {
                redraw(format_args!("{} of {total} messages", counts.messages));
            }
        })
        .map_err(|error| Error::Failed(error.to_string()))?;
    say(format_args!(
        "{}{} messages in {} packets; sent {} on line A, {} on line B with {} system calls; {} requests \
         answered",
        if terminal { "\r" } else { "" },
        counts.messages,
        counts.packets,
        counts.sent[0],
        counts.sent[1],
        counts.send_calls,
        counts.server.answers
    ));
    if paced {
        let [p50, p99, max] = [counts.late_p50_ns, counts.late_p99_ns, counts.late_max_ns]
            .map(|ns| format!("{}.{}", ns / 1_000, ns / 100 % 10));
        say(format_args!(
            "packets left late by p50 {p50}, p99 {p99}, max {max} us"
        ));
    }
    truncated
}

/// All whole messages of a file, each with its length, and whether it ends inside one.
fn messages_of(file: &Path) -> Result<(Bytes, Result<(), Error>), Error> {
    let mut source = ItchFile::open(file, Pool::new(4, FILE_BUFFER_BYTES))?;
    let mut packets: Vec<Packet> = Vec::new();
    let mut bytes = BytesMut::new();
    loop {
        let polled = source.poll(0, &mut packets);
        for packet in packets.drain(..) {
            bytes.extend_from_slice(&packet.bytes);
        }
        match polled {
            Ok(Poll::Ready | Poll::Idle) => {}
            Ok(Poll::End) => return Ok((bytes.freeze(), Ok(()))),
            Err(error) => return Ok((bytes.freeze(), Err(error.into()))),
        }
    }
}
