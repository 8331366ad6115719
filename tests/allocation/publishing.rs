//! The publishers in steady state: updates to several sessions over TCP, and rows as text.

use std::io::{ErrorKind, Read, Write, sink};
use std::net::TcpStream;

use widetape::market::{Locate, Notional, Price, Symbol, Timestamp, TradingState, TradingStatus};
use widetape::publish::fix::{Acceptor, AcceptorOptions, Clock};
use widetape::publish::text::{Csv, Jsonl, Layout, Table, Writer};
use widetape::publish::{Publisher, Update};
use widetape::window::{Row, Spec, Sums};

use super::allocations;
use crate::fix::client::framed;

const UTC: u64 = 1_700_000_000 * 1_000_000_000;
const UTC_TEXT: &str = "20231114-22:13:20";
const SYMBOLS: u16 = 200;

/// A message of the counterparty `name`; `fields` with `|` for the separator.
fn message(name: &str, msg_type: &str, sequence: u64, fields: &str) -> Vec<u8> {
    let header = format!("35={msg_type}|49={name}|56=WIDETAPE|34={sequence}|52={UTC_TEXT}|");
    framed("FIX.4.4", &(header + fields))
}

fn row(locate: u16, step: u64) -> Row {
    let price = Price(1_000_000 + step as u32);
    Row {
        end: Timestamp(step * 100_000_000),
        locate: Locate(locate),
        symbol: Symbol::new("STEADY").unwrap(),
        window: 0,
        sums: Sums {
            notional: Notional::from(3_000_000),
            volume: 3,
            trades: 2,
            open: price,
            high: price,
            low: price,
            close: price,
        },
        complete: true,
        revision: (step % 2) as u32,
    }
}

/// S7 is halted and trades again in turns.
fn status(step: u64) -> (Symbol, TradingStatus) {
    let states = [TradingState::Halted, TradingState::Trading];
    let status = TradingStatus {
        locate: Locate(7),
        state: states[(step % 2) as usize],
        reason: *b"T1  ",
        time: Timestamp(step),
    };
    (Symbol::new("S7").unwrap(), status)
}

/// Reads what is there; how many bytes.
fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut total = 0;
    loop {
        match stream.read(buffer) {
            Ok(length) => total += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return total,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn publishing_to_sessions_costs_no_allocation() {
    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        ..AcceptorOptions::default()
    };
    let mut acceptor = Acceptor::bind(options, vec!["1s".to_owned()]).unwrap();
    let clock = |step: u64| Clock {
        monotonic_ns: step * 100_000,
        utc_ns: UTC + step * 100_000,
    };
    for locate in 0..SYMBOLS {
        let name = format!("S{locate}");
        acceptor.listing(Locate(locate), Symbol::new(&name).unwrap());
    }
    // Two that want the same and one that wants one symbol.
    let wishes = [("A", "*"), ("B", "*"), ("C", "S7")];
    let mut streams = Vec::new();
    for (name, symbol) in wishes {
        let mut stream = TcpStream::connect(acceptor.local_address().unwrap()).unwrap();
        let logon = message(name, "A", 1, "98=0|108=0|");
        let wish = format!("262=R|263=1|264=0|267=2|269=9|269=B|146=1|55={symbol}|");
        stream.write_all(&logon).unwrap();
        stream.write_all(&message(name, "V", 2, &wish)).unwrap();
        stream.set_nonblocking(true).unwrap();
        streams.push(stream);
    }
    while acceptor.counts().requests < wishes.len() as u64 {
        acceptor.duty(clock(0));
    }
    let mut buffer = vec![0; 1 << 20];
    let mut made = 0;
    let mut received = 0;
    for step in 1..400 {
        let rows: Vec<Row> = (0..SYMBOLS).map(|locate| row(locate, step)).collect();
        let update = Update {
            time: Timestamp(step),
            rows: (&rows).into(),
            tops: &[],
        };
        let probe = message("A", "1", step + 2, "112=P|");
        streams[0].write_all(&probe).unwrap();
        let count = allocations(|| {
            acceptor.set_clock(clock(step));
            acceptor.trading_statuses(&[status(step)]);
            acceptor.publish(&update).unwrap();
            acceptor.duty(clock(step));
        });
        made += if step < 100 { 0 } else { count };
        for stream in &mut streams {
            received += read(stream, &mut buffer);
        }
    }
    assert_eq!(made, 0);
    let counts = acceptor.counts();
    assert_eq!(counts.increments, 399 * (2 + 2 + 1));
    assert_eq!(counts.statuses, 399 * 3);
    assert!(counts.messages_received > 300, "{counts:?}");
    assert_eq!(received as u64, counts.bytes_written);
}

/// Allocations for rows of all lengths of numbers, behind the first ones.
fn writing<L: Layout>() -> u64 {
    let spec = Spec {
        windows: vec!["1s".parse().unwrap()],
        ..Spec::default()
    };
    let mut writer = Writer::<_, L>::new(&spec, sink());
    let mut write = |round: u32| {
        let rows: Vec<Row> = (0..SYMBOLS)
            .map(|locate| {
                let mut row = row(locate, u64::from(round));
                let shift = u32::from(locate) % 80;
                row.sums.notional = Notional::new(u128::from(round) << shift);
                row.sums.volume = 1 + (u64::from(round) << (shift / 2));
                row.sums.high = Price(u32::MAX >> (shift % 32));
                row
            })
            .collect();
        let update = Update {
            time: Timestamp(1),
            rows: (&rows).into(),
            tops: &[],
        };
        allocations(|| writer.publish(&update).unwrap())
    };
    (0..20).for_each(|round| {
        write(round);
    });
    (20..200).map(write).sum()
}

#[test]
fn writing_rows_costs_no_allocation() {
    let made = [writing::<Csv>(), writing::<Jsonl>(), writing::<Table>()];
    assert_eq!(made, [0; 3]);
}
