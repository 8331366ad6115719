//! Drawn days through the whole engine, in both modes, with every backend, cut in every way.

use std::collections::BTreeMap;

use widetape::engine::{Backend, Clock, Engine, Mode, Options};
use widetape::feed::Framing;
use widetape::market::{Duration, Timestamp};
use widetape::metrics::Counter;
use widetape::publish::Shared;
use widetape::window::{Corrections, Policy, Row, Spec};
use widetape::wire::binaryfile;

use super::days::{Event, Kind, Trade, day, messages, spec};
use super::model;
use super::straight::{straight, surveyed};
use crate::common::plumbing::{Kept, Scripted, pack, packet};
use crate::common::random::Random;

const BACKENDS: [Backend; 3] = [Backend::Scalar, Backend::Simd, Backend::Parallel];

type Rows = Vec<(Timestamp, Row)>;

/// How messages reach the engine.
struct Way {
    mode: Mode,
    backend: Backend,
    /// Cuts the input in packets and polls.
    cut: Random,
    /// As blocks of a file; without losses only.
    blocks: bool,
}

/// The rows that the engine gives, and the breaks that it counts as the model does.
fn engine(spec: &Spec, messages: &[Option<Vec<u8>>], mut way: Way) -> (Rows, [u64; 4]) {
    let most = way.cut.pick(&[1, 3, 100]);
    let mut cut = way.cut.clone();
    let packets: Vec<Vec<u8>> = if way.blocks {
        let blocks = messages.chunks(most).map(|chunk| {
            let mut bytes = Vec::new();
            for message in chunk.iter().flatten() {
                binaryfile::emit(message, &mut bytes).unwrap();
            }
            bytes
        });
        blocks.collect()
    } else {
        pack(messages, || 1 + cut.below(most as u64) as usize)
    };
    let framing = match way.blocks {
        true => Framing::Blocks { offset: 0 },
        false => Framing::MoldUdp64,
    };
    let packets = packets.iter().map(|bytes| (0, packet(bytes, 0, framing)));
    let source = Scripted {
        packets: packets.collect(),
        at_most: way.cut.pick(&[1, 2, 64]),
        live: false,
    };
    let kept = Shared::new(Kept::default());
    let options = Options {
        mode: way.mode,
        backend: way.backend,
        ..Options::new(spec.clone())
    };
    let engine = Engine::new(Box::new(source), vec![Box::new(kept.clone())], options).unwrap();
    let (summary, outcome) = engine.run_inline(&Clock::simulated(), None);
    outcome.unwrap();
    let breaks = [
        Counter::BreaksApplied,
        Counter::BreaksUnknown,
        Counter::BreaksRepeated,
        Counter::BreaksUnpublished,
    ];
    let breaks = breaks.map(|counter| summary.counters.get(counter));
    let rows = std::mem::take(&mut kept.lock().rows);
    assert!(kept.lock().finished);
    (rows, breaks)
}

