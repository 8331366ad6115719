//! `inspect`: one decoded message a line.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::error::unwritten;
use super::{Error, remarks};
use crate::{
    Blocks, FILE_BUFFER_BYTES, FeedError, Framing, Packet, Poll, Pool, fix, itch50, moldudp64,
    open_any,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// ITCH 5.0 BinaryFILE, pcap or pcapng capture of MoldUDP64, or log of FIX messages; .gz and .zst too.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = print(args, &mut out);
    let flushed = out.flush().map_err(unwritten);
    printed.and(flushed)
}

fn print(args: &Args, out: &mut impl Write) -> Result<(), Error> {
    let mut source = open_any(&args.file, Pool::new(4, FILE_BUFFER_BYTES))?;
    let mut packets: Vec<Packet> = Vec::new();
    loop {
        let polled = source.poll(0, &mut packets);
        for packet in packets.drain(..) {
            match packet.framing {
                Framing::Blocks { offset } => file_blocks(args, &packet, offset, out)?,
                Framing::MoldUdp64 => downstream(&packet, out).map_err(unwritten)?,
                Framing::Fix { .. } => fix_messages(&packet, out).map_err(unwritten)?,
            }
        }
        match polled {
            Ok(Poll::Ready | Poll::Idle) => {}
            Ok(Poll::End) => {
                remarks::unshown(&source.counts());
                return Ok(());
            }
            Err(error) => {
                out.flush().map_err(unwritten)?;
                return Err(error.into());
            }
        }
    }
}

fn file_blocks(
    args: &Args,
    packet: &Packet,
    start: u64,
    out: &mut impl Write,
) -> Result<(), Error> {
    for (offset, message) in Blocks::new(&packet.bytes).without_marks() {
        match itch50::parse(message) {
            Ok(message) => writeln!(out, "{message}").map_err(unwritten)?,
            Err(error) => {
                return Err(FeedError::Format {
                    path: args.file.clone(),
                    reason: format!("message at byte {}: {error}", start + offset as u64),
                }
                .into());
            }
        }
    }
    Ok(())
}

/// Separators are printed as `|`.
fn fix_messages(packet: &Packet, out: &mut impl Write) -> io::Result<()> {
    let mut rest = &packet.bytes[..];
    while let fix::Frame::Message { length, .. } = fix::next_frame(rest, packet.bytes.len()) {
        let (message, others) = rest.split_at(length);
        let fields = message.strip_suffix(b"\x01").unwrap_or(message);
        let fields = fields.split(|&byte| byte == 1);
        let texts: Vec<String> = fields
            .map(|field| field.escape_ascii().to_string())
            .collect();
        writeln!(out, "{}|", texts.join("|"))?;
        rest = others;
    }
    Ok(())
}

/// A packet that is none, and a message that is none, take a line of their own.
fn downstream(packet: &Packet, out: &mut impl Write) -> io::Result<()> {
    let downstream = match moldudp64::parse(&packet.bytes) {
        Ok(downstream) => downstream,
        Err(error) => return writeln!(out, "not a MoldUDP64 packet: {error}"),
    };
    for (sequence, message) in (downstream.sequence()..).zip(downstream.blocks()) {
        match itch50::parse(message.data) {
            Ok(message) => writeln!(out, "{sequence} {message}")?,
            Err(error) => writeln!(out, "{sequence} undecodable: {error}")?,
        }
    }
    Ok(())
}
