//! Finding whole messages in a byte stream.
//!
//! A message is `8=..|9=..|35=..` up to `10=nnn|`, where 9 counts the bytes from `35=` to the
//! separator before `10=` and 10 is the sum of all bytes before it, modulo 256. Anything else is
//! garbled and skipped up to the next `8=` that no digit precedes. Where BodyLength does not lead to a
//! CheckSum, the message ends with the first CheckSum behind where it leads, but no later than with
//! the second one: a length that is too long takes the next message with it, as counterparties expect,
//! and no more. A CheckSum that is not three digits ends its message all the same, and so does the end of
//! a line before where BodyLength leads: the writer of a log was interrupted.

use super::message::SOH;
use super::{Message, byte_sum, parse_uint};

/// Largest BodyLength that is accepted unless a caller sets another limit.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Longest BeginString value.
const MAX_BEGIN_STRING: usize = 16;
/// Most digits of a BodyLength, leading zeros included.
const MAX_LENGTH_DIGITS: usize = 18;
/// `10=nnn` and its separator.
const TRAILER: usize = 7;

/// What stands at the start of a stream.
#[derive(Debug)]
pub enum Frame<'a> {
    /// A whole message.
    Message {
        /// The message.
        message: Message<'a>,
        /// How many bytes it takes.
        length: usize,
    },
    /// Bytes that are no message.
    Garbled {
        /// How many bytes to drop, at least 1.
        skip: usize,
        /// What is wrong with them.
        fault: Garbled,
    },
    /// The start of a message; more bytes are needed.
    Incomplete,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// They do not start with `8=` and a short value.
    #[error("no BeginString at the start")]
    BeginString,
    /// The second field is not `9=` and a whole number.
    #[error("no BodyLength at byte {offset}")]
    BodyLength {
        /// Where it should be.
        offset: usize,
    },
    /// BodyLength is beyond the limit.
    #[error("BodyLength {declared} exceeds the limit of {limit}")]
    TooLong {
        /// What the message says.
        declared: u64,
        /// The limit.
        limit: usize,
    },
    /// The third field is not MsgType.
    #[error("no MsgType at byte {offset}")]
    MsgType {
        /// Where it should be.
        offset: usize,
    },
    /// BodyLength does not lead to a CheckSum of three digits.
    #[error("no CheckSum at byte {offset}, where BodyLength leads")]
    Trailer {
        /// Where it should be.
        offset: usize,
    },
    /// The sum is wrong.
    #[error("CheckSum is {stated:03}, the bytes sum up to {computed:03}")]
    CheckSum {
        /// What the message says.
        stated: u16,
        /// What its bytes give.
        computed: u8,
    },
}

/// Looks at the start of `bytes`, which must not be empty of what an earlier call left incomplete.
/// Messages with a BodyLength above `limit` are garbled, so that at most `limit` bytes and a header
/// ever wait for their rest.
#[must_use]
pub fn next_frame(bytes: &[u8], limit: usize) -> Frame<'_> {
    match check(bytes, limit) {
        Ok(frame) => frame,
        Err(Stop::Incomplete) => Frame::Incomplete,
        Err(Stop::Garbled { fault, skip }) => Frame::Garbled {
            skip: skip.unwrap_or_else(|| next_start(bytes, b"8=").unwrap_or(bytes.len())),
            fault,
        },
    }
}

enum Stop {
    Incomplete,
    Garbled {
        fault: Garbled,
        /// Where to go on, where the message's own length is trusted.
        skip: Option<usize>,
    },
}

impl From<Garbled> for Stop {
    fn from(fault: Garbled) -> Self {
        Stop::Garbled { fault, skip: None }
    }
}

