//! Feed time and the durations that people type.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds in a millisecond.
pub const NANOS_PER_MILLI: u64 = 1_000_000;
/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a day.
pub const NANOS_PER_DAY: u64 = 86_400 * NANOS_PER_SECOND;

/// Nanoseconds since the feed's midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Timestamp(pub u64);

/// `HH:MM:SS.nnnnnnnnn`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / NANOS_PER_SECOND;
        write!(
            f,
            "{:02}:{:02}:{:02}.{:09}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            self.0 % NANOS_PER_SECOND
        )
    }
}

/// A positive whole number of milliseconds up to a day, written `250ms`, `1s`, `5m` or `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanos: u64,
}

/// Why a text is no [`Duration`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a whole number followed by a unit.
    #[error("`{0}` is not a duration: write a whole number and ms, s, m or h, such as 250ms or 5m")]
    Malformed(String),
    /// Zero, or longer than a day.
    #[error("`{0}` is out of range: durations go from 1ms to 24h")]
    OutOfRange(String),
}

impl Duration {
    /// The duration of `millis` milliseconds; `None` for 0 and for more than a day.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis == 0 || millis > NANOS_PER_DAY / NANOS_PER_MILLI {
            return None;
        }
        Some(Self {
            nanos: millis * NANOS_PER_MILLI,
        })
    }

    /// A second: the distance of ends of wide windows unless another is asked for.
    pub const SECOND: Self = Self {
        nanos: NANOS_PER_SECOND,
    };

    /// A tenth of a second: the step unless another is asked for.
    pub const HUNDRED_MILLISECONDS: Self = Self {
        nanos: 100 * NANOS_PER_MILLI,
    };

    /// Length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.nanos
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let malformed = || DurationError::Malformed(text.to_owned());
        let unit_at = text
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(malformed)?;
        let (number, unit) = text.split_at(unit_at);
        let millis_per_unit: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(malformed()),
        };
        if number.is_empty() {
            return Err(malformed());
        }
        number
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(millis_per_unit))
            .and_then(Duration::from_millis)
            .ok_or_else(|| DurationError::OutOfRange(text.to_owned()))
    }
}

/// The largest unit that divides the duration, for example `1500ms` or `2h`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.nanos / NANOS_PER_MILLI;
        for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
            if millis.is_multiple_of(length) {
                return write!(f, "{}{unit}", millis / length);
            }
        }
        write!(f, "{millis}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_and_print() {
        for (text, millis) in [
            ("250ms", 250),
            ("1s", 1_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.nanos(), millis * NANOS_PER_MILLI);
            assert_eq!(duration.to_string(), text);
        }
        assert_eq!("60s".parse::<Duration>().unwrap().to_string(), "1m");
    }

    #[test]
    fn both_sides_of_every_limit() {
        assert!("1ms".parse::<Duration>().is_ok());
        assert!(matches!(
            "0ms".parse::<Duration>(),
            Err(DurationError::OutOfRange(_))
        ));
        assert!(matches!(
            "86400001ms".parse::<Duration>(),
            Err(DurationError::OutOfRange(_))
        ));
        assert!(matches!(
            "99999999999999999999h".parse::<Duration>(),
            Err(DurationError::OutOfRange(_))
        ));
        for text in ["", "5", "s", "-1s", "1.5s", "1 s", "1d", "1S"] {
            assert!(
                matches!(text.parse::<Duration>(), Err(DurationError::Malformed(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn clock_face() {
        assert_eq!(
            Timestamp(34_200_000_000_001).to_string(),
            "09:30:00.000000001"
        );
    }
}
