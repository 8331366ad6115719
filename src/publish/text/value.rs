//! Values as text, made in registers: a value's characters are the bytes of an integer, the first one lowest.
//!
//! Eight digits are computed side by side, and how many of them count decides by how far they are shifted, so that
//! nothing is looped over or foreseen. A text that is put together in memory, two digits at a time, has to be read
//! again at once and from another place than it was written to, which processors wait for.

use crate::market::{
    NANOS_PER_MILLI, NANOS_PER_SECOND, Notional, Price, Symbol, Timestamp, eight_digits,
};

/// Characters of a register.
const PIECE: usize = 16;
/// Characters that a value may have: 29 digits of a notional are the most.
const MOST: usize = 2 * PIECE;

/// One more than what has so many digits at most.
const SEVEN_DIGITS: u64 = 10_000_000;
const EIGHT_DIGITS: u64 = 100_000_000;
const FIFTEEN_DIGITS: u64 = 1_000_000_000_000_000;
const SIXTEEN_DIGITS: u64 = 10_000_000_000_000_000;

/// What makes characters of sixteen digits.
const ZEROS: u128 = u128::from_ne_bytes([b'0'; PIECE]);

/// The text of a value.
#[derive(Clone, Copy)]
pub(super) struct Value {
    /// Its first sixteen characters, and those behind them. What is behind its last is not shown.
    first: u128,
    then: u128,
    length: usize,
}

impl Value {
    /// What stands for a value that does not exist.
    pub(super) const NOTHING: Self = Self::text(b"-");

    /// A text of up to 32 characters.
    const fn text(text: &[u8]) -> Self {
        assert!(text.len() <= MOST);
        let (mut halves, mut index) = ([0; 2], 0);
        while index < text.len() {
            halves[index / PIECE] |= (text[index] as u128) << (8 * (index % PIECE));
            index += 1;
        }
        Self {
            first: halves[0],
            then: halves[1],
            length: text.len(),
        }
    }

    /// A text of up to 16 characters.
    #[inline(always)]
    const fn short(text: u128, length: usize) -> Self {
        Self {
            first: text,
            then: 0,
            length,
        }
    }

    /// `true` or `false`.
    #[inline]
    pub(super) fn truth(value: bool) -> Self {
        const NAMES: [Value; 2] = [Value::text(b"false"), Value::text(b"true")];
        NAMES[usize::from(value)]
    }

    /// A number without leading zeros.
    #[inline(always)]
    pub(super) fn number(number: u64) -> Self {
        if number < EIGHT_DIGITS {
            let digits = eight_digits(number as u32);
            let (zeros, text) = (leading_zeros(digits.into(), 7), digits | ZEROS as u64);
            return Self::short(u128::from(text >> (8 * zeros)), 8 - zeros);
        }
        if number < SIXTEEN_DIGITS {
            let digits = sixteen_digits(number);
            let (zeros, text) = (leading_zeros(digits, 15), digits | ZEROS);
            return Self::short(text >> (8 * zeros), 16 - zeros);
        }
        Self::plain(number.into(), 0)
    }

    /// A notional in ticks·shares, without leading zeros.
    #[inline(always)]
    pub(super) fn notional(notional: Notional) -> Self {
        match notional.high() {
            0 => Self::number(notional.low()),
            _ => Self::plain(notional.get(), 0),
        }
    }

    /// Micro-USD as USD with six decimals.
    #[inline(always)]
    pub(super) fn micros(micros: u64) -> Self {
        if micros < FIFTEEN_DIGITS {
            let (text, zeros) = with_point(sixteen_digits(micros), 15 - 6);
            return Self::short(text >> (8 * zeros), 16 - zeros);
        }
        Self::plain(micros.into(), 6)
    }