fn check(bytes: &[u8], limit: usize) -> Result<Frame<'_>, Stop> {
    let begin_string = value_after(bytes, 0, b"8=", MAX_BEGIN_STRING, Garbled::BeginString)?;
    let offset = 2 + begin_string.len() + 1;
    let fault = Garbled::BodyLength { offset };
    let digits = value_after(bytes, offset, b"9=", MAX_LENGTH_DIGITS, fault)?;
    let declared = parse_uint(digits).ok_or(fault)?;
    let body_at = offset + 2 + digits.len() + 1;
    let too_long = Garbled::TooLong { declared, limit };
    let body_length = usize::try_from(declared)
        .ok()
        .filter(|&length| length <= limit)
        .ok_or(too_long)?;
    expect(bytes, body_at, b"35=", Garbled::MsgType { offset: body_at })?;

    let sum_at = body_at + body_length;
    let fault = Garbled::Trailer { offset: sum_at };
    let Some(stated) = trailer(bytes, sum_at) else {
        return Err(mislead(bytes, body_at, sum_at, limit));
    };
    let message = Message::new(begin_string, &bytes[body_at..sum_at]).ok_or(fault)?;
    let length = sum_at + TRAILER;
    let computed = byte_sum(&bytes[..sum_at]);
    if stated != u16::from(computed) {
        let fault = Garbled::CheckSum { stated, computed };
        return Err(Stop::Garbled {
            fault,
            skip: Some(length),
        });
    }
    Ok(Frame::Message { message, length })
}

/// The value of CheckSum, if one stands at `at`.
fn trailer(bytes: &[u8], at: usize) -> Option<u16> {
    let trailer = bytes.get(at..at + TRAILER)?;
    let well_formed = trailer.starts_with(b"10=") && trailer[6] == SOH;
    let stated = parse_uint(&trailer[3..6]).filter(|_| well_formed)?;
    u16::try_from(stated).ok()
}

/// Where a message ends whose BodyLength leads to `sum_at`, where no CheckSum is.
fn mislead(bytes: &[u8], body_at: usize, sum_at: usize, limit: usize) -> Stop {
    let fault = Garbled::Trailer { offset: sum_at };
    if let Some(skip) = ended(bytes, body_at, sum_at) {
        let skip = Some(skip);
        return Stop::Garbled { fault, skip };
    }
    let mut before = 0;
    for at in body_at..bytes.len().saturating_sub(TRAILER - 1) {
        if bytes[at - 1] == SOH && trailer(bytes, at).is_some() {
            before += 1;
            if at >= sum_at || before == 2 {
                let skip = Some(at + TRAILER);
                return Stop::Garbled { fault, skip };
            }
        }
    }
    match bytes.len() > body_at + limit + TRAILER {
        true => fault.into(),
        false => Stop::Incomplete,
    }
}

/// The end of a message that has one, although no CheckSum of three digits is where its BodyLength leads.
fn ended(bytes: &[u8], body_at: usize, sum_at: usize) -> Option<usize> {
    let rest = bytes.get(sum_at..)?;
    let window = &rest[..rest.len().min(TRAILER)];
    if window.starts_with(b"10=") && bytes[sum_at - 1] == SOH {
        let end = window.iter().position(|&byte| byte == SOH);
        // Where none is near, what follows may be the next message.
        let tag = (window.len() == TRAILER).then_some(b"10=".len());
        return end.map(|end| end + 1).or(tag).map(|end| sum_at + end);
    }
    let line = bytes[body_at..sum_at]
        .iter()
        .position(|&byte| byte == b'\n')?;
    (window.len() == TRAILER).then_some(body_at + line + 1)
}

/// The value of the field at `offset`, which must start with `prefix` and end within `longest` bytes.
fn value_after<'a>(
    bytes: &'a [u8],
    offset: usize,
    prefix: &[u8],
    longest: usize,
    fault: Garbled,
) -> Result<&'a [u8], Stop> {
    expect(bytes, offset, prefix, fault)?;
    let rest = &bytes[offset + prefix.len()..];
    let window = &rest[..rest.len().min(longest + 1)];
    match window.iter().position(|&byte| byte == SOH) {
        Some(0) => Err(fault.into()),
        Some(end) => Ok(&rest[..end]),
        None if window.len() <= longest => Err(Stop::Incomplete),
        None => Err(fault.into()),
    }
}

fn expect(bytes: &[u8], offset: usize, prefix: &[u8], fault: Garbled) -> Result<(), Stop> {
    let found = &bytes[offset.min(bytes.len())..];
    let known = found.len().min(prefix.len());
    if found[..known] != prefix[..known] {
        return Err(fault.into());
    }
    if known < prefix.len() {
        return Err(Stop::Incomplete);
    }
    Ok(())
}

/// Where, after the first byte, a message may start: at `mark` (or its beginning, at the very end
/// of the bytes) that no digit precedes.
fn next_start(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    (1..bytes.len()).find(|&at| {
        let known = (bytes.len() - at).min(mark.len());
        bytes[at..at + known] == mark[..known] && !bytes[at - 1].is_ascii_digit()
    })
}

#[cfg(test)]
mod tests;