/// The newest revision of every row, in the order in which the batch path writes them.
fn final_rows(rows: &Rows) -> Vec<Row> {
    let keyed = rows
        .iter()
        .map(|(_, row)| ((row.end, row.symbol, row.locate, row.window), *row));
    keyed.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Compares every way with the model; returns how many rows and corrections there were.
fn compare(spec: &Spec, events: &[Event], seed: u64) -> (usize, usize) {
    let modelled = model::run(spec, events);
    let last = final_rows(&modelled.rows);
    let messages = messages(events);
    let whole = messages.iter().all(Option::is_some);
    let context = |way: &str| format!("seed {seed}, {way}, {spec:?}\n{events:#?}");
    let random = || Random(seed * 8 + BACKENDS.len() as u64);
    let rows = straight(spec, &messages, random(), 100);
    assert_eq!(rows, modelled.rows, "{}", context("straight"));
    let rows = surveyed(spec, &messages, random(), 100);
    assert_eq!(rows, modelled.rows, "{}", context("surveyed"));
    for (index, backend) in (0..).zip(BACKENDS) {
        let way = |mode| Way {
            mode,
            backend,
            cut: Random(seed * 8 + index),
            blocks: whole && index == 1,
        };
        let (rows, breaks) = engine(spec, &messages, way(Mode::Stream));
        assert_eq!(rows, modelled.rows, "{}", context("stream"));
        assert_eq!(breaks, modelled.breaks, "{}", context("stream"));
        let (rows, breaks) = engine(spec, &messages, way(Mode::Batch));
        let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        assert_eq!(rows, last, "{}", context("batch"));
        assert_eq!(breaks, modelled.breaks, "{}", context("batch"));
    }
    (last.len(), modelled.rows.len() - last.len())
}

#[test]
fn every_path_gives_the_rows_of_the_model() {
    let (mut rows, mut corrections) = (0, 0);
    for seed in 0..2_000 {
        let mut random = Random(seed);
        let spec = spec(&mut random);
        let events = day(&mut random);
        let (more_rows, more_corrections) = compare(&spec, &events, seed);
        rows += more_rows;
        corrections += more_corrections;
    }
    assert!(rows > 40_000 && corrections > 2_000, "{rows} {corrections}");
}

const START: u64 = 34_200_000;

fn at(millis: u64, kind: Kind) -> Event {
    Event {
        time: Some((START + millis) * 1_000_000),
        kind,
    }
}

fn trade(millis: u64, number: u64) -> Event {
    let trade = Trade {
        locate: 1,
        price: 100 + (number * 37 % 11) as u32,
        shares: 1 + number as u32,
        number,
    };
    at(millis, Kind::WithPrice(trade))
}

fn broken(millis: u64, number: u64) -> Event {
    at(millis, Kind::Break { number })
}

/// Every combination of options that changes what a break does.
fn each_spec(mut check: impl FnMut(&Spec)) {
    let within = Corrections::Within(Duration::from_millis(20).unwrap());
    for windows in [
        &["10ms"][..],
        &["5ms", "30ms"],
        &["session"],
        &["24h", "session", "20ms"],
    ] {
        for every_end in [false, true] {
            for corrections in [Corrections::All, Corrections::Off, within] {
                check(&Spec {
                    windows: windows.iter().map(|label| label.parse().unwrap()).collect(),
                    step: Duration::from_millis(10).unwrap(),
                    policy: Policy::All,
                    every_end,
                    corrections,
                });
            }
        }
    }
}

type Days = Vec<(&'static str, Vec<Event>)>;

fn quiet(millis: u64) -> Event {
    at(millis, Kind::Nothing)
}

/// Days without breaks or holes.
fn plain_days() -> Days {
    let boundary = vec![trade(10, 1), trade(20, 2), trade(30, 3), quiet(40)];
    vec![
        ("nothing", vec![]),
        ("no execution", vec![quiet(0), quiet(50)]),
        ("one trade", vec![trade(5, 1)]),
        (
            "one trade and a long silence",
            vec![trade(5, 1), quiet(2_000)],
        ),
        ("on the boundary", boundary),
    ]
}

fn days_with_breaks() -> Days {
    let (one, two) = (trade(1, 1), trade(2, 2));
    let all = vec![one, two, broken(30, 2), broken(31, 1), broken(32, 1)];
    let end = vec![trade(9, 1), broken(10, 1), trade(20, 2), broken(20, 2)];
    let (old, young) = (trade(5, 1), trade(6, 2));
    let bound = vec![old, young, broken(25, 1), broken(27, 2), trade(30, 3)];
    let then = vec![
        one,
        trade(22, 2),
        broken(31, 1),
        broken(32, 2),
        trade(33, 3),
    ];
    let emptied = vec![one, broken(15, 1), trade(16, 2), trade(45, 3)];
    let late = vec![one, trade(12, 2), broken(25, 1), trade(35, 3)];
    // 104 and 110 have entered, 108 has not: the high by the first break, gone by the second, before 105 comes.
    let in_place = vec![
        one,
        trade(2, 8),
        trade(11, 2),
        broken(12, 8),
        broken(13, 2),
        trade(14, 4),
        quiet(25),
    ];
    vec![
        ("a high that has not entered broken", in_place),
        (
            "the first broken early",
            vec![one, broken(2, 1), trade(15, 2)],
        ),
        ("the first broken late", late),
        ("a window emptied and filled", emptied),
        ("everything broken", all),
        ("broken at the very end", end),
        ("young and old at the bound", bound),
        ("old unpublished, then young", then),
        (
            "broken before it happens",
            vec![broken(1, 1), trade(5, 1), broken(60, 1)],
        ),
    ]
}

fn days_with_holes() -> Days {
    let lost = Event {
        time: None,
        kind: Kind::Lost,
    };
    let (first, second) = (trade(10, 1), trade(20, 2));
    let broken = vec![trade(1, 1), trade(12, 2), lost, broken(31, 1), quiet(70)];
    vec![
        (
            "before everything",
            vec![lost, trade(15, 1), trade(45, 2), quiet(95)],
        ),
        ("in silence", vec![trade(5, 1), lost, quiet(44), quiet(99)]),
        ("at the end", vec![trade(5, 1), quiet(15), lost]),
        ("on boundaries", vec![first, lost, lost, second, quiet(60)]),
        ("and then a break", broken),
        ("and nothing else", vec![lost]),
    ]
}

#[test]
fn days_by_hand() {
    let days = [plain_days(), days_with_breaks(), days_with_holes()].concat();
    for (seed, (name, events)) in (5_000..).zip(&days) {
        println!("{name}");
        each_spec(|spec| {
            compare(spec, events, seed);
        });
    }
}
