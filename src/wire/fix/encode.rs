//! Writing messages.
//!
//! The bytes of a message are `8=..|9=..|35=..|49=..|56=..|34=..|52=..|` (the session's), the body
//! (everybody's) and `10=..|`. CheckSum is a plain sum of bytes, so the body's part of it is summed
//! once and added to each session's header.

use bytes::BytesMut;

use super::message::SOH;
use super::value::{Digits, UtcText, time_only};
use super::word::{self, Word};
use crate::market::Price;

/// The sum of all bytes modulo 256.
#[inline]
#[must_use]
pub fn byte_sum(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0, |sum: u8, &byte| sum.wrapping_add(byte))
}

/// Fields that follow the header, with their byte sum. Reused, it allocates only while it grows.
///
/// Short values are words of up to eight bytes in a register and are stored as such, whole words at
/// a time, one over the end of the other. Tags have at most seven digits: larger ones panic.
#[derive(Debug, Default)]
pub struct Body {
    /// Initialised beyond `length`, so that fields are written by index.
    bytes: Vec<u8>,
    length: usize,
    summed: usize,
    sum: u8,
    /// The last time that was written, in nanoseconds: entries of one update share theirs.
    time_ns: u64,
    /// Its text; none before the first.
    time: Option<[u8; 12]>,
}

