//! What clients hold at the end of a day are the last rows of `replay`: one that reads all, one that
//! stops until its symbols are conflated, and one that leaves and comes back.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use widetape::engine::{Clock, Engine, Options};
use widetape::feed::{FeedError, Packet, Poll, Source, open_any};
use widetape::publish::Shared;
use widetape::publish::fix::{Acceptor, AcceptorOptions};
use widetape::window::{Corrections, Spec};
use widetape::wire::fix::{Frame, MAX_MESSAGE_BYTES, UtcText, next_frame};
use widetape::{Pool, Publisher};

use super::client::framed;
use super::kill::utc_ns;
use crate::cli::process::widetape;

const PATIENCE: Duration = Duration::from_secs(60);
/// Entry types, and where their values stand in the CSV.
const TYPES: [(&str, usize); 6] = [("9", 3), ("B", 4), ("4", 7), ("7", 8), ("8", 9), ("5", 10)];
/// Polls of the source that the reader who leaves is given each time it is there.
const SHARE: u64 = 10;

/// A source that is polled as often as it may.
struct Paced {
    source: Box<dyn Source>,
    allowed: Arc<AtomicU64>,
    used: Arc<AtomicU64>,
}

impl Source for Paced {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        if self.used.load(Ordering::SeqCst) >= self.allowed.load(Ordering::SeqCst) {
            return Ok(Poll::Idle);
        }
        self.used.fetch_add(1, Ordering::SeqCst);
        self.source.poll(now_ns, packets)
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        thread::sleep(timeout);
    }
}

/// End, value and text of the newest entry of each symbol, window and type.
type Values = BTreeMap<[String; 3], [String; 3]>;

struct Reader {
    stream: TcpStream,
    bytes: Vec<u8>,
    values: Values,
}

impl Reader {
    /// Logs on, both sides counting from 1, and subscribes to everything.
    fn new(server: SocketAddr, name: &str) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        socket.connect(&server.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = Self {
            stream,
            bytes: Vec::new(),
            values: Values::new(),
        };
        let types = TYPES.map(|(code, _)| format!("269={code}|")).concat();
        let wish = format!("262=R|263=1|264=0|267=6|{types}146=1|55=*|");
        for (number, kind, fields) in [(1, "A", "98=0|108=30|141=Y|"), (2, "V", &wish)] {
            let now = UtcText::new(utc_ns());
            let time = String::from_utf8_lossy(now.bytes());
            let header = format!("35={kind}|49={name}|56=WIDETAPE|34={number}|52={time}|");
            let message = framed("FIX.4.4", &(header + fields));
            reader.stream.write_all(&message).unwrap();
        }
        reader
    }

    /// The next message; `None` at the end of the stream.
    fn next(&mut self) -> Option<String> {
        loop {
            if let Frame::Message { length, .. } = next_frame(&self.bytes, MAX_MESSAGE_BYTES) {
                let bytes: Vec<u8> = self.bytes.drain(..length).collect();
                return Some(String::from_utf8(bytes).unwrap().replace('\x01', "|"));
            }
            let mut chunk = [0; 16 << 10];
            match self.stream.read(&mut chunk).expect("it comes in time") {
                0 => return None,
                length => self.bytes.extend_from_slice(&chunk[..length]),
            }
        }
    }

    fn take(&mut self, message: &str) {
        let opener = if message.contains("|35=W|") {
            "|269="
        } else {
            "|279="
        };
        let mut entries = message.split(opener);
        let head = entries.next().unwrap();
        for rest in entries {
            let entry = format!("{opener}{rest}");
            let field = |text: &str, tag: &str| {
                let found = text.split_once(&format!("|{tag}="));
                found.map_or(String::new(), |(_, after)| {
                    after.split('|').next().unwrap().to_owned()
                })
            };
            let symbol = [&entry[..], head].map(|text| field(text, "55"));
            let symbol = symbol.into_iter().find(|name| !name.is_empty()).unwrap();
            let key = [symbol, field(&entry, "282"), field(&entry, "269")];
            let value = if key[2] == "B" {
                field(&entry, "271")
            } else {
                field(&entry, "270")
            };
            let found = [field(&entry, "273"), value, field(&entry, "58")];
            if self.values.get(&key).is_none_or(|held| held[0] <= found[0]) {
                self.values.insert(key, found);
            }
        }
    }

