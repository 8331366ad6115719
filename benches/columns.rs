//! The jobs over a day of columns in memory, against the floor of reading them and the plain programs.
//!
//! `WIDETAPE_BENCH_TRADES` says how many executions (10,000,000). `WIDETAPE_COLUMNS=DIR` writes the
//! columns as `.npy` and our answers and median times as `ours.json`, for `peers.py`.

mod data;
mod export;
mod plain;

use std::hint::black_box;
use std::time::Duration as Wait;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use data::{Data, OPEN, SECONDS};
use widetape::columns::{Resident, TradeSlices};
use widetape::cpu::{Parallel, Scalar, Simd};
use widetape::market::Duration;
use widetape::window::day::{Bars, DayKernel, Grid, GridBlock, Totals, Visit};

use crate::turns::{self, Ratios};

/// Widths of the dense grid in seconds.
const WIDTHS: [u32; 8] = [1, 5, 10, 30, 60, 300, 600, 1800];
/// Width of the sliding windows in seconds.
const SLIDING: u32 = 60;
/// Rounds in which the rows take turns.
const ROUNDS: usize = 15;
/// Executions by symbol beyond which the slow rows are left out.
const SMALL: usize = 2_000_000;

fn trades() -> usize {
    if std::env::args().any(|argument| argument == "--test") {
        return 300_000;
    }
    let asked = std::env::var("WIDETAPE_BENCH_TRADES").ok();
    asked.map_or(10_000_000, |text| {
        text.parse().expect("WIDETAPE_BENCH_TRADES is a number")
    })
}

fn second() -> Duration {
    Duration::from_millis(1_000).expect("a second")
}

fn whole_grid() -> Grid {
    Grid {
        first: OPEN as u32 + 1,
        ends: SECONDS as u32,
        widths: WIDTHS.to_vec(),
    }
}

/// Every value of every window, added up in the cache modulo 2^64 and 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checksum {
    notional: u64,
    volume: u64,
    trades: u32,
    /// Σ (open + high + low + close) of windows that hold an execution.
    prices: u32,
}

impl Visit for Checksum {
    #[inline(always)]
    fn visit(&mut self, block: &GridBlock<'_>) {
        for (&notional, &volume) in block.notionals.iter().zip(block.volumes) {
            self.notional = self.notional.wrapping_add(notional);
            self.volume = self.volume.wrapping_add(volume);
        }
        let prices = block.opens.iter().zip(block.closes);
        let prices = prices.zip(block.highs.iter().zip(block.lows));
        let (mut trades, mut sum) = (0_u32, 0_u32);
        for (&count, ((&open, &close), (&high, &low))) in block.trades.iter().zip(prices) {
            let four = open
                .wrapping_add(close)
                .wrapping_add(high.wrapping_add(low));
            let held = u32::from(count != 0).wrapping_neg();
            trades = trades.wrapping_add(count);
            sum = sum.wrapping_add(four & held);
        }
        self.trades = self.trades.wrapping_add(trades);
        self.prices = self.prices.wrapping_add(sum);
    }
}

/// Notional and trades alone, to tell what high, low, open and close cost.
#[derive(Clone, Copy, Default)]
struct SumsAlone(u64);

impl Visit for SumsAlone {
    #[inline(always)]
    fn visit(&mut self, block: &GridBlock<'_>) {
        for (&notional, &volume) in block.notionals.iter().zip(block.volumes) {
            self.0 = self.0.wrapping_add(notional ^ volume);
        }
    }
}

fn checksum(visitors: Vec<Checksum>) -> Checksum {
    let add = |sum: Checksum, part: Checksum| Checksum {
        notional: sum.notional.wrapping_add(part.notional),
        volume: sum.volume.wrapping_add(part.volume),
        trades: sum.trades.wrapping_add(part.trades),
        prices: sum.prices.wrapping_add(part.prices),
    };
    visitors.into_iter().fold(Checksum::default(), add)
}

/// Columns and answers that the rows share; every answer has been compared with the scalar one.
struct Setting {
    data: Data,
    resident: Resident,
    bars: Bars,
    /// Bars of one symbol in eight, which the dense grid is timed on: how busy a symbol is does not
    /// depend on its number.
    sample: Bars,
    two: rayon::ThreadPool,
}

/// The bytes that the totals read.
fn read_floor(trades: &TradeSlices<'_>) -> u64 {
    let mut sum = 0_u64;
    for block in trades.chunks(4096) {
        let locates = block.locates.iter().fold(0_u16, |s, &v| s.wrapping_add(v));
        let prices = block.prices.iter().fold(0_u32, |s, &v| s.wrapping_add(v));
        let shares = block.shares.iter().fold(0_u32, |s, &v| s.wrapping_add(v));
        sum += u64::from(locates) + u64::from(prices) + u64::from(shares);
    }
    sum
}

