//! The contract of all sources.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::buffer::Packet;

/// What a poll brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Packets were appended.
    Ready,
    /// Nothing now; more may come.
    Idle,
    /// Nothing will ever come again.
    End,
}

/// Where packets come from.
pub trait Source: Send {
    /// Appends what is there (at most a batch) to `packets`. `now_ns` is the caller's clock.
    ///
    /// # Errors
    /// See [`FeedError`]. Packets appended before the error count.
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError>;

    /// Nobody polls any more: appends what has been taken and not handed on, all of it.
    fn finish(&mut self, now_ns: u64, packets: &mut Vec<Packet>) {
        let _ = (now_ns, packets);
    }

    /// Whether packets come as they are made, on the caller's clock (sockets), or were kept (files).
    fn is_live(&self) -> bool;

    /// Whether nothing is lost when nobody polls.
    fn waits(&self) -> bool {
        !self.is_live()
    }

    /// Waits until a poll may bring something, at most so long. Sources that never idle return at
    /// once.
    fn wait(&mut self, timeout: Duration) {
        let _ = timeout;
    }

    /// What was lost on the way in, and what sockets took.
    fn counts(&self) -> FeedCounts {
        FeedCounts::default()
    }
}

/// What was lost on the way in, and what sockets took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedCounts {
    /// Datagrams that the system dropped because a socket's buffer was full.
    pub kernel_drops: u64,
    /// Datagrams dropped because the pool had no buffer.
    pub pool_exhausted: u64,
    /// Datagrams dropped because they were larger than a buffer.
    pub oversized: u64,
    /// Packets lost on purpose.
    pub impaired: u64,
    /// Frames of a capture that hold no UDP datagram of the feed.
    pub undecodable: u64,
    /// Bytes of FIX that are in no message.
    pub garbled_bytes: u64,
    /// Logons that an acceptor of FIX answered.
    pub fix_logons: u64,
    /// Connections to it that ended.
    pub fix_disconnects: u64,
    /// Requests that it refused.
    pub fix_refusals: u64,
    /// Gaps that it was asked to fill.
    pub fix_resends: u64,
    /// Messages of it that were not used: of other types, repeated, or too many behind a gap.
    pub fix_unused: u64,
    /// Datagrams taken from sockets, dropped ones included.
    pub datagrams: u64,
    /// System calls that took them.
    pub receive_calls: u64,
}

impl FeedCounts {
    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &FeedCounts) -> FeedCounts {
        FeedCounts {
            kernel_drops: self.kernel_drops + other.kernel_drops,
            pool_exhausted: self.pool_exhausted + other.pool_exhausted,
            oversized: self.oversized + other.oversized,
            impaired: self.impaired + other.impaired,
            undecodable: self.undecodable + other.undecodable,
            garbled_bytes: self.garbled_bytes + other.garbled_bytes,
            fix_logons: self.fix_logons + other.fix_logons,
            fix_disconnects: self.fix_disconnects + other.fix_disconnects,
            fix_refusals: self.fix_refusals + other.fix_refusals,
            fix_resends: self.fix_resends + other.fix_resends,
            fix_unused: self.fix_unused + other.fix_unused,
            datagrams: self.datagrams + other.datagrams,
            receive_calls: self.receive_calls + other.receive_calls,
        }
    }
}

/// What can go wrong with a source.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file or socket could not be opened or read.
    #[error("{path}: {error}")]
    Io {
        /// File, or the address of the socket.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The input ends inside a message; everything before it has been handed on.
    #[error(
        "{path}: the message at byte {offset} is cut short: {needed} bytes needed, {found} there"
    )]
    Truncated {
        /// File.
        path: PathBuf,
        /// Offset of the length prefix of the message, in the uncompressed file.
        offset: u64,
        /// Bytes that the message needs, its length prefix included.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The input is not what its name or first bytes promise.
    #[error("{path}: {reason}")]
    Format {
        /// File.
        path: PathBuf,
        /// What is wrong, where, and what to do.
        reason: String,
    },
}
