//! What can be chosen about sending.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

use crate::feed::udp::Transmit;
use crate::market::{NANOS_PER_MILLI, NANOS_PER_SECOND};
use crate::memory::Memory;
use crate::wire::moldudp64::{DEFAULT_PAYLOAD_LIMIT, SessionId};

/// How and where a [`Sender`](super::Sender) sends.
#[derive(Clone, Debug, PartialEq)]
pub struct SenderOptions {
    /// Name of the session.
    pub session: SessionId,
    /// Where line A goes: a multicast group or one receiver, with its port.
    pub group_a: SocketAddrV4,
    /// Where line B goes; without it there is only line A.
    pub group_b: Option<SocketAddrV4>,
    /// Address of the interface that multicast leaves by; 127.0.0.1 for loopback.
    pub interface: Ipv4Addr,
    /// Hops that multicast may take; 0 keeps it on this machine, 1 on this network.
    pub ttl: u32,
    /// Pace.
    pub speed: Speed,
    /// The most packets of messages per second and line, whatever the pace; a receiver that is slower
    /// than [`Speed::Max`] loses what its socket cannot hold. `None` is no limit.
    pub packets_per_second: Option<u32>,
    /// The most bytes of a packet, its header included.
    pub payload_limit: usize,
    /// Time before the first message, for receivers to join, in nanoseconds; heartbeats are sent.
    pub start_delay_ns: u64,
    /// Silence after which a heartbeat is sent, in nanoseconds.
    pub heartbeat_ns: u64,
    /// End-of-session packets, at least 1, evenly spaced over `linger_ns`.
    pub end_packets: u32,
    /// How long re-requests are still answered after the first end-of-session packet, in nanoseconds.
    pub linger_ns: u64,
    /// Where re-requests are answered (port 0: any free one); `None` is nowhere.
    pub rerequest: Option<SocketAddrV4>,
    /// The most re-requests answered in a second.
    pub answers_per_second: u32,
    /// Packets to lose on purpose.
    pub loss: Loss,
    /// How packets are handed to the system.
    pub transmit: Transmit,
}

impl SenderOptions {
    /// Line A alone to `group`, at full speed over loopback, nothing lost, no re-request server.
    #[must_use]
    pub fn to(group: SocketAddrV4) -> Self {
        Self {
            session: *b"WIDETAPE  ",
            group_a: group,
            group_b: None,
            interface: Ipv4Addr::LOCALHOST,
            ttl: 1,
            speed: Speed::Max,
            packets_per_second: None,
            payload_limit: DEFAULT_PAYLOAD_LIMIT,
            start_delay_ns: 0,
            heartbeat_ns: NANOS_PER_SECOND,
            end_packets: 5,
            linger_ns: 500 * NANOS_PER_MILLI,
            rerequest: None,
            answers_per_second: 10_000,
            loss: Loss::default(),
            transmit: match Memory::asked() {
                Memory::Fast => Transmit::default(),
                Memory::Plain => Transmit::Single,
            },
        }
    }
}

/// Packets of messages that are made but not sent. Heartbeats and ends are never lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loss {
    /// Probability that a packet is lost on line A, from 0 to 1.
    pub line_a: f64,
    /// Probability that a packet is lost on line B, from 0 to 1.
    pub line_b: f64,
    /// Seed of the two lines' independent choices.
    pub seed: u64,
    /// Packets lost on both lines, counted from 1.
    pub both_lines: Vec<u64>,
}

/// The pace of sending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as the socket takes it.
    Max,
    /// So many times as fast as the timestamps of the messages say; above 0.
    Multiple(f64),
    /// So many messages a second, evenly, whatever their timestamps: message `i`, counted from 0,
    /// leaves `i` / rate seconds after the start. 0 is taken as 1.
    Rate(u64),
}

/// Why a text is no [`Speed`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a speed: write max, or a multiple above 0 such as 1x or 50x")]
pub struct SpeedError(String);

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        if text == "max" {
            return Ok(Self::Max);
        }
        text.strip_suffix('x')
            .filter(|number| number.starts_with(|first: char| first.is_ascii_digit()))
            .and_then(|number| number.parse::<f64>().ok())
            .filter(|multiple| multiple.is_finite() && *multiple > 0.0)
            .map(Self::Multiple)
            .ok_or_else(|| SpeedError(text.to_owned()))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Multiple(multiple) => write!(f, "{multiple}x"),
            Self::Rate(rate) => write!(f, "{rate} messages a second"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_as_people_type_them() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("50x".parse(), Ok(Speed::Multiple(50.0)));
        assert_eq!("0.5x".parse(), Ok(Speed::Multiple(0.5)));
        assert_eq!(Speed::Multiple(50.0).to_string(), "50x");
        assert_eq!(Speed::Rate(7).to_string(), "7 messages a second");
        for text in [
            "", "x", "50", "0x", "-1x", "infx", "nanx", "+1x", "1e999x", "MAX",
        ] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}
