//! MoldUDP64 datagrams out of a packet capture: pcap (microseconds or nanoseconds, either byte
//! order) or pcapng, plain or packed by gzip or zstd.
//!
//! Every UDP/IPv4 datagram that passes the filter becomes a packet; everything else in the capture
//! is counted by reason, and an error only where it is all that the capture holds. Times count from 1970; a record
//! without one has that of the record before it.
//! The first destination (group and port) seen is line 0, the next one line 1, and so on, so the two
//! lines of a feed in one capture arrive as 0 and 1 if nothing else passes the filter.
//!
//! A capture that ends inside a record hands on everything before it, then one
//! [`FeedError::Truncated`] with the record's offset, then [`Poll::End`]. When the pool is empty a
//! poll says [`Poll::Idle`]; nothing is lost, the file waits.

mod ng;
mod records;

use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::input::Input;
use super::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::buffer::Pool;
use crate::wire::ipv4_udp::{self, FrameError};
use records::{Record, Records};

/// Packets handed on by one poll at most.
const BATCH: usize = 64;

/// Lines that a packet's `line` can tell apart, without that of retransmissions. Destinations beyond share the last: a
/// capture may hold hundreds, and the feed's the latest of them.
const MAX_LINES: usize = 255;

/// What became of the records of a capture. All but `delivered` were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureCounts {
    /// Records read: the sum of all the others.
    pub records: u64,
    /// Datagrams handed on.
    pub delivered: u64,
    /// Frames of other protocols than UDP over IPv4.
    pub other_protocols: u64,
    /// Fragments of datagrams.
    pub fragments: u64,
    /// Frames that the capture did not keep in full.
    pub cut_short: u64,
    /// Frames with a wrong IPv4 or UDP checksum.
    pub bad_checksums: u64,
    /// Frames with a length or version field that cannot be.
    pub malformed: u64,
    /// Frames of interfaces whose link type is not read here.
    pub unknown_links: u64,
    /// Datagrams for another destination than the filter's.
    pub filtered: u64,
    /// Datagrams that do not fit a pool buffer.
    pub too_large: u64,
}

impl CaptureCounts {
    /// Why not one of the records could be used; `None` if one was, or could have been but for the filter.
    fn useless(&self) -> Option<String> {
        if self.records == 0 || self.delivered + self.filtered > 0 {
            return None;
        }
        let reasons = [
            (self.other_protocols, "other protocols than UDP over IPv4"),
            (self.fragments, "fragments of datagrams"),
            (
                self.cut_short,
                "frames that were not kept in full (capture them with a longer snap length)",
            ),
            (self.bad_checksums, "wrong checksums"),
            (self.malformed, "malformed headers"),
            (self.unknown_links, "link types that are not read here"),
            (self.too_large, "datagrams that are larger than a buffer"),
        ];
        let reasons = reasons.into_iter().filter(|&(count, _)| count > 0);
        let reasons: Vec<String> = reasons
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
        Some(format!(
            "none of its {} frames holds a datagram that can be used: {}",
            self.records,
            reasons.join(", ")
        ))
    }
}

/// A packet capture being read.
pub struct Capture {
    records: Records,
    pool: Arc<Pool>,
    sorter: Sorter,
    /// To be reported by the next poll that has no packets.
    failed: Option<FeedError>,
    ended: bool,
}

impl Capture {
    /// Opens a capture. With a `filter` only datagrams for that destination are handed on; an
    /// address of 0.0.0.0 or a port of 0 in it means any.
    ///
    /// # Errors
    /// [`FeedError::Io`] if it cannot be read, [`FeedError::Format`] if it is no capture or its link
    /// type is not read here, [`FeedError::Truncated`] if not even its header is whole.
    pub fn open(
        path: &Path,
        pool: Arc<Pool>,
        filter: Option<SocketAddrV4>,
    ) -> Result<Self, FeedError> {
        Self::begin(Input::open(path)?, pool, filter)
    }

    pub(super) fn begin(
        input: Input,
        pool: Arc<Pool>,
        filter: Option<SocketAddrV4>,
    ) -> Result<Self, FeedError> {
        Ok(Self {
            records: Records::open(input)?,
            pool,
            sorter: Sorter {
                filter,
                lines: Vec::new(),
                counts: CaptureCounts::default(),
                last_ns: 0,
            },
            failed: None,
            ended: false,
        })
    }

    /// What became of the records so far.
    #[must_use]
    pub fn record_counts(&self) -> CaptureCounts {
        self.sorter.counts
    }

