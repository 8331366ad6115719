//! An acceptor whose process is killed at any moment uses no number twice and leaves no gap that
//! cannot be filled.
//!
//! The acceptor runs in a process of its own, which is this test binary again. `tests/fix_kills.sh`
//! kills it 300 times.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use widetape::market::{Locate, Notional, Price, Symbol, Timestamp};
use widetape::publish::fix::{Acceptor, AcceptorOptions, Clock, StoreOptions};
use widetape::publish::{Publisher, Update};
use widetape::window::{Row, Sums};
use widetape::wire::fix::UtcText;

use super::client::framed;
use crate::common::random::Random;

/// The store's file, for the process that is to be killed.
const STORE: &str = "WIDETAPE_KILL_STORE";
const MESSAGES: &str = "WIDETAPE_KILL_MESSAGES";

pub(super) fn utc_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

/// The acceptor's process: publishes one row after another until it is killed. Does nothing when the
/// tests are run as usual.
#[test]
fn serve_until_killed() {
    let Some(file) = std::env::var_os(STORE) else {
        return;
    };
    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        store: StoreOptions {
            file: Some(file.into()),
            messages: std::env::var(MESSAGES).unwrap().parse().unwrap(),
        },
        ..AcceptorOptions::default()
    };
    let mut acceptor = Acceptor::bind(options, vec!["1s".to_owned()]).unwrap();
    println!("PORT {}", acceptor.local_address().unwrap().port());
    let start = Instant::now();
    let symbol = Symbol::new("AAPL").unwrap();
    acceptor.listing(Locate(1), symbol);
    for number in 1_u32.. {
        let clock = Clock {
            monotonic_ns: start.elapsed().as_nanos() as u64,
            utc_ns: utc_ns(),
        };
        if clock.monotonic_ns > 60_000_000_000 {
            break;
        }
        Publisher::duty(&mut acceptor, clock).unwrap();
        let row = Row {
            end: Timestamp(u64::from(number) * 1_000_000),
            locate: Locate(1),
            symbol,
            window: 0,
            sums: Sums {
                notional: Notional::from(u64::from(number)),
                volume: 1,
                trades: 1,
                open: Price(number),
                high: Price(number),
                low: Price(number),
                close: Price(number),
            },
            complete: true,
            revision: 0,
        };
        let rows = [row];
        let update = Update {
            time: row.end,
            rows: (&rows).into(),
            tops: &[],
        };
        acceptor.publish(&update).unwrap();
        std::thread::yield_now();
    }
}

