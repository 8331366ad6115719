//! The initiator against an acceptor that a test plays: gaps, refusals, silence, and coming back.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use widetape::Framing;
use widetape::feed::{FixFeedOptions, FixSource, Poll, Source};
use widetape::wire::fix::UtcText;

use super::client::framed;
use super::kill::utc_ns;

const PATIENCE: Duration = Duration::from_secs(10);
pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const TRADE: &str = "268=1|279=0|269=2|55=A|270=1|271=1|";

/// An acceptor in the test's hands, and the source that calls it.
pub(super) struct Line {
    listener: TcpListener,
    pub(super) stream: Option<TcpStream>,
    pub(super) source: FixSource,
    /// The source's clock.
    pub(super) now_ns: u64,
    received: Vec<u8>,
    /// Types of the messages handed on, each behind what was missing before it.
    pub(super) taken: Vec<(Option<u64>, usize)>,
    /// Whether the newest packet says that messages wait behind a gap.
    pub(super) gap: bool,
    pub(super) ended: bool,
}

impl Line {
    pub(super) fn new(change: impl FnOnce(&mut FixFeedOptions)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut options = FixFeedOptions::new(listener.local_addr().unwrap());
        change(&mut options);
        Self {
            source: FixSource::new(options).unwrap(),
            listener,
            stream: None,
            now_ns: SECOND,
            received: Vec::new(),
            taken: Vec::new(),
            gap: false,
            ended: false,
        }
    }

    /// Lets the source and the sockets go one step on.
    pub(super) fn step(&mut self) {
        let mut packets = Vec::new();
        self.ended |= self.source.poll(self.now_ns, &mut packets).unwrap() == Poll::End;
        if let Some(packet) = packets.last() {
            self.gap = matches!(packet.framing, Framing::Fix { gap: true, .. });
        }
        for packet in packets.iter().filter(|packet| !packet.bytes.is_empty()) {
            let Framing::Fix { lost, .. } = packet.framing else {
                panic!("{:?}", packet.framing);
            };
            let count = packet
                .bytes
                .windows(3)
                .filter(|part| part == b"10=")
                .count();
            self.taken.push((lost, count));
        }
        if self.stream.is_none()
            && let Ok((stream, _)) = self.listener.accept()
        {
            stream.set_nonblocking(true).unwrap();
            // What is sent at once is there at once.
            stream.set_nodelay(true).unwrap();
            self.received.clear();
            self.stream = Some(stream);
        }
        let mut chunk = [0; 4_096];
        if let Some(stream) = &mut self.stream {
            match stream.read(&mut chunk) {
                Ok(0) => self.stream = None,
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    }

    pub(super) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "{what}: it never came");
            self.step();
        }
    }

    /// The next message of the source, without what depends on the time.
    pub(super) fn next(&mut self) -> String {
        let is_end = |part: &[u8]| part.starts_with(b"\x0110=") && part[7] == 1;
        let end = |line: &Self| line.received.windows(8).position(is_end);
        self.until("a message", |line| end(line).is_some());
        let length = end(self).unwrap() + 8;
        let bytes: Vec<u8> = self.received.drain(..length).collect();
        let text = String::from_utf8(bytes).unwrap().replace('\x01', "|");
        let fields = text.split_inclusive('|').filter(|field| {
            let tag = field.split('=').next().unwrap();
            !["8", "9", "10", "49", "52", "56", "122"].contains(&tag)
        });
        fields.collect()
    }

    pub(super) fn send(&mut self, number: u64, msg_type: &str, fields: &str) {
        let now = UtcText::new(utc_ns());
        let time = String::from_utf8_lossy(now.bytes());
        let header = format!("35={msg_type}|49=WIDETAPE|56=WIDETAPE-FEED|34={number}|52={time}|");
        let bytes = framed("FIX.4.4", &(header + fields));
        self.stream.as_mut().unwrap().write_all(&bytes).unwrap();
    }

    /// Logs on and takes the subscription.
    pub(super) fn log_on(&mut self, number: u64, logon: &str, wish: &str) {
        assert_eq!(self.next(), logon);
        self.send(number, "A", "98=0|108=10|");
        assert_eq!(self.next(), wish);
    }

    pub(super) fn taken(&mut self, count: usize) -> Vec<(Option<u64>, usize)> {
        let sum = |line: &Self| line.taken.iter().map(|one| one.1).sum::<usize>();
        self.until("market data", |line| sum(line) >= count);
        std::mem::take(&mut self.taken)
    }
}

pub(super) const LOGON: &str = "35=A|34=1|98=0|108=10|141=Y|";
pub(super) const WISH: &str = "263=1|264=1|265=1|267=3|269=0|269=1|269=2|146=1|55=*|";

