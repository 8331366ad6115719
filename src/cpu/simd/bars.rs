//! Bars without a branch for where one ends: 2 executions in 5 begin a bar, and no predictor knows
//! which.
//!
//! The bar at hand lives in registers. Each execution either goes on with it or, by masks, starts
//! afresh, and the bar so far is stored whether it is finished or not: the last store is the right
//! one. Blocks are small enough for the stores to stay in the cache; finished bars are copied out.
//!
//! Notionals are 64 bits in a block where (the notional carried in) + (greatest price) × (greatest
//! shares) × (executions) is below 2^64. Other blocks are folded with 128 bits.

use pulp::Arch;

use super::greatest;
use crate::columns::{Resident, SymbolTrades};
use crate::market::{Duration, Price};
use crate::window::Sums;
use crate::window::day::BarsPart;

/// Bars that the stage holds.
const SLOTS: usize = 1024;
/// Executions in a block: each may finish a bar, and one bar is carried in.
const BLOCK: usize = SLOTS - 1;

/// Division of times below 2^48 by the step: one multiplication and one correction.
///
/// With `m = (2^64 - e) / step`, `e < step`, the product `time·m / 2^64` is `time / step` less
/// `time·e / (2^64·step)`, which is less than 1: its floor is the quotient or one less.
#[derive(Clone, Copy, Debug)]
struct Division {
    step: u64,
    reciprocal: u64,
}

impl Division {
    fn by(step: Duration) -> Self {
        let step = step.nanos();
        let reciprocal = ((1_u128 << 64) / u128::from(step)) as u64;
        Self { step, reciprocal }
    }

