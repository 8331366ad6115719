//! The acceptor under load: thread CPU time of one step, from rows to the last byte with the system.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use widetape::market::{Locate, Notional, Price, Symbol, Timestamp};
use widetape::publish::fix::{Acceptor, AcceptorOptions, Clock};
use widetape::publish::{Publisher, Update};
use widetape::window::{Row, Sums};
use widetape::wire::fix::{Body, Envelope, UtcText, seal};

use crate::cpu_time::CpuTime;

const SESSIONS: usize = 20;
const SYMBOLS: u16 = 10_000;

pub(super) fn clock() -> Clock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let utc_ns = since.unwrap_or_default().as_nanos() as u64;
    Clock {
        monotonic_ns: utc_ns,
        utc_ns,
    }
}

fn message(name: &str, msg_type: &[u8], sequence: u64, fields: &[(u32, &str)]) -> BytesMut {
    let mut body = Body::default();
    for &(tag, value) in fields {
        body.text(tag, value.as_bytes());
    }
    let envelope = Envelope {
        begin_string: b"FIX.4.4",
        msg_type,
        sender: name.as_bytes(),
        target: b"WIDETAPE",
        sequence,
        sending_time: &UtcText::new(clock().utc_ns),
        original_time: None,
    };
    let mut out = BytesMut::new();
    let sum = body.sum();
    seal(&mut out, &envelope, &[body.bytes()], sum);
    out
}

/// Logs on and subscribes to the VWAP of every symbol.
pub(super) fn subscribe(acceptor: &Acceptor, number: usize) -> TcpStream {
    let address = acceptor.local_address().expect("an address");
    let mut stream = TcpStream::connect(address).expect("the acceptor listens");
    let name = format!("DESK{number}");
    let wish = [
        (262, "R"),
        (263, "1"),
        (264, "0"),
        (267, "1"),
        (269, "9"),
        (146, "1"),
        (55, "*"),
    ];
    let mut bytes = message(&name, b"A", 1, &[(98, "0"), (108, "0")]);
    bytes.extend_from_slice(&message(&name, b"V", 2, &wish));
    stream.write_all(&bytes).expect("a fresh socket");
    stream.set_nonblocking(true).expect("a socket");
    stream
}

/// Reads all streams until `stop`, and counts the bytes.
fn read(mut streams: Vec<TcpStream>, stop: &AtomicBool, bytes: &AtomicU64) {
    let mut buffer = vec![0; 1 << 20];
    while !stop.load(Ordering::Relaxed) {
        let mut idle = true;
        for stream in &mut streams {
            match stream.read(&mut buffer) {
                Ok(length) => {
                    bytes.fetch_add(length as u64, Ordering::Relaxed);
                    idle = false;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        if idle {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

pub(super) fn row(locate: u16) -> Row {
    let price = Price(1_000_000 + u32::from(locate));
    Row {
        end: Timestamp(34_200_000_000_000),
        locate: Locate(locate),
        symbol: Symbol::new(&format!("S{locate}")).expect("a symbol"),
        window: 0,
        sums: Sums {
            notional: Notional::from(u64::from(price.0) * 300 + 7),
            volume: 300,
            trades: 3,
            open: price,
            high: price,
            low: price,
            close: price,
        },
        complete: true,
        revision: 0,
    }
}

/// Publishes once and lets the sockets take everything.
fn step(acceptor: &mut Acceptor, rows: &[Row]) {
    acceptor.set_clock(clock());
    let update = Update {
        time: rows[0].end,
        rows: rows.into(),
        tops: &[],
    };
    acceptor.publish(&update).expect("sockets");
    while acceptor.counts().bytes_waiting > 0 {
        thread::sleep(Duration::from_micros(500));
        acceptor.duty(clock());
    }
}

pub(super) fn bench(criterion: &mut Criterion<CpuTime>) {
    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        max_pending_bytes: 64 << 20,
        ..AcceptorOptions::default()
    };
    let mut acceptor = Acceptor::bind(options, vec!["1s".to_owned()]).expect("a free port");
    let rows: Vec<Row> = (0..SYMBOLS).map(row).collect();
    for row in &rows {
        acceptor.listing(row.locate, row.symbol);
    }
    let streams: Vec<TcpStream> = (0..SESSIONS)
        .map(|number| subscribe(&acceptor, number))
        .collect();
    while acceptor.counts().requests < SESSIONS as u64 {
        acceptor.duty(clock());
    }
    let (stop, bytes) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let reader = {
        let (stop, bytes) = (Arc::clone(&stop), Arc::clone(&bytes));
        thread::spawn(move || read(streams, &stop, &bytes))
    };
    let before = acceptor.counts();
    step(&mut acceptor, &rows);
    let after = acceptor.counts();
    let increments = u64::from(SYMBOLS).div_ceil(248) * SESSIONS as u64;
    assert_eq!(
        after.increments - before.increments,
        increments,
        "all to all"
    );
    while bytes.load(Ordering::Relaxed) < after.bytes_written {
        thread::yield_now();
    }

    let mut group = criterion.benchmark_group("fix acceptor");
    let each = after.bytes_written - before.bytes_written;
    group.throughput(Throughput::Bytes(each)).sample_size(20);
    group.bench_function("10,000 symbols to 20 sessions", |bencher| {
        bencher.iter(|| step(&mut acceptor, &rows));
    });
    group.finish();
    assert_eq!(acceptor.counts().slow_readers, 0);
    stop.store(true, Ordering::Relaxed);
    reader.join().expect("the reader");
}
