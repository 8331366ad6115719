//! Moments at which a core stood still: a thread on each that does nothing but look at the clock.

use std::fs::File;
use std::io::{Read, Seek};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use super::machine::Finding;
use crate::engine::beside;

/// A thread that sees so much time pass at once did not run meanwhile.
const STALL: Duration = Duration::from_millis(1);

/// Stalls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stalls {
    count: u64,
    lost: Duration,
    longest: Duration,
}

impl Stalls {
    fn note(&mut self, stall: Duration) {
        self.count += 1;
        self.lost += stall;
        self.longest = self.longest.max(stall);
    }

    fn and(self, other: Stalls) -> Stalls {
        Stalls {
            count: self.count + other.count,
            lost: self.lost + other.lost,
            longest: self.longest.max(other.longest),
        }
    }

    /// How often, how much and how long at most, of `watched` on each of so many cores.
    fn told(&self, watched: Duration, cores: usize) -> String {
        let share = self.lost.as_secs_f64() * 100.0 / (watched.as_secs_f64() * cores as f64);
        let longest = self.longest.as_secs_f64() * 1e3;
        let among = format!("{cores} cores in {:.1} s", watched.as_secs_f64());
        match self.count {
            0 => format!("none of more than 1 ms, {among}"),
            count => format!(
                "{share:.2} % of the time: {count} of more than 1 ms, {among}, the longest {longest:.1} ms"
            ),
        }
    }
}

/// What a thread has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Stalls in which the system had the thread on its core.
    still: Stalls,
    /// Stalls in which it had taken the core away from it.
    preempted: Stalls,
}

impl Seen {
    /// Judges that the clock went on by `passed`, and whether the thread left its core meanwhile.
    fn note(&mut self, passed: Duration, has_left: bool) {
        if passed > STALL {
            match has_left {
                false => self.still.note(passed),
                true => self.preempted.note(passed),
            }
        }
    }

    fn and(self, other: Seen) -> Seen {
        Seen {
            still: self.still.and(other.still),
            preempted: self.preempted.and(other.preempted),
        }
    }
}

/// How often the system has put the thread on a core whose schedstat this is: the third number.
fn times_on_core(schedstat: &mut Option<File>) -> Option<u64> {
    let (file, mut text) = (schedstat.as_mut()?, String::new());
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Looks at the clock for so long.
fn watch(long: Duration) -> Seen {
    // Where there is none, all is taken for the machine's doing.
    let mut schedstat = File::open("/proc/thread-self/schedstat").ok();
    let begin = Instant::now();
    let mut seen = Seen::default();
    let mut before = (begin, times_on_core(&mut schedstat));
    while before.0 - begin < long {
        let now = (Instant::now(), times_on_core(&mut schedstat));
        seen.note(now.0 - before.0, now.1 != before.1);
        before = now;
    }
    seen
}

/// Keeps every core busy for so long; what they lost.
pub(super) fn findings(long: Duration) -> [Finding; 2] {
    let cores = available_parallelism().map_or(1, usize::from);
    let threads: Vec<_> = (0..cores)
        .map(|_| beside("watch", move || watch(long)))
        .collect();
    let seen = threads.into_iter().flatten();
    let seen: Vec<Seen> = seen.filter_map(|thread| thread.join().ok()).collect();
    let all = seen
        .iter()
        .fold(Seen::default(), |all, seen| all.and(*seen));
    told(&all, long, seen.len())
}

fn told(seen: &Seen, long: Duration, cores: usize) -> [Finding; 2] {
    let finding = |topic, stalls: &Stalls, matters: &str| Finding {
        topic,
        found: stalls.told(long, cores),
        advice: match stalls.count {
            0 => "as it should be".to_owned(),
            _ => matters.to_owned(),
        },
    };
    [
        finding(
            "stalls",
            &seen.still,
            "cores stood still although no other thread ran there: the host ran something else, or the \
             kernel served the machine; no latency is shorter, whatever is set here",
        ),
        finding(
            "preempted",
            &seen.preempted,
            "other threads ran: engine.real_time_priority lets those that the feed needs run first",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_stall_is_longer_than_a_millisecond_and_nobodys_if_the_thread_kept_its_core() {
        let mut seen = Seen::default();
        for (millis, has_left) in [(1, false), (3, false), (9, true), (2, false)] {
            seen.note(millis * MS, has_left);
        }
        let of = |count, lost, longest| Stalls {
            count,
            lost: lost * MS,
            longest: longest * MS,
        };
        assert_eq!(seen.still, of(2, 5, 3));
        assert_eq!(seen.preempted, of(1, 9, 9));
        let both = seen.and(seen);
        assert_eq!(both.still, of(4, 10, 3));
        let [still, preempted] = told(&seen, Duration::from_secs(1), 2);
        assert_eq!(
            still.found,
            "0.25 % of the time: 2 of more than 1 ms, 2 cores in 1.0 s, the longest 3.0 ms"
        );
        assert!(preempted.advice.contains("real_time_priority"));
        let [still, _] = told(&Seen::default(), Duration::from_secs(1), 2);
        assert_eq!(still.found, "none of more than 1 ms, 2 cores in 1.0 s");
    }

    #[test]
    fn a_core_is_watched_as_long_as_asked() {
        let begin = Instant::now();
        watch(20 * MS);
        assert!(begin.elapsed() >= 20 * MS);
    }
}
