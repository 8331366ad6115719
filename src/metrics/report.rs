//! The summary at the end of a session, as plain text.

use std::fmt::Write;
use std::time::Duration;

use super::{Counter, Counters, Kind, Latency, Place, Stage};

/// Renders the summary: messages with their rate, packets, what sockets took, gaps, drops by place (each of them, 0
/// too), errors that happened, results, latencies. Every line is `name  value, value...`.
#[must_use]
pub fn report(counters: &Counters, latency: &Latency, elapsed: Duration) -> String {
    let mut lines = Lines::default();
    let messages = counters.get(Counter::Messages);
    let seconds = elapsed.as_secs_f64();
    lines.add(
        "messages",
        &format!("{messages} in {seconds:.3} s{}", rate(messages, seconds)),
    );
    lines.add("packets", &packets(counters));
    if counters.get(Counter::LineASecond) + counters.get(Counter::LineBSecond) > 0 {
        lines.add("lines", &race(counters));
    }
    if counters.get(Counter::ReceiveCalls) > 0 {
        lines.add("sockets", &sockets(counters));
    }
    lines.add("gaps", &list(counters, Counter::of_kind(Kind::Gap)));
    for place in Place::EACH {
        let mut here = Counter::of_kind(Kind::Drop)
            .filter(|counter| counter.place() == place)
            .peekable();
        if here.peek().is_some() {
            lines.add(&format!("drops {}", place.name()), &list(counters, here));
        }
    }
    let mut errors = Counter::of_kind(Kind::Error)
        .filter(|&counter| counters.get(counter) > 0)
        .peekable();
    if errors.peek().is_some() {
        lines.add("errors", &list(counters, errors));
    }
    for place in [Place::Book, Place::Window, Place::Publish] {
        let flow = Counter::of_kind(Kind::Flow).filter(|counter| counter.place() == place);
        lines.add(place.name(), &list(counters, flow));
    }
    for stage in Stage::EACH {
        lines.add(stage.name(), &times(latency, stage));
    }
    lines.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, name: &str, values: &str) {
        let _infallible = writeln!(self.text, "{name:<18} {values}");
    }
}

/// `label value, label value`.
fn list(counters: &Counters, which: impl Iterator<Item = Counter>) -> String {
    let each = which.map(|counter| format!("{} {}", counter.label(), counters.get(counter)));
    each.collect::<Vec<_>>().join(", ")
}

fn packets(counters: &Counters) -> String {
    let lines = [
        Counter::PacketsLineA,
        Counter::PacketsLineB,
        Counter::PacketsRetransmitted,
    ];
    let total = lines
        .into_iter()
        .map(|line| counters.get(line))
        .fold(0, u64::saturating_add);
    let others = [Counter::DuplicatePackets, Counter::Heartbeats];
    let detail = list(counters, lines.into_iter().chain(others));
    format!("{total}: {detail}")
}

/// Which of two lines was first, how often, and how far the other was behind.
fn race(counters: &Counters) -> String {
    let line = |name, [first, second, lag, most]: [Counter; 4]| {
        let [first, second, lag, most] = [first, second, lag, most].map(|of| counters.get(of));
        let mean = micros(lag.checked_div(second).unwrap_or(0));
        format!(
            "{name} first {first}, second {second} (behind by {mean} us on average, {} at most)",
            micros(most)
        )
    };
    let a = line(
        "A",
        [
            Counter::LineAFirst,
            Counter::LineASecond,
            Counter::LineALagNs,
            Counter::LineALagMostNs,
        ],
    );
    let b = line(
        "B",
        [
            Counter::LineBFirst,
            Counter::LineBSecond,
            Counter::LineBLagNs,
            Counter::LineBLagMostNs,
        ],
    );
    format!("{a}; {b}")
}

fn sockets(counters: &Counters) -> String {
    let each = [Counter::Datagrams, Counter::ReceiveCalls];
    let [datagrams, calls] = each.map(|counter| counters.get(counter));
    let mean = datagrams as f64 / calls as f64;
    format!("{}, {mean:.1} a call", list(counters, each.into_iter()))
}

/// ` (1.23 million a second)`; empty where no time has passed.
fn rate(count: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return String::new();
    }
    let rate = count as f64 / seconds;
    if rate >= 1e6 {
        format!(" ({:.2} million a second)", rate / 1e6)
    } else {
        format!(" ({rate:.0} a second)")
    }
}

