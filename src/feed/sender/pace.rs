//! When each message is to leave.
//!
//! The schedule is open-loop: a message's time is fixed by its timestamp or number and the start,
//! whatever the sender's delays, so that lateness adds up nowhere and can be reported.

use super::options::Speed;
use crate::market::{NANOS_PER_MILLI, NANOS_PER_SECOND};

/// Where an ITCH message has its timestamp: 6 bytes, nanoseconds since midnight.
const TIMESTAMP: std::ops::Range<usize> = 5..11;

/// How far behind a limited rate may catch up in a burst.
const CATCH_UP_NS: u64 = NANOS_PER_MILLI;

/// Intended times, in nanoseconds on the sender's clock.
#[derive(Debug)]
pub(super) struct Schedule {
    speed: Speed,
    start_ns: u64,
    /// Timestamp of the first message that has one.
    origin: Option<u64>,
    /// The latest timestamp so far.
    latest: u64,
    /// Messages that have left.
    passed: u64,
}

/// Which messages are due at some time: asked of the schedule once, and then of each message without a
/// division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Horizon {
    Everything,
    /// So many messages from the first on.
    Count(u64),
    /// Messages whose timestamp is below this.
    Time(u64),
}

impl Schedule {
    pub(super) fn new(speed: Speed, start_ns: u64) -> Self {
        Self {
            speed,
            start_ns,
            origin: None,
            latest: 0,
            passed: 0,
        }
    }

    /// When `message` is to leave, if it is next. Timestamps that go back, and messages too short to
    /// have one, leave with their predecessor.
    pub(super) fn due(&self, message: &[u8]) -> u64 {
        let multiple = match self.speed {
            Speed::Max => return self.start_ns,
            Speed::Multiple(multiple) => multiple,
            Speed::Rate(rate) => return self.start_ns.saturating_add(self.even(rate.max(1))),
        };
        let time = timestamp(message).unwrap_or(0).max(self.latest);
        let elapsed = self.origin.map_or(0, |origin| time.saturating_sub(origin));
        self.start_ns
            .saturating_add((elapsed as f64 / multiple) as u64)
    }

    /// What is due at `now_ns`, as [`Schedule::due`] says it of each message.
    pub(super) fn horizon(&self, now_ns: u64) -> Horizon {
        let elapsed = now_ns.saturating_sub(self.start_ns).saturating_add(1);
        match self.speed {
            Speed::Max => Horizon::Everything,
            Speed::Rate(rate) => {
                let product = u128::from(elapsed) * u128::from(rate.max(1));
                let count = product.div_ceil(u128::from(NANOS_PER_SECOND));
                Horizon::Count(u64::try_from(count).unwrap_or(u64::MAX))
            }
            Speed::Multiple(multiple) => match self.origin {
                Some(origin) => {
                    Horizon::Time(origin.saturating_add((elapsed as f64 * multiple) as u64))
                }
                // Until a timestamp has been met, one message at a time.
                None => Horizon::Count(self.passed),
            },
        }
    }

    /// Whether `message`, which is next, is due by `horizon`.
    #[inline]
    pub(super) fn reached(&self, horizon: Horizon, message: &[u8]) -> bool {
        match horizon {
            Horizon::Everything => true,
            Horizon::Count(count) => self.passed < count,
            Horizon::Time(time) => timestamp(message).unwrap_or(0).max(self.latest) < time,
        }
    }

    /// Time from the start to the next message at an even rate.
    fn even(&self, rate: u64) -> u64 {
        match self.passed.checked_mul(NANOS_PER_SECOND) {
            Some(product) => product / rate,
            // After 18 thousand million messages.
            None => {
                let product = u128::from(self.passed) * u128::from(NANOS_PER_SECOND);
                u64::try_from(product / u128::from(rate)).unwrap_or(u64::MAX)
            }
        }
    }

    /// Takes note that `message` has left.
    #[inline]
    pub(super) fn passed(&mut self, message: &[u8]) {
        self.passed += 1;
        if matches!(self.speed, Speed::Multiple(_))
            && let Some(time) = timestamp(message)
        {
            self.origin.get_or_insert(time);
            self.latest = self.latest.max(time);
        }
    }
}

