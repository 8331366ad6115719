//! A gap in the numbers of an acceptor ends, is told and is counted, whatever the acceptor does about it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use widetape::Framing;
use widetape::engine::{Clock, Engine, Options, Summary};
use widetape::feed::{FixFeedOptions, FixSource, Source};
use widetape::market::{Locate, Symbol};
use widetape::metrics::Counter;
use widetape::publish::{Publisher, Shared, Update};
use widetape::window::{Row, Spec};

use super::client::framed;
use super::initiator::{LOGON, Line, SECOND, TRADE, WISH};

const AGAIN: &str = "43=Y|122=20200130-09:30:00|";

fn logged_on() -> Line {
    let mut line = Line::new(|options| options.from_start = true);
    line.log_on(1, LOGON, &format!("35=V|34=2|262=1|{WISH}"));
    line
}

/// What the source hands on at the end of the run: what is missing, and how many messages.
fn rest(line: &mut Line) -> Vec<(Option<u64>, usize)> {
    let mut packets = Vec::new();
    line.source.finish(line.now_ns, &mut packets);
    let of = |packet: &widetape::feed::Packet| match packet.framing {
        Framing::Fix { lost, gap: false } => {
            let ends = packet.bytes.windows(4).filter(|part| part == b"\x0110=");
            (lost, ends.count())
        }
        other => panic!("{other:?}"),
    };
    packets.iter().map(of).collect()
}

#[test]
fn a_gap_that_nothing_fills_for_two_seconds_is_lost_and_told_meanwhile() {
    let mut line = logged_on();
    for number in [5, 6, 8] {
        line.send(number, "X", TRADE);
    }
    // The same number again, longer: counted, and it does not count towards what may wait.
    line.send(8, "X", &format!("{TRADE}58=longer|"));
    assert_eq!(line.next(), "35=2|34=3|7=2|16=4|");
    line.until("a notice", |line| {
        line.gap && line.source.counts().fix_unused == 1
    });
    line.now_ns += 2 * SECOND - 1;
    line.send(2, "X", &format!("{AGAIN}{TRADE}"));
    assert_eq!(line.taken(1), [(None, 1)], "some of it has come");
    line.now_ns += 2 * SECOND - 1;
    for _ in 0..20 {
        line.step();
    }
    assert!(line.gap && line.taken.is_empty(), "not before its time");
    line.now_ns += 1;
    assert_eq!(line.taken(3), [(Some(2), 2), (Some(1), 1)]);
    assert!(!line.gap);
    // The next one is asked for, and has its own time.
    line.send(11, "X", TRADE);
    assert_eq!(line.next(), "35=2|34=4|7=9|16=10|");
    line.until("another notice", |line| line.gap);
    assert!(line.taken.is_empty());
    line.send(9, "4", &format!("{AGAIN}123=Y|36=11|"));
    assert_eq!(line.taken(1), [(Some(2), 1)]);
    assert!(!line.gap);
    assert_eq!(rest(&mut line), []);
}

#[test]
fn what_waits_is_handed_on_when_the_connection_or_the_run_ends_and_when_numbers_start_again() {
    let mut line = logged_on();
    line.send(4, "X", TRADE);
    line.until("a notice", |line| line.gap);
    assert_eq!(rest(&mut line), [(Some(2), 1)]);
    assert_eq!(rest(&mut line), [], "once");

    let mut line = logged_on();
    line.send(4, "X", TRADE);
    line.until("a notice", |line| line.gap);
    line.stream = None;
    assert_eq!(line.taken(1), [(Some(2), 1)]);
    assert!(!line.gap);
    assert_eq!(
        rest(&mut line),
        [(Some(0), 0)],
        "and nobody knows what since"
    );

    let mut line = logged_on();
    line.send(4, "X", TRADE);
    line.until("a notice", |line| line.gap);
    line.send(1, "A", "98=0|108=10|141=Y|");
    line.send(2, "X", TRADE);
    assert_eq!(line.taken(2), [(Some(2), 1), (Some(0), 1)]);

    let mut line = logged_on();
    line.send(2, "h", "336=1|340=3|345=20200130-20:00:00.000|");
    line.send(3, "5", "");
    line.until("the end", |line| line.ended);
    assert_eq!(rest(&mut line), [], "nothing is missed behind the end");
}

