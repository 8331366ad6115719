//! What a feed sends: checked once, then walked without a way to fail.

use super::header::{END_OF_SESSION, HEADER_LENGTH, Header, SessionId};

/// A downstream packet that has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downstream<'a> {
    header: Header,
    bytes: &'a [u8],
}

/// What a downstream packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At least one message.
    Messages,
    /// Nothing to say, but the next number is known.
    Heartbeat,
    /// No message will follow in this session.
    EndOfSession,
}

/// One message in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Where the block's length prefix starts, counted from the start of the packet.
    pub offset: usize,
    /// The message, possibly without bytes.
    pub data: &'a [u8],
}

/// The blocks from an offset on.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    bytes: &'a [u8],
    offset: usize,
    left: u16,
}

/// Why bytes are no downstream packet. Offsets count from the start of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoldError {
    /// Not even a header.
    #[error("{length} bytes are too short for the 20 bytes of a header")]
    TooShort {
        /// Bytes there.
        length: usize,
    },
    /// Numbers start at 1.
    #[error("the sequence number, at byte 10, is 0")]
    SequenceZero,
    /// A header that promises messages, and nothing else: a request that was echoed.
    #[error("a header alone with a count of {count} at byte 18: an echoed request")]
    EchoedRequest {
        /// Messages promised.
        count: u16,
    },
    /// An end of session has no blocks.
    #[error("an end of session with {bytes} bytes behind its header")]
    EndWithPayload {
        /// Bytes behind the header.
        bytes: usize,
    },
    /// The packet ends, between two blocks, before Count is reached.
    #[error("{count} blocks promised at byte 18, {present} there")]
    TooFewBlocks {
        /// Blocks promised.
        count: u16,
        /// Blocks there.
        present: u16,
    },
    /// The packet ends inside a block.
    #[error("the block at byte {offset} needs {needed} bytes, {found} are there")]
    BlockCut {
        /// Where the block's length prefix starts.
        offset: usize,
        /// Bytes that the block needs, its length prefix included.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// Bytes behind the last block, or behind a heartbeat.
    #[error("{bytes} bytes behind the last block, from byte {offset}")]
    TrailingBytes {
        /// Where they start.
        offset: usize,
        /// How many.
        bytes: usize,
    },
    /// The number after the last message does not fit its 64 bits.
    #[error("{count} messages from number {sequence} on leave no next number")]
    SequenceOverflow {
        /// Number of the first message.
        sequence: u64,
        /// Messages.
        count: u16,
    },
}

/// Checks a downstream packet, every block of it.
///
/// # Errors
/// See [`MoldError`]; the module's text says what is refused and why.
#[inline]
pub fn parse(bytes: &[u8]) -> Result<Downstream<'_>, MoldError> {
    let header = Header::read(bytes).ok_or(MoldError::TooShort {
        length: bytes.len(),
    })?;
    let payload = bytes.len() - HEADER_LENGTH;
    if header.sequence == 0 {
        return Err(MoldError::SequenceZero);
    }
    match header.count {
        END_OF_SESSION if payload > 0 => {
            return Err(MoldError::EndWithPayload { bytes: payload });
        }
        END_OF_SESSION => {}
        count if count > 0 && payload == 0 => return Err(MoldError::EchoedRequest { count }),
        count => check_blocks(bytes, header.sequence, count)?,
    }
    Ok(Downstream { header, bytes })
}

fn check_blocks(bytes: &[u8], sequence: u64, count: u16) -> Result<(), MoldError> {
    let mut offset = HEADER_LENGTH;
    for present in 0..count {
        let rest = &bytes[offset..];
        if rest.is_empty() {
            return Err(MoldError::TooFewBlocks { count, present });
        }
        let needed = rest
            .first_chunk::<2>()
            .map_or(2, |length| 2 + usize::from(u16::from_be_bytes(*length)));
        if rest.len() < needed {
            return Err(MoldError::BlockCut {
                offset,
                needed,
                found: rest.len(),
            });
        }
        offset += needed;
    }
    if offset < bytes.len() {
        return Err(MoldError::TrailingBytes {
            offset,
            bytes: bytes.len() - offset,
        });
    }
    match sequence.checked_add(u64::from(count)) {
        Some(_) => Ok(()),
        None => Err(MoldError::SequenceOverflow { sequence, count }),
    }
}

