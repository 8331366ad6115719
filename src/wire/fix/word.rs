//! Values of up to eight bytes as one register: a loop over bytes costs more than the bytes.
//!
//! The first byte of the text is the lowest byte of the word, so that a little-endian store writes
//! it in order. A store always writes [`BYTES`]; the next one starts behind the text and overwrites
//! what is too much.

use crate::market::eight_digits;

/// Bytes of a word.
pub(super) const BYTES: usize = 8;
/// One bit above the largest ASCII character of each byte.
const TOPS: u64 = 0x8080_8080_8080_8080;
/// `0` in each byte.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Up to eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    bytes: u64,
    length: usize,
}

impl Word {
    /// `text` as a word; `None` when it is longer than one or empty.
    ///
    /// Its two halves overlap where it is shorter than both.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let length = text.len();
        let bytes = match length {
            8 => u64::from_le_bytes(*text.first_chunk()?),
            4..8 => {
                let first = u32::from_le_bytes(*text.first_chunk()?);
                let last = u32::from_le_bytes(*text.last_chunk()?);
                u64::from(first) | u64::from(last) << (8 * (length - 4))
            }
            2..4 => {
                let first = u16::from_le_bytes(*text.first_chunk()?);
                let last = u16::from_le_bytes(*text.last_chunk()?);
                u64::from(first) | u64::from(last) << (8 * (length - 2))
            }
            1 => u64::from(text[0]),
            _ => return None,
        };
        Some(Self { bytes, length })
    }

    /// Whether no byte is below a blank.
    #[inline]
    pub(super) fn is_text(&self) -> bool {
        let ours = u64::MAX >> (8 * (BYTES - self.length));
        let from_blank_on = (self.bytes & !TOPS) + 0x6060_6060_6060_6060;
        !(from_blank_on | self.bytes) & TOPS & ours == 0
    }

    /// A number of at most eight digits, without leading zeros.
    #[inline]
    pub(super) fn whole(number: u64) -> Option<Self> {
        if number >= 100_000_000 {
            return None;
        }
        let digits = eight_digits(number as u32);
        let leading = (digits.trailing_zeros() as usize / 8).min(BYTES - 1);
        Some(Self {
            bytes: (digits | ZEROS) >> (8 * leading),
            length: BYTES - leading,
        })
    }

    /// A point and the last `DECIMALS` (at most 7) digits of `number`, which has no more than eight.
    #[inline]
    pub(super) fn decimals<const DECIMALS: u32>(number: u32) -> Self {
        let digits = (eight_digits(number) | ZEROS) >> (8 * (BYTES as u32 - DECIMALS));
        Self {
            bytes: digits << 8 | u64::from(b'.'),
            length: DECIMALS as usize + 1,
        }
    }

    /// `tag=`.
    ///
    /// # Panics
    /// If `tag` has more than seven digits.
    #[inline]
    pub(super) const fn tag(tag: u32) -> Self {
        let (mut rest, mut bytes, mut length) = (tag, b'=' as u64, 1);
        loop {
            bytes = bytes << 8 | (b'0' as u32 + rest % 10) as u64;
            length += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        assert!(length <= BYTES, "a tag has seven digits at most");
        Self { bytes, length }
    }

    /// Writes it at `at` and returns the index behind it.
    #[inline]
    pub(super) fn put(&self, place: &mut [u8], at: usize) -> usize {
        place[at..at + BYTES].copy_from_slice(&self.bytes.to_le_bytes());
        at + self.length
    }
}

/// Writes `text` at `at` and returns the index behind it; may write up to [`BYTES`] more.
#[inline]
pub(super) fn put_text(place: &mut [u8], at: usize, text: &[u8]) -> usize {
    if let Some(word) = Word::of(text) {
        return word.put(place, at);
    }
    place[at..at + text.len()].copy_from_slice(text);
    at + text.len()
}
