//! What a sender counts.

use super::rerequest_server::ServerCounts;

/// What a sender has done so far. Lines are A and B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderCounts {
    /// Packets of messages made, each once however many lines there are.
    pub packets: u64,
    /// Messages in them.
    pub messages: u64,
    /// Bytes of them, headers included.
    pub bytes: u64,
    /// Packets of messages sent on each line.
    pub sent: [u64; 2],
    /// Packets of messages lost on purpose on each line.
    pub lost: [u64; 2],
    /// Heartbeats, each once however many lines there are.
    pub heartbeats: u64,
    /// End-of-session packets, each once however many lines there are.
    pub ends: u64,
    /// Sum over the packets of how late their first message left, in nanoseconds; 0 at
    /// [`Speed::Max`](super::Speed::Max), which has no schedule.
    pub late_total_ns: u64,
    /// Half of the first messages left at most so late, in nanoseconds, to 3 % above.
    pub late_p50_ns: u64,
    /// 99 % of the first messages left at most so late, in nanoseconds, to 3 % above.
    pub late_p99_ns: u64,
    /// The latest that a first message left, in nanoseconds.
    pub late_max_ns: u64,
    /// System calls that sent packets of any kind, on both lines.
    pub send_calls: u64,
    /// The re-request server.
    pub server: ServerCounts,
}
