//! Idle latency: 10,000 messages a second over multicast on loopback, from the moment at which each
//! was to be sent to its FIX bytes being handed to the system, for every way in which the engine's
//! threads may share and wait; against a bare relay, a plain thread that reads a datagram and writes
//! it to a TCP connection, in the same run.
//!
//! The schedule is open: a message that cannot be sent in time counts from when it was due, and so do
//! those behind it. Every message is a trade that ends a window, so that each causes one 35=X.
//!
//! `--test` runs briefly, checks the answers and that a stall of the sender shows in p99, and no
//! other time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use widetape::fix::{Body, Envelope, Frame, UtcText, next_frame, seal, tag};
use widetape::itch50::{Header, TradeFields};
use widetape::market::{Price, Timestamp};
use widetape::metrics::{Counter, Latency, Percentiles, Stage};
use widetape::wire::moldudp64::{self, PacketBuilder};
use widetape::{
    Acceptor, AcceptorOptions, Clock, Engine, FeedError, Locate, Options, Packet, Poll, Pool,
    Source, Spec, Symbol, ThreadOptions, UdpOptions, UdpSource, Wait, multicast_sender,
};

/// From message to message.
const PACE_NS: u64 = 100_000;
/// How long the sender stands still where a stall is planted.
const STALL: Duration = Duration::from_millis(50);

/// When messages are due, on a clock that the engine shares.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    first_ns: u64,
}

impl Schedule {
    /// Begins in time for everybody to connect and subscribe.
    fn soon(start: Instant) -> Self {
        let first_ns = start.elapsed().as_nanos() as u64 + 300_000_000;
        Self { start, first_ns }
    }

    fn due_ns(self, number: u64) -> u64 {
        self.first_ns + number * PACE_NS
    }

    fn now_ns(self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// The packet of message `number`, whose sequence number is one more.
fn packet(builder: &mut PacketBuilder, number: u64) -> &[u8] {
    let header = Header {
        locate: Locate(1),
        tracking_number: 0,
        // One step of feed time from message to message: each ends a window.
        timestamp: Timestamp(34_200_000_500_000 + number * 1_000_000),
    };
    let mut message = Vec::with_capacity(64);
    TradeFields {
        reference: 0,
        buy_sell_indicator: b'B',
        shares: 100,
        stock: Symbol::new("AAPL").expect("a symbol"),
        price: Price(1_500_000),
        match_number: number,
    }
    .emit(&header, &mut message);
    builder.start(number + 1);
    builder.push(&message);
    builder.packet()
}

fn number_of(packet: &[u8]) -> Option<u64> {
    let sequence = packet.get(10..18)?.try_into().ok()?;
    u64::from_be_bytes(sequence).checked_sub(1)
}

/// Sends every message when it is due, or at once if that is past.
fn send(group: SocketAddrV4, schedule: Schedule, messages: u64, stall: bool) {
    let socket = multicast_sender(Ipv4Addr::LOCALHOST).expect("a socket");
    let mut builder = PacketBuilder::new(*b"BENCH     ", 1_400);
    for number in 0..messages {
        while schedule.now_ns() < schedule.due_ns(number) {
            std::thread::yield_now();
        }
        if stall && number == messages / 2 {
            std::thread::sleep(STALL);
        }
        let bytes = packet(&mut builder, number);
        socket.send_to(bytes, group).expect("it leaves");
    }
    let end = moldudp64::Header::end_of_session(*b"BENCH     ", messages + 1).to_bytes();
    socket.send_to(&end, group).expect("it leaves");
}

/// Reads a connection to its end; how many bytes came.
fn drain(mut stream: TcpStream) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an orderly end");
        bytes
    })
}

