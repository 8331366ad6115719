//! Bars without a branch for where one ends: 2 executions in 5 begin a bar, and no predictor knows
//! which.
//!
//! The bar at hand lives in registers. Each execution either goes on with it or, by masks, starts
//! afresh, and the bar so far is stored whether it is finished or not: the last store is the right
//! one. A block stores straight into the columns, which have room for as many bars as it has
//! executions, and gives back what it did not need.
//!
//! Notionals are 64 bits in a block where (the notional carried in) + (greatest price) × (greatest
//! shares) × (executions) is below 2^64. Other blocks are folded with 128 bits.

use pulp::{Arch, WithSimd};

use super::greatest;
use crate::columns::{Column, Resident, SymbolTrades};
use crate::market::{Duration, Price};
use crate::window::Sums;
use crate::window::day::BarsPart;

/// Bars that a block has room for.
const SLOTS: usize = 512;
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

/// Room for the bars of a block at the end of a part's columns.
struct Slots<'a> {
    steps: &'a mut [u32; SLOTS],
    notionals: &'a mut [u64; SLOTS],
    volumes: &'a mut [u64; SLOTS],
    trades: &'a mut [u32; SLOTS],
    opens: &'a mut [u32; SLOTS],
    highs: &'a mut [u32; SLOTS],
    lows: &'a mut [u32; SLOTS],
    closes: &'a mut [u32; SLOTS],
}

impl<'a> Slots<'a> {
    #[inline(always)]
    fn at_the_end_of(part: &'a mut BarsPart) -> Self {
        Self {
            steps: slots(&mut part.steps),
            notionals: slots(&mut part.notionals),
            volumes: slots(&mut part.volumes),
            trades: slots(&mut part.trades),
            opens: slots(&mut part.opens),
            highs: slots(&mut part.highs),
            lows: slots(&mut part.lows),
            closes: slots(&mut part.closes),
        }
    }

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
}

#[inline(always)]
#[expect(clippy::expect_used, reason = "as many as are asked for are appended")]
fn slots<T: bytemuck::Pod>(column: &mut Column<T>) -> &mut [T; SLOTS] {
    let slots = column.append(SLOTS).first_chunk_mut();
    slots.expect("as many slots as appended")
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
    for locate in part.locates() {
        let trades = day.symbol(locate);
        if trades.times.is_empty() {
            continue;
        }
        arch.dispatch(Symbol {
            division,
            trades: &trades,
            part,
        });
        part.close(locate);
    }
}

/// The bars of one symbol.
struct Symbol<'a> {
    division: Division,
    trades: &'a SymbolTrades<'a>,
    part: &'a mut BarsPart,
}

impl WithSimd for Symbol<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        symbol(self.division, self.trades, self.part);
    }
}

#[inline(always)]
fn symbol(division: Division, trades: &SymbolTrades<'_>, part: &mut BarsPart) {
    let mut open = Open::default();
    let blocks = trades.times.chunks(BLOCK);
    let sizes = trades.prices.chunks(BLOCK).zip(trades.shares.chunks(BLOCK));
    for (times, (prices, shares)) in blocks.zip(sizes) {
        let most =
            u128::from(greatest(prices)) * u128::from(greatest(shares)) * times.len() as u128;
        if (open.sums.notional + most) >> 64 == 0 {
            let bars = part.len();
            let slots = Slots::at_the_end_of(part);
            let finished = narrow(division, times, prices, shares, slots, &mut open);
            part.truncate(bars + finished);
        } else {
            wide(division, times, prices, shares, &mut open, part);
        }
    }
    if open.sums.trades > 0 {
        part.push(open.step, &open.sums);
    }
}

/// Adds a block to the bar at hand and returns how many of the slots hold a finished bar.
#[inline(always)]
fn narrow(
    division: Division,
    times: &[u64],
    prices: &[u32],
    shares: &[u32],
    mut slots: Slots<'_>,
    open: &mut Open,
) -> usize {
    let mut bar = Narrow::of(open, division.of(times[0]), prices[0]);
    let mut slot = 0;
    // The first execution may already finish the bar carried in.
    slots.put(slot, &bar);
    for ((&time, &price), &size) in times.iter().zip(prices).zip(shares) {
        let step = division.of(time);
        let starts = step != bar.step;
        slot += usize::from(starts);
        bar.step = step;
        bar.add(starts, price, size);
        slots.put(slot, &bar);
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