impl<'a> Downstream<'a> {
    /// Session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.header.session
    }

    /// Number of the first message; without messages, of the message that comes next.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.header.sequence
    }

    /// Number of messages in the packet.
    #[must_use]
    pub fn count(&self) -> u16 {
        match self.header.count {
            END_OF_SESSION => 0,
            count => count,
        }
    }

    /// The number after the last message of the packet.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.header.sequence + u64::from(self.count())
    }

    /// What the packet is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.header.count {
            0 => Kind::Heartbeat,
            END_OF_SESSION => Kind::EndOfSession,
            _ => Kind::Messages,
        }
    }

    /// The messages, in order.
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        Blocks::at(self.bytes, HEADER_LENGTH, self.count())
    }
}

impl<'a> Blocks<'a> {
    /// `count` blocks of the packet `bytes`, the first one at `start`. Ends early where a block does
    /// not fit, which cannot happen inside a packet that [`parse`] took.
    #[must_use]
    pub fn at(bytes: &'a [u8], start: usize, count: u16) -> Self {
        Self {
            bytes,
            offset: start,
            left: count,
        }
    }

    /// Where the next block starts, or the end of the last one.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    #[inline]
    fn next(&mut self) -> Option<Block<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (length, rest) = self.bytes.get(self.offset..)?.split_first_chunk::<2>()?;
        let data = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        let offset = self.offset;
        self.offset += 2 + data.len();
        Some(Block { offset, data })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(usize::from(self.left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, count: u16, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            session: *b"SESSION   ",
            sequence,
            count,
        };
        [header.to_bytes().as_slice(), payload].concat()
    }

    #[test]
    fn messages_are_walked_an_empty_one_included() {
        let bytes = packet(41, 3, b"\0\x02ab\0\0\0\x01c");
        let downstream = parse(&bytes).unwrap();
        assert_eq!(downstream.kind(), Kind::Messages);
        assert_eq!(downstream.session(), *b"SESSION   ");
        assert_eq!(
            (downstream.sequence(), downstream.next_sequence()),
            (41, 44)
        );
        let blocks: Vec<_> = downstream.blocks().map(|b| (b.offset, b.data)).collect();
        assert_eq!(
            blocks,
            [
                (20, b"ab".as_slice()),
                (24, b"".as_slice()),
                (26, b"c".as_slice())
            ]
        );
    }

    #[test]
    fn heartbeat_and_end_carry_the_next_number() {
        for (count, kind) in [(0, Kind::Heartbeat), (0xFFFF, Kind::EndOfSession)] {
            let bytes = packet(u64::MAX, count, b"");
            let downstream = parse(&bytes).unwrap();
            assert_eq!(downstream.kind(), kind);
            assert_eq!(downstream.count(), 0);
            assert_eq!(downstream.next_sequence(), u64::MAX);
            assert_eq!(downstream.blocks().count(), 0);
        }
    }

    fn refuse(sequence: u64, count: u16, payload: &[u8], error: MoldError) {
        assert_eq!(parse(&packet(sequence, count, payload)), Err(error));
    }

    #[test]
    fn headers_that_say_nothing_or_too_much_are_refused() {
        assert_eq!(parse(&[0; 19]), Err(MoldError::TooShort { length: 19 }));
        refuse(0, 0, b"", MoldError::SequenceZero);
        refuse(1, 5, b"", MoldError::EchoedRequest { count: 5 });
        refuse(1, 0xFFFF, b"\0\0", MoldError::EndWithPayload { bytes: 2 });
        let (sequence, count) = (u64::MAX, 1);
        let overflow = MoldError::SequenceOverflow { sequence, count };
        refuse(sequence, count, b"\0\0", overflow);
        let last = packet(u64::MAX - 1, 1, b"\0\0");
        assert_eq!(parse(&last).unwrap().next_sequence(), u64::MAX);
    }

    #[test]
    fn blocks_that_are_not_what_the_header_says_are_refused() {
        let few = |count, present| MoldError::TooFewBlocks { count, present };
        let trailing = |offset, bytes| MoldError::TrailingBytes { offset, bytes };
        let cut = |offset, needed, found| MoldError::BlockCut {
            offset,
            needed,
            found,
        };
        refuse(1, 2, b"\0\x01a", few(2, 1));
        refuse(1, 0, b"\0\0", trailing(20, 2));
        refuse(1, 1, b"\0\x01a\0\x01b", trailing(23, 3));
        refuse(1, 1, b"\0\x01ab", trailing(23, 1));
        refuse(1, 1, b"\0\x02a", cut(20, 4, 3));
        refuse(1, 2, b"\0\0\0", cut(22, 2, 1));
        refuse(1, 1, b"\xFF\xFF", cut(20, 65_537, 2));
    }

    #[test]
    fn blocks_of_unchecked_bytes_end_where_one_does_not_fit() {
        assert_eq!(Blocks::at(b"\0\x01a\0\x09b", 0, 9).count(), 1);
        assert_eq!(Blocks::at(b"", 7, 1).count(), 0);
    }
}
