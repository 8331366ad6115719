//! The 20 bytes that downstream packets and requests share.

use std::fmt;

/// Bytes of the header.
pub const HEADER_LENGTH: usize = 20;
/// The Count that says that the session is over.
pub const END_OF_SESSION: u16 = 0xFFFF;

/// The name of a session: ASCII, padded with spaces on the right.
pub type SessionId = [u8; 10];

/// Session, number and count; what the last two mean depends on the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Session.
    pub session: SessionId,
    /// Number of the first message in the packet, of the next message (heartbeat, end of session),
    /// or of the first message wanted (request).
    pub sequence: u64,
    /// Messages in the packet or wanted; 0 in a heartbeat, [`END_OF_SESSION`] at the end.
    pub count: u16,
}

impl Header {
    /// The header at the start of `bytes`; `None` when there are fewer than 20.
    #[must_use]
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (session, rest) = bytes.split_first_chunk::<10>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let count = rest.first_chunk::<2>()?;
        Some(Self {
            session: *session,
            sequence: u64::from_be_bytes(*sequence),
            count: u16::from_be_bytes(*count),
        })
    }

    /// The header as it travels.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..10].copy_from_slice(&self.session);
        bytes[10..18].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[18..].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    /// A heartbeat: `next` is the number that the next message will have.
    #[must_use]
    pub fn heartbeat(session: SessionId, next: u64) -> Self {
        Self {
            session,
            sequence: next,
            count: 0,
        }
    }

    /// The end of a session whose last message was `next - 1`.
    #[must_use]
    pub fn end_of_session(session: SessionId, next: u64) -> Self {
        Self {
            session,
            sequence: next,
            count: END_OF_SESSION,
        }
    }
}

/// Why a text names no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a session name: 1 to 10 printable ASCII characters")]
pub struct SessionIdError(String);

/// The session that people write as `text`: padded with spaces to 10 bytes.
///
/// # Errors
/// When the text is empty, longer than 10 bytes, or not printable ASCII.
pub fn session_id(text: &str) -> Result<SessionId, SessionIdError> {
    let fits = !text.is_empty() && text.len() <= 10;
    if !fits || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(SessionIdError(text.to_owned()));
    }
    let mut session = [b' '; 10];
    session[..text.len()].copy_from_slice(text.as_bytes());
    Ok(session)
}

/// The session as people write it: without its padding, other bytes than printable ASCII escaped.
pub fn session_text(session: &SessionId) -> impl fmt::Display + '_ {
    session.trim_ascii_end().escape_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_where_the_specification_puts_them() {
        let header = Header {
            session: *b"000000001A",
            sequence: 0x0102_0304_0506_0708,
            count: 0x090A,
        };
        let mut bytes = b"000000001A".to_vec();
        bytes.extend(1..=10);
        assert_eq!(header.to_bytes().as_slice(), bytes);
        assert_eq!(Header::read(&bytes), Some(header));
        assert_eq!(Header::read(&bytes[..19]), None);
    }

    #[test]
    fn session_names_are_padded_and_checked() {
        assert_eq!(session_id("A1").unwrap(), *b"A1        ");
        assert_eq!(session_id("0123456789").unwrap(), *b"0123456789");
        assert!(session_id("01234567890").is_err());
        assert!(session_id("").is_err());
        assert!(session_id("a\n").is_err());
        assert_eq!(session_text(b" A1       ").to_string(), " A1");
        assert_eq!(session_text(b"\xff\0        ").to_string(), "\\xff\\x00");
    }
}
