//! What can be chosen about sequencing and re-requests.

use serde::de::{Deserialize, Deserializer, Error};

use crate::market::NANOS_PER_MILLI;
use crate::wire::moldudp64::{self, SessionId};

/// How a [`Sequencer`](super::Sequencer) treats loss and sessions.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequencerOptions {
    /// The most packets held while an earlier one is missing; when it is reached, the oldest hole is
    /// given up. Each held packet of a live feed keeps one buffer of its pool, so the pool must be larger.
    /// 4096 unless said; 0 holds nothing.
    pub hold_packets: usize,
    /// Age in nanoseconds at which a hole is declared lost. 500 ms unless said: long enough for a re-request
    /// server to answer on a busy machine.
    pub gap_timeout_ns: u64,
    /// Silence of a session, in nanoseconds, after which another one may take its place although
    /// its end was never heard. 15 s unless said. An engine ends there, unless the first brought no message.
    pub session_timeout_ns: u64,
    /// The only session to follow, written as text of up to 10 characters; unless said, the first
    /// one heard.
    #[serde(deserialize_with = "session")]
    pub session: Option<SessionId>,
    /// What to do about messages from before the first packet heard. `from_start` unless said.
    pub join: Join,
}

/// How the first session is joined. Every later session is followed from its first message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Messages from number 1 on are expected: what is missing is a hole like any other, that may
    /// be filled until it is too old.
    #[default]
    FromStart,
    /// The first packet says where the stream begins: what came before is declared lost at once.
    FirstSeen,
}

impl Default for SequencerOptions {
    fn default() -> Self {
        Self {
            hold_packets: 4096,
            gap_timeout_ns: 500 * NANOS_PER_MILLI,
            session_timeout_ns: 15_000 * NANOS_PER_MILLI,
            session: None,
            join: Join::FromStart,
        }
    }
}

/// When and how often a [`Rerequester`](super::Rerequester) asks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RerequestOptions {
    /// Age in nanoseconds at which a hole is asked for, so that the other line can fill it first.
    /// 5 ms unless said.
    pub first_delay_ns: u64,
    /// Nanoseconds without progress after which the same hole is asked for again. 25 ms unless said.
    pub retry_interval_ns: u64,
    /// How often a hole is asked for without progress. 3 unless said.
    pub max_tries: u32,
    /// The most messages in one request. 1,000 unless said; at most 65,534.
    pub max_messages: u16,
    /// How many holes, the oldest first, are asked for at a time. 16 unless said.
    pub max_holes: usize,
}

impl Default for RerequestOptions {
    fn default() -> Self {
        Self {
            first_delay_ns: 5 * NANOS_PER_MILLI,
            retry_interval_ns: 25 * NANOS_PER_MILLI,
            max_tries: 3,
            max_messages: 1_000,
            max_holes: 16,
        }
    }
}

fn session<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SessionId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    moldudp64::session_id(&text)
        .map(Some)
        .map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_names_and_refusals() {
        let read = |text| toml::from_str::<SequencerOptions>(text);
        assert_eq!(read("").unwrap(), SequencerOptions::default());
        let options = read(
            "hold_packets = 0\ngap_timeout_ns = 7\nsession_timeout_ns = 8\nsession = \"1A\"\njoin = \"first_seen\"",
        );
        assert_eq!(
            options.unwrap(),
            SequencerOptions {
                hold_packets: 0,
                gap_timeout_ns: 7,
                session_timeout_ns: 8,
                session: Some(*b"1A        "),
                join: Join::FirstSeen,
            }
        );
        for wrong in ["hold = 1", "session = \"12345678901\"", "join = \"late\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let asked: RerequestOptions = toml::from_str("max_tries = 1").unwrap();
        assert_eq!(asked.max_tries, 1);
        assert!(toml::from_str::<RerequestOptions>("tries = 1").is_err());
    }
}