    #[inline(always)]
    fn of(self, time: u64) -> u32 {
        let floor = ((u128::from(time) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = time - floor * self.step;
        (floor + u64::from(rest >= self.step)) as u32
    }
}

/// Bars of a block, one slot each.
struct Stage {
    steps: [u32; SLOTS],
    notionals: [u64; SLOTS],
    volumes: [u64; SLOTS],
    trades: [u32; SLOTS],
    opens: [u32; SLOTS],
    highs: [u32; SLOTS],
    lows: [u32; SLOTS],
    closes: [u32; SLOTS],
}

impl Stage {
    const EMPTY: Self = Self {
        steps: [0; SLOTS],
        notionals: [0; SLOTS],
        volumes: [0; SLOTS],
        trades: [0; SLOTS],
        opens: [0; SLOTS],
        highs: [0; SLOTS],
        lows: [0; SLOTS],
        closes: [0; SLOTS],
    };

    #[inline(always)]
    fn put(&mut self, slot: usize, bar: &Narrow) {
        let slot = slot % SLOTS;
        self.steps[slot] = bar.step;
        self.notionals[slot] = bar.notional;
        self.volumes[slot] = bar.volume;
        self.trades[slot] = bar.trades;
        self.opens[slot] = bar.open;
        self.highs[slot] = bar.high;
        self.lows[slot] = bar.low;
        self.closes[slot] = bar.close;
    }

    /// Appends the first `bars` bars to `part`.
    fn move_to(&self, part: &mut BarsPart, bars: usize) {
        part.steps.append(bars).copy_from_slice(&self.steps[..bars]);
        let notionals = &self.notionals[..bars];
        part.notionals.append(bars).copy_from_slice(notionals);
        let volumes = &self.volumes[..bars];
        part.volumes.append(bars).copy_from_slice(volumes);
        let trades = &self.trades[..bars];
        part.trades.append(bars).copy_from_slice(trades);
        part.opens.append(bars).copy_from_slice(&self.opens[..bars]);
        part.highs.append(bars).copy_from_slice(&self.highs[..bars]);
        part.lows.append(bars).copy_from_slice(&self.lows[..bars]);
        let closes = &self.closes[..bars];
        part.closes.append(bars).copy_from_slice(closes);
    }
}

/// A bar whose notional fits 64 bits.
#[derive(Clone, Copy, Debug)]
struct Narrow {
    step: u32,
    notional: u64,
    volume: u64,
    trades: u32,
    open: u32,
    high: u32,
    low: u32,
    close: u32,
}

impl Narrow {
    /// The bar at hand; before the first execution, the empty bar of its step.
    #[inline(always)]
    fn of(bar: &Open, first_step: u32, first_price: u32) -> Self {
        let sums = &bar.sums;
        let fresh = sums.trades == 0;
        Self {
            step: if fresh { first_step } else { bar.step },
            notional: sums.notional as u64,
            volume: sums.volume,
            trades: sums.trades as u32,
            open: if fresh { first_price } else { sums.open.0 },
            high: sums.high.0,
            low: if fresh { u32::MAX } else { sums.low.0 },
            close: sums.close.0,
        }
    }

    /// Goes on with an execution, afresh where `starts`.
    #[inline(always)]
    fn add(&mut self, starts: bool, price: u32, shares: u32) {
        let keep = u64::from(starts).wrapping_sub(1);
        let keep_word = keep as u32;
        self.notional = (self.notional & keep) + u64::from(price) * u64::from(shares);
        self.volume = (self.volume & keep) + u64::from(shares);
        self.trades = (self.trades & keep_word) + 1;
        self.open = (self.open & keep_word) | (price & !keep_word);
        self.high = (self.high & keep_word).max(price);
        self.low = (self.low | !keep_word).min(price);
        self.close = price;
    }

    fn open(&self) -> Open {
        Open {
            step: self.step,
            sums: Sums {
                notional: u128::from(self.notional),
                volume: self.volume,
                trades: u64::from(self.trades),
                open: Price(self.open),
                high: Price(self.high),
                low: Price(self.low),
                close: Price(self.close),
            },
        }
    }
}

/// The bar that the next execution may go on with; none before the first.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    step: u32,
    sums: Sums,
}

pub(super) fn bars(arch: Arch, day: &Resident, step: Duration, part: &mut BarsPart) {
    let division = Division::by(step);
    let mut stage = Box::new(Stage::EMPTY);
    for locate in part.locates() {
        let trades = day.symbol(locate);
        if trades.times.is_empty() {
            continue;
        }
        arch.dispatch(|| symbol(division, &trades, &mut stage, part));
        part.close(locate);
    }
}

#[inline(always)]
fn symbol(division: Division, trades: &SymbolTrades<'_>, stage: &mut Stage, part: &mut BarsPart) {
    let mut open = Open::default();
    let blocks = trades.times.chunks(BLOCK);
    let sizes = trades.prices.chunks(BLOCK).zip(trades.shares.chunks(BLOCK));
    for (times, (prices, shares)) in blocks.zip(sizes) {
        let most =
            u128::from(greatest(prices)) * u128::from(greatest(shares)) * times.len() as u128;
        if (open.sums.notional + most) >> 64 == 0 {
            let finished = narrow(division, times, prices, shares, stage, &mut open);
            stage.move_to(part, finished);
        } else {
            wide(division, times, prices, shares, &mut open, part);
        }
    }
    if open.sums.trades > 0 {
        part.push(open.step, &open.sums);
    }
}

/// Adds a block to the bar at hand and returns how many bars of the stage are finished.
#[inline(always)]
fn narrow(
    division: Division,
    times: &[u64],
    prices: &[u32],
    shares: &[u32],
    stage: &mut Stage,
    open: &mut Open,
) -> usize {
    let mut bar = Narrow::of(open, division.of(times[0]), prices[0]);
    let mut slot = 0;
    // The first execution may already finish the bar carried in.
    stage.put(slot, &bar);
    for ((&time, &price), &size) in times.iter().zip(prices).zip(shares) {
        let step = division.of(time);
        let starts = step != bar.step;
        slot += usize::from(starts);
        bar.step = step;
        bar.add(starts, price, size);
        stage.put(slot, &bar);
    }
    *open = bar.open();
    slot
}

/// Adds a block to the bar at hand and appends the bars that it finishes.
fn wide(
    division: Division,
    times: &[u64],
    prices: &[u32],
    shares: &[u32],
    open: &mut Open,
    part: &mut BarsPart,
) {
    for ((&time, &price), &size) in times.iter().zip(prices).zip(shares) {
        let step = division.of(time);
        if open.sums.trades > 0 && step != open.step {
            part.push(open.step, &open.sums);
            open.sums = Sums::default();
        }
        open.step = step;
        open.sums.push(price, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact_on_both_sides_of_every_step() {
        for millis in [1, 3, 7, 100, 1_000, 1_001, 60_000, 86_399_999, 86_400_000] {
            let step = Duration::from_millis(millis).unwrap();
            let division = Division::by(step);
            let last = Resident::TIME_LIMIT - 1;
            for multiple in [0, 1, 2, 1_000, last / step.nanos()] {
                let bound = multiple * step.nanos();
                for time in [bound.saturating_sub(1), bound, bound + 1, last] {
                    assert_eq!(u64::from(division.of(time)), time / step.nanos());
                }
            }
        }
    }
}
