//! The messages of a day, kept as the bytes of their file and found by number.

use std::ops::Range;

use bytes::Bytes;

use crate::wire::moldudp64::MAX_MESSAGE;

/// Messages between two entries of the index.
const STRIDE: u64 = 64;

/// Messages framed as `Length u16 | message`, as in a BinaryFILE; the first has number 1.
#[derive(Clone, Debug)]
pub struct Tape {
    bytes: Bytes,
    /// Offset of every [`STRIDE`]th message from the first on.
    index: Vec<u64>,
    count: u64,
    cut: Option<u64>,
}

/// Why messages cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TapeError {
    /// A message that fits no datagram.
    #[error("the message at byte {offset} has {length} bytes; a datagram carries {MAX_MESSAGE}")]
    TooLong {
        /// Offset of its length prefix.
        offset: u64,
        /// Its length.
        length: usize,
    },
}

impl Tape {
    /// Finds the messages in the bytes of an uncompressed file. A message that is cut short by the
    /// end is left out ([`Tape::cut`]), and so is a block of length 0 at the very end, which some
    /// writers put there to close the file; elsewhere such a block is a message without bytes.
    ///
    /// # Errors
    /// When a message is too long to be sent.
    pub fn new(bytes: Bytes) -> Result<Self, TapeError> {
        let mut tape = Self {
            bytes,
            index: Vec::new(),
            count: 0,
            cut: None,
        };
        let mut offset = 0;
        while let Some((message, next)) = tape.message_at(offset) {
            let length = message.len();
            if length == 0 && next == tape.bytes.len() {
                return Ok(tape);
            }
            if length > MAX_MESSAGE {
                let offset = offset as u64;
                return Err(TapeError::TooLong { offset, length });
            }
            if tape.count.is_multiple_of(STRIDE) {
                tape.index.push(offset as u64);
            }
            tape.count += 1;
            offset = next;
        }
        tape.cut = (offset < tape.bytes.len()).then_some(offset as u64);
        Ok(tape)
    }

    /// Messages there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Offset of the length prefix of the message that the end of the file cuts short, if any.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// The bytes of whole messages, each behind its length.
    pub(super) fn framed(&self, messages: Range<usize>) -> &[u8] {
        &self.bytes[messages]
    }

    /// The message whose length prefix is at `offset`, and the offset of the next.
    #[inline]
    pub(super) fn message_at(&self, offset: usize) -> Option<(&[u8], usize)> {
        let (length, rest) = self.bytes.get(offset..)?.split_first_chunk::<2>()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        Some((message, offset + 2 + message.len()))
    }

    /// Offset of message `number`; `None` when there is no such message.
    pub(super) fn offset_of(&self, number: u64) -> Option<usize> {
        let place = number.checked_sub(1).filter(|place| *place < self.count)?;
        let entry = usize::try_from(place / STRIDE).ok()?;
        let mut offset = usize::try_from(*self.index.get(entry)?).ok()?;
        for _ in 0..place % STRIDE {
            offset = self.message_at(offset)?.1;
        }
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(number: u64) -> u16 {
        ((number * 3 + 1) % 8) as u16
    }

    fn framed(messages: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in 0..messages {
            let length = length(number + 1);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.resize(bytes.len() + usize::from(length), number as u8);
        }
        bytes
    }

    #[test]
    fn every_message_is_found_by_its_number() {
        for count in [0, 1, 63, 64, 65, 200] {
            let tape = Tape::new(framed(count).into()).unwrap();
            assert_eq!((tape.count(), tape.cut()), (count, None));
            let mut offset = 0;
            for number in 1..=tape.count() {
                assert_eq!(tape.offset_of(number), Some(offset), "{number} of {count}");
                offset += 2 + usize::from(length(number));
            }
            assert_eq!(tape.offset_of(0), None);
            assert_eq!(tape.offset_of(tape.count() + 1), None);
        }
    }

    #[test]
    fn a_cut_end_a_closing_block_and_a_long_message() {
        let cut = Tape::new(b"\0\x01a\0\x05bc".as_slice().into()).unwrap();
        assert_eq!((cut.count(), cut.cut()), (1, Some(3)));
        let half = Tape::new(b"\0\x01a\0".as_slice().into()).unwrap();
        assert_eq!((half.count(), half.cut()), (1, Some(3)));
        let closed = Tape::new(b"\0\0\0\x01a\0\0".as_slice().into()).unwrap();
        assert_eq!((closed.count(), closed.cut()), (2, None));
        let mut long = b"\0\x01a".to_vec();
        long.extend_from_slice(&(MAX_MESSAGE as u16 + 1).to_be_bytes());
        long.resize(3 + 2 + MAX_MESSAGE + 1, 0);
        assert_eq!(
            Tape::new(long.into()).unwrap_err(),
            TapeError::TooLong {
                offset: 3,
                length: MAX_MESSAGE + 1
            }
        );
    }
}