    /// Destinations in the order of their lines; the 256th and further ones share the last line.
    #[must_use]
    pub fn lines(&self) -> &[SocketAddrV4] {
        &self.sorter.lines
    }

    fn read_batch(&mut self, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let mut spare = None;
        for _ in 0..BATCH {
            let Some(mut buffer) = spare.take().or_else(|| self.pool.take()) else {
                return Ok(Poll::Idle);
            };
            let Some(record) = self.records.front()? else {
                self.ended = true;
                return match self.sorter.counts.useless() {
                    Some(reason) => Err(self.records.refuse(reason)),
                    None => Ok(Poll::End),
                };
            };
            match self.sorter.sort(&record, buffer.len()) {
                Some((payload, line)) => {
                    buffer[..payload.len()].copy_from_slice(payload);
                    buffer.set_length(payload.len());
                    packets.push(Packet {
                        bytes: buffer,
                        received_ns: self.sorter.last_ns,
                        line,
                        framing: Framing::MoldUdp64,
                    });
                }
                None => spare = Some(buffer),
            }
            self.records.advance();
        }
        Ok(Poll::Ready)
    }
}

impl Source for Capture {
    fn poll(&mut self, _now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        let mut idle = false;
        while !self.ended && !idle && packets.len() == before {
            match self.read_batch(packets) {
                Ok(poll) => idle = poll == Poll::Idle,
                Err(error) => {
                    self.failed = Some(error);
                    self.ended = true;
                }
            }
        }
        if packets.len() > before {
            return Ok(Poll::Ready);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None if idle => Ok(Poll::Idle),
            None => Ok(Poll::End),
        }
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        self.pool.wait(timeout);
    }

    fn counts(&self) -> FeedCounts {
        let counts = self.sorter.counts;
        FeedCounts {
            oversized: counts.too_large,
            undecodable: counts.records - counts.delivered - counts.too_large - counts.filtered,
            ..FeedCounts::default()
        }
    }
}

/// Decides what becomes of each record, and counts it.
struct Sorter {
    filter: Option<SocketAddrV4>,
    lines: Vec<SocketAddrV4>,
    counts: CaptureCounts,
    /// Time of the latest record that had one, since 1970.
    last_ns: u64,
}

impl Sorter {
    /// The payload to hand on and its line, if the record is to be handed on.
    fn sort<'a>(&mut self, record: &Record<'a>, room: usize) -> Option<(&'a [u8], u8)> {
        if let Some(time_ns) = record.time_ns {
            self.last_ns = time_ns.clamp(0, i128::from(u64::MAX)) as u64;
        }
        self.counts.records += 1;
        let (counter, found) = self.judge(record, room);
        *counter += 1;
        found
    }

    fn judge<'a>(
        &mut self,
        record: &Record<'a>,
        room: usize,
    ) -> (&mut u64, Option<(&'a [u8], u8)>) {
        let counts = &mut self.counts;
        let Some(link) = record.link else {
            return (&mut counts.unknown_links, None);
        };
        let datagram = match ipv4_udp::parse(link, record.frame) {
            Ok(datagram) => datagram,
            Err(error) => {
                let counter = match error {
                    FrameError::NotIpv4 { .. } | FrameError::NotUdp { .. } => {
                        &mut counts.other_protocols
                    }
                    FrameError::Fragment { .. } => &mut counts.fragments,
                    FrameError::CutShort { .. } => &mut counts.cut_short,
                    FrameError::Checksum { .. } => &mut counts.bad_checksums,
                    FrameError::Length { .. } | FrameError::Version { .. } => &mut counts.malformed,
                };
                return (counter, None);
            }
        };
        if !self
            .filter
            .is_none_or(|filter| passes(filter, datagram.destination))
        {
            return (&mut counts.filtered, None);
        }
        if datagram.payload.len() > room {
            return (&mut counts.too_large, None);
        }
        let known = self
            .lines
            .iter()
            .position(|line| *line == datagram.destination);
        let line = known.unwrap_or_else(|| self.lines.len().min(MAX_LINES - 1));
        if known.is_none() && self.lines.len() < MAX_LINES {
            self.lines.push(datagram.destination);
        }
        (&mut counts.delivered, Some((datagram.payload, line as u8)))
    }
}

fn passes(filter: SocketAddrV4, destination: SocketAddrV4) -> bool {
    (filter.ip().is_unspecified() || filter.ip() == destination.ip())
        && (filter.port() == 0 || filter.port() == destination.port())
}