/// The bare relay: reads and writes in one thread.
fn relay(messages: u64, stall: bool) -> Percentiles {
    let group = Ipv4Addr::new(239, 192, 93, 1);
    let socket = UdpSocket::bind(SocketAddrV4::new(group, 0)).expect("a socket");
    socket
        .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .expect("loopback does multicast");
    // As much as the engine asks for, so that neither loses what waits for a time slice.
    let wanted = UdpOptions::new(SocketAddrV4::new(group, 0)).receive_buffer;
    let grant = socket2::SockRef::from(&socket).set_recv_buffer_size(wanted);
    grant.expect("an option");
    let limit = Some(Duration::from_secs(5));
    socket.set_read_timeout(limit).expect("a limit");
    let port = socket.local_addr().expect("its address").port();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("its address"));
    let drained = drain(client.expect("it listens"));
    let (mut out, _) = listener.accept().expect("a client");
    out.set_nodelay(true).expect("an option");
    let schedule = Schedule::soon(Instant::now());
    let relaying = std::thread::spawn(move || {
        let mut latency = Latency::new();
        let mut bytes = [0; 2_048];
        loop {
            let length = socket
                .recv(&mut bytes)
                .expect("the next message within five seconds");
            let number = number_of(&bytes[..length]).expect("a MoldUDP64 header");
            if number == messages {
                return latency;
            }
            out.write_all(&bytes[..length]).expect("it reads");
            let taken = schedule.now_ns().saturating_sub(schedule.due_ns(number));
            latency.record(Stage::ReceiptToFix, taken);
        }
    });
    send(SocketAddrV4::new(group, port), schedule, messages, stall);
    let latency = relaying.join().expect("it relays");
    let bytes = drained.join().expect("it reads").len() as u64;
    let seen = latency.percentiles(Stage::ReceiptToFix);
    assert_eq!((seen.count, bytes % messages), (messages, 0), "all relayed");
    seen
}

/// Packets that count from when they were due.
struct Due {
    inner: UdpSource,
    schedule: Schedule,
}

impl Source for Due {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let polled = self.inner.poll(now_ns, packets);
        for packet in packets {
            if let Some(number) = number_of(&packet.bytes) {
                packet.received_ns = self.schedule.due_ns(number);
            }
        }
        polled
    }

    fn is_live(&self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Duration) {
        self.inner.wait(timeout);
    }
}

fn append(out: &mut BytesMut, msg_type: &[u8], sequence: u64, body: &mut Body) {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let envelope = Envelope {
        begin_string: b"FIX.4.4",
        msg_type,
        sender: b"BENCH",
        target: b"WIDETAPE",
        sequence,
        sending_time: &UtcText::new(since.as_nanos() as u64),
        original_time: None,
    };
    let sum = body.sum();
    seal(out, &envelope, &[body.bytes()], sum);
}

/// Logs on, subscribes to VWAP and volume of everything, and asks for a sign of life.
fn subscribe(stream: &mut TcpStream) {
    let mut out = BytesMut::new();
    let mut body = Body::default();
    body.uint(tag::ENCRYPT_METHOD, 0);
    body.uint(tag::HEART_BT_INT, 3_600);
    append(&mut out, b"A", 1, &mut body);
    body.clear();
    body.text(tag::MD_REQ_ID, b"ALL");
    body.char(tag::SUBSCRIPTION_REQUEST_TYPE, b'1');
    body.uint(tag::MARKET_DEPTH, 1);
    body.uint(tag::NO_MD_ENTRY_TYPES, 2);
    body.char(tag::MD_ENTRY_TYPE, b'9');
    body.char(tag::MD_ENTRY_TYPE, b'B');
    body.uint(tag::NO_RELATED_SYM, 1);
    body.text(tag::SYMBOL, b"*");
    append(&mut out, b"V", 2, &mut body);
    body.clear();
    body.text(112, b"READY");
    append(&mut out, b"1", 3, &mut body);
    stream.write_all(&out).expect("it reads");
}

/// Waits for the sign of life, which follows the subscription.
fn ready(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"112=READY\x01") {
        assert_eq!(stream.read(&mut byte).expect("an answer"), 1, "hung up");
        seen.push(byte[0]);
    }
}

/// The whole service on threads as `threads` say.
fn engine(threads: ThreadOptions, messages: u64) -> Percentiles {
    let group = UdpOptions::new(SocketAddrV4::new([239, 192, 93, 2].into(), 0));
    let udp = UdpSource::open(&[group], Pool::new(16_384, 2_048)).expect("a socket");
    let address = udp.bound_addresses().next().expect("one socket");
    let clock = Clock::machine();
    let Clock::Machine { start } = clock else {
        unreachable!("the machine's clock has a start")
    };
    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        ..AcceptorOptions::default()
    };
    let acceptor = Acceptor::bind(options, vec!["1s".to_owned()]).expect("a free port");
    let fix = acceptor.local_address().expect("its address");
    let spec = Spec {
        windows: vec!["1s".parse().expect("a window")],
        step: "1ms".parse().expect("a step"),
        ..Spec::default()
    };
    let options = Options {
        threads,
        queue: 1_024,
        ..Options::new(spec)
    };
    let schedule = Schedule::soon(start);
    let source = Due {
        inner: udp,
        schedule,
    };
    let engine = Engine::new(Box::new(source), vec![Box::new(acceptor)], options).expect("valid");
    let (stop, counters) = (engine.stop_switch(), engine.counters());
    let running = std::thread::spawn(move || engine.run(&clock));
    let mut client = TcpStream::connect(fix).expect("it listens");
    subscribe(&mut client);
    ready(&mut client);
    let drained = drain(client);
    send(address, schedule, messages, false);
    stop_when_done(&stop, || counters.get(Counter::Messages) == messages);
    let (summary, outcome) = running.join().expect("it runs");
    outcome.expect("a whole day");
    let increments = increments(&drained.join().expect("it reads"));
    let seen = summary.latency.percentiles(Stage::ReceiptToFix);
    // The last window ends with the session.
    assert_eq!(increments, messages, "all told");
    // The first message ends none; it counts where it came in one batch with the second.
    let uncounted = messages - seen.count;
    assert!(uncounted <= 1, "{uncounted} messages were not measured");
    seen
}

