//! One end of the live windows: 10,000 symbols, a window of a minute at a step of 100 ms, some 214
//! executions a step as on a day of 50 million. What is timed is the end itself: what leaves, and the
//! rows that are written; then with somebody who reads them. Then a break among the executions of one symbol, 10,000 a step.

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use widetape::Spec;
use widetape::columns::{Batch, Mark};
use widetape::cpu::Scalar;
use widetape::market::{Locate, Price, Shares, Timestamp, Trade};
use widetape::window::{Applied, Corrections, Output, Sliding, Sums};

use crate::cpu_time::{self, CpuTime};

const SYMBOLS: u64 = 10_000;
const PER_STEP: u64 = 214;
/// Of the one symbol whose executions are broken.
const BREAKABLE_PER_STEP: u64 = 10_000;
const STEPS_BEFORE_BREAKS: u64 = 50;
/// How many are broken before it begins again: few among so many.
const BREAKS: u64 = 1_000;
const STEP: u64 = 100_000_000;
const OPEN: u64 = 34_200_000_000_000;

/// Executions that never end, the popular symbols more often (roughly Zipf).
struct Market {
    random: u64,
    number: u64,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            random: 7,
            number: 0,
        }
    }
}

impl Market {
    fn roll(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// The executions of the step that begins at `begin`.
    fn step(&mut self, begin: u64, batch: &mut Batch) {
        batch.clear();
        for part in 0..PER_STEP {
            let share = self.roll() % (1 << 20);
            // Uniform in the logarithm: rank r comes up in proportion to 1 / r.
            let rank = (SYMBOLS as f64).powf(share as f64 / (1 << 20) as f64) as u64 - 1;
            let scattered = rank * 7_919 % SYMBOLS;
            self.number += 1;
            batch.trades.push(&Trade {
                time: Timestamp(begin + part * STEP / PER_STEP),
                locate: Locate(scattered as u16),
                price: Price(100_000 + scattered as u32 * 10 + (self.roll() % 50) as u32),
                shares: Shares(1 + (self.roll() % 500) as u32),
                match_number: self.number,
                policies: 0xff,
            });
        }
        batch.now = Timestamp(begin + STEP - 1);
        batch.started = true;
    }
}

fn windows(every_end: bool) -> Sliding {
    let spec = Spec {
        windows: vec!["1m".parse().expect("a window")],
        step: "100ms".parse().expect("a duration"),
        every_end,
        corrections: Corrections::Off,
        ..Spec::default()
    };
    Sliding::new(spec, Box::new(Scalar))
}

/// Applies a batch, whose rows are few.
fn apply(sliding: &mut Sliding, batch: &Batch, output: &mut Output) {
    let applied = sliding.apply(batch, output);
    assert_eq!(applied.expect("room in the log"), Applied::Whole);
}

/// Plays 70 s; the rows of the last end must be what its executions add up to, one by one.
fn check(every_end: bool) {
    let (mut sliding, mut market, mut now) = (windows(every_end), Market::default(), OPEN);
    let (mut batch, mut output) = (Batch::default(), Output::default());
    let mut trades = Vec::new();
    for _ in 0..700 {
        market.step(now, &mut batch);
        trades.extend((0..batch.trades.len()).map(|index| batch.trades.get(index)));
        apply(&mut sliding, &batch, &mut output);
        output.clear();
        now += STEP;
        assert_eq!(sliding.advance(now, &mut output), Applied::Whole);
    }
    let mut sums = vec![Sums::default(); SYMBOLS as usize];
    for trade in trades
        .iter()
        .filter(|trade| trade.time.0 >= now - 60 * 10 * STEP)
    {
        sums[trade.locate.index()].push(trade.price.0, trade.shares.0);
    }
    let held = sums.iter().filter(|sums| sums.trades > 0).count();
    let mut rows = output.each().flat_map(|(_, rows)| rows);
    assert!(rows.all(|row| row.sums == sums[row.locate.index()]));
    assert!(output.len() > 200 && (!every_end || output.len() == held));
}

/// Windows while the market plays.
struct Played {
    sliding: Sliding,
    output: Output,
    market: Market,
    now: u64,
    /// Whether the rows are read as well.
    is_read: bool,
}

impl Played {
    fn new(every_end: bool, is_read: bool) -> Self {
        let mut played = Self {
            sliding: windows(every_end),
            output: Output::default(),
            market: Market::default(),
            now: OPEN,
            is_read,
        };
        played.play(700);
        played
    }

