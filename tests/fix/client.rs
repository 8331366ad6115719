//! A test counterparty: its own framing and sums, checked against what the acceptor sends.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use widetape::market::{Locate, Notional, Price, Shares, Symbol, Timestamp};
use widetape::publish::fix::{Acceptor, AcceptorOptions, Clock};
use widetape::publish::{Publisher, Update};
use widetape::window::{Row, Sums};

/// 2020-01-30 14:30:00 UTC, as nanoseconds and as text.
pub(super) const START: u64 = 1_580_394_600_000_000_000;
/// SendingTime at the start.
pub(super) const START_TEXT: &str = "20200130-14:30:00.000";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What bytes go through: a socket, or TLS on one.
pub(super) trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

fn numbered(locate: Locate) -> Symbol {
    Symbol::new(&format!("S{}", locate.0)).unwrap()
}

/// An acceptor on a free port and the clock that drives it.
pub(super) struct Desk {
    pub(super) acceptor: Acceptor,
    pub(super) elapsed_ms: u64,
}

impl Desk {
    pub(super) fn new(change: impl FnOnce(&mut AcceptorOptions)) -> Self {
        let mut options = AcceptorOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..AcceptorOptions::default()
        };
        change(&mut options);
        Self::with_options(options)
    }

    pub(super) fn with_options(options: AcceptorOptions) -> Self {
        let windows = vec!["1s".to_owned(), "session".to_owned()];
        Self {
            acceptor: Acceptor::bind(options, windows).unwrap(),
            elapsed_ms: 0,
        }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock {
            monotonic_ns: 1 + self.elapsed_ms * 1_000_000,
            utc_ns: START + self.elapsed_ms * 1_000_000,
        }
    }

    pub(super) fn duty(&mut self) -> usize {
        self.acceptor.duty(self.clock())
    }

    /// Lists so many symbols: S0, S1 and so on.
    pub(super) fn list(&mut self, symbols: u16) {
        for locate in (0..symbols).map(Locate) {
            self.acceptor.listing(locate, numbered(locate));
        }
    }

    /// Publishes for each of them a trade of one share at `price`, in the first window that ends at `end`.
    pub(super) fn publish_each(&mut self, symbols: u16, end: Timestamp, price: Price) {
        let row = |locate| Row {
            end,
            locate,
            symbol: numbered(locate),
            window: 0,
            sums: one_trade(price, 1),
            complete: true,
            revision: 0,
        };
        let rows: Vec<Row> = (0..symbols).map(Locate).map(row).collect();
        let update = Update {
            time: end,
            rows: (&rows).into(),
            tops: &[],
        };
        self.acceptor.set_clock(self.clock());
        self.acceptor.publish(&update).unwrap();
    }

    /// Runs the acceptor until `done`.
    pub(super) fn until(&mut self, mut done: impl FnMut(&mut Acceptor) -> bool) {
        let start = Instant::now();
        while !done(&mut self.acceptor) {
            assert!(start.elapsed() < PATIENCE, "it never came");
            self.duty();
        }
    }

    pub(super) fn connect(&mut self, name: &str) -> Client {
        let stream = TcpStream::connect(self.acceptor.local_address().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client {
            stream,
            name: name.to_owned(),
            next: 1,
            received: Vec::new(),
        }
    }

    /// A client that has logged on with a heartbeat interval of 30 s.
    pub(super) fn log_on(&mut self, name: &str) -> Client {
        let mut client = self.connect(name);
        client.send(self, "A", "98=0|108=30|");
        let answer = client.next(self);
        assert!(answer.contains("|35=A|"), "{answer}");
        client
    }
}

/// One counterparty.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    name: String,
    /// MsgSeqNum of the next message.
    pub(super) next: u64,
    received: Vec<u8>,
}

/// One execution of `shares` at `price`.
pub(super) fn one_trade(price: Price, shares: u32) -> Sums {
    Sums {
        notional: Notional::of(price, Shares(shares)),
        volume: u64::from(shares),
        trades: 1,
        open: price,
        high: price,
        low: price,
        close: price,
    }
}

/// `body`, with `|` for the separator, as a whole message.
pub(crate) fn framed(begin_string: &str, body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let head = format!("8={begin_string}\x019={}\x01{body}", body.len());
    let sum: u32 = head.bytes().map(u32::from).sum();
    format!("{head}10={:03}\x01", sum % 256).into_bytes()
}

impl Client {
    /// Sends a message with the next number and the current time.
    pub(super) fn send(&mut self, desk: &Desk, msg_type: &str, fields: &str) {
        let seconds = desk.elapsed_ms / 1000;
        let time = format!("20200130-14:{:02}:{:02}", 30 + seconds / 60, seconds % 60);
        let header = format!(
            "35={msg_type}|49={}|56=WIDETAPE|34={}|52={time}|",
            self.name, self.next
        );
        self.next += 1;
        self.send_bytes(&framed("FIX.4.4", &(header + fields)));
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next message from the acceptor, `|` for the separator, its length and sum checked.
    pub(super) fn next(&mut self, desk: &mut Desk) -> String {
        let start = Instant::now();
        loop {
            if let Some(message) = self.cut() {
                return message;
            }
            assert!(start.elapsed() < PATIENCE, "no message came");
            desk.duty();
            assert!(self.read(), "closed instead of a message");
        }
    }

    /// Waits for the acceptor to close; nothing may come before.
    pub(super) fn closed(&mut self, desk: &mut Desk) {
        let start = Instant::now();
        while self.read() {
            assert!(start.elapsed() < PATIENCE, "not closed");
            desk.duty();
        }
        assert_eq!(self.cut(), None);
    }

    /// Everything that comes until the acceptor closes.
    pub(super) fn rest(&mut self, mut turn: impl FnMut()) -> Vec<String> {
        let start = Instant::now();
        while self.read() {
            assert!(start.elapsed() < PATIENCE, "not closed");
            turn();
        }
        std::iter::from_fn(|| self.cut()).collect()
    }

    /// Reads what is there; false at the end of the stream.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 65_536];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(length) => {
                self.received.extend_from_slice(&chunk[..length]);
                true
            }
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::WouldBlock | ErrorKind::ConnectionReset),
                    "{error}"
                );
                kind == ErrorKind::WouldBlock
            }
        }
    }

    fn cut(&mut self) -> Option<String> {
        let is_end = |part: &[u8]| part[0] == 1 && part.starts_with(b"\x0110=") && part[7] == 1;
        let end = self.received.windows(8).position(is_end)? + 8;
        let bytes: Vec<u8> = self.received.drain(..end).collect();
        let sum: u32 = bytes[..end - 7].iter().copied().map(u32::from).sum();
        let text = String::from_utf8(bytes).unwrap().replace('\x01', "|");
        assert!(text.ends_with(&format!("10={:03}|", sum % 256)), "{text}");
        let body_at = text.find("35=").unwrap();
        let length = end - 7 - body_at;
        assert!(
            text.starts_with(&format!("8=FIX.4.4|9={length}|35=")),
            "{text}"
        );
        Some(text)
    }
}
