//! Days too long for the model, so that the batch path works in slabs, the log gives up chunks and rows come in parts:
//! the paths and backends are held against each other.

use std::collections::BTreeMap;

use widetape::engine::{Backend, Clock, Engine, Mode, Options, Wide};
use widetape::feed::Framing;
use widetape::market::{Duration, Locate, Price, Symbol, Timestamp};
use widetape::publish::Shared;
use widetape::window::{Corrections, Policy, Row, Spec};
use widetape::wire::binaryfile;
use widetape::wire::itch50::{
    BrokenTradeFields, Header, OrderExecutedWithPriceFields, StockTradingActionFields,
};

use super::straight::straight;
use crate::common::plumbing::{Kept, Scripted, packet, trade};
use crate::common::random::Random;

const MILLI: u64 = 1_000_000;
/// More than one slab of the batch path holds (2^18), and many chunks of the log (2^14).
const TRADES: u64 = 280_000;
/// Days of bursts and silences that are drawn.
const DRAWN: u64 = 12;

/// Messages, and blocks of them.
struct Day {
    messages: Vec<Option<Vec<u8>>>,
    blocks: Vec<Vec<u8>>,
}

impl Day {
    fn new() -> Self {
        Self {
            messages: Vec::new(),
            blocks: vec![Vec::new()],
        }
    }

    fn add(&mut self, emit: impl FnOnce(&mut Vec<u8>)) {
        let mut message = Vec::new();
        emit(&mut message);
        binaryfile::emit(&message, self.blocks.last_mut().unwrap()).unwrap();
        self.messages.push(Some(message));
    }

    fn execution(&mut self, header: &Header, match_number: u64, random: &mut Random) {
        let executed = OrderExecutedWithPriceFields {
            reference: 7,
            executed_shares: 1 + random.below(500) as u32,
            match_number,
            printable: b'Y',
            execution_price: Price(1_000_000 + random.below(5_000) as u32),
        };
        self.add(|message| executed.emit(header, message));
    }

    fn broken(&mut self, header: &Header, match_number: u64) {
        self.add(|message| BrokenTradeFields { match_number }.emit(header, message));
    }

    fn cut(&mut self) {
        self.blocks.push(Vec::new());
    }
}

fn header(locate: u64, timestamp: u64) -> Header {
    Header {
        locate: Locate(locate as u16),
        tracking_number: 0,
        timestamp: Timestamp(timestamp),
    }
}

/// Blocks of a day of executions, of which a few are broken, soon or late.
fn day() -> Day {
    let mut random = Random(11);
    let mut day = Day::new();
    for number in 1..=TRADES {
        let locate = random.below(16) * random.below(2);
        let header = header(locate, 34_200_000 * MILLI + number * 3 * MILLI);
        day.execution(&header, number, &mut random);
        if number % 9_973 == 0 {
            let age = random.pick(&[1, 300, 2_000]);
            day.broken(&header, number - age.min(number - 1));
        }
        if number % 1_000 == 0 {
            day.cut();
        }
    }
    day
}

/// A day of bursts and silences, in few large blocks.
fn bursts(random: &mut Random) -> Day {
    let symbols = random.pick(&[1, 3, 40, 700]);
    let (mut day, mut time, mut number) = (Day::new(), 1, 0);
    for _ in 0..12 {
        let apart = random.pick(&[0, 1_000, MILLI, 40 * MILLI]);
        for _ in 0..random.below(8_000) {
            time += random.below(apart + 1);
            number += 1;
            let header = header(random.below(symbols), time);
            day.execution(&header, number, random);
            if random.below(200) == 0 {
                let age = random.pick(&[0, 1, 50, 5_000, 20_000]);
                // Some are broken twice, or nobody knows them.
                day.broken(&header, (number + 1).saturating_sub(age));
            }
            if random.below(10_000) == 0 {
                day.cut();
            }
        }
        time += random.pick(&[0, 90, 1_500, 70_000, 3_000_000]) * MILLI;
    }
    day
}

fn run(day: &Day, spec: &Spec, mode: Mode, backend: Backend) -> Kept {
    let options = Options {
        mode,
        backend,
        ..Options::new(spec.clone())
    };
    run_with(day, options)
}

