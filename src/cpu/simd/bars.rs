//! Bars without a branch for where one ends: 2 executions in 5 begin a bar, and no predictor knows
//! which.
//!
//! The bar at hand lives in registers. Each execution either goes on with it or, by masks, starts
//! afresh, and the bar so far is stored whether it is finished or not: the last store is the right
//! one. A block stores straight into the columns, which have room for as many bars as it has
//! executions, and gives back what it did not need.
//!
//! Where a processor has AVX-512, `sixteen` takes as many executions of a block at a time as it can, and
//! leaves the rest to be taken so.
//!
//! Notionals are 64 bits in a block where (the notional carried in) + (greatest price) × (greatest
//! shares) × (executions) is below 2^64. Other blocks are folded with 128 bits.

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod sixteen;

use pulp::{Arch, WithSimd};

use super::greatest;
use crate::columns::{Column, Resident, SymbolTrades};
use crate::market::{Duration, Notional, Price};
use crate::window::Sums;
use crate::window::day::BarsPart;

/// Bars that a block has room for.
const SLOTS: usize = 512;
/// Executions in a block: each may finish a bar, one bar is carried in, and sixteen bars are stored together.
const BLOCK: usize = SLOTS - 32;

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
            notional: sums.notional.low(),
            volume: sums.volume,
            trades: sums.trades,
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
                notional: Notional::from(self.notional),
                volume: self.volume,
                trades: self.trades,
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
    match arch {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(simd) => bars_led_by(arch, sixteen::Sixteen::new(simd), day, step, part),
        _ => bars_led_by(arch, OneByOne, day, step, part),
    }
}

fn bars_led_by(
    arch: Arch,
    mut lead: impl Lead,
    day: &Resident,
    step: Duration,
    part: &mut BarsPart,
) {
    let division = Division::by(step);
    for locate in part.locates() {
        let trades = day.symbol(locate);
        if trades.times.is_empty() {
            continue;
        }
        arch.dispatch(Symbol {
            lead: &mut lead,
            division,
            trades: &trades,
            part,
        });
        part.close(locate);
    }
}

/// A way through the executions of a block that come first.
trait Lead {
    /// Adds some of a block's executions, from the first on, to the bar at hand. How many, and how many of the
    /// slots hold a finished bar.
    fn lead(
        &mut self,
        division: Division,
        executions: (&[u64], &[u32], &[u32]),
        slots: &mut Slots<'_>,
        bar: &mut Narrow,
    ) -> (usize, usize);
}

/// Leaves all executions to be taken one by one.
struct OneByOne;

impl Lead for OneByOne {
    #[inline(always)]
    fn lead(
        &mut self,
        _: Division,
        _: (&[u64], &[u32], &[u32]),
        _: &mut Slots<'_>,
        _: &mut Narrow,
    ) -> (usize, usize) {
        (0, 0)
    }
}

/// The bars of one symbol.
struct Symbol<'a, L> {
    lead: &'a mut L,
    division: Division,
    trades: &'a SymbolTrades<'a>,
    part: &'a mut BarsPart,
}

impl<L: Lead> WithSimd for Symbol<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        symbol(self.lead, self.division, self.trades, self.part);
    }
}

#[inline(always)]
fn symbol(
    lead: &mut impl Lead,
    division: Division,
    trades: &SymbolTrades<'_>,
    part: &mut BarsPart,
) {
    let mut open = Open::default();
    let blocks = trades.times.chunks(BLOCK);
    let sizes = trades.prices.chunks(BLOCK).zip(trades.shares.chunks(BLOCK));
    for (times, (prices, shares)) in blocks.zip(sizes) {
        let most =
            u128::from(greatest(prices)) * u128::from(greatest(shares)) * times.len() as u128;
        if (open.sums.notional.get() + most) >> 64 == 0 {
            let bars = part.len();
            let slots = Slots::at_the_end_of(part);
            let finished = narrow(lead, division, (times, prices, shares), slots, &mut open);
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
    lead: &mut impl Lead,
    division: Division,
    (times, prices, shares): (&[u64], &[u32], &[u32]),
    mut slots: Slots<'_>,
    open: &mut Open,
) -> usize {
    let mut bar = Narrow::of(open, division.of(times[0]), prices[0]);
    let (led, mut slot) = lead.lead(division, (times, prices, shares), &mut slots, &mut bar);
    // The first execution may already finish the bar carried in.
    slots.put(slot, &bar);
    let rest = times[led..].iter().zip(&prices[led..]);
    for ((&time, &price), &size) in rest.zip(&shares[led..]) {
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
    use crate::columns::TradeSlices;
    use crate::window::day::Bars;
    use proptest::prelude::*;

    /// The bars of a second of one symbol, whose executions are given with the time since the last one in
    /// milliseconds.
    fn bars_on(arch: Arch, executions: &[(u64, u32, u32)]) -> Bars {
        let mut time = 0;
        let times: Vec<u64> = executions
            .iter()
            .map(|&(gap, ..)| {
                time += gap * 1_000_000;
                time
            })
            .collect();
        let prices: Vec<u32> = executions.iter().map(|&(_, price, _)| price).collect();
        let shares: Vec<u32> = executions.iter().map(|&(.., shares)| shares).collect();
        let mut day = Resident::default();
        day.fill(&[TradeSlices {
            times: &times,
            locates: &vec![7; times.len()],
            prices: &prices,
            shares: &shares,
            ..TradeSlices::default()
        }])
        .unwrap();
        let mut found = Bars::default();
        for part in found.split(&day) {
            bars(arch, &day, "1s".parse().unwrap(), part);
        }
        found
    }

    fn executions() -> impl Strategy<Value = Vec<(u64, u32, u32)>> {
        let gaps = prop::sample::select(vec![0_u64, 1, 30, 400, 999, 1_000, 3_000]);
        let prices = prop_oneof![1_000_u32..1_010, any::<u32>()];
        let shares = prop_oneof![1_u32..500, 1..=u32::MAX];
        // Few kinds of gaps and sizes at a time, so that there are long bars as well as short ones, and blocks that
        // fit 64 bits as well as others.
        let some =
            |count| prop::collection::vec((gaps.clone(), prices.clone(), shares.clone()), count);
        (
            some(1..6),
            prop::collection::vec(any::<prop::sample::Index>(), 0..1_500),
        )
            .prop_map(|(kinds, order)| order.iter().map(|index| *index.get(&kinds)).collect())
    }

    proptest! {
        #[test]
        fn sixteen_at_a_time_are_the_same_bars_as_one_by_one(executions in executions()) {
            let one_by_one = bars_on(Arch::Scalar, &executions);
            prop_assert_eq!(bars_on(Arch::new(), &executions), one_by_one);
        }
    }

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
