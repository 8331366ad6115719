//! From framed bytes to sums and rows on one thread: the reference row reads every field by raw offsets
//! and does nothing with them; ours decode, price, write columns, and sum. The naive row is the shortest
//! program that gives the session sums: a hash map of prices by order reference and one of sums by
//! symbol. All rows read the same day, and the sums of the first and the last must be the same. Room for
//! orders and executions is made before the clock starts, as the service makes it before the feed does.

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use widetape::Spec;
use widetape::columns::Batch;
use widetape::cpu::Simd;
use widetape::engine::Normaliser;
use widetape::memory::Memory;
use widetape::window::{Applied, Output, Row, Sliding};
use widetape::wire::binaryfile::Blocks;
use widetape::wire::itch50::{Message, parse};

use crate::cpu_time::CpuTime;
use crate::day;
use crate::decode::{RawOffsets, Widetape, walk};
use crate::turns::{self, Ratios};

/// Messages decoded between two looks at the columns.
const BATCH: usize = 8_192;
/// Rounds in which the rows take turns.
const ROUNDS: usize = 7;
/// Messages after which it is the next row's turn: so many that what the others have put in its caches does not matter.
const TURN: usize = 5_000_000;

/// Sums by locate: notional, volume, executions.
type Sums = HashMap<u16, (u128, u64, u64)>;

fn naive(blocks: &[u8]) -> Sums {
    let mut prices = HashMap::new();
    let mut executions: HashMap<u64, (u16, u32, u32)> = HashMap::new();
    for (_, message) in Blocks::new(blocks) {
        let (number, execution) = match parse(message).expect("a message") {
            Message::AddOrder(m) => {
                prices.insert(m.reference(), m.price().0);
                continue;
            }
            Message::AddOrderWithAttribution(m) => {
                prices.insert(m.reference(), m.price().0);
                continue;
            }
            Message::OrderReplace(m) => {
                prices.insert(m.new_reference(), m.price().0);
                continue;
            }
            Message::BrokenTrade(m) => {
                executions.remove(&m.match_number());
                continue;
            }
            Message::OrderExecuted(m) => {
                let price = prices[&m.reference()];
                (
                    m.match_number(),
                    (m.header().locate.0, price, m.executed_shares()),
                )
            }
            Message::OrderExecutedWithPrice(m) if m.printable() == b'Y' => {
                let price = m.execution_price().0;
                (
                    m.match_number(),
                    (m.header().locate.0, price, m.executed_shares()),
                )
            }
            Message::Trade(m) => (
                m.match_number(),
                (m.header().locate.0, m.price().0, m.shares()),
            ),
            Message::CrossTrade(m) => {
                let shares = u32::try_from(m.shares()).expect("32 bits");
                (
                    m.match_number(),
                    (m.header().locate.0, m.cross_price().0, shares),
                )
            }
            _ => continue,
        };
        executions.insert(number, execution);
    }
    let mut sums = Sums::new();
    for (locate, price, shares) in executions.into_values().filter(|execution| execution.2 > 0) {
        let sum = sums.entry(locate).or_default();
        sum.0 += u128::from(price) * u128::from(shares);
        sum.1 += u64::from(shares);
        sum.2 += 1;
    }
    sums
}

/// The stages of one thread before the first message.
struct Pipeline {
    normaliser: Normaliser,
    sliding: Sliding,
    batch: Batch,
    output: Output,
}

impl Pipeline {
    /// With room for the orders and executions of a synthetic day of so many messages, of which some 2.4 %
    /// are live at once and 5 % executions.
    fn new(tops: bool, spec: &Spec, messages: u64) -> Self {
        let (memory, messages) = (Memory::asked(), messages as usize);
        Self {
            normaliser: Normaliser::new(tops).with_memory(memory, messages / 40),
            sliding: Sliding::new(spec.clone(), Box::new(Simd::default()))
                .with_memory(memory, messages / 16),
            batch: Batch::default(),
            output: Output::default(),
        }
    }

    /// The rows of the day, in feed order, each handed to `each`; returns how many tops of book changed.
    fn rows(&mut self, blocks: &[u8], mut each: impl FnMut(Row)) -> usize {
        let quotes = self.go_on(blocks, &mut each);
        self.sliding.finish(&mut self.output);
        hand_on(&mut self.output, &mut each);
        quotes
    }

    /// The same of a part of the day, behind the parts before, but for the rows of its last step. Messages become columns,
    /// and columns rows, batch by batch.
    fn go_on(&mut self, blocks: &[u8], each: &mut impl FnMut(Row)) -> usize {
        let Self {
            normaliser,
            sliding,
            batch,
            output,
        } = self;
        let (mut messages, mut quotes) = (Blocks::new(blocks), 0);
        while messages.consumed() < blocks.len() {
            batch.clear();
            let fail = |_, error| Err(error);
            let outcome = normaliser.messages(&mut messages, BATCH, batch, fail);
            outcome.expect("a synthetic day can be decoded");
            let mut applied = Applied::InPart;
            while applied == Applied::InPart {
                applied = sliding.apply(batch, output).expect("room in the log");
                hand_on(output, each);
            }
            quotes += batch.quotes.len();
        }
        quotes
    }
}