    /// A price as USD with four decimals.
    #[inline(always)]
    pub(super) fn price(price: Price) -> Self {
        let ticks = u64::from(price.0);
        if ticks < SEVEN_DIGITS {
            let (text, zeros) = with_point(eight_digits(price.0).into(), 7 - 4);
            return Self::short(u128::from(text as u64 >> (8 * zeros)), 8 - zeros);
        }
        let (text, zeros) = with_point(sixteen_digits(ticks), 15 - 4);
        Self::short(text >> (8 * zeros), 16 - zeros)
    }

    /// A time as `HH:MM:SS.mmm`; ends are whole milliseconds.
    #[inline]
    pub(super) fn clock(time: Timestamp) -> Self {
        let (seconds, millis) = (time.0 / NANOS_PER_SECOND, time.0 / NANOS_PER_MILLI % 1_000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let seconds = seconds % 60;
        if hours >= 100 {
            let text = format!("{hours:07}:{minutes:02}:{seconds:02}.{millis:03}");
            return Self::text(text.as_bytes());
        }
        // Digits 0 where the marks belong.
        let clock = eight_digits((hours * 1_000_000 + minutes * 1_000 + seconds) as u32);
        let fraction = eight_digits(millis as u32) >> 32;
        let digits = u128::from(clock) | u128::from(fraction) << 64;
        Self::short(digits | u128::from_le_bytes(*b"00:00:00.000    "), 12)
    }

    /// A number of 16 to 31 digits, so many of them decimals.
    #[cold]
    fn plain(mut number: u128, decimals: usize) -> Self {
        let (mut text, mut at) = ([0; MOST], MOST);
        while number > 0 {
            if decimals > 0 && at == MOST - decimals {
                at -= 1;
                text[at] = b'.';
            }
            at -= 1;
            text[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        Self::text(&text[at..])
    }

    /// Appends it.
    #[inline(always)]
    pub(super) fn push_to(&self, out: &mut Vec<u8>) {
        if self.length > PIECE {
            return self.push_long(out);
        }
        push(out, &self.first.to_le_bytes(), self.length);
    }

    /// Appends a space and it, with more spaces between where it has fewer than `width` characters, which are
    /// fewer than 40.
    #[inline(always)]
    pub(super) fn push_column(&self, width: usize, out: &mut Vec<u8>) {
        push(out, &[b' '; 40], 1 + width.saturating_sub(self.length));
        self.push_to(out);
    }

    #[cold]
    fn push_long(&self, out: &mut Vec<u8>) {
        push(out, &self.first.to_le_bytes(), PIECE);
        push(out, &self.then.to_le_bytes(), self.length - PIECE);
    }
}

/// Appends the first `length` of some characters. To copy always as many is faster than to copy as many as needed.
#[inline(always)]
fn push<const N: usize>(out: &mut Vec<u8>, text: &[u8; N], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(text);
    out.truncate(end);
}

/// How many digits are 0 before the first that is not, or before the one at `last`.
#[inline(always)]
fn leading_zeros(digits: u128, last: usize) -> usize {
    ((digits | 1 << (8 * last)).trailing_zeros() / 8) as usize
}

/// Puts a point at place `point` of digits of which the first is 0: those before it move. Returns the text with
/// its number of leading zeros, of which one before the point does not count.
#[inline(always)]
fn with_point(digits: u128, point: usize) -> (u128, usize) {
    let text = digits | ZEROS;
    let whole = (1 << (8 * point)) - 1;
    let decimals = text & !((whole << 8) | 0xFF);
    let text = ((text >> 8) & whole) | (u128::from(b'.') << (8 * point)) | decimals;
    (text, leading_zeros(digits, point) - 1)
}

/// The digits of a number below 10^16, as numbers, the first in the lowest byte.
#[inline(always)]
fn sixteen_digits(number: u64) -> u128 {
    let (first, last) = (number / EIGHT_DIGITS, number % EIGHT_DIGITS);
    u128::from(eight_digits(first as u32)) | u128::from(eight_digits(last as u32)) << 64
}

/// Appends a time as `HH:MM:SS.mmm`.
pub(in crate::publish) fn push_clock(out: &mut Vec<u8>, time: Timestamp) {
    Value::clock(time).push_to(out);
}

/// The symbol as [`Symbol::name`] shows it, and its length.
#[inline]
pub(super) fn symbol_bytes(symbol: Symbol) -> ([u8; 8], usize) {
    let shown = symbol
        .0
        .map(|b| if b.is_ascii_graphic() { b } else { b'?' });
    let padding = u64::from_be_bytes(symbol.0) ^ u64::from_be_bytes([b' '; 8]);
    (shown, 8 - (padding.trailing_zeros() / 8) as usize)
}

/// Appends a symbol as it is, or by `escaped` where any of its characters is special. All are looked at side by side.
#[inline(always)]
pub(super) fn push_symbol(
    symbol: Symbol,
    out: &mut Vec<u8>,
    is_special: impl Fn(u8) -> bool,
    escaped: impl Fn(&mut Vec<u8>, &[u8]),
) {
    let (shown, length) = symbol_bytes(symbol);
    match shown
        .iter()
        .fold(false, |any, &byte| any | is_special(byte))
    {
        false => push(out, &shown, length),
        true => escaped(out, &shown[..length]),
    }
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
        for _ in 0..29 {
            for number in [power - 1, power, power + 1] {
                let notional = Notional::new(number);
                assert_eq!(text(&Value::notional(notional)), number.to_string());
                if let Ok(number) = u64::try_from(number) {
                    assert_eq!(text(&Value::number(number)), number.to_string());
                    let usd = format!("{}.{:06}", number / 1_000_000, number % 1_000_000);
                    assert_eq!(text(&Value::micros(number)), usd);
                }
            }
            power *= 10;
        }
        assert_eq!(text(&Value::number(u64::MAX)), u64::MAX.to_string());
        let most = (1 << 96) - 1;
        assert_eq!(
            text(&Value::notional(Notional::new(most))),
            most.to_string()
        );
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

    #[test]
    fn clocks_of_a_day_and_beyond() {
        for (millis, expected) in [
            (0, "00:00:00.000"),
            (1, "00:00:00.001"),
            (34_200_100, "09:30:00.100"),
            (86_399_999, "23:59:59.999"),
            (359_999_999, "99:59:59.999"),
            (360_000_000, "0000100:00:00.000"),
        ] {
            let nanos = millis * NANOS_PER_MILLI;
            assert_eq!(text(&Value::clock(Timestamp(nanos))), expected);
            assert_eq!(text(&Value::clock(Timestamp(nanos + 999_999))), expected);
        }
    }

    proptest! {
        #[test]
        fn a_column_is_aligned_on_the_right_and_a_wider_value_moves_the_rest(
            number in 0..1_u128 << 96,
            shift in 0..96_u32,
            width in 0..40_usize,
        ) {
            let number = number >> shift;
            let mut column = Vec::new();
            Value::notional(Notional::new(number)).push_column(width, &mut column);
            prop_assert_eq!(String::from_utf8(column).unwrap(), format!(" {number:>width$}"));
        }

        #[test]
        fn as_the_standard_formatting(number: u64, shift in 0..64_u32, bytes: [u8; 8]) {
            let number = number >> shift;
            prop_assert_eq!(text(&Value::number(number)), number.to_string());
            let usd = format!("{}.{:06}", number / 1_000_000, number % 1_000_000);
            prop_assert_eq!(text(&Value::micros(number)), usd);
            let symbol = Symbol(bytes);
            let (shown, length) = symbol_bytes(symbol);
            prop_assert_eq!(std::str::from_utf8(&shown[..length]).unwrap(), symbol.name());
            let mut out = Vec::new();
            let is_letter = |byte: u8| byte.is_ascii_alphabetic();
            push_symbol(symbol, &mut out, is_letter, |out, name| out.extend([name, b"!"].concat()));
            let end = if symbol.name().bytes().any(is_letter) { "!" } else { "" };
            prop_assert_eq!(String::from_utf8(out).unwrap(), symbol.name() + end);
        }
    }
}
