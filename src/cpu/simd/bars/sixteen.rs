//! Bars sixteen executions at a time, where a processor has AVX-512.
//!
//! A bar ends where the next execution has another step. So for each of sixteen executions it is worked
//! out what a bar that ends before it has: the sums since the block began, the high and the low since the
//! bar began, and the last price. Compressed to the executions that start a bar, these are the columns;
//! sums and numbers then follow as differences of neighbours, modulo 2^64, which is exact as a bar's own
//! sums are below that.
//!
//! Highs and lows are folded over 1, 2, 4 and 8 executions back, each as far as no bar starts in between.

use std::arch::x86_64::__m512i;

use pulp::cast;
use pulp::x86::V4;

use super::lanes::{LANES, Lanes, Steps};
use super::{Division, Lead, Narrow, SLOTS, Slots};

/// Takes sixteen executions at a time.
pub(super) struct Sixteen {
    simd: V4,
    /// Sums and numbers where bars end; first, with the sign turned, what the bar carried in has.
    notionals: [u64; SLOTS],
    volumes: [u64; SLOTS],
    counts: [u32; SLOTS],
}

/// What sixteen executions leave to the next: the last of each is meant.
#[derive(Clone, Copy)]
struct Before {
    steps: __m512i,
    prices: __m512i,
    highs: __m512i,
    lows: __m512i,
    notionals: __m512i,
    volumes: __m512i,
}

impl Lead for Sixteen {
    #[inline(always)]
    fn lead(
        &mut self,
        division: Division,
        (times, prices, shares): (&[u64], &[u32], &[u32]),
        slots: &mut Slots<'_>,
        bar: &mut Narrow,
    ) -> (usize, usize) {
        if times.len() < LANES {
            return (0, 0);
        }
        let lanes = Lanes(self.simd);
        let steps = Steps::by(lanes, division);
        self.notionals[0] = bar.notional.wrapping_neg();
        self.volumes[0] = bar.volume.wrapping_neg();
        self.counts[0] = bar.trades.wrapping_neg();
        slots.steps[0] = bar.step;
        slots.opens[0] = bar.open;
        let mut before = Before {
            steps: lanes.all(bar.step),
            prices: lanes.all(bar.close),
            highs: lanes.all(bar.high),
            lows: lanes.all(bar.low),
            notionals: lanes.all(0),
            volumes: lanes.all(0),
        };
        let (times, _) = times.as_chunks::<LANES>();
        let (prices, _) = prices.as_chunks::<LANES>();
        let (shares, _) = shares.as_chunks::<LANES>();
        let mut ended = 0;
        for (index, ((times, prices), shares)) in times.iter().zip(prices).zip(shares).enumerate() {
            let first = (index * LANES) as u32;
            let executions = (steps.of(times), cast(*prices), cast(*shares));
            ended += self.add(executions, first, &mut before, slots, ended);
        }
        let done = times.len() * LANES;
        self.take_differences(slots, ended);
        *bar = Narrow {
            step: lanes.last(before.steps),
            notional: lanes
                .last_wide(before.notionals)
                .wrapping_sub(self.notionals[ended]),
            volume: lanes
                .last_wide(before.volumes)
                .wrapping_sub(self.volumes[ended]),
            trades: (done as u32).wrapping_sub(self.counts[ended]),
            open: slots.opens[ended],
            high: lanes.last(before.highs),
            low: lanes.last(before.lows),
            close: lanes.last(before.prices),
        };
        (done, ended)
    }
}

impl Sixteen {
    pub(super) fn new(simd: V4) -> Self {
        Self {
            simd,
            notionals: [0; SLOTS],
            volumes: [0; SLOTS],
            counts: [0; SLOTS],
        }
    }

    /// Adds steps, prices and shares of sixteen executions, the first of which is number `first` of the block, and
    /// returns how many bars they end, where `ended` have ended before.
    #[inline(always)]
    fn add(
        &mut self,
        (steps, prices, shares): (__m512i, __m512i, __m512i),
        first: u32,
        before: &mut Before,
        slots: &mut Slots<'_>,
        ended: usize,
    ) -> usize {
        let lanes = Lanes(self.simd);
        let previous = lanes.shift(steps, before.steps);
        let starts = self.simd.avx512f._mm512_cmpneq_epu32_mask(steps, previous);
        let highs = lanes.since_start(prices, before.highs, starts, Lanes::max);
        let lows = lanes.since_start(prices, before.lows, starts, Lanes::min);
        let closes = lanes.shift(prices, before.prices);
        let count = lanes.count_from(first);
        lanes.put(slots.closes, ended, starts, closes);
        lanes.put(slots.highs, ended, starts, lanes.shift(highs, before.highs));
        lanes.put(slots.lows, ended, starts, lanes.shift(lows, before.lows));
        lanes.put(slots.steps, ended + 1, starts, steps);
        lanes.put(slots.opens, ended + 1, starts, prices);
        lanes.put(&mut self.counts, ended + 1, starts, count);
        let [low_prices, high_prices] = lanes.widen(prices);
        let [low_shares, high_shares] = lanes.widen(shares);
        let products = [
            lanes.product(low_prices, low_shares),
            lanes.product(high_prices, high_shares),
        ];
        lanes.put_sums(
            &mut self.notionals,
            ended + 1,
            starts,
            products,
            &mut before.notionals,
        );
        let shares = [low_shares, high_shares];
        lanes.put_sums(
            &mut self.volumes,
            ended + 1,
            starts,
            shares,
            &mut before.volumes,
        );
        (before.steps, before.prices) = (steps, prices);
        (before.highs, before.lows) = (highs, lows);
        starts.count_ones() as usize
    }

    /// Makes sums and numbers of the bars from what there was where they ended.
    #[inline(always)]
    fn take_differences(&self, slots: &mut Slots<'_>, ended: usize) {
        differences(
            &self.notionals[..=ended],
            slots.notionals,
            u64::wrapping_sub,
        );
        differences(&self.volumes[..=ended], slots.volumes, u64::wrapping_sub);
        differences(&self.counts[..=ended], slots.trades, u32::wrapping_sub);
    }
}

/// What each of the values is more than the one before it.
#[inline(always)]
fn differences<T: Copy>(values: &[T], differences: &mut [T], minus: impl Fn(T, T) -> T) {
    let pairs = values.iter().zip(&values[1..]);
    for (difference, (before, value)) in differences.iter_mut().zip(pairs) {
        *difference = minus(*value, *before);
    }
}