    /// Takes market data until the acceptor says goodbye.
    fn read_all(mut self) -> Values {
        while let Some(message) = self.next() {
            assert!(!message.contains("too slow"), "{message}");
            if message.contains("|35=5|") {
                break;
            }
            if message.contains("|35=W|") || message.contains("|35=X|") {
                self.take(&message);
            }
        }
        // What a correction has emptied is no value.
        self.values.retain(|_, found| !found[1].is_empty());
        self.values
    }
}

/// The last row of each symbol and window, as values.
fn last_rows(csv: &str) -> Values {
    let mut last: BTreeMap<[&str; 2], Vec<&str>> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        let rank = |row: &[&str]| {
            (
                row[0].parse::<u64>().unwrap(),
                row[12].parse::<u32>().unwrap(),
            )
        };
        let held = last.entry([row[1], row[2]]).or_insert_with(|| row.clone());
        if rank(&row) >= rank(held) {
            *held = row;
        }
    }
    let mut values = Values::new();
    for ([symbol, window], row) in last.iter().filter(|(_, row)| row[6] != "0") {
        let millis = row[0].parse::<u64>().unwrap() / 1_000_000;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let end = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
        let text = match row[12] {
            "0" => String::new(),
            revision => format!("revision {revision}"),
        };
        for (code, column) in TYPES {
            let key = [*symbol, *window, code].map(str::to_owned);
            values.insert(key, [end.clone(), row[column].to_owned(), text.clone()]);
        }
    }
    values
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

fn acceptor(spec: &Spec) -> Acceptor {
    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        conflate_bytes: 64 << 10,
        linger_ms: 30_000,
        ..AcceptorOptions::default()
    };
    let labels = spec.windows.iter().map(|window| window.label.clone());
    Acceptor::bind(options, labels.collect()).unwrap()
}

#[test]
fn last_values_are_those_of_replay_through_conflation_and_reconnects() {
    let day = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/sample_day.itch.gz");
    let spec = Spec {
        windows: ["1s", "1m", "session"]
            .map(|name| name.parse().unwrap())
            .into(),
        corrections: Corrections::All,
        ..Spec::default()
    };
    let acceptor = acceptor(&spec);
    let server = acceptor.local_address().unwrap();
    let acceptor = Shared::new(acceptor);
    let (allowed, used) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let paced = Paced {
        source: open_any(day.as_ref(), Pool::new(64, 4 << 10)).unwrap(),
        allowed: Arc::clone(&allowed),
        used: Arc::clone(&used),
    };
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![Box::new(acceptor.clone())];
    let engine = Engine::new(Box::new(paced), publishers, Options::new(spec)).unwrap();
    let engine = thread::spawn(move || engine.run(&Clock::machine()).1.unwrap());

    let requests = || acceptor.lock().counts().requests;
    let (keen, lazy) = (Reader::new(server, "KEEN"), Reader::new(server, "LAZY"));
    until("the subscriptions", || requests() == 2);
    let keen = thread::spawn(move || keen.read_all());
    // It leaves in the middle of the day, whatever has come by then, and comes back.
    let mut snapshots = 0;
    for round in 1..=4 {
        let mut fickle = Reader::new(server, "FICKLE");
        until("a subscription", || requests() == 2 + round);
        allowed.fetch_add(SHARE, Ordering::SeqCst);
        until("some of the day", || {
            used.load(Ordering::SeqCst) == round * SHARE
        });
        let logon = fickle.next().unwrap();
        assert!(logon.contains("|35=A|"), "{logon}");
        snapshots = acceptor.lock().counts().snapshots;
        drop(fickle);
        until("a departure", || acceptor.lock().sessions() == 2);
    }
    assert!(snapshots > 0, "there was something to come back to");
    let fickle = Reader::new(server, "FICKLE");
    until("the last subscription", || requests() == 7);
    let fickle = thread::spawn(move || fickle.read_all());
    allowed.store(u64::MAX, Ordering::SeqCst);
    until("conflation", || acceptor.lock().counts().conflated > 0);
    let lazy = lazy.read_all();
    engine.join().unwrap();

    let replayed = widetape(&["replay", day, "--format", "csv"]).exits(0);
    let wanted = last_rows(replayed.text());
    assert_eq!(wanted.len(), 40 * 3 * TYPES.len());
    for (name, found) in [
        ("keen", keen.join().unwrap()),
        ("lazy", lazy),
        ("fickle", fickle.join().unwrap()),
    ] {
        for (key, row) in &wanted {
            assert_eq!(found.get(key), Some(row), "{name} {key:?}");
        }
        assert_eq!(found.len(), wanted.len(), "{name}");
    }
}