#[inline]
fn timestamp(message: &[u8]) -> Option<u64> {
    let bytes = message.get(TIMESTAMP)?;
    Some(
        bytes
            .iter()
            .fold(0, |time, byte| time << 8 | u64::from(*byte)),
    )
}

/// At most so many events a second.
#[derive(Debug)]
pub(super) struct Rate {
    interval_ns: u64,
    next_ns: u64,
}

impl Rate {
    /// Without a number there is no limit; 0 is taken as 1.
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self {
            interval_ns: per_second.map_or(0, |rate| NANOS_PER_SECOND / u64::from(rate.max(1))),
            next_ns: 0,
        }
    }

    /// The earliest time of the next event.
    pub(super) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// Takes note of an event.
    pub(super) fn passed(&mut self, now_ns: u64) {
        let behind = now_ns.saturating_sub(CATCH_UP_NS);
        self.next_ns = self.next_ns.max(behind).saturating_add(self.interval_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(time: u64) -> Vec<u8> {
        let mut bytes = vec![b'S', 0, 0, 0, 0];
        bytes.extend_from_slice(&time.to_be_bytes()[2..]);
        bytes
    }

    #[test]
    fn intended_times_follow_the_timestamps() {
        let mut schedule = Schedule::new(Speed::Multiple(2.0), 1_000);
        let first = message(500_000);
        assert_eq!(schedule.due(&first), 1_000);
        schedule.passed(&first);
        assert_eq!(schedule.due(&message(500_600)), 1_300);
        schedule.passed(&message(500_600));
        assert_eq!(
            schedule.due(&message(500_100)),
            1_300,
            "time doesn't go back"
        );
        assert_eq!(schedule.due(b"short"), 1_300);
        assert_eq!(
            schedule.due(&message(0xFFFF_FFFF_FFFF)),
            1_000 + (0xFFFF_FFFF_FFFF - 500_000) / 2
        );
        assert_eq!(Schedule::new(Speed::Max, 7).due(&first), 7);
    }

    #[test]
    fn a_horizon_reaches_what_is_due() {
        for speed in [
            Speed::Max,
            Speed::Rate(3),
            Speed::Rate(7),
            Speed::Rate(u64::MAX),
            Speed::Multiple(4.0),
        ] {
            let mut schedule = Schedule::new(speed, 1_000);
            schedule.passed(&message(500_000));
            for number in 0..2_000 {
                let next = message(500_000 + number * 17);
                let due = schedule.due(&next);
                for now in
                    [due.saturating_sub(1), due, due + 1, due + 1_000].map(|now| now.max(1_000))
                {
                    let reached = schedule.reached(schedule.horizon(now), &next);
                    assert_eq!(
                        reached,
                        due <= now,
                        "{speed:?} {number} due {due} now {now}"
                    );
                }
                schedule.passed(&next);
            }
        }
        let mut timeless = Schedule::new(Speed::Multiple(1.0), 0);
        timeless.passed(b"short");
        assert!(
            !timeless.reached(timeless.horizon(u64::MAX), &message(5)),
            "no time to go by"
        );
    }

    #[test]
    fn an_even_rate_does_not_drift() {
        let mut schedule = Schedule::new(Speed::Rate(3), 10);
        let mut due = Vec::new();
        for time in [9, 7, 100, 3] {
            due.push(schedule.due(&message(time)));
            schedule.passed(&message(time));
        }
        assert_eq!(due, [10, 333_333_343, 666_666_676, 1_000_000_010]);
        schedule.passed = 30_000_000_000;
        assert_eq!(schedule.due(b""), 10 + 10_000_000_000 * NANOS_PER_SECOND);
        schedule.passed = u64::MAX;
        assert_eq!(schedule.due(b""), u64::MAX, "beyond the clock");
    }

    #[test]
    fn a_rate_catches_up_a_millisecond_and_no_more() {
        let mut rate = Rate::new(Some(1_000));
        assert_eq!(rate.next_ns(), 0);
        rate.passed(0);
        assert_eq!(rate.next_ns(), 1_000_000);
        rate.passed(1_000_000);
        assert_eq!(rate.next_ns(), 2_000_000);
        rate.passed(10_000_000);
        assert_eq!(rate.next_ns(), 10_000_000);
        let mut unlimited = Rate::new(None);
        unlimited.passed(5);
        assert!(unlimited.next_ns() <= 5);
    }
}
