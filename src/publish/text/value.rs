//! Values as text, appended to bytes without the formatting machinery, two digits at a time.

use crate::market::{NANOS_PER_MILLI, NANOS_PER_SECOND, Price, Symbol, Timestamp};

/// The two digits of every number below 100.
const PAIRS: &[u8; 200] = &pairs();

const fn pairs() -> [u8; 200] {
    let mut table = [0; 200];
    let mut number = 0;
    while number < 100 {
        table[2 * number] = b'0' + (number / 10) as u8;
        table[2 * number + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    table
}

/// Largest power of ten in 64 bits, and its number of zeros.
const CHUNK: u128 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

/// Characters that a value may have: 39 digits of a notional, and what stands before it in a table.
const MOST: usize = 40;
/// What is copied of a value at once. Few have more characters, and how many each has no processor foresees.
const PIECE: usize = 24;

/// The text of a value, built from its last character to its first, which needs no count of digits.
pub(super) struct Value {
    /// Spaces before it, and behind it so many that a piece can be copied from anywhere.
    bytes: [u8; MOST + PIECE],
    at: usize,
}

impl Value {
    /// Nothing yet.
    #[inline]
    fn new() -> Self {
        Self {
            bytes: [b' '; MOST + PIECE],
            at: MOST,
        }
    }

    /// A text of at most 39 characters.
    #[inline]
    pub(super) fn text(text: &[u8]) -> Self {
        let mut value = Self::new();
        value.at -= text.len();
        value.bytes[value.at..MOST].copy_from_slice(text);
        value
    }

    /// A number without leading zeros.
    #[inline]
    pub(super) fn number(number: u64) -> Self {
        let mut value = Self::new();
        value.digits(number);
        value
    }

    /// A number without leading zeros.
    #[inline]
    pub(super) fn long(number: u128) -> Self {
        let mut value = Self::new();
        let mut rest = number;
        while rest > u128::from(u64::MAX) {
            value.padded((rest % CHUNK) as u64, CHUNK_DIGITS);
            rest /= CHUNK;
        }
        value.digits(rest as u64);
        value
    }

    /// Micro-USD as USD with six decimals.
    #[inline]
    pub(super) fn micros(micros: u64) -> Self {
        Self::decimal(micros, 1_000_000, 6)
    }

    /// A price as USD with four decimals.
    #[inline]
    pub(super) fn price(price: Price) -> Self {
        Self::decimal(u64::from(price.0), u64::from(Price::TICKS_PER_USD), 4)
    }

    /// `number / one` with so many decimals.
    #[inline(always)]
    fn decimal(number: u64, one: u64, decimals: usize) -> Self {
        let mut value = Self::new();
        value.padded(number % one, decimals);
        value.byte(b'.');
        value.digits(number / one);
        value
    }

    /// A time as `HH:MM:SS.mmm`; ends are whole milliseconds.
    #[inline]
    pub(super) fn clock(time: Timestamp) -> Self {
        let (seconds, mut value) = (time.0 / NANOS_PER_SECOND, Self::new());
        value.padded(time.0 / NANOS_PER_MILLI % 1_000, 3);
        value.byte(b'.');
        value.padded(seconds % 60, 2);
        value.byte(b':');
        value.padded(seconds / 60 % 60, 2);
        value.byte(b':');
        let hours = seconds / 3600;
        value.padded(hours, if hours < 100 { 2 } else { 7 });
        value
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.at -= 1;
        self.bytes[self.at] = byte;
    }

    /// Two digits of a number below 100.
    #[inline]
    fn pair(&mut self, number: u64) {
        let from = 2 * number as usize;
        self.at -= 2;
        self.bytes[self.at..self.at + 2].copy_from_slice(&PAIRS[from..from + 2]);
    }

    /// All digits of `number`, without leading zeros.
    #[inline]
    fn digits(&mut self, mut number: u64) {
        while number >= 100 {
            self.pair(number % 100);
            number /= 100;
        }
        if number >= 10 {
            self.pair(number);
        } else {
            self.byte(b'0' + number as u8);
        }
    }

    /// The last `digits` digits of `number`, with leading zeros.
    #[inline]
    fn padded(&mut self, mut number: u64, digits: usize) {
        for _ in 0..digits / 2 {
            self.pair(number % 100);
            number /= 100;
        }
        if digits % 2 == 1 {
            self.byte(b'0' + (number % 10) as u8);
        }
    }

    /// Appends it.
    #[inline]
    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        self.push_from(self.at, out);
    }

    /// Appends a space and it, with more spaces between where it has fewer than `width` characters, which are
    /// fewer than 40.
    #[inline]
    pub(super) fn push_column(&self, width: usize, out: &mut Vec<u8>) {
        self.push_from(self.at.min(MOST - width) - 1, out);
    }

    #[inline(always)]
    fn push_from(&self, from: usize, out: &mut Vec<u8>) {
        let (bytes, length) = (&self.bytes[from..], MOST - from);
        match bytes.first_chunk::<PIECE>() {
            Some(piece) if length <= PIECE => {
                let end = out.len() + length;
                out.extend_from_slice(piece);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&bytes[..length]),
        }
    }
}

/// Appends a time as `HH:MM:SS.mmm`.
pub(in crate::publish) fn push_clock(out: &mut Vec<u8>, time: Timestamp) {
    Value::clock(time).push_to(out);
}

/// `true` or `false`.
#[inline]
pub(super) fn truth(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

/// The symbol as [`Symbol::name`] shows it, and its length.
#[inline]
pub(super) fn symbol_bytes(symbol: Symbol) -> ([u8; 8], usize) {
    let shown = symbol
        .0
        .map(|b| if b.is_ascii_graphic() { b } else { b'?' });
    let length = symbol.0.iter().rposition(|&b| b != b' ');
    (shown, length.map_or(0, |last| last + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &Value) -> String {
        let mut out = b"x".to_vec();
        value.push_to(&mut out);
        String::from_utf8(out.split_off(1)).unwrap()
    }

    #[test]
    fn both_sides_of_every_length() {
        let mut power = 1_u128;
        for _ in 0..38 {
            for number in [power - 1, power, power + 1] {
                assert_eq!(text(&Value::long(number)), number.to_string());
                if let Ok(number) = u64::try_from(number) {
                    assert_eq!(text(&Value::number(number)), number.to_string());
                }
            }
            power *= 10;
        }
        assert_eq!(text(&Value::number(u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(&Value::long(u128::MAX)), u128::MAX.to_string());
    }

    #[test]
    fn decimals_are_kept() {
        assert_eq!(text(&Value::micros(0)), "0.000000");
        assert_eq!(text(&Value::micros(999_999)), "0.999999");
        assert_eq!(text(&Value::micros(1_000_001)), "1.000001");
        assert_eq!(text(&Value::micros(u64::MAX)), "18446744073709.551615");
        assert_eq!(text(&Value::price(Price(1))), "0.0001");
        assert_eq!(text(&Value::price(Price(u32::MAX))), "429496.7295");
    }

    proptest! {
        #[test]
        fn a_column_is_aligned_on_the_right_and_a_wider_value_moves_the_rest(
            number: u128,
            shift in 0..128_u32,
            width in 0..40_usize,
        ) {
            let number = number >> shift;
            let mut column = Vec::new();
            Value::long(number).push_column(width, &mut column);
            prop_assert_eq!(String::from_utf8(column).unwrap(), format!(" {number:>width$}"));
        }

        #[test]
        fn as_the_standard_formatting(number: u64, bytes: [u8; 8]) {
            prop_assert_eq!(text(&Value::number(number)), number.to_string());
            let symbol = Symbol(bytes);
            let (shown, length) = symbol_bytes(symbol);
            prop_assert_eq!(std::str::from_utf8(&shown[..length]).unwrap(), symbol.name());
        }
    }
}
