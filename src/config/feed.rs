//! Where packets come from, as the file says it.

use serde::Deserialize;

use crate::feed::{FixFeedOptions, ImpairOptions, MAX_SOCKETS, UdpOptions};
use crate::session::{RETRANSMISSION, SequencerOptions};

/// Most lines: one socket more is the re-requester's.
const MAX_LINES: usize = MAX_SOCKETS - 1;

/// Most packet buffers; of the largest size they take 16 GiB.
const MAX_BUFFERS: usize = 1 << 18;

/// Where packets come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedConfig {
    /// One socket each.
    pub lines: Vec<UdpOptions>,
    /// Packet buffers. Holding packets back takes buffers, so there must be more than
    /// `session.hold_packets`.
    pub buffers: usize,
    /// Bytes in a packet buffer; larger datagrams are dropped and counted.
    pub buffer_bytes: usize,
    /// An acceptor of FIX to subscribe to, instead of the lines.
    pub fix: Option<FixFeedOptions>,
    /// Faults to inject into the lines, for tests of the service itself.
    pub impair: Option<ImpairOptions>,
}

impl Default for FeedConfig {
    fn default() -> Self {
        let line = |line: u8| UdpOptions {
            line,
            ..UdpOptions::new(std::net::SocketAddrV4::new(
                [239, 192, 0, line + 1].into(),
                5000,
            ))
        };
        Self {
            lines: vec![line(0), line(1)],
            buffers: 16_384,
            buffer_bytes: 2_048,
            fix: None,
            impair: None,
        }
    }
}

impl FeedConfig {
    /// What no single key shows.
    pub(super) fn check(&self, session: &SequencerOptions) -> Result<(), String> {
        match (&self.fix, &self.impair) {
            (Some(_), Some(_)) => {
                return Err("feed.impair: lines can be impaired, feed.fix cannot".to_owned());
            }
            (Some(fix), None) => fix.validate()?,
            (None, _) if self.lines.is_empty() => {
                return Err("feed.lines: a service needs at least one line, or feed.fix".to_owned());
            }
            (None, Some(faults)) => faults.check().map_err(|error| format!("feed.{error}"))?,
            (None, None) => {}
        }
        if self.lines.len() > MAX_LINES {
            return Err(format!("feed.lines: there may be {MAX_LINES} at most"));
        }
        if self.lines.iter().any(|line| line.line == RETRANSMISSION) {
            return Err(format!(
                "feed.lines: line = {RETRANSMISSION} stands for what is sent again; choose a lower number"
            ));
        }
        if self.buffers <= session.hold_packets {
            return Err(format!(
                "feed.buffers = {} must exceed session.hold_packets = {}",
                self.buffers, session.hold_packets
            ));
        }
        if self.buffers > MAX_BUFFERS {
            return Err(format!("feed.buffers must be at most {MAX_BUFFERS}"));
        }
        if !(64..=65_536).contains(&self.buffer_bytes) {
            return Err("feed.buffer_bytes must be from 64 to 65536".to_owned());
        }
        Ok(())
    }
}
