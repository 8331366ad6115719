//! Field values: whole numbers, flags and UTC times, parsed strictly and written without allocation.

use nom::Parser;
use nom::bytes::complete::{tag, take};
use nom::combinator::{map_opt, rest};
use nom::sequence::preceded;

/// The value of a field of type int, SeqNum, Length or NumInGroup: one to eighteen digits, nothing
/// else. Leading zeros are accepted; signs and blanks are not.
#[must_use]
pub fn parse_uint(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 {
        return None;
    }
    value.iter().try_fold(0_u64, |number, &byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

/// The value of a Boolean field, `Y` or `N`.
#[must_use]
pub fn parse_bool(value: &[u8]) -> Option<bool> {
    match value {
        b"Y" => Some(true),
        b"N" => Some(false),
        _ => None,
    }
}

const SECONDS_PER_DAY: u64 = 86_400;
const NANOS: u64 = 1_000_000_000;

/// A UTCTimestamp, `YYYYMMDD-HH:MM:SS` with none, three, six or nine decimals, as nanoseconds since
/// 1970-01-01. Years 1970 to 2261; second 60 is a leap second and counts as the next minute's first.
#[must_use]
pub fn parse_utc(value: &[u8]) -> Option<u64> {
    let (year, month, day) = (digits(4), digits(2), digits(2));
    let date = (year, month, day, tag("-"));
    let (_, ((year, month, day, _), time)) = (date, map_opt(rest, parse_time)).parse(value).ok()?;
    if !(1970..=2261).contains(&year) {
        return None;
    }
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_since_1970(year, month, day) * SECONDS_PER_DAY * NANOS + time)
}

/// A UTCTimeOnly, `HH:MM:SS` with none, three, six or nine decimals, as nanoseconds since midnight.
#[must_use]
pub fn parse_time(value: &[u8]) -> Option<u64> {
    let (hour, minute, second) = (
        digits(2),
        preceded(tag(":"), digits(2)),
        preceded(tag(":"), digits(2)),
    );
    let mut clock = (hour, minute, second, map_opt(rest, parse_fraction));
    let (_, (hour, minute, second, nanos)) = clock.parse(value).ok()?;
    let is_time = hour <= 23 && minute <= 59 && second <= 60;
    is_time.then_some((hour * 3600 + minute * 60 + second) * NANOS + nanos)
}

/// The value of a field of type Price or Qty in units of 10^-`decimals`; `None` if it is negative, no
/// number, too large, or has decimals beyond those that are not 0.
#[must_use]
pub fn parse_decimal(value: &[u8], decimals: usize) -> Option<u64> {
    let point = value.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&value[..at], &value[at + 1..]),
        None => (value, &[][..]),
    };
    let (kept, beyond) = fraction.split_at(fraction.len().min(decimals));
    if whole.len() + kept.len() == 0 || beyond.iter().any(|&byte| byte != b'0') {
        return None;
    }
    let missing = std::iter::repeat_n(&b'0', decimals - kept.len());
    let mut digits = whole.iter().chain(kept).chain(missing);
    digits.try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// So many decimal digits.
fn digits<'a>(
    count: usize,
) -> impl Parser<&'a [u8], Output = u64, Error = nom::error::Error<&'a [u8]>> {
    map_opt(take(count), parse_uint)
}

/// Nanoseconds of `""`, `.mmm`, `.uuuuuu` or `.nnnnnnnnn`.
fn parse_fraction(fraction: &[u8]) -> Option<u64> {
    let scale = match fraction.len() {
        0 => return Some(0),
        4 => 1_000_000,
        7 => 1_000,
        10 => 1,
        _ => return None,
    };
    if fraction[0] != b'.' {
        return None;
    }
    Some(parse_uint(&fraction[1..])? * scale)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of `year`, by counting the leap days between.
const fn days_to_year(year: u64) -> u64 {
    (year - 1970) * 365 + leap_years_through(year - 1) - leap_years_through(1969)
}

const fn leap_years_through(year: u64) -> u64 {
    year / 4 - year / 100 + year / 400
}

fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let earlier_months: u64 = (1..month).map(|month| days_in_month(year, month)).sum();
    days_to_year(year) + earlier_months + day - 1
}

/// The year, month and day that are `days` after 1970-01-01.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    while days_to_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_to_year(year);
    let mut month = 1;
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

/// A UTCTimestamp with milliseconds, ready to be written: `YYYYMMDD-HH:MM:SS.sss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcText([u8; Self::LENGTH]);

impl UtcText {
    /// Bytes of the text.
    pub const LENGTH: usize = 21;