fn times(latency: &Latency, stage: Stage) -> String {
    let seen = latency.percentiles(stage);
    if seen.count == 0 {
        return "not measured".to_owned();
    }
    let [p50, p90, p99, p999, max] =
        [seen.p50, seen.p90, seen.p99, seen.p999, seen.max].map(micros);
    format!(
        "p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max} us ({} measured)",
        seen.count
    )
}

/// Nanoseconds as microseconds with one decimal, rounded down.
fn micros(ns: u64) -> String {
    format!("{}.{}", ns / 1_000, ns / 100 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: &str = "\
messages           0 in 0.000 s
packets            0: line A 0, line B 0, retransmitted 0, duplicate 0, heartbeats 0
gaps               gaps 0, lost messages 0, recovered messages 0, re-requests 0, resend requests 0, feed stale or live again 0
drops feed         kernel 0, pool exhausted 0, queue full 0, oversized datagrams 0, impaired 0, undecodable frames 0, garbled FIX bytes 0, unused FIX messages 0
drops session      malformed packets 0, foreign session 0
drops wire         unknown types 0, malformed messages 0, unused FIX entries 0, unusable FIX entries 0
drops book         unpriceable executions 0, share overflow 0
drops window       breaks beyond the corrections' bound 0, wide breaks beyond the corrections' bound 0
drops publish      slow readers closed 0, garbled FIX messages 0, FIX connections evicted 0, TLS handshakes refused 0, FIX market data dropped 0, FIX messages beyond a gap dropped 0, rows of unnamed windows 0
book               orders added 0, top-of-book changes 0, zero-share executions 0, non-printable executions 0
window             trades 0, breaks applied 0, most executions gathered 0, windows by the GPU 0, windows by the CPU instead 0
publish            rows 0, corrections 0, wide rows 0, wide corrections 0, FIX sessions 0, FIX messages in 0, FIX messages out 0, FIX bytes out 0, FIX symbols conflated 0, FIX turns cut short 0, FIX requests refused 0, FIX messages that waited for the store 0
receipt to window  not measured
receipt to FIX     not measured
";

    #[test]
    fn drops_are_listed_even_when_there_are_none() {
        let text = report(&Counters::new(), &Latency::new(), Duration::ZERO);
        assert_eq!(text, QUIET);
    }

    #[test]
    fn a_busy_session() {
        let counters = Counters::new();
        counters.add(Counter::Messages, 3_000_000);
        counters.add(Counter::PacketsLineA, 10);
        counters.add(Counter::PacketsLineB, 9);
        counters.add(Counter::LineAFirst, 7);
        counters.add(Counter::LineBFirst, 3);
        counters.add(Counter::LineBSecond, 6);
        counters.add(Counter::LineBLagNs, 61_000);
        counters.add(Counter::LineBLagMostNs, 25_040);
        counters.add(Counter::Datagrams, 19);
        counters.add(Counter::ReceiveCalls, 4);
        counters.add(Counter::LostMessages, 4);
        counters.add(Counter::QueueFull, 2);
        counters.add(Counter::TimeBackwards, 1);
        let mut latency = Latency::new();
        latency.record(Stage::ReceiptToFix, 1_000);
        let text = report(&counters, &latency, Duration::from_secs(2));
        let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        has(
            "lines              A first 7, second 0 (behind by 0.0 us on average, 0.0 at most); B first 3, second 6 (behind by 10.1 us on average, 25.0 at most)",
        );
        has("messages           3000000 in 2.000 s (1.50 million a second)");
        has(
            "packets            19: line A 10, line B 9, retransmitted 0, duplicate 0, heartbeats 0",
        );
        has("sockets            datagrams 19, system calls 4, 4.8 a call");
        has("errors             time going backwards 1");
        has("receipt to FIX     p50 1.0, p90 1.0, p99 1.0, p99.9 1.0, max 1.0 us (1 measured)");
        assert!(text.contains("queue full 2"));
        assert!(text.contains("lost messages 4"));
        assert_eq!(rate(1_999_999, 2.0), " (1000000 a second)");
        assert_eq!(rate(2_000_000, 2.0), " (1.00 million a second)");
    }

    #[test]
    fn every_drop_has_its_line() {
        let counters = Counters::new();
        for (value, counter) in (1_001..).zip(Counter::of_kind(Kind::Drop)) {
            counters.set(counter, value);
        }
        let text = report(&counters, &Latency::new(), Duration::ZERO);
        for (value, counter) in (1_001_u64..).zip(Counter::of_kind(Kind::Drop)) {
            let entry = format!("{} {value}", counter.label());
            let line = text.lines().find(|line| line.contains(&entry)).unwrap();
            assert!(line.starts_with(&format!("drops {}", counter.place().name())));
        }
    }
}
