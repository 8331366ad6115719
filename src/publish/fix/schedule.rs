//! When a session may be up: days and times in a time zone.
//!
//! A period opens at `start` and closes at `end`, both local times of day. Daily, a period opens on
//! each of `days`; weekly, on `start_day`, and it closes on the next `end_day`. An end that is not
//! later in the day than the start lies on the following day, or in the following week. Numbers start
//! at 1 in every period. Local times that a change of the clocks skips are taken as late as it is
//! long, those that it repeats at their first occurrence.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

/// The periods of a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Keys")]
pub struct Schedule {
    zone: TimeZone,
    start: Time,
    end: Time,
    days: Days,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    /// A period opens on each of these.
    Daily(Vec<Weekday>),
    /// One period a week, from the first to the second.
    Weekly(Weekday, Weekday),
}

/// What a configuration says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default = "utc")]
    zone: String,
    start: String,
    end: String,
    days: Option<Vec<String>>,
    start_day: Option<String>,
    end_day: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn weekday(name: &String) -> Result<Weekday, String> {
    let found = WEEK.iter().find(|(short, _)| short == name);
    found
        .map(|&(_, day)| day)
        .ok_or_else(|| format!("`{name}` is no day: mon tue wed thu fri sat sun"))
}

fn time(text: &str) -> Result<Time, String> {
    let fault = |_| format!("`{text}` is no time of day such as 07:30 or 07:30:00");
    text.parse().map_err(fault)
}

impl TryFrom<Keys> for Schedule {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let zone = TimeZone::get(&keys.zone)
            .map_err(|_| format!("`{}` is no time zone such as America/New_York", keys.zone))?;
        let days = match (&keys.days, &keys.start_day, &keys.end_day) {
            (None, Some(first), Some(last)) => Days::Weekly(weekday(first)?, weekday(last)?),
            (Some(days), None, None) if !days.is_empty() => {
                Days::Daily(days.iter().map(weekday).collect::<Result<_, _>>()?)
            }
            (None, None, None) => Days::Daily(WEEK.iter().map(|&(_, day)| day).collect()),
            _ => return Err("a schedule has days, or start_day and end_day".to_owned()),
        };
        Ok(Self {
            zone,
            start: time(&keys.start)?,
            end: time(&keys.end)?,
            days,
        })
    }
}

/// One period, in nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first nanosecond.
    pub opens_ns: u64,
    /// The first nanosecond after it.
    pub closes_ns: u64,
}

impl Period {
    /// The period of a session without a schedule.
    pub const ALWAYS: Self = Self {
        opens_ns: 0,
        closes_ns: u64::MAX,
    };
}

impl Schedule {
    /// The period that holds `utc_ns`; `None` while the session is closed.
    #[must_use]
    pub fn period(&self, utc_ns: u64) -> Option<Period> {
        let now = Timestamp::from_nanosecond(i128::from(utc_ns)).ok()?;
        let today = self.zone.to_datetime(now).date();
        (0..=8).find_map(|back| {
            let date = today.checked_sub(i64::from(back).days()).ok()?;
            let last = date.checked_add(self.length(date)?.days()).ok()?;
            let period = Period {
                opens_ns: self.utc(date, self.start)?,
                closes_ns: self.utc(last, self.end)?,
            };
            (period.opens_ns..period.closes_ns)
                .contains(&utc_ns)
                .then_some(period)
        })
    }

    /// Days from the date on which a period opens to that on which it closes; `None` if none opens.
    fn length(&self, date: Date) -> Option<i64> {
        let same_day = self.end > self.start;
        match &self.days {
            Days::Daily(days) => days
                .contains(&date.weekday())
                .then_some(i64::from(!same_day)),
            Days::Weekly(first, last) => {
                let days = last.since(*first);
                let whole = if days == 0 && !same_day { 7 } else { days };
                (date.weekday() == *first).then_some(i64::from(whole))
            }
        }
    }