impl Body {
    /// An empty body with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity],
            ..Self::default()
        }
    }

    /// Forgets the fields, keeps the memory.
    pub fn clear(&mut self) {
        (self.length, self.summed, self.sum) = (0, 0, 0);
    }

    /// The fields, each with its separator.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Bytes written so far.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The byte sum of all fields; each byte is looked at once, whoever asks how often.
    #[inline]
    pub fn sum(&mut self) -> u8 {
        let rest = &self.bytes[self.summed..self.length];
        self.sum = self.sum.wrapping_add(byte_sum(rest));
        self.summed = self.length;
        self.sum
    }

    /// Text. Control bytes, which would break the message apart, become `?`.
    #[inline]
    pub fn text(&mut self, tag: u32, value: &[u8]) {
        self.named_text(tag, Word::tag(tag), value);
    }

    fn named_text(&mut self, tag: u32, name: Word, value: &[u8]) {
        match Word::of(value).filter(Word::is_text) {
            Some(word) => self.line(name, |place, at| word.put(place, at)),
            None => self.long_text(tag, value),
        }
    }

    fn long_text(&mut self, tag: u32, value: &[u8]) {
        let start = self.put(tag, value);
        for byte in &mut self.bytes[start..start + value.len()] {
            *byte = if *byte < b' ' { b'?' } else { *byte };
        }
    }

    /// A whole number.
    #[inline]
    pub fn uint(&mut self, tag: u32, value: u64) {
        match Word::whole(value) {
            Some(word) => self.line(Word::tag(tag), |place, at| word.put(place, at)),
            None => self.put_digits(tag, &Digits::whole(value)),
        }
    }

    /// A char.
    #[inline]
    pub fn char(&mut self, tag: u32, value: u8) {
        self.line(Word::tag(tag), |place, at| {
            place[at] = value;
            at + 1
        });
    }

    /// A Boolean.
    pub fn flag(&mut self, tag: u32, value: bool) {
        self.char(tag, if value { b'Y' } else { b'N' });
    }

    /// A price in USD with four decimals.
    #[inline]
    pub fn price(&mut self, tag: u32, value: Price) {
        self.fixed::<4>(tag, u64::from(value.0));
    }

    /// Millionths of a USD as USD with six decimals.
    #[inline]
    pub fn micros(&mut self, tag: u32, value: u64) {
        self.fixed::<6>(tag, value);
    }

    /// `value` units of 10^-`DECIMALS`.
    #[inline]
    fn fixed<const DECIMALS: u32>(&mut self, tag: u32, value: u64) {
        let scale = const { 10_u64.pow(DECIMALS) };
        match Word::whole(value / scale) {
            Some(whole) => self.line(Word::tag(tag), |place, at| {
                let at = whole.put(place, at);
                Word::decimals::<DECIMALS>((value % scale) as u32).put(place, at)
            }),
            None => self.put_digits(tag, &Digits::fixed(value, DECIMALS)),
        }
    }

    /// A UTCTimeOnly with milliseconds, of nanoseconds since midnight (modulo a day).
    #[inline]
    pub fn time(&mut self, tag: u32, since_midnight_ns: u64) {
        let text = match self.time {
            Some(text) if self.time_ns == since_midnight_ns => text,
            _ => {
                self.time_ns = since_midnight_ns;
                *self.time.insert(time_only(since_midnight_ns))
            }
        };
        self.line(Word::tag(tag), |place, at| {
            place[at..at + 12].copy_from_slice(&text);
            at + 12
        });
    }

    /// A UTCTimestamp.
    pub fn utc(&mut self, tag: u32, value: &UtcText) {
        self.put(tag, value.bytes());
    }

    /// Whole fields that were written elsewhere, `sum` being their byte sum.
    #[inline]
    pub fn splice(&mut self, fields: &[u8], sum: u8) {
        self.sum();
        self.room(fields.len())[..fields.len()].copy_from_slice(fields);
        self.sum = self.sum.wrapping_add(sum);
        self.length += fields.len();
        self.summed = self.length;
    }

    /// Writes `name`, what `value` puts at an index, returning the one behind, and the separator: in
    /// all at most [`LINE`] bytes, words that reach beyond the field included.
    #[inline]
    fn line(&mut self, name: Word, value: impl FnOnce(&mut [u8; LINE], usize) -> usize) {
        let Some(place) = self.room(LINE).first_chunk_mut() else {
            return;
        };
        let start = name.put(place, 0);
        let end = value(place, start);
        place[end] = SOH;
        self.length += end + 1;
    }

    fn put_digits(&mut self, tag: u32, digits: &Digits) {
        self.put(tag, digits.bytes());
    }

    /// Writes one field and returns where its value starts.
    fn put(&mut self, tag: u32, value: &[u8]) -> usize {
        let place = self.room(word::BYTES + value.len() + 1);
        let start = Word::tag(tag).put(place, 0);
        let end = start + value.len();
        place[start..end].copy_from_slice(value);
        place[end] = SOH;
        let start = self.length + start;
        self.length += end + 1;
        start
    }

    /// At least `more` bytes to write into after the last field.
    #[inline]
    fn room(&mut self, more: usize) -> &mut [u8] {
        if self.bytes.len() < self.length + more {
            self.grow(more);
        }
        &mut self.bytes[self.length..]
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = (self.length + more).next_power_of_two();
        self.bytes.resize(needed.max(256), 0);
    }
}

/// A tag with its `=`, two words and a separator.
const LINE: usize = 3 * word::BYTES + 1;

/// What one session adds to a body.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// BeginString.
    pub begin_string: &'a [u8],
    /// MsgType.
    pub msg_type: &'a [u8],
    /// SenderCompID.
    pub sender: &'a [u8],
    /// TargetCompID.
    pub target: &'a [u8],
    /// MsgSeqNum.
    pub sequence: u64,
    /// SendingTime.
    pub sending_time: &'a UtcText,
    /// OrigSendingTime of a message that is sent again; adds PossDupFlag=Y.
    pub original_time: Option<&'a UtcText>,
}

