//! The whole engine inline, from blocks to rows, against the shortest program that gives the same
//! session sums: a hash map of prices by order reference and a hash map of sums by symbol.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use widetape::wire::binaryfile::Blocks;
use widetape::wire::itch50::{Message, parse};
use widetape::{
    Clock, Engine, Locate, MemorySource, Mode, Newest, Options, Profile, Publisher, Shared, Spec,
    Symbol, SyntheticDay, SyntheticOptions, Update,
};

const MESSAGES: u64 = 1_000_000;
const CHUNK: usize = 256 << 10;

fn day() -> Vec<u8> {
    let options = SyntheticOptions {
        messages: MESSAGES,
        symbols: 1_000,
        seed: 1,
        profile: Profile::Day,
    };
    let mut day = SyntheticDay::new(options).expect("enough messages for the symbols");
    let mut blocks = Vec::new();
    while day.next_block(&mut blocks) {}
    blocks
}

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

/// Counts rows and forgets them.
struct Counted(u64);

impl Publisher for Counted {
    fn name(&self) -> String {
        "count".to_owned()
    }

    fn listing(&mut self, _: Locate, _: Symbol) {}

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.0 += update.rows.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn source(blocks: &[u8]) -> MemorySource {
    let mut source = MemorySource::default();
    let mut rest = blocks;
    while !rest.is_empty() {
        let whole = widetape::wire::binaryfile::whole(&rest[..rest.len().min(CHUNK)]);
        source.push_blocks(&rest[..whole]);
        rest = &rest[whole..];
    }
    source
}

fn run(blocks: &[u8], spec: &Spec, mode: Mode, publisher: Box<dyn Publisher + Send>) {
    let options = Options {
        mode,
        ..Options::new(spec.clone())
    };
    let engine =
        Engine::new(Box::new(source(blocks)), vec![publisher], options).expect("a request");
    let (_, outcome) = engine.run_inline(&Clock::machine(), None);
    outcome.expect("a whole day");
}

fn spec(windows: &[&str], step: &str) -> Spec {
    let windows = windows
        .iter()
        .map(|window| window.parse().expect("a window"))
        .collect();
    Spec {
        windows,
        step: step.parse().expect("a duration"),
        ..Spec::default()
    }
}

fn pipeline(criterion: &mut Criterion) {
    let blocks = day();
    let session = spec(&["session"], "1h");
    for mode in [Mode::Stream, Mode::Batch] {
        let newest = Shared::new(Newest::default());
        run(&blocks, &session, mode, Box::new(newest.clone()));
        let found: Sums = newest
            .lock()
            .rows()
            .filter(|row| row.sums.trades > 0)
            .map(|row| {
                (
                    row.locate.0,
                    (row.sums.notional, row.sums.volume, row.sums.trades),
                )
            })
            .collect();
        assert_eq!(found, naive(&blocks), "{mode:?}");
    }
    let windows = spec(&["1s", "1m", "session"], "100ms");
    let mut group = criterion.benchmark_group("pipeline");
    group
        .throughput(Throughput::Elements(MESSAGES))
        .sample_size(10);
    group.bench_function("naive: hash maps, session sums", |b| {
        b.iter(|| naive(black_box(&blocks)))
    });
    for (name, spec, mode) in [
        ("replay, session", &session, Mode::Stream),
        ("replay, 1s 1m session each 100ms", &windows, Mode::Stream),
        ("scan, 1s 1m session each 100ms", &windows, Mode::Batch),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| run(black_box(&blocks), spec, mode, Box::new(Counted(0))));
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