/// The end of the session ends the engine; where it was lost, the switch does after five seconds.
fn stop_when_done(stop: &Arc<AtomicBool>, done: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(5);
    while !done() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    stop.store(true, Ordering::Relaxed);
}

fn increments(bytes: &[u8]) -> u64 {
    let (mut taken, mut count) = (0, 0);
    loop {
        taken += match next_frame(&bytes[taken..], 65_536) {
            Frame::Message { message, length } => {
                count += u64::from(message.msg_type() == b"X");
                length
            }
            // The rest of the message that `ready` read.
            Frame::Garbled { skip, .. } => skip,
            Frame::Incomplete => return count,
        };
    }
}

/// One way to relay messages, and what it took in each round.
struct Way {
    name: String,
    /// None is the bare relay.
    threads: Option<ThreadOptions>,
    rounds: Vec<Percentiles>,
}

impl Way {
    fn new(name: String, threads: Option<ThreadOptions>) -> Self {
        Self {
            name,
            threads,
            rounds: Vec::new(),
        }
    }

    fn median(&self, of: impl Fn(usize, &Percentiles) -> f64) -> f64 {
        let each = self.rounds.iter().enumerate();
        let mut values: Vec<f64> = each.map(|(round, seen)| of(round, seen)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// Medians over the rounds; ratios are taken within a round.
    fn tell(&self, bare: &Way) {
        let us = |value: fn(&Percentiles) -> u64| self.median(|_, seen| value(seen) as f64 / 1e3);
        let ratio = |value: fn(&Percentiles) -> u64| {
            self.median(|round, seen| value(seen) as f64 / value(&bare.rounds[round]) as f64)
        };
        println!(
            "{:<20} {:>9.1} {:>9.1} {:>9.1} {:>9.1}   {:>7.2} {:>7.2}",
            self.name,
            us(|seen| seen.p50),
            us(|seen| seen.p99),
            us(|seen| seen.p999),
            us(|seen| seen.max),
            ratio(|seen| seen.p50),
            ratio(|seen| seen.p99),
        );
    }
}

fn ways() -> Vec<Way> {
    let mut ways = vec![Way::new("relay".to_owned(), None)];
    for count in [4, 2, 1] {
        for (name, wait) in Wait::EACH {
            let threads = ThreadOptions {
                count,
                wait,
                ..ThreadOptions::default()
            };
            let plural = if count == 1 { "" } else { "s" };
            let name = format!("{count} thread{plural}, {name}");
            ways.push(Way::new(name, Some(threads)));
        }
    }
    ways
}

pub(crate) fn bench(brief: bool) {
    let (messages, rounds) = if brief { (500, 1) } else { (5_000, 7) };
    if brief {
        let stalled = relay(1_000, true);
        let shown = STALL.as_nanos() as u64 * 9 / 10;
        assert!(stalled.p99 >= shown, "a stall must show: {stalled:?}");
    }
    let mut ways = ways();
    for _ in 0..rounds {
        for way in &mut ways {
            way.rounds.push(match &way.threads {
                Some(threads) => engine(threads.clone(), messages),
                None => relay(messages, false),
            });
        }
    }
    println!(
        "{rounds} rounds of {messages} messages, {} us apart, in us",
        PACE_NS / 1_000
    );
    println!(
        "{:<20} {:>9} {:>9} {:>9} {:>9}   {:>7} {:>7}",
        "", "p50", "p99", "p99.9", "max", "x p50", "x p99"
    );
    for way in &ways {
        way.tell(&ways[0]);
    }
}