/// Appends the whole message to `out`: `envelope` around `parts`, whose byte sums add up to
/// `parts_sum`.
pub fn seal(out: &mut BytesMut, envelope: &Envelope<'_>, parts: &[&[u8]], parts_sum: u8) {
    let sequence = Digits::whole(envelope.sequence);
    let again = envelope
        .original_time
        .map_or(0, |_| "43=Y|122=|".len() + UtcText::LENGTH);
    let header = "35=|49=|56=|34=|52=|".len()
        + envelope.msg_type.len()
        + envelope.sender.len()
        + envelope.target.len()
        + sequence.bytes().len()
        + UtcText::LENGTH
        + again;
    let body: usize = parts.iter().map(|part| part.len()).sum();
    let length = Digits::whole((header + body) as u64);
    let prefix = "8=|9=|".len() + envelope.begin_string.len() + length.bytes().len();
    let start = out.len();
    out.reserve(prefix + header + body + word::BYTES);
    out.resize(start + prefix + header + word::BYTES, 0);
    let place = &mut out[start..];
    let mut at = 0;
    let mut put = |prefix: &'static [u8], value: &[u8]| {
        for text in [prefix, value] {
            at = word::put_text(place, at, text);
        }
    };
    put(b"8=", envelope.begin_string);
    put(b"\x019=", length.bytes());
    put(b"\x0135=", envelope.msg_type);
    put(b"\x0149=", envelope.sender);
    put(b"\x0156=", envelope.target);
    put(b"\x0134=", sequence.bytes());
    put(b"\x0152=", envelope.sending_time.bytes());
    if let Some(original) = envelope.original_time {
        put(b"\x0143=Y\x01122=", original.bytes());
    }
    put(b"\x01", b"");
    out.truncate(start + prefix + header);
    let sum = byte_sum(&out[start..]).wrapping_add(parts_sum);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[
        b'1',
        b'0',
        b'=',
        b'0' + sum / 100,
        b'0' + sum / 10 % 10,
        b'0' + sum % 10,
        SOH,
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fix::{Frame, next_frame};

    fn envelope<'a>(time: &'a UtcText, original: Option<&'a UtcText>) -> Envelope<'a> {
        Envelope {
            begin_string: b"FIX.4.4",
            msg_type: b"0",
            sender: b"WIDETAPE",
            target: b"CLIENT",
            sequence: 7,
            sending_time: time,
            original_time: original,
        }
    }

    #[test]
    fn a_message_to_the_letter() {
        let time = UtcText::new(1_322_112_811_763_000_000);
        let mut body = Body::default();
        body.text(112, b"a\x01b");
        let mut out = BytesMut::new();
        let sum = body.sum();
        seal(&mut out, &envelope(&time, None), &[body.bytes()], sum);
        let text = String::from_utf8_lossy(&out).replace('\x01', "|");
        assert_eq!(
            text,
            "8=FIX.4.4|9=65|35=0|49=WIDETAPE|56=CLIENT|34=7|52=20111124-05:33:31.763|112=a?b|10=190|"
        );
    }

    #[test]
    fn the_length_and_sum_hold_for_every_kind_of_field() {
        let time = UtcText::new(1_322_112_811_763_000_000);
        let mut body = Body::default();
        body.uint(34, 0);
        let first = body.sum();
        let mut other = Body::default();
        other.price(270, Price(5_853_300));
        other.micros(270, 321_088_769);
        other.time(273, 34_200_123_000_000);
        other.flag(141, true);
        other.char(269, b'9');
        other.utc(52, &time);
        let sum = other.sum();
        body.splice(other.bytes(), sum);
        assert_eq!(body.sum(), first.wrapping_add(sum));
        let mut out = BytesMut::new();
        let sum = body.sum();
        for original in [None, Some(&time)] {
            out.clear();
            seal(&mut out, &envelope(&time, original), &[body.bytes()], sum);
            let Frame::Message { message, length } = next_frame(&out, 1000) else {
                panic!("not a message");
            };
            assert_eq!(length, out.len());
            assert_eq!(message.get(270), Some(&b"585.3300"[..]));
            assert_eq!(message.get(273), Some(&b"09:30:00.123"[..]));
            assert_eq!(message.get(43).is_some(), original.is_some());
        }
        assert!(other.bytes().windows(11).any(|text| text == b"270=321.088"));
    }
}
