//! Idle latency: 10,000 messages a second over multicast on loopback, from the moment at which each
//! was to be sent to its FIX bytes being handed to the system, for every way in which the engine's
//! threads may share and wait; against a bare relay, a plain thread that reads a datagram and writes
//! it to a TCP connection, in the same run.
//!
//! The schedule is open: a message that cannot be sent in time counts from when it was due, and so do
//! those behind it. Every message is a trade that ends a window, so that each causes one 35=X.
//!
//! The last rows add wide windows, which a GPU or in its place the CPU answers every 100 ms over 1,000 symbols: the
//! latency of the narrow window is to be that without them.
//!
//! `--test` runs briefly, checks the answers and that a stall of the sender shows in p99, and no
//! other time.

mod client;
mod relay;

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use widetape::itch50::{Header, TradeFields};
use widetape::market::{Price, Timestamp};
use widetape::metrics::{Counter, Percentiles, Stage};
use widetape::wire::moldudp64::{self, PacketBuilder};
use widetape::{
    Acceptor, AcceptorOptions, Clock, Engine, FeedError, Locate, Options, Packet, Poll, Pool,
    Source, Spec, Symbol, ThreadOptions, UdpOptions, UdpSource, Wait, Wide, multicast_sender,
};

use client::{increments, ready, subscribe};
use relay::relay;

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
    /// Begins in time for everybody to connect and subscribe, and a device to be opened.
    fn soon(start: Instant, after_ms: u64) -> Self {
        let first_ns = start.elapsed().as_nanos() as u64 + after_ms * 1_000_000;
        Self { start, first_ns }
    }

    fn due_ns(self, number: u64) -> u64 {
        self.first_ns + number * PACE_NS
    }

    fn now_ns(self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// The packet of message `number`, whose sequence number is one more, about one of so many symbols.
fn packet(builder: &mut PacketBuilder, number: u64, symbols: u64) -> &[u8] {
    let locate = Locate(1 + (number % symbols) as u16);
    let header = Header {
        locate,
        tracking_number: 0,
        // One step of feed time from message to message: each ends a window.
        timestamp: Timestamp(34_200_000_500_000 + number * 1_000_000),
    };
    let mut message = Vec::with_capacity(64);
    TradeFields {
        reference: 0,
        buy_sell_indicator: b'B',
        shares: 100,
        stock: Symbol::unnamed(locate),
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
fn send(group: SocketAddrV4, schedule: Schedule, (messages, symbols): (u64, u64), stall: bool) {
    let socket = multicast_sender(Ipv4Addr::LOCALHOST).expect("a socket");
    let mut builder = PacketBuilder::new(*b"BENCH     ", 1_400);
    for number in 0..messages {
        while schedule.now_ns() < schedule.due_ns(number) {
            std::thread::yield_now();
        }
        if stall && number == messages / 2 {
            std::thread::sleep(STALL);
        }
        let bytes = packet(&mut builder, number, symbols);
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

/// A whole service.
#[derive(Clone)]
struct Service {
    threads: ThreadOptions,
    symbols: u64,
    /// Windows apart, and somebody who is told one of them.
    wide: Option<Wide>,
}

impl Service {
    /// Times to the FIX bytes, and to the windows.
    fn run(self, messages: u64) -> [Percentiles; 2] {
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
        let stream = Spec {
            windows: vec!["1s".parse().expect("a window")],
            step: "1ms".parse().expect("a step"),
            ..Spec::default()
        };
        let windows = self.wide.as_ref().map(|wide| wide.published(&stream));
        let windows = windows.unwrap_or_else(|| Ok(stream.clone()));
        let windows = windows.expect("windows of their own").windows;
        let labels = windows.into_iter().map(|window| window.label).collect();
        let acceptor = Acceptor::bind(options, labels).expect("a free port");
        let fix = acceptor.local_address().expect("its address");
        let lead_ms = if self.symbols > 1 { 4_000 } else { 300 };
        let asked: Vec<String> = self
            .wide
            .iter()
            .map(|w| w.windows[0].label.clone())
            .collect();
        let options = Options {
            threads: self.threads,
            wide: self.wide,
            queue: 1_024,
            ..Options::new(stream)
        };
        let schedule = Schedule::soon(start, lead_ms);
        let source = Due {
            inner: udp,
            schedule,
        };
        let engine =
            Engine::new(Box::new(source), vec![Box::new(acceptor)], options).expect("valid");
        let (stop, counters) = (engine.stop_switch(), engine.counters());
        let running = std::thread::spawn(move || engine.run(&clock));
        let listen = |window: &str| {
            let mut client = TcpStream::connect(fix).expect("it listens");
            subscribe(&mut client, window);
            ready(&mut client);
            drain(client)
        };
        let (narrow, apart) = (listen("1s"), asked.first().map(|window| listen(window)));
        send(address, schedule, (messages, self.symbols), false);
        stop_when_done(&stop, || counters.get(Counter::Messages) == messages);
        let (summary, outcome) = running.join().expect("it runs");
        outcome.expect("a whole day");
        let told = increments(&narrow.join().expect("it reads"));
        let seen = [Stage::ReceiptToFix, Stage::ReceiptToWindow]
            .map(|stage| summary.latency.percentiles(stage));
        // The last window ends with the session.
        assert_eq!(told, messages, "all told");
        if let Some(apart) = apart {
            let told = increments(&apart.join().expect("it reads"));
            assert!(told > 0 && counters.get(Counter::WideRows) > 0, "{told}");
        }
        // The first message ends none; it counts where it came in one batch with the second.
        let uncounted = messages - seen[0].count;
        assert!(uncounted <= 1, "{uncounted} messages were not measured");
        seen
    }
}

/// The end of the session ends the engine; where it was lost, the switch does after five seconds.
fn stop_when_done(stop: &Arc<AtomicBool>, done: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(5);
    while !done() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    stop.store(true, Ordering::Relaxed);
}

/// One way to relay messages, and what it took in each round.
struct Way {
    name: String,
    /// None is the bare relay.
    service: Option<Service>,
    messages: u64,
    /// To the bytes written, and to the windows.
    rounds: Vec<[Percentiles; 2]>,
}

impl Way {
    fn new(name: String, service: Option<Service>, messages: u64) -> Self {
        Self {
            name,
            service,
            messages,
            rounds: Vec::new(),
        }
    }

    fn run(&mut self) {
        self.rounds.push(match &self.service {
            Some(service) => service.clone().run(self.messages),
            None => [relay(self.messages, false); 2],
        });
    }

    fn median(&self, of: impl Fn(usize, &[Percentiles; 2]) -> f64) -> f64 {
        let each = self.rounds.iter().enumerate();
        let mut values: Vec<f64> = each.map(|(round, seen)| of(round, seen)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// Medians over the rounds; ratios are taken within a round.
    fn tell(&self, bare: &Way) {
        let us =
            |value: fn(&[Percentiles; 2]) -> u64| self.median(|_, seen| value(seen) as f64 / 1e3);
        let ratio = |value: fn(&Percentiles) -> u64| {
            self.median(|round, seen| value(&seen[0]) as f64 / value(&bare.rounds[round][0]) as f64)
        };
        println!(
            "{:<34} {:>9.1} {:>9.1} {:>9.1} {:>9.1}   {:>7.2} {:>7.2}   {:>9.1}",
            self.name,
            us(|seen| seen[0].p50),
            us(|seen| seen[0].p99),
            us(|seen| seen[0].p999),
            us(|seen| seen[0].max),
            ratio(|seen| seen.p50),
            ratio(|seen| seen.p99),
            us(|seen| seen[1].p99),
        );
    }
}

fn ways(messages: u64) -> Vec<Way> {
    let mut ways = vec![Way::new("relay".to_owned(), None, messages)];
    let each = [4, 2, 1]
        .into_iter()
        .flat_map(|count| Wait::EACH.map(|wait| (count, wait)));
    for (count, (name, wait)) in each {
        let service = Service {
            threads: ThreadOptions {
                count,
                wait,
                ..ThreadOptions::default()
            },
            symbols: 1,
            wide: None,
        };
        let plural = if count == 1 { "" } else { "s" };
        let name = format!("{count} thread{plural}, {name}");
        ways.push(Way::new(name, Some(service), messages));
    }
    ways
}

/// The default service over more symbols: alone, and with wide windows apart.
fn apart(messages: u64) -> Vec<Way> {
    let wide = Wide {
        windows: ["1m", "5m", "session"]
            .map(|label| label.parse().expect("a window"))
            .to_vec(),
        every: "1s".parse().expect("a step"),
    };
    let each = [
        ("1,000 symbols", None),
        ("1,000 symbols, wide windows", Some(wide)),
    ];
    let way = |(name, wide): (&str, Option<Wide>)| {
        let service = Service {
            threads: ThreadOptions {
                count: 2,
                wait: Wait::Backoff,
                ..ThreadOptions::default()
            },
            symbols: 1_000,
            wide,
        };
        Way::new(name.to_owned(), Some(service), messages)
    };
    each.map(way).into()
}

pub(crate) fn bench(brief: bool) {
    let (messages, rounds) = if brief { (500, 1) } else { (5_000, 7) };
    if brief {
        let stalled = relay(1_000, true);
        let shown = STALL.as_nanos() as u64 * 9 / 10;
        assert!(stalled.p99 >= shown, "a stall must show: {stalled:?}");
    }
    let mut ways = ways(messages);
    ways.extend(apart(4 * messages));
    if std::env::var_os("WIDETAPE_BENCH_WIDE").is_some() {
        // The relay, and the pair with and without wide windows.
        ways.drain(1..ways.len() - 2);
    }
    for _ in 0..rounds {
        ways.iter_mut().for_each(Way::run);
    }
    println!(
        "{rounds} rounds of {messages} messages (4 times as many where there are 1,000 symbols), {} us apart, in us",
        PACE_NS / 1_000
    );
    println!(
        "{:<34} {:>9} {:>9} {:>9} {:>9}   {:>7} {:>7}   {:>9}",
        "", "p50", "p99", "p99.9", "max", "x p50", "x p99", "window p99"
    );
    for way in &ways {
        way.tell(&ways[0]);
    }
}
