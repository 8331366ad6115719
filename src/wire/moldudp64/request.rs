//! What a receiver asks a re-request server.

use super::header::{HEADER_LENGTH, Header, SessionId};

/// The most messages that one request asks for: one more would make its bytes those of an end of
/// session, should they be echoed to a receiver.
pub const MAX_REQUEST_COUNT: u16 = 0xFFFE;

/// A request for the messages `first .. first + count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Session.
    pub session: SessionId,
    /// First message wanted, at least 1.
    pub first: u64,
    /// How many, at least 1.
    pub count: u16,
}

/// Why bytes are no [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A request is exactly a header.
    #[error("a request has 20 bytes, not {length}")]
    Length {
        /// Bytes there.
        length: usize,
    },
    /// The first message wanted is 0.
    #[error("the first message wanted, at byte 10, is 0; numbers start at 1")]
    SequenceZero,
    /// No message is wanted.
    #[error("the number of messages wanted, at byte 18, is 0")]
    Nothing,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let header = Header::read(bytes)
            .filter(|_| bytes.len() == HEADER_LENGTH)
            .ok_or(RequestError::Length {
                length: bytes.len(),
            })?;
        if header.sequence == 0 {
            return Err(RequestError::SequenceZero);
        }
        if header.count == 0 {
            return Err(RequestError::Nothing);
        }
        Ok(Self {
            session: header.session,
            first: header.sequence,
            count: header.count,
        })
    }

    /// The request as it travels.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LENGTH] {
        Header {
            session: self.session,
            sequence: self.first,
            count: self.count,
        }
        .to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let request = Request {
            session: *b"S         ",
            first: 7,
            count: 65_535,
        };
        assert_eq!(Request::parse(&request.to_bytes()), Ok(request));
    }

    #[test]
    fn what_is_no_request() {
        let bytes = Request {
            session: [b'S'; 10],
            first: 1,
            count: 1,
        }
        .to_bytes();
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(
            Request::parse(&longer),
            Err(RequestError::Length { length: 21 })
        );
        assert_eq!(
            Request::parse(&bytes[..19]),
            Err(RequestError::Length { length: 19 })
        );
        let mut zero = bytes;
        zero[17] = 0;
        assert_eq!(Request::parse(&zero), Err(RequestError::SequenceZero));
        let mut nothing = bytes;
        nothing[19] = 0;
        assert_eq!(Request::parse(&nothing), Err(RequestError::Nothing));
    }
}