#[test]
fn messages_dropped_because_too_many_wait_are_asked_for_again() {
    let mut line = logged_on();
    line.send(1_000_000, "X", TRADE);
    assert_eq!(line.next(), "35=2|34=3|7=2|16=999999|");
    // Room for 4,096: the millionth gives way to the last of these, and the next one finds none.
    for number in 3..=4_099 {
        line.send(number, "X", TRADE);
        line.step();
    }
    line.until("two dropped", |line| line.source.counts().fix_unused == 2);
    line.send(2, "X", &format!("{AGAIN}{TRADE}"));
    let taken = line.taken(4_097);
    assert!(taken.iter().all(|one| one.0.is_none()), "{taken:?}");
    line.send(4_100, "X", TRADE);
    assert_eq!(line.next(), "35=2|34=4|7=4099|16=4099|");
    line.send(4_099, "X", &format!("{AGAIN}{TRADE}"));
    assert_eq!(line.taken(2), [(None, 2)]);
}

/// Keeps the rows and what it is told of the feed.
#[derive(Debug, Default)]
struct Seen {
    rows: Vec<Row>,
    notices: Vec<bool>,
}

impl Publisher for Seen {
    fn name(&self) -> String {
        "seen".to_owned()
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    fn publish(&mut self, update: &Update<'_>) -> std::io::Result<()> {
        self.rows.extend(update.rows);
        Ok(())
    }

    fn feed_state(&mut self, stale: bool) {
        self.notices.push(stale);
    }

    fn finish(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "no {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Reads until the subscription is there.
fn subscribed(stream: &mut TcpStream) {
    let mut received = Vec::new();
    let mut chunk = [0; 4_096];
    while !received.windows(6).any(|part| part == b"\x0135=V\x01") {
        let length = stream.read(&mut chunk).unwrap();
        assert!(length > 0, "hung up");
        received.extend_from_slice(&chunk[..length]);
    }
}

/// Runs an engine behind an acceptor that sends one trade under each of these numbers and is then gone or
/// stays, and stops it when it has heard of it.
fn run(numbers: &[u64], stays: bool) -> (Seen, Summary) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = FixSource::new(FixFeedOptions {
        from_start: true,
        ..FixFeedOptions::new(listener.local_addr().unwrap())
    })
    .unwrap();
    let seen = Shared::new(Seen::default());
    let spec = Spec {
        windows: vec!["session".parse().unwrap()],
        ..Spec::default()
    };
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![Box::new(seen.clone())];
    let engine = Engine::new(Box::new(source), publishers, Options::new(spec)).unwrap();
    let (stop, counters) = (engine.stop_switch(), engine.counters());
    let running = thread::spawn(move || engine.run(&Clock::machine()));
    let (mut stream, _) = listener.accept().unwrap();
    let send = |stream: &mut TcpStream, number: u64, kind: &str, fields: &str| {
        let time = "52=20200130-09:30:00.000|";
        let header = format!("35={kind}|49=WIDETAPE|56=WIDETAPE-FEED|34={number}|{time}");
        let bytes = framed("FIX.4.4", &(header + fields));
        stream.write_all(&bytes).unwrap();
    };
    send(&mut stream, 1, "A", "98=0|108=10|");
    subscribed(&mut stream);
    for &number in numbers {
        send(&mut stream, number, "X", TRADE);
    }
    if stays {
        wait_for("notice", || seen.lock().notices.contains(&true));
    } else {
        drop((stream, listener));
        wait_for("disconnect", || {
            counters.get(Counter::FixFeedDisconnects) == 1
        });
    }
    stop.store(true, Ordering::Relaxed);
    let (summary, outcome) = running.join().unwrap();
    outcome.unwrap();
    let seen = std::mem::take(&mut *seen.lock());
    (seen, summary)
}

#[test]
fn a_gap_that_is_open_when_the_service_stops_is_in_its_summary_and_rows() {
    let (seen, summary) = run(&[2, 3, 7, 8, 9], true);
    let count = |counter| summary.counters.get(counter);
    assert!(seen.notices[0], "before it is given up");
    assert_eq!((count(Counter::Gaps), count(Counter::LostMessages)), (1, 3));
    assert_eq!(count(Counter::Trades), 5, "what waited has been handed on");
    let last = seen.rows.last().unwrap();
    assert_eq!((last.sums.trades, last.complete), (5, false));
}

#[test]
fn what_an_acceptor_that_is_gone_may_have_sent_is_missing_when_the_service_stops() {
    let (seen, summary) = run(&[2, 3], false);
    let count = |counter| summary.counters.get(counter);
    assert_eq!((count(Counter::Gaps), count(Counter::LostMessages)), (1, 0));
    let last = seen.rows.last().unwrap();
    assert_eq!((last.sums.trades, last.complete), (2, false));
}
