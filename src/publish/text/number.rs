//! Decimal numbers appended to bytes without the formatting machinery, two digits at a time.

use crate::market::{Price, Symbol};

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

/// A number's text, built from its last digit to its first, which needs no count of digits. No
/// number here has more than 40 characters.
struct Backwards {
    bytes: [u8; 40],
    at: usize,
}

impl Backwards {
    #[inline]
    fn new() -> Self {
        Self {
            bytes: [b'0'; 40],
            at: 40,
        }
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
    fn number(&mut self, mut number: u64) {
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

    #[inline]
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[self.at..]);
    }
}

/// Appends `number` without leading zeros.
#[inline]
pub(super) fn push_u64(out: &mut Vec<u8>, number: u64) {
    let mut text = Backwards::new();
    text.number(number);
    text.push_to(out);
}

/// Appends the last `digits` digits of `number`, with leading zeros; `digits` is at most 40.
#[inline]
pub(super) fn push_padded(out: &mut Vec<u8>, number: u64, digits: usize) {
    let mut text = Backwards::new();
    text.padded(number, digits);
    text.push_to(out);
}

/// Appends `number` without leading zeros.
#[inline]
pub(super) fn push_u128(out: &mut Vec<u8>, number: u128) {
    match u64::try_from(number) {
        Ok(number) => push_u64(out, number),
        Err(_) => {
            push_u128(out, number / CHUNK);
            push_padded(out, (number % CHUNK) as u64, CHUNK_DIGITS);
        }
    }
}

/// Appends micro-USD as USD with six decimals.
#[inline]
pub(super) fn push_micros(out: &mut Vec<u8>, micros: u64) {
    const ONE: u64 = 1_000_000;
    let mut text = Backwards::new();
    text.padded(micros % ONE, 6);
    text.byte(b'.');
    text.number(micros / ONE);
    text.push_to(out);
}

/// Appends a price as USD with four decimals.
#[inline]
pub(super) fn push_price(out: &mut Vec<u8>, price: Price) {
    let mut text = Backwards::new();
    text.padded(u64::from(price.0 % Price::TICKS_PER_USD), 4);
    text.byte(b'.');
    text.number(u64::from(price.0 / Price::TICKS_PER_USD));
    text.push_to(out);
}

/// Appends `true` or `false`.
#[inline]
pub(super) fn push_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
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

    fn text(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = b"x".to_vec();
        push(&mut out);
        String::from_utf8(out.split_off(1)).unwrap()
    }

    #[test]
    fn both_sides_of_every_length() {
        let mut power = 1_u128;
        for _ in 0..38 {
            for number in [power - 1, power, power + 1] {
                assert_eq!(text(|out| push_u128(out, number)), number.to_string());
                if let Ok(number) = u64::try_from(number) {
                    assert_eq!(text(|out| push_u64(out, number)), number.to_string());
                }
            }
            power *= 10;
        }
        assert_eq!(text(|out| push_u64(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(|out| push_u128(out, u128::MAX)), u128::MAX.to_string());
    }

    #[test]
    fn decimals_are_kept() {
        assert_eq!(text(|out| push_micros(out, 0)), "0.000000");
        assert_eq!(text(|out| push_micros(out, 999_999)), "0.999999");
        assert_eq!(text(|out| push_micros(out, 1_000_001)), "1.000001");
        assert_eq!(
            text(|out| push_micros(out, u64::MAX)),
            "18446744073709.551615"
        );
        assert_eq!(text(|out| push_price(out, Price(1))), "0.0001");
        assert_eq!(text(|out| push_price(out, Price(u32::MAX))), "429496.7295");
    }

    proptest! {
        #[test]
        fn as_the_standard_formatting(number: u64, bytes: [u8; 8]) {
            prop_assert_eq!(text(|out| push_u64(out, number)), number.to_string());
            let symbol = Symbol(bytes);
            let (shown, length) = symbol_bytes(symbol);
            prop_assert_eq!(std::str::from_utf8(&shown[..length]).unwrap(), symbol.name());
        }
    }
}
