//! BinaryFILE: how a day of ITCH is kept in a file. `Length u16 big-endian | message`, repeated.
//!
//! Nothing else is in the file: no header, no trailer. A length of 0 marks the logical end of the
//! session where the writer cared to mark it; it is handed on as an empty message and what it means
//! is the caller's decision. This file only finds the borders of blocks; what a message says is the
//! business of `itch50`.

/// Bytes of the length prefix.
pub const PREFIX: usize = 2;

/// Bytes of the longest possible block, its prefix included.
pub const MAX_BLOCK: usize = PREFIX + u16::MAX as usize;

/// Whole blocks at the front of a byte slice, in order.
///
/// Yields `(offset, message)`: the offset of the block's length prefix from the start of the slice,
/// and the message without its prefix. Ends before the first block that is not whole;
/// [`Blocks::consumed`] and [`Blocks::remainder`] tell where that is.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    bytes: &'a [u8],
    /// The end of `bytes` from the next length prefix on.
    rest: &'a [u8],
    skips_marks: bool,
}

impl<'a> Blocks<'a> {
    /// Blocks of `bytes`, which must begin at a length prefix.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            rest: bytes,
            skips_marks: false,
        }
    }

    /// The blocks with a message: the empty ones mark the end of a session in a file.
    #[must_use]
    pub fn without_marks(self) -> Self {
        Self {
            skips_marks: true,
            ..self
        }
    }

    /// Bytes of the blocks yielded so far: the offset of the next length prefix.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.bytes.len() - self.rest.len()
    }

    /// What lies behind the blocks yielded so far. After the last one: the beginning of a block that
    /// is not whole, or nothing.
    #[must_use]
    pub fn remainder(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Blocks<'a> {
    /// The message of the next block, and the `N` bytes from its beginning, those behind it included, or copied
    /// to `padded` where fewer follow. What messages of several lengths have in common can then be read before
    /// it is known which of them this is.
    #[inline(always)]
    pub fn next_open<'b, const N: usize>(
        &mut self,
        padded: &'b mut [u8; N],
    ) -> Option<(&'a [u8], &'b [u8; N])>
    where
        'a: 'b,
    {
        if self.rest.len() >= PREFIX + N
            && let Some((prefix, behind)) = self.rest.split_first_chunk()
            && let Some(open) = behind.first_chunk()
        {
            let (message, after) = behind.split_at_checked(length_in(*prefix))?;
            if !message.is_empty() {
                self.rest = after;
                return Some((message, open));
            }
        }
        // By value, so that nothing else of the caller's loop has to have an address.
        let (after, found) = Self::next_padded(self.clone(), padded);
        *self = after;
        found.map(|message| (message, &*padded))
    }

    #[cold]
    #[inline(never)]
    fn next_padded<const N: usize>(mut self, padded: &mut [u8; N]) -> (Self, Option<&'a [u8]>) {
        let found = self.next().map(|(_, message)| {
            let told = message.len().min(N);
            padded[..told].copy_from_slice(&message[..told]);
            message
        });
        (self, found)
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = (usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (prefix, behind) = self.rest.split_first_chunk()?;
            let (message, after) = behind.split_at_checked(length_in(*prefix))?;
            let offset = self.consumed();
            self.rest = after;
            if !message.is_empty() || !self.skips_marks {
                return Some((offset, message));
            }
        }
    }
}

/// Bytes that the first block of `rest` takes, as far as its beginning tells: [`PREFIX`] when not
/// even the prefix is whole, prefix and message otherwise.
#[inline]
#[must_use]
pub fn needed(rest: &[u8]) -> usize {
    match rest {
        [high, low, ..] => PREFIX + length_in([*high, *low]),
        _ => PREFIX,
    }
}

/// Bytes of the message behind `prefix`.
#[inline(always)]
fn length_in(prefix: [u8; PREFIX]) -> usize {
    u16::from_be_bytes(prefix).into()
}

/// Bytes of `bytes` that whole blocks cover.
#[must_use]
pub fn whole(bytes: &[u8]) -> usize {
    let mut blocks = Blocks::new(bytes);
    while blocks.next().is_some() {}
    blocks.consumed()
}

/// A message that no length prefix can describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes does not fit a block: 65535 is the most")]
pub struct MessageTooLong {
    /// Bytes of the message.
    pub length: usize,
}

/// Appends one block to `out`.
///
/// # Errors
/// If the message is longer than 65,535 bytes; `out` is unchanged then.
pub fn emit(message: &[u8], out: &mut Vec<u8>) -> Result<(), MessageTooLong> {
    let length = u16::try_from(message.len()).map_err(|_| MessageTooLong {
        length: message.len(),
    })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(message);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_found_and_the_partial_one_is_left() {
        let bytes = [0, 2, b'a', b'b', 0, 0, 0, 3, b'c', b'd'];
        let mut blocks = Blocks::new(&bytes);
        assert_eq!(blocks.next(), Some((0, b"ab".as_slice())));
        assert_eq!(blocks.consumed(), 4);
        assert_eq!(
            blocks.next(),
            Some((4, b"".as_slice())),
            "an end marker is an empty message"
        );
        assert_eq!(blocks.next(), None);
        assert_eq!(blocks.next(), None, "and stays at the end");
        assert_eq!(blocks.consumed(), 6);
        assert_eq!(blocks.remainder(), [0, 3, b'c', b'd']);
        assert_eq!(needed(blocks.remainder()), 5);
        assert_eq!(whole(&bytes), 6);
    }

    #[test]
    fn a_block_is_whole_at_its_last_byte_and_not_before() {
        let bytes = [0, 1, b'x'];
        assert_eq!(whole(&bytes), 3);
        assert_eq!(whole(&bytes[..2]), 0);
        assert_eq!(needed(&bytes[..2]), 3);
        assert_eq!(needed(&bytes[..1]), 2);
        assert_eq!(needed(&[]), 2);
    }

    #[test]
    fn the_longest_message_fits_and_one_more_byte_does_not() {
        let mut out = Vec::new();
        assert_eq!(emit(&vec![7; 65_535], &mut out), Ok(()));
        assert_eq!(out.len(), MAX_BLOCK);
        assert_eq!(out[..2], [0xff, 0xff]);
        assert_eq!(whole(&out), MAX_BLOCK);
        assert_eq!(
            emit(&vec![7; 65_536], &mut out),
            Err(MessageTooLong { length: 65_536 })
        );
        assert_eq!(out.len(), MAX_BLOCK);
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_read_back_up_to_any_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
            cut in 0.0..=1.0,
        ) {
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for message in &messages {
                emit(message, &mut bytes).unwrap();
                ends.push(bytes.len());
            }
            let cut = (bytes.len() as f64 * cut) as usize;
            let complete = ends.iter().filter(|&&end| end <= cut).count();
            let mut blocks = Blocks::new(&bytes[..cut]);
            let read: Vec<&[u8]> = blocks.by_ref().map(|(_, message)| message).collect();
            prop_assert_eq!(read, &messages[..complete]);
            prop_assert_eq!(blocks.consumed() + blocks.remainder().len(), cut);
        }

        #[test]
        fn any_bytes_are_walked_without_loss(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut end = 0;
            for (offset, message) in Blocks::new(&bytes) {
                prop_assert_eq!(offset, end);
                end = offset + PREFIX + message.len();
            }
            prop_assert_eq!(end, whole(&bytes));
            prop_assert!(bytes.len() - end < needed(&bytes[end..]));
        }
    }
}