fn setting() -> Setting {
    let data = Data::new(trades());
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    let two = two.expect("two threads");
    let (simd, parallel) = (Simd::default(), Parallel::default());
    let (mut wanted, mut got) = (Totals::default(), Totals::default());
    Scalar.totals(&data.slices(), &mut wanted);
    simd.totals(&data.slices(), &mut got);
    assert_eq!(wanted, got, "simd totals");
    two.install(|| parallel.totals(&data.slices(), &mut got));
    assert_eq!(wanted, got, "parallel totals");
    assert_eq!(wanted, plain::totals(&data), "plain totals");

    let mut resident = Resident::default();
    resident.fill(&[data.slices()]).expect("a day");
    let (mut bars, mut other) = (Bars::default(), Bars::default());
    Scalar.bars(&resident, second(), &mut other);
    simd.bars(&resident, second(), &mut bars);
    assert!(bars == other, "simd bars");
    two.install(|| parallel.bars(&resident, second(), &mut other));
    assert!(bars == other, "parallel bars");
    assert_eq!(plain::bars(&data), bars.len(), "plain bars");

    let (mut wanted, mut got) = (other, Bars::default());
    Scalar.slide(&bars, SLIDING, &mut wanted);
    simd.slide(&bars, SLIDING, &mut got);
    assert!(wanted == got, "simd sliding");
    two.install(|| parallel.slide(&bars, SLIDING, &mut got));
    assert!(wanted == got, "parallel sliding");

    let mut some = Resident::default();
    let policies = data.locates.iter().map(|&locate| u8::from(locate % 8 == 0));
    let policies: Vec<u8> = policies.collect();
    let slices = TradeSlices {
        policies: &policies,
        mask: 1,
        ..data.slices()
    };
    some.fill(&[slices]).expect("an eighth of a day");
    let mut sample = Bars::default();
    simd.bars(&some, second(), &mut sample);
    check_grid(&sample, &two);
    Setting {
        data,
        resident,
        bars,
        sample,
        two,
    }
}

/// Compares the grids of all paths.
fn check_grid(bars: &Bars, two: &rayon::ThreadPool) {
    let (simd, parallel) = (Simd::default(), Parallel::default());
    // The scalar grid adds up every window anew: it is asked about 8 stretches of 20 ends.
    let mut grid = whole_grid();
    let grid_of = |grid: &Grid| checksum(simd.grid(bars, grid, Checksum::default));
    for stretch in 0..8 {
        (grid.first, grid.ends) = (OPEN as u32 + 1 + stretch * 2_900, 20);
        let wanted = checksum(Scalar.grid(bars, &grid, Checksum::default));
        assert_eq!(grid_of(&grid), wanted, "simd grid");
    }
    let whole = grid_of(&whole_grid());
    let same = two.install(|| checksum(parallel.grid(bars, &whole_grid(), Checksum::default)));
    assert_eq!(whole, same, "parallel grid");
}

fn totals(group: &mut BenchmarkGroup<'_, WallTime>, setting: &Setting) {
    let slices = setting.data.slices();
    let (simd, parallel) = (Simd::default(), Parallel::default());
    let mut sums = Totals::default();
    group.throughput(Throughput::Bytes(10 * slices.len() as u64));
    group.bench_function("J1 floor: the bytes read", |b| {
        b.iter(|| read_floor(black_box(&slices)));
    });
    group.bench_function("J1 naive: a hash map", |b| {
        b.iter(|| plain::totals(&setting.data))
    });
    group.bench_function("J1 scalar", |b| {
        b.iter(|| Scalar.totals(&slices, &mut sums))
    });
    group.bench_function("J1 simd", |b| b.iter(|| simd.totals(&slices, &mut sums)));
    group.bench_function("J1 parallel, 2 threads", |b| {
        b.iter(|| setting.two.install(|| parallel.totals(&slices, &mut sums)));
    });
}

fn bars(group: &mut BenchmarkGroup<'_, WallTime>, setting: &Setting) {
    let Setting { data, resident, .. } = setting;
    let (simd, parallel) = (Simd::default(), Parallel::default());
    let (mut day, mut bars) = (Resident::default(), Bars::default());
    group.throughput(Throughput::Elements(data.times.len() as u64));
    group.bench_function("columns made resident", |b| {
        b.iter(|| day.fill(&[data.slices()]).expect("a day"));
    });
    group.bench_function("J2 naive: open bars in a table, feed order", |b| {
        b.iter(|| plain::bars(data));
    });
    group.bench_function("J2 scalar", |b| {
        b.iter(|| Scalar.bars(resident, second(), &mut bars))
    });
    group.bench_function("J2 simd", |b| {
        b.iter(|| simd.bars(resident, second(), &mut bars))
    });
    group.bench_function("J2 parallel, 2 threads", |b| {
        b.iter(|| {
            setting
                .two
                .install(|| parallel.bars(resident, second(), &mut bars))
        });
    });
}