fn hand_on(output: &mut Output, each: &mut impl FnMut(Row)) {
    output
        .each()
        .for_each(|(_, rows)| rows.iter().for_each(&mut *each));
    output.clear();
}

/// The newest session sums of each symbol.
fn session_sums(blocks: &[u8], mut pipeline: Pipeline, spec: &Spec) -> Sums {
    let session = spec.windows.len() - 1;
    let mut sums = Sums::new();
    pipeline.rows(blocks, |row| {
        if usize::from(row.window) == session {
            let Row {
                locate, sums: of, ..
            } = row;
            let values = (of.notional.get(), of.volume, u64::from(of.trades));
            sums.insert(locate.0, values);
        }
    });
    sums.retain(|_, (_, _, trades)| *trades > 0);
    sums
}

fn spec(windows: &[&str], step: &str) -> Spec {
    let windows = windows
        .iter()
        .map(|window| window.parse().expect("a window"));
    Spec {
        windows: windows.collect(),
        step: step.parse().expect("a duration"),
        ..Spec::default()
    }
}

fn specs() -> [Spec; 2] {
    let live = spec(&["1s", "1m", "5m", "30m", "session"], "100ms");
    [spec(&["session"], "1h"), live]
}

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>, test: bool) {
    let messages = day::messages(test);
    let blocks = day::blocks(messages, 8_000);
    let [day, live] = specs();
    let expected = naive(&blocks);
    for (tops, spec) in [(false, &day), (true, &day), (true, &live)] {
        let pipeline = Pipeline::new(tops, spec, messages);
        let sums = session_sums(&blocks, pipeline, spec);
        assert!(sums == expected, "{spec:?}");
    }
    let checksum = walk::<RawOffsets>(&blocks);
    assert_eq!(walk::<Widetape>(&blocks), checksum);
    let mut full = Pipeline::new(true, &day, messages);
    assert!(full.rows(&blocks, |_| {}) as u64 > messages / 5);

    let mut group = criterion.benchmark_group("pipeline");
    group
        .throughput(Throughput::Elements(messages))
        .sample_size(10);
    group.bench_function("raw offsets", |b| {
        b.iter(|| walk::<RawOffsets>(black_box(&blocks)));
    });
    group.bench_function("every field", |b| {
        b.iter(|| walk::<Widetape>(black_box(&blocks)));
    });
    for (name, tops, spec) in [
        ("session VWAP", false, &day),
        ("full books", true, &day),
        ("session VWAP and windows", false, &live),
        ("full books and windows", true, &live),
    ] {
        group.bench_function(name, |b| {
            let run = |pipeline: &mut Pipeline| {
                let mut count = 0_u64;
                let quotes = pipeline.rows(black_box(&blocks), |_| count += 1);
                (quotes, count)
            };
            let new = || Pipeline::new(tops, spec, messages);
            b.iter_batched_ref(new, run, BatchSize::PerIteration);
        });
    }
    group.bench_function("naive: hash maps, session sums", |b| {
        b.iter(|| naive(black_box(&blocks)));
    });
    group.finish();
}

/// The day in parts of so many messages.
fn parts(blocks: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut messages, mut from) = (Blocks::new(blocks), 0);
    std::iter::from_fn(move || {
        messages.nth(TURN - 1);
        let part = &blocks[from..messages.consumed()];
        from = messages.consumed();
        (!part.is_empty()).then_some(part)
    })
}

/// What the rows cost: beside the raw offsets, and for the windows what they add to full books.
pub(crate) fn rounds() -> Ratios {
    let messages = day::messages(false);
    let blocks = day::blocks(messages, 8_000);
    let [day, live] = specs();
    let rows = [(false, &day), (true, &day), (true, &live)];
    let names = [
        "every field",
        "session VWAP",
        "full books",
        "full books and windows",
    ];
    turns::medians(ROUNDS, names, || {
        let mut pipelines = rows.map(|(tops, spec)| Pipeline::new(tops, spec, messages));
        let (mut reference, mut every_field, mut spent) = (0.0, 0.0, [0.0; 3]);
        for part in parts(&blocks) {
            // So that the first row does not read it from further away than the others.
            black_box(walk::<RawOffsets>(black_box(part)));
            reference += turns::cpu(|| walk::<RawOffsets>(black_box(part)));
            every_field += turns::cpu(|| walk::<Widetape>(black_box(part)));
            for (pipeline, spent) in pipelines.iter_mut().zip(&mut spent) {
                *spent += turns::cpu(|| pipeline.go_on(black_box(part), &mut |_| {}));
            }
        }
        let [sums, books, windows] = spent;
        [
            every_field / reference,
            sums / reference,
            books / reference,
            windows / books - 1.0,
        ]
    })
}