    /// The text of `utc_ns` nanoseconds since 1970-01-01, cut to the millisecond.
    #[must_use]
    pub fn new(utc_ns: u64) -> Self {
        let seconds = utc_ns / NANOS;
        let (year, month, day) = civil_date(seconds / SECONDS_PER_DAY);
        let mut text = *b"00000000-00:00:00.000";
        put_digits(&mut text[0..4], year);
        put_digits(&mut text[4..6], month);
        put_digits(&mut text[6..8], day);
        text[9..].copy_from_slice(&time_only(utc_ns % (SECONDS_PER_DAY * NANOS)));
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// A UTCTimeOnly with milliseconds, `HH:MM:SS.sss`, of nanoseconds since midnight (modulo a day).
pub(super) fn time_only(since_midnight_ns: u64) -> [u8; 12] {
    let millis = since_midnight_ns / 1_000_000;
    let seconds = millis / 1000 % SECONDS_PER_DAY;
    let mut text = *b"00:00:00.000";
    put_digits(&mut text[0..2], seconds / 3600);
    put_digits(&mut text[3..5], seconds / 60 % 60);
    put_digits(&mut text[6..8], seconds % 60);
    put_digits(&mut text[9..12], millis % 1000);
    text
}

/// Fills `place` with the last digits of `number`.
#[inline]
fn put_digits(place: &mut [u8], mut number: u64) {
    for pair in place.rchunks_mut(2) {
        let at = (number % 100) as usize * 2;
        let skip = 2 - pair.len();
        pair.copy_from_slice(&PAIRS[at + skip..at + 2]);
        number /= 100;
    }
}

/// `00` to `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[number * 2] = b'0' + (number / 10) as u8;
        pairs[number * 2 + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

/// The decimal digits of a number, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    text: [u8; 24],
    start: usize,
}

impl Digits {
    /// The digits of `number`, without leading zeros.
    #[inline]
    #[must_use]
    pub fn whole(number: u64) -> Self {
        let mut digits = Self {
            text: [0; 24],
            start: 24,
        };
        digits.prepend(number, 1);
        digits
    }

    /// `number` units of 10^-`decimals` with exactly that many decimals (at most 18).
    #[inline]
    #[must_use]
    pub fn fixed(number: u64, decimals: u32) -> Self {
        let scale = 10_u64.pow(decimals.min(18));
        let mut digits = Self {
            text: [0; 24],
            start: 24,
        };
        digits.prepend(number % scale, decimals as usize);
        digits.start -= 1;
        digits.text[digits.start] = b'.';
        digits.prepend(number / scale, 1);
        digits
    }

    /// Puts the digits of `number` in front, with zeros up to `at_least` of them.
    #[inline]
    fn prepend(&mut self, mut number: u64, at_least: usize) {
        let floor = self.start - at_least;
        let mut start = self.start;
        while number >= 10 {
            let pair = (number % 100) as usize * 2;
            number /= 100;
            start -= 2;
            self.text[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        if number > 0 {
            start -= 1;
            self.text[start] = b'0' + number as u8;
        }
        while start > floor {
            start -= 1;
            self.text[start] = b'0';
        }
        self.start = start;
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_flags_are_strict() {
        assert_eq!(parse_uint(b"0"), Some(0));
        assert_eq!(parse_uint(b"000042"), Some(42));
        assert_eq!(
            parse_uint(b"999999999999999999"),
            Some(999_999_999_999_999_999)
        );
        for bad in [
            &b""[..],
            b"1000000000000000000",
            b"+1",
            b"-1",
            b" 1",
            b"1 ",
            b"1.0",
            b"a",
        ] {
            assert_eq!(parse_uint(bad), None, "{bad:?}");
        }
        assert_eq!(
            (
                parse_bool(b"Y"),
                parse_bool(b"N"),
                parse_bool(b"y"),
                parse_bool(b"")
            ),
            (Some(true), Some(false), None, None)
        );
    }

    #[test]
    fn timestamps_of_known_moments() {
        let known = [
            ("19700101-00:00:00", 0),
            ("20111124-05:33:31.763", 1_322_112_811_763_000_000),
            ("20000229-23:59:59.999999", 951_868_799_999_999_000),
            ("20240301-00:00:00.000000001", 1_709_251_200_000_000_001),
            ("20161231-23:59:60", 1_483_228_800_000_000_000),
            ("22611231-23:59:59", 9_214_646_399_000_000_000),
        ];
        for (text, nanos) in known {
            assert_eq!(parse_utc(text.as_bytes()), Some(nanos), "{text}");
        }
        let refused = [
            "",
            "20230229-00:00:00",
            "19691231-23:59:59",
            "20230100-00:00:00",
            "20231301-00:00:00",
            "20230101 00:00:00",
            "20230101-24:00:00",
            "20230101-00:60:00",
            "20230101-00:00:61",
            "20230101-00:00:00.",
            "20230101-00:00:00.1",
            "20230101-00:00:00,123",
            "20230431-00:00:00",
            "2023010-00:00:00",
        ];
        for text in refused {
            assert_eq!(parse_utc(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact_or_nothing() {
        for (text, ticks) in [
            ("585.33", 5_853_300),
            ("585.330000", 5_853_300),
            ("7", 70_000),
            (".5", 5_000),
            ("007.", 70_000),
            ("0.0001", 1),
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), 4), Some(ticks), "{text}");
        }
        for text in [
            "",
            ".",
            "-1",
            "+1",
            "1e3",
            "1.00001",
            "1,5",
            "1.2.3",
            "1844674407370956",
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), 4), None, "{text}");
        }
        assert_eq!(parse_time(b"09:30:00.5"), None);
        assert_eq!(parse_time(b"09:30:00.500"), Some(34_200_500_000_000));
    }

    proptest! {
        #[test]
        fn written_timestamps_read_back(millis in 0_u64..9_214_646_400_000) {
            let nanos = millis * 1_000_000;
            prop_assert_eq!(parse_utc(UtcText::new(nanos + 999_999).bytes()), Some(nanos));
        }

        #[test]
        fn digits_match_the_formatter(number: u64, decimals in 0_u32..10) {
            let (digits, printed) = (Digits::whole(number), number.to_string());
            prop_assert_eq!(digits.bytes(), printed.as_bytes());
            let scale = 10_u64.pow(decimals);
            let expected = format!("{}.{:0width$}", number / scale, number % scale, width = decimals as usize);
            if decimals > 0 {
                let digits = Digits::fixed(number, decimals);
                prop_assert_eq!(std::str::from_utf8(digits.bytes()), Ok(expected.as_str()));
            }
        }
    }
}