fn sparse(group: &mut BenchmarkGroup<'_, WallTime>, setting: &Setting) {
    let bars = &setting.bars;
    let (simd, parallel) = (Simd::default(), Parallel::default());
    let mut windows = Bars::default();
    group.throughput(Throughput::Elements(bars.len() as u64));
    if setting.data.times.len() <= SMALL {
        group.bench_function("J3 sparse scalar", |b| {
            b.iter(|| Scalar.slide(bars, SLIDING, &mut windows));
        });
    }
    group.bench_function("J3 sparse naive: two cursors and queues", |b| {
        b.iter(|| plain::slide(bars, SLIDING));
    });
    group.bench_function("J3 sparse simd", |b| {
        b.iter(|| simd.slide(bars, SLIDING, &mut windows));
    });
    group.bench_function("J3 sparse parallel, 2 threads", |b| {
        b.iter(|| {
            setting
                .two
                .install(|| parallel.slide(bars, SLIDING, &mut windows))
        });
    });
}

fn dense(group: &mut BenchmarkGroup<'_, WallTime>, setting: &Setting) {
    let bars = &setting.sample;
    let (simd, parallel) = (Simd::default(), Parallel::default());
    let grid = whole_grid();
    let outputs = bars.symbols().count() as u64 * SECONDS * WIDTHS.len() as u64;
    group.throughput(Throughput::Elements(outputs));
    if setting.data.times.len() <= SMALL {
        let mut some = whole_grid();
        some.ends = 20;
        group.bench_function("J3 dense scalar, 20 ends of 23,400", |b| {
            b.iter(|| Scalar.grid(bars, &some, Checksum::default));
        });
    }
    group.bench_function("J3 dense simd", |b| {
        b.iter(|| simd.grid(bars, &grid, Checksum::default));
    });
    group.bench_function("J3 dense simd, sums alone looked at", |b| {
        b.iter(|| simd.grid(bars, &grid, SumsAlone::default).len());
    });
    group.bench_function("J3 dense parallel, 2 threads", |b| {
        b.iter(|| {
            setting
                .two
                .install(|| parallel.grid(bars, &grid, Checksum::default))
        });
    });
}

/// What the jobs cost on two threads beside one.
fn rounds(setting: &Setting) -> Ratios {
    let Setting {
        data,
        resident,
        bars,
        sample,
        two,
    } = setting;
    let (simd, parallel, slices) = (Simd::default(), Parallel::default(), data.slices());
    let (mut sums, mut day, mut windows) = Default::default();
    let grid = whole_grid();
    let names = [
        "J1 parallel, 2 threads",
        "J2 parallel, 2 threads",
        "J3 sparse parallel, 2 threads",
        "J3 dense parallel, 2 threads",
    ];
    turns::medians(ROUNDS, names, || {
        let totals = turns::wall(|| simd.totals(&slices, &mut sums));
        let totals_on_two = turns::wall(|| two.install(|| parallel.totals(&slices, &mut sums)));
        let of_bars = turns::wall(|| simd.bars(resident, second(), &mut day));
        let bars_on_two =
            turns::wall(|| two.install(|| parallel.bars(resident, second(), &mut day)));
        let sparse = turns::wall(|| simd.slide(bars, SLIDING, &mut windows));
        let sparse_on_two =
            turns::wall(|| two.install(|| parallel.slide(bars, SLIDING, &mut windows)));
        let dense = turns::wall(|| simd.grid(sample, &grid, Checksum::default));
        let dense_on_two =
            turns::wall(|| two.install(|| parallel.grid(sample, &grid, Checksum::default)));
        [
            totals_on_two / totals,
            bars_on_two / of_bars,
            sparse_on_two / sparse,
            dense_on_two / dense,
        ]
    })
}

/// Times the rows; the ratios that the bars are about, unless it is a `test`.
pub(crate) fn bench(criterion: &mut Criterion, test: bool) -> Ratios {
    let setting = setting();
    if let Some(folder) = std::env::var_os("WIDETAPE_COLUMNS") {
        export::write(folder.as_ref(), &setting).expect("the columns written");
    }
    let mut group = criterion.benchmark_group("columns");
    group
        .sample_size(10)
        .warm_up_time(Wait::from_millis(500))
        .measurement_time(Wait::from_secs(2));
    totals(&mut group, &setting);
    bars(&mut group, &setting);
    sparse(&mut group, &setting);
    dense(&mut group, &setting);
    group.finish();
    match test {
        true => Vec::new(),
        false => rounds(&setting),
    }
}