#[test]
fn a_gap_is_asked_for_once_and_what_is_not_sent_again_is_lost() {
    let mut line = Line::new(|options| options.from_start = true);
    line.log_on(1, LOGON, &format!("35=V|34=2|262=1|{WISH}"));
    line.send(2, "X", TRADE);
    assert_eq!(line.taken(1), [(None, 1)], "from the start");
    line.send(5, "X", TRADE);
    line.send(6, "X", TRADE);
    assert_eq!(line.next(), "35=2|34=3|7=3|16=4|");
    line.send(3, "X", &format!("43=Y|122=20200130-09:30:00|{TRADE}"));
    line.send(4, "4", "43=Y|122=20200130-09:30:00|123=Y|36=5|");
    let taken = line.taken(3);
    let missing: Vec<_> = taken.iter().filter_map(|one| one.0).collect();
    assert_eq!(missing, [1], "in front of the fifth: {taken:?}");
    // A repetition that says so changes nothing, a TestRequest is answered, a reset without 123 jumps.
    line.send(6, "X", &format!("43=Y|122=20200130-09:30:00|{TRADE}"));
    line.send(7, "1", "112=you there|");
    assert_eq!(line.next(), "35=0|34=4|112=you there|");
    line.send(8, "4", "36=20|");
    line.send(20, "X", TRADE);
    assert_eq!(line.taken(1), [(Some(12), 1)]);
    let counts = line.source.counts();
    assert_eq!((counts.fix_resends, counts.fix_unused), (1, 1));
    // A number that has been used, without a word of it: goodbye.
    line.send(20, "X", TRADE);
    assert_eq!(line.next(), "35=5|34=5|");
    line.until("a hang-up", |line| line.stream.is_none());
    assert!(line.taken.is_empty());
}

#[test]
fn a_connection_that_ends_is_made_again_and_what_was_meanwhile_is_lost() {
    let mut line = Line::new(|options| {
        options.symbols = vec!["A".to_owned(), "B".to_owned()];
        options.trading_session_id = Some("trades".to_owned());
        options.quotes = false;
    });
    let wish = "263=1|264=1|265=1|267=1|269=2|146=2|55=A|55=B|386=1|336=trades|";
    line.log_on(1, LOGON, &format!("35=V|34=2|262=1|{wish}"));
    line.send(2, "X", TRADE);
    assert_eq!(line.taken(1), [(Some(0), 1)], "what came before is unknown");
    // Refused: asked again a second later, not earlier.
    line.send(3, "Y", "262=1|281=0|");
    line.until("a refusal", |line| line.source.counts().fix_refusals == 1);
    line.now_ns += SECOND;
    assert_eq!(line.next(), format!("35=V|34=3|262=2|{wish}"));
    line.send(4, "X", TRADE);
    assert_eq!(line.taken(1), [(Some(0), 1)]);

    line.stream = None;
    line.until("the end of it", |line| {
        line.source.counts().fix_disconnects == 1
    });
    for _ in 0..20 {
        line.step();
    }
    assert!(line.stream.is_none(), "not before its time");
    line.now_ns += SECOND / 4;
    // Numbers go on; what the counterparty sent since is asked for, what is filled is lost too.
    assert_eq!(line.next(), "35=A|34=4|98=0|108=10|");
    line.send(9, "A", "98=0|108=10|");
    let both = [line.next(), line.next()];
    assert!(both.contains(&"35=2|34=5|7=5|16=8|".to_owned()), "{both:?}");
    line.send(5, "4", "43=Y|122=20200130-09:30:00|123=Y|36=9|");
    line.send(10, "X", TRADE);
    assert_eq!(line.taken(1), [(Some(4), 1)]);
    assert_eq!(line.source.counts().fix_logons, 2);
}

#[test]
fn silence_is_asked_about_and_then_given_up_and_the_end_of_the_feed_ends_the_source() {
    let mut line = Line::new(|_| {});
    line.log_on(1, LOGON, &format!("35=V|34=2|262=1|{WISH}"));
    line.now_ns += 10 * SECOND;
    assert_eq!(line.next(), "35=0|34=3|", "a heartbeat");
    line.now_ns += 2 * SECOND;
    assert_eq!(line.next(), "35=1|34=4|112=4|", "is anybody there");
    line.now_ns += 12 * SECOND - 1;
    assert_eq!(line.next(), "35=0|34=5|");
    assert_eq!(line.source.counts().fix_disconnects, 0);
    line.now_ns += 1;
    line.until("the end of it", |line| {
        line.source.counts().fix_disconnects == 1
    });
    line.stream = None;
    line.now_ns += SECOND;
    line.log_on(
        2,
        "35=A|34=6|98=0|108=10|",
        &format!("35=V|34=7|262=2|{WISH}"),
    );
    line.send(3, "h", "336=1|325=Y|340=3|345=20200130-20:00:00.000|");
    line.until("the end", |line| line.ended);
    assert_eq!(line.next(), "35=5|34=8|");
}
