//! What a store remembers, and the records of a journal that say it.

use super::journal::Journal;
use crate::publish::fix::Version;

/// The two sequence numbers of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// MsgSeqNum that the counterparty's next message must carry.
    pub expected: u64,
    /// MsgSeqNum of the next message to it.
    pub next: u64,
    /// When the scheduled period opened that they belong to, in nanoseconds since 1970-01-01 UTC; 0
    /// without a schedule.
    pub opened_ns: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            expected: 1,
            next: 1,
            opened_ns: 0,
        }
    }
}

/// What names a session: version, our CompID and theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The version, of which BeginString is part of the name.
    pub version: Version,
    /// Our CompID.
    pub sender: Box<[u8]>,
    /// Theirs.
    pub target: Box<[u8]>,
}

/// A message that can be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::publish::fix) struct Kept {
    pub(in crate::publish::fix) sequence: u64,
    /// SendingTime, in nanoseconds since 1970-01-01 UTC.
    pub(in crate::publish::fix) sent_ns: u64,
    pub(in crate::publish::fix) msg_type: Box<[u8]>,
    pub(in crate::publish::fix) body: Box<[u8]>,
}

/// One record. Places number the sessions of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A session got its place.
    Session { place: u32, key: Key },
    /// How far it has come; its `next` has never been sent, nor any number beyond.
    Numbers { place: u32, numbers: Numbers },
    /// Its numbers start again.
    Reset { place: u32 },
    /// A message was sent.
    Message { place: u32, message: Kept },
    /// The session has lost its place; its numbers no longer count.
    Forget { place: u32 },
}

impl Record {
    pub(super) fn append_to(&self, journal: &mut Journal) {
        match self {
            Record::Session { place, key } => journal.append(&[
                &[1],
                &place.to_le_bytes(),
                &[key.version as u8, key.sender.len() as u8],
                &key.sender,
                &key.target,
            ]),
            Record::Numbers { place, numbers } => journal.append(&[
                &[2],
                &place.to_le_bytes(),
                &numbers.expected.to_le_bytes(),
                &numbers.next.to_le_bytes(),
                &numbers.opened_ns.to_le_bytes(),
            ]),
            Record::Reset { place } => journal.append(&[&[3], &place.to_le_bytes()]),
            Record::Message { place, message } => journal.append(&[
                &[4],
                &place.to_le_bytes(),
                &message.sequence.to_le_bytes(),
                &message.sent_ns.to_le_bytes(),
                &[message.msg_type.len() as u8],
                &message.msg_type,
                &message.body,
            ]),
            Record::Forget { place } => journal.append(&[&[5], &place.to_le_bytes()]),
        }
    }

    /// The record that `payload` says; `None` if it says none.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (&kind, mut rest) = payload.split_first()?;
        let place = u32::from_le_bytes(take(&mut rest)?);
        match kind {
            1 => {
                let [version, length] = take(&mut rest)?;
                let (sender, target) = rest.split_at_checked(usize::from(length))?;
                let version = Version::ALL.get(usize::from(version)).copied()?;
                let (sender, target) = (sender.into(), target.into());
                let key = Key {
                    version,
                    sender,
                    target,
                };
                Some(Record::Session { place, key })
            }
            2 => {
                let numbers = Numbers {
                    expected: u64::from_le_bytes(take(&mut rest)?),
                    next: u64::from_le_bytes(take(&mut rest)?),
                    opened_ns: u64::from_le_bytes(take(&mut rest)?),
                };
                Some(Record::Numbers { place, numbers })
            }
            3 => Some(Record::Reset { place }),
            4 => {
                let sequence = u64::from_le_bytes(take(&mut rest)?);
                let sent_ns = u64::from_le_bytes(take(&mut rest)?);
                let [length] = take(&mut rest)?;
                let (msg_type, body) = rest.split_at_checked(usize::from(length))?;
                let message = Kept {
                    sequence,
                    sent_ns,
                    msg_type: msg_type.into(),
                    body: body.into(),
                };
                Some(Record::Message { place, message })
            }
            5 => Some(Record::Forget { place }),
            _ => None,
        }
    }
}

/// The first bytes of `rest`, which goes on behind them.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*first)
}