fn run_with(day: &Day, options: Options) -> Kept {
    let framing = Framing::Blocks { offset: 0 };
    let packets = day
        .blocks
        .iter()
        .map(|bytes| (0, packet(bytes, 0, framing)));
    let source = Scripted {
        packets: packets.collect(),
        at_most: 4,
        live: false,
    };
    let kept = Shared::new(Kept::default());
    let engine = Engine::new(Box::new(source), vec![Box::new(kept.clone())], options).unwrap();
    engine.run_inline(&Clock::simulated(), None).1.unwrap();
    std::mem::take(&mut *kept.lock())
}

fn rows(day: &Day, spec: &Spec, mode: Mode, backend: Backend) -> Vec<Row> {
    let kept = run(day, spec, mode, backend);
    kept.rows.into_iter().map(|(_, row)| row).collect()
}

/// Compares the paths and backends; returns the newest revision of each row and how many rows were written.
fn agree(day: &Day, spec: &Spec, seed: u64) -> (Vec<Row>, usize) {
    let streamed = rows(day, spec, Mode::Stream, Backend::Simd);
    let written = streamed.len();
    let straight = straight(spec, &day.messages, Random(seed), 50_000);
    let is_same = straight.iter().map(|(_, row)| row).eq(&streamed);
    assert!(is_same, "seed {seed}, {spec:?}");
    let keyed = streamed
        .into_iter()
        .map(|row| ((row.end, row.symbol, row.locate, row.window), row));
    let last: Vec<Row> = keyed.collect::<BTreeMap<_, _>>().into_values().collect();
    for backend in [Backend::Scalar, Backend::Simd, Backend::Parallel] {
        let batch = rows(day, spec, Mode::Batch, backend);
        let differs = std::iter::zip(&batch, &last).find(|(batch, last)| batch != last);
        let seen = (differs, batch.len());
        assert_eq!(
            seen,
            (None, last.len()),
            "seed {seed}, {backend:?}, {spec:?}"
        );
    }
    (last, written)
}

fn compare(windows: &[&str], corrections: Corrections) {
    let spec = Spec {
        windows: windows.iter().map(|label| label.parse().unwrap()).collect(),
        step: Duration::from_millis(1_000).unwrap(),
        policy: Policy::All,
        every_end: false,
        corrections,
    };
    let (last, written) = agree(&day(), &spec, 1);
    assert_eq!(corrections == Corrections::Off, last.len() == written);
    let narrow = last.iter().filter(|row| row.window == 0).count();
    assert!(narrow > 8_000, "{narrow}");
}

#[test]
fn a_long_day_with_its_session() {
    compare(&["5s", "session"], Corrections::All);
}

#[test]
fn a_long_day_whose_log_gives_up_its_old_end() {
    compare(&["2s", "30s"], Corrections::Off);
    let age = Duration::from_millis(2_000).unwrap();
    compare(&["2s", "30s"], Corrections::Within(age));
}

#[test]
fn bursts_and_silences() {
    let (mut rows, mut written) = (0, 0);
    for seed in 0..DRAWN {
        let mut random = Random(seed);
        let day = bursts(&mut random);
        let windows = random.pick(&[
            &["1s"][..],
            &["100ms", "1m"],
            &["session"],
            &["700ms", "5s", "session"],
            &["30m", "50ms"],
        ]);
        let within = |millis| Corrections::Within(Duration::from_millis(millis).unwrap());
        let spec = Spec {
            windows: windows.iter().map(|label| label.parse().unwrap()).collect(),
            step: Duration::from_millis(random.pick(&[100, 250, 1_000])).unwrap(),
            corrections: random.pick(&[
                Corrections::Off,
                Corrections::All,
                within(10),
                within(2_000),
            ]),
            ..Spec::default()
        };
        let (last, all) = agree(&day, &spec, seed);
        (rows, written) = (rows + last.len(), written + all);
    }
    assert!(written > rows, "{rows} {written}");
}