    fn utc(&self, date: Date, time: Time) -> Option<u64> {
        let instant = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
        u64::try_from(instant.as_nanosecond()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        toml::from_str(text).unwrap()
    }

    /// The period at a UTC time, as UTC times.
    fn period(schedule: &Schedule, now: &str) -> Option<(String, String)> {
        let now: Timestamp = now.parse().unwrap();
        let found = schedule.period(now.as_nanosecond() as u64)?;
        let text = |ns: u64| {
            Timestamp::from_nanosecond(i128::from(ns))
                .unwrap()
                .to_string()
        };
        Some((text(found.opens_ns), text(found.closes_ns)))
    }

    fn check(schedule: &Schedule, now: &str, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(period(schedule, now), expected, "{now}");
    }

    #[test]
    fn working_days_in_new_york_follow_its_clocks() {
        let schedule = schedule(
            "zone = 'America/New_York'\nstart = '07:00'\nend = '18:00:00'\n\
             days = ['mon', 'tue', 'wed', 'thu', 'fri']",
        );
        // 2024-03-08 is the Friday before the clocks go forward.
        let friday = Some(("2024-03-08T12:00:00Z", "2024-03-08T23:00:00Z"));
        check(&schedule, "2024-03-08T11:59:59.999999999Z", None);
        check(&schedule, "2024-03-08T12:00:00Z", friday);
        check(&schedule, "2024-03-08T22:59:59.999999999Z", friday);
        check(&schedule, "2024-03-08T23:00:00Z", None);
        check(&schedule, "2024-03-09T15:00:00Z", None);
        let monday = Some(("2024-03-11T11:00:00Z", "2024-03-11T22:00:00Z"));
        check(&schedule, "2024-03-11T11:00:00Z", monday);
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let schedule = schedule("start = '22:00'\nend = '05:00'\ndays = ['fri']");
        let night = Some(("2024-03-08T22:00:00Z", "2024-03-09T05:00:00Z"));
        check(&schedule, "2024-03-08T21:59:59Z", None);
        check(&schedule, "2024-03-08T22:00:00Z", night);
        check(&schedule, "2024-03-09T04:59:59Z", night);
        check(&schedule, "2024-03-09T05:00:00Z", None);
        check(&schedule, "2024-03-09T22:00:00Z", None);
    }

    #[test]
    fn weeks() {
        let schedule = schedule(
            "zone = 'America/Chicago'\nstart = '17:00'\nend = '16:00'\nstart_day = 'sun'\nend_day = 'fri'",
        );
        // The clocks go forward on the Sunday on which this week opens, before it does.
        let week = Some(("2024-03-10T22:00:00Z", "2024-03-15T21:00:00Z"));
        check(&schedule, "2024-03-10T21:59:59Z", None);
        for now in [
            "2024-03-10T22:00:00Z",
            "2024-03-13T00:00:00Z",
            "2024-03-15T20:59:59Z",
        ] {
            check(&schedule, now, week);
        }
        check(&schedule, "2024-03-15T21:00:00Z", None);
        check(&schedule, "2024-03-16T12:00:00Z", None);
    }

    #[test]
    fn a_whole_week_and_a_whole_day_leave_no_gap() {
        let week = schedule("start = '00:00'\nend = '00:00'\nstart_day = 'mon'\nend_day = 'mon'");
        let first = Some(("2024-03-04T00:00:00Z", "2024-03-11T00:00:00Z"));
        check(&week, "2024-03-10T23:59:59Z", first);
        let next = Some(("2024-03-11T00:00:00Z", "2024-03-18T00:00:00Z"));
        check(&week, "2024-03-11T00:00:00Z", next);
        let day = schedule("start = '00:00'\nend = '00:00'");
        let saturday = Some(("2024-03-09T00:00:00Z", "2024-03-10T00:00:00Z"));
        check(&day, "2024-03-09T23:59:59Z", saturday);
    }

    #[test]
    fn what_is_no_schedule() {
        for (text, reason) in [
            (
                "start = '07:00'\nend = '18:00'\nzone = 'Mars/Base'",
                "no time zone",
            ),
            ("start = '7 pm'\nend = '18:00'", "no time of day"),
            (
                "start = '07:00'\nend = '18:00'\ndays = ['monday']",
                "no day",
            ),
            ("start = '07:00'\nend = '18:00'\ndays = []", "has days, or"),
            (
                "start = '07:00'\nend = '18:00'\nstart_day = 'mon'",
                "has days, or",
            ),
            ("start = '07:00'", "end"),
            ("start = '07:00'\nend = '18:00'\nday = 1", "unknown field"),
        ] {
            let error = toml::from_str::<Schedule>(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