/// A process that does not outlive the test.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Counterparty {
    file: PathBuf,
    messages: usize,
    /// MsgSeqNum of our next message.
    next: u64,
    /// MsgSeqNum that must come next.
    expected: u64,
    /// Everything that came under a number, without what a repetition may change.
    seen: HashMap<u64, String>,
    /// Numbers that came again with their bytes, and numbers that were filled.
    repeated: usize,
    filled: u64,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Counterparty {
    fn start(&mut self) -> Victim {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["fix::kill::serve_until_killed", "--exact", "--nocapture"])
            .env(STORE, &self.file)
            .env(MESSAGES, self.messages.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("PORT ")?.1.parse::<u16>().unwrap()));
        let stream = TcpStream::connect(("127.0.0.1", port.expect("a port"))).unwrap();
        let patience = Duration::from_secs(10);
        stream.set_read_timeout(Some(patience)).unwrap();
        self.stream = Some(stream);
        self.received.clear();
        Victim(child)
    }

    fn send(&mut self, msg_type: &str, number: u64, fields: &str) {
        let now = UtcText::new(utc_ns());
        let time = String::from_utf8_lossy(now.bytes());
        let header = format!("35={msg_type}|49=ME|56=WIDETAPE|34={number}|52={time}|");
        let fields = fields.replace("NOW", &time);
        let bytes = framed("FIX.4.4", &(header + &fields));
        // A process that was just killed takes nothing.
        let _ = self.stream.as_mut().unwrap().write_all(&bytes);
    }

    fn send_next(&mut self, msg_type: &str, fields: &str) {
        self.next += 1;
        self.send(msg_type, self.next - 1, fields);
    }

    /// The next message; `None` at the end of the stream.
    fn read(&mut self) -> Option<String> {
        loop {
            let is_end = |part: &[u8]| part.starts_with(b"\x0110=") && part[7] == 1;
            if let Some(at) = self.received.windows(8).position(is_end) {
                let bytes: Vec<u8> = self.received.drain(..at + 8).collect();
                return Some(String::from_utf8(bytes).unwrap().replace('\x01', "|"));
            }
            let mut chunk = [0; 16_384];
            match self.stream.as_mut().unwrap().read(&mut chunk) {
                Ok(0) => return None,
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes one message as a FIX engine does.
    fn take(&mut self, text: &str) {
        let field = |tag: &str| {
            let value = text.split_once(&format!("|{tag}="))?.1;
            value.split('|').next()
        };
        let number = |tag| field(tag).map(|value| value.parse::<u64>().unwrap());
        let (msg_type, sequence) = (field("35").unwrap(), number("34").unwrap());
        let again = field("43") == Some("Y");
        assert!(msg_type != "5" && msg_type != "3", "{text}");
        if msg_type == "2" {
            let from = number("7").unwrap();
            let next = self.next;
            self.send("4", from, &format!("43=Y|122=NOW|123=Y|36={next}|"));
        }
        if msg_type == "4" {
            assert!(again && sequence <= self.expected, "{text}");
            let next = number("36").unwrap();
            self.filled += next - sequence;
            self.expected = self.expected.max(next);
            return;
        }
        let changing = ["8", "9", "10", "43", "52", "122"];
        let kept = text
            .split('|')
            .filter(|field| !changing.contains(&field.split('=').next().unwrap()));
        let bytes = kept.collect::<Vec<_>>().join("|");
        if let Some(before) = self.seen.get(&sequence) {
            assert!(again, "number used twice: {before} and {text}");
            assert_eq!(*before, bytes);
            self.repeated += 1;
        }
        self.seen.insert(sequence, bytes);
        if sequence == self.expected {
            self.expected += 1;
        } else {
            assert!(again || msg_type == "A", "a gap: {} {text}", self.expected);
        }
    }

    /// Logs on, has everything sent again from `overlap` numbers back, and reads `count` messages
    /// before the process is killed.
    fn round(&mut self, count: u64, overlap: u64) {
        let victim = self.start();
        self.send_next("A", "98=0|108=30|");
        let logon = self.read().expect("a Logon");
        self.take(&logon);
        let next: u64 = logon
            .split_once("|34=")
            .unwrap()
            .1
            .split('|')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let from = self.expected.min(next).saturating_sub(overlap).max(1);
        self.send_next("2", &format!("7={from}|16=0|"));
        while self.expected <= next {
            let message = self.read().expect("the gap is filled");
            self.take(&message);
        }
        self.send_next("V", "262=R|263=1|264=1|267=2|269=9|269=B|146=1|55=AAPL|");
        for _ in 0..count {
            let message = self.read().expect("market data");
            self.take(&message);
        }
        drop(victim);
        while let Some(message) = self.read() {
            self.take(&message);
        }
    }
}

/// Kills a process again and again; its file is lost meanwhile if `lose`.
fn kills(messages: usize, lose: bool) -> Counterparty {
    let name = format!("widetape-kill-{}-{messages}-{lose}", std::process::id());
    let mut counterparty = Counterparty {
        file: std::env::temp_dir().join(name),
        messages,
        next: 1,
        expected: 1,
        seen: HashMap::new(),
        repeated: 0,
        filled: 0,
        stream: None,
        received: Vec::new(),
    };
    let kills = std::env::var("WIDETAPE_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let mut random = Random(kills);
    for _ in 0..kills {
        counterparty.round(random.below(400), random.below(200));
        if lose {
            std::fs::remove_file(&counterparty.file).unwrap();
        }
    }
    std::fs::remove_file(&counterparty.file).unwrap();
    std::fs::remove_file(counterparty.file.with_added_extension("lock")).unwrap();
    assert!(counterparty.filled > 0 && counterparty.expected > 65_536);
    counterparty
}

#[test]
fn numbers_survive_a_kill() {
    assert_eq!(
        kills(0, false).repeated,
        0,
        "gap fills stand for all messages"
    );
}

#[test]
fn numbers_and_messages_survive_a_kill() {
    assert!(kills(1_000, false).repeated > 0);
}

#[test]
#[should_panic(expected = "number used twice")]
fn a_store_that_is_lost_would_be_noticed() {
    kills(0, true);
}