    /// Plays `steps` steps and returns the CPU time of their ends, without that of the clock itself: it asks the
    /// system, which takes half a microsecond, and is asked twice before each end to see how long.
    fn play(&mut self, steps: u64) -> Duration {
        let Self {
            sliding,
            output,
            market,
            now,
            is_read,
        } = self;
        let mut batch = Batch::default();
        let (mut spent, mut clock) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..steps {
            market.step(*now, &mut batch);
            apply(sliding, &batch, output);
            output.clear();
            *now += STEP;
            let asked = cpu_time::now();
            let start = cpu_time::now();
            let applied = sliding.advance(*now, output);
            if *is_read {
                let rows = output.each().flat_map(|(_, rows)| rows);
                black_box(rows.map(|row| row.sums.volume).sum::<u64>());
            }
            spent += cpu_time::now() - start;
            assert_eq!(applied, Applied::Whole);
            clock += start - asked;
            black_box(&output);
        }
        spent.saturating_sub(clock)
    }
}

/// The window of a minute with executions of one symbol in it, which have the match numbers from 0 on.
fn breakable() -> (Sliding, Timestamp) {
    let (mut sliding, mut batch, mut output) =
        (windows(false), Batch::default(), Output::default());
    for step in 0..STEPS_BEFORE_BREAKS {
        batch.clear();
        output.clear();
        let numbers = (0..BREAKABLE_PER_STEP).map(|number| step * BREAKABLE_PER_STEP + number);
        for number in numbers {
            batch.trades.push(&Trade {
                time: Timestamp(OPEN + step * STEP),
                locate: Locate(0),
                price: Price(100_000 + (number * 7_919 % 50) as u32),
                shares: Shares(100),
                match_number: number,
                policies: 0xff,
            });
        }
        (batch.now, batch.started) = (Timestamp(OPEN + step * STEP), true);
        apply(&mut sliding, &batch, &mut output);
    }
    (sliding, batch.now)
}

/// CPU time of so many breaks, of executions from the first second on.
fn break_some(breaks: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for round in (0..breaks).step_by(BREAKS as usize) {
        let ((mut sliding, time), mut batch) = (breakable(), Batch::default());
        let mut output = Output::default();
        let count = BREAKS.min(breaks - round);
        let numbers = (0..count).map(|number| 7 + number * 97);
        batch
            .marks
            .extend(numbers.map(|match_number| (0, Mark::Break { match_number, time })));
        let start = cpu_time::now();
        apply(&mut sliding, &batch, &mut output);
        spent += cpu_time::now() - start;
        assert_eq!(sliding.counts().broken, count);
        output.clear();
        sliding.finish(&mut output);
        let left = STEPS_BEFORE_BREAKS * BREAKABLE_PER_STEP - count;
        let volumes = output.rows.iter().map(|row| row.sums.volume);
        assert_eq!(volumes.collect::<Vec<_>>(), [100 * left]);
    }
    spent
}

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("window");
    for (name, every_end, is_read) in [
        ("changed rows", false, false),
        ("all rows", true, false),
        ("changed rows, read", false, true),
        ("all rows, read", true, true),
    ] {
        check(every_end);
        let mut played = Played::new(every_end, is_read);
        group.bench_function(name, |b| b.iter_custom(|ends| played.play(ends)));
    }
    group.sample_size(10);
    group.bench_function("a break", |b| b.iter_custom(break_some));
    group.finish();
}