#[test]
fn what_comes_with_a_long_silence_comes_once_and_its_rows_are_those_of_the_batch_path() {
    const HOURS: u64 = 4;
    let mut day = Day::new();
    let header = header(1, HOURS * 3_600_000 * MILLI);
    let halt = StockTradingActionFields {
        stock: Symbol::new("AAPL").unwrap(),
        trading_state: b'H',
        reserved: b' ',
        reason: *b"T1  ",
    };
    for message in [trade(5, 1), trade(header.timestamp.0, 2)] {
        day.add(|out| out.extend(message));
    }
    day.add(|out| halt.emit(&header, out));
    let spec = Spec {
        windows: vec!["session".parse().unwrap()],
        every_end: true,
        ..Spec::default()
    };
    let streamed = run(&day, &spec, Mode::Stream, Backend::Simd);
    let batch = run(&day, &spec, Mode::Batch, Backend::Simd);
    // Twice as many as are handed on at once.
    assert_eq!(streamed.rows.len() as u64, HOURS * 36_000 + 1);
    assert!(std::iter::zip(&streamed.rows, &batch.rows).all(|(one, other)| one.1 == other.1));
    assert_eq!(streamed.rows.len(), batch.rows.len());
    assert_eq!((streamed.statuses.len(), streamed.listings), (1, 1));
}

#[test]
fn all_rows_of_many_symbols_are_those_of_the_batch_path() {
    // More lines than are copied.
    const SYMBOLS: u64 = 1_500;
    let mut random = Random(5);
    let (mut day, mut time) = (Day::new(), 1);
    for number in 1..=8_000 {
        time += random.pick(&[0, 1, 2, 30]) * MILLI;
        let header = header(random.below(SYMBOLS) * random.below(2), time);
        day.execution(&header, number, &mut random);
        if random.below(200) == 0 {
            day.broken(&header, 1 + random.below(number));
        }
        if random.below(100) == 0 {
            day.cut();
        }
    }
    for windows in [
        &["200ms", "10s", "session"][..],
        &["1s", "3s", "5s", "7s"][..],
    ] {
        let spec = Spec {
            windows: windows.iter().map(|label| label.parse().unwrap()).collect(),
            step: Duration::from_millis(500).unwrap(),
            every_end: true,
            ..Spec::default()
        };
        let (last, written) = agree(&day, &spec, 3);
        assert!(last.len() > 100_000 && written > last.len(), "{written}");
    }
}

#[test]
fn the_highs_and_lows_that_many_symbols_lose_at_one_end_are_all_looked_up() {
    const SYMBOLS: u64 = 3_000;
    let (mut random, mut day) = (Random(7), Day::new());
    // Of every fourth symbol the oldest execution is the highest, of every fourth the lowest.
    for number in 0..4 * SYMBOLS {
        let (round, locate) = (number / SYMBOLS, number % SYMBOLS);
        let time = 34_200_000 * MILLI + round * 150 * MILLI;
        day.execution(&header(locate, time), number + 1, &mut random);
        if number % 1_000 == 999 {
            day.cut();
        }
    }
    let later = header(SYMBOLS, 34_203_000 * MILLI);
    day.execution(&later, 4 * SYMBOLS + 1, &mut random);
    let spec = Spec {
        windows: vec!["1s".parse().unwrap(), "1200ms".parse().unwrap()],
        ..Spec::default()
    };
    let (last, _) = agree(&day, &spec, 9);
    // Each window changes at four ends at which something comes, and at three behind them.
    assert_eq!(last.len() as u64, 14 * SYMBOLS + 2);
}

#[test]
fn wide_rows_of_a_long_silence_come_in_parts() {
    const SYMBOLS: u64 = 50;
    const ENDS: u64 = 3_000;
    let mut random = Random(9);
    let mut day = Day::new();
    for number in 1..=SYMBOLS {
        day.execution(&header(number, 5), number, &mut random);
    }
    let last = header(1, ENDS * 100 * MILLI);
    day.execution(&last, SYMBOLS + 1, &mut random);
    let spec = |label: &str| Spec {
        windows: vec![label.parse().unwrap()],
        every_end: true,
        ..Spec::default()
    };
    let wide = Wide {
        windows: spec("session").windows,
        every: Duration::HUNDRED_MILLISECONDS,
    };
    let with = |wide| Options {
        wide,
        ..Options::new(spec("1s"))
    };
    let alone = Options::new(spec("session"));
    let wide_rows = run_with(&day, with(Some(wide))).rows.into_iter();
    let wide_rows = wide_rows
        .filter(|(_, row)| row.window == 1)
        .map(|(_, row)| Row { window: 0, ..row });
    let rows = run_with(&day, alone).rows.into_iter().map(|(_, row)| row);
    let rows: Vec<Row> = rows.collect();
    // More than are handed on at once.
    assert_eq!(rows.len() as u64, SYMBOLS * ENDS + SYMBOLS);
    assert!(wide_rows.eq(rows));
}
