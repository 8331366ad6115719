//! The dense grid: planes of one symbol, a block of ends at a time.
//!
//! The bars of a block, and of as much before it as the widest window reaches back, are spread over
//! planes with a place for every step. A sum is then the difference of two places of a prefix sum: 64
//! bits that may wrap, where all bars of the symbol together stay below 2^64, else 128 bits. The first
//! price of a window is the first one at or after its start, the last price the last one before its
//! end, so one plane of each serves all widths.
//!
//! Extremes: the plane of width w, `m[j] = max(h[j - w + 1 ..= j])`, follows from that of a narrower
//! width v ≥ w / 2 by `max(m[j], m[j - (w - v)])`, since the two windows cover the wider one. The widths
//! are taken in ascending order, each reached from the one before by doubling: at most log2 steps
//! between two widths, each a plain loop over the plane, whatever the widths are.

use pulp::Arch;

use crate::window::day::{BarsPart, Grid, GridBlock, SymbolBars, Visit};

/// Ends in a block; blocks of wide windows are longer.
const BLOCK: usize = 4096;
/// Ends shown at a time.
const SHOWN: usize = 1024;

/// A place for every step from `start` on.
#[derive(Default)]
struct Planes {
    /// First step, which may lie before midnight.
    start: i64,
    /// Σ of the steps before each place; one place more than there are steps.
    notionals: Vec<u64>,
    /// The same in 128 bits, where 64 do not do; else empty.
    wide: Vec<u128>,
    volumes: Vec<u64>,
    trades: Vec<u32>,
    /// First price at or after each step.
    opens: Vec<u32>,
    /// Last price at or before each step.
    closes: Vec<u32>,
    /// Extremes of the width at hand up to each step, and room for those of the next.
    highs: [Vec<u32>; 2],
    lows: [Vec<u32>; 2],
}

/// Sums on their way to the visitor.
struct Shown {
    notionals: [u64; SHOWN],
    notional_highs: [u32; SHOWN],
    volumes: [u64; SHOWN],
    trades: [u32; SHOWN],
}

pub(super) fn grid(arch: Arch, part: &BarsPart, grid: &Grid, visitor: &mut impl Visit) {
    // No window reaches further back than the first step of the day.
    let most = (grid.first as usize + grid.ends as usize).max(1);
    let widths = grid.widths.iter().map(|&w| (w as usize).clamp(1, most));
    let mut order: Vec<(usize, usize)> = widths.enumerate().collect();
    order.sort_unstable_by_key(|&(_, width)| width);
    let mut planes = Planes::default();
    let mut shown = Box::new(Shown {
        notionals: [0; SHOWN],
        notional_highs: [0; SHOWN],
        volumes: [0; SHOWN],
        trades: [0; SHOWN],
    });
    for symbol in part.symbols() {
        arch.dispatch(|| show_symbol(&symbol, grid, &order, &mut planes, &mut shown, visitor));
    }
}

#[inline(always)]
fn show_symbol(
    symbol: &SymbolBars<'_>,
    grid: &Grid,
    order: &[(usize, usize)],
    planes: &mut Planes,
    shown: &mut Shown,
    visitor: &mut impl Visit,
) {
    let Some(&(_, widest)) = order.last() else {
        return;
    };
    let total: u128 = (0..symbol.steps.len())
        .map(|bar| symbol.notional(bar))
        .sum();
    let length = BLOCK.max(widest);
    let mut done = 0;
    while done < grid.ends as usize {
        let ends = length.min(grid.ends as usize - done);
        let first = grid.first as usize + done;
        done += ends;
        planes.start = first as i64 - widest as i64;
        if planes.spread(symbol, widest + ends - 1, total >> 64 != 0) {
            show_block(symbol, (first, ends), widest, order, planes, shown, visitor);
        }
    }
}

/// Shows the windows of all widths at the ends (first, how many).
#[inline(always)]
fn show_block(
    symbol: &SymbolBars<'_>,
    (first, ends): (usize, usize),
    widest: usize,
    order: &[(usize, usize)],
    planes: &mut Planes,
    shown: &mut Shown,
    visitor: &mut impl Visit,
) {
    let mut reached = 1;
    for &(index, width) in order {
        while reached < width {
            let shift = reached.min(width - reached);
            widen(&mut planes.highs, shift, u32::max);
            widen(&mut planes.lows, shift, u32::min);
            reached += shift;
        }
        let mut from = 0;
        while from < ends {
            let count = SHOWN.min(ends - from);
            // The end is the place after the last step of the first window.
            let end = widest + from;
            let start = end - width;
            let notional_highs = planes.subtract(start, end, count, shown);
            visitor.visit(&GridBlock {
                locate: symbol.locate,
                width: index,
                first: (first + from) as u32,
                notionals: &shown.notionals[..count],
                notional_highs: &shown.notional_highs[..notional_highs],
                volumes: &shown.volumes[..count],
                trades: &shown.trades[..count],
                opens: &planes.opens[start..start + count],
                highs: &planes.highs[0][end - 1..end - 1 + count],
                lows: &planes.lows[0][end - 1..end - 1 + count],
                closes: &planes.closes[end - 1..end - 1 + count],
            });
            from += count;
        }
    }
}

/// Makes the extremes of a width those of one wider by `shift`, which is at most the width.
#[inline(always)]
fn widen(planes: &mut [Vec<u32>; 2], shift: usize, extreme: impl Fn(u32, u32) -> u32) {
    let [now, next] = planes;
    let (head, tail) = next.split_at_mut(shift.min(now.len()));
    head.copy_from_slice(&now[..head.len()]);
    for ((wider, &late), &early) in tail.iter_mut().zip(&now[head.len()..]).zip(&*now) {
        *wider = extreme(late, early);
    }
    planes.swap(0, 1);
}

impl Planes {
    /// Spreads the symbol's bars over `steps` steps; `false` when there are none among them.
    #[inline(always)]
    fn spread(&mut self, symbol: &SymbolBars<'_>, steps: usize, is_wide: bool) -> bool {
        let place = |step: u32| i64::from(step) - self.start;
        let low = symbol.steps.partition_point(|&step| place(step) < 0);
        let inside = &symbol.steps[low..];
        let count = inside.partition_point(|&step| place(step) < steps as i64);
        if count == 0 {
            return false;
        }
        self.clear(steps);
        let places = inside[..count]
            .iter()
            .map(|&step| (i64::from(step) - self.start) as usize);
        for (bar, place) in (low..).zip(places.clone()) {
            self.notionals[place + 1] = symbol.notionals[bar];
            self.volumes[place + 1] = symbol.volumes[bar];
            self.trades[place + 1] = symbol.trades[bar];
            self.opens[place] = symbol.opens[bar];
            self.closes[place] = symbol.closes[bar];
            self.highs[0][place] = symbol.highs[bar];
            self.lows[0][place] = symbol.lows[bar];
        }
        if is_wide {
            self.wide.resize(steps + 1, 0);
            for (bar, place) in (low..).zip(places) {
                self.wide[place + 1] = symbol.notional(bar);
            }
            let mut total = 0;
            for sum in &mut self.wide {
                total += *sum;
                *sum = total;
            }
        }
        self.accumulate();
        true
    }

    #[inline(always)]
    fn clear(&mut self, steps: usize) {
        for sums in [&mut self.notionals, &mut self.volumes] {
            sums.clear();
            sums.resize(steps + 1, 0);
        }
        self.wide.clear();
        self.trades.clear();
        self.trades.resize(steps + 1, 0);
        for prices in [&mut self.opens, &mut self.closes, &mut self.highs[0]] {
            prices.clear();
            prices.resize(steps, 0);
        }
        self.lows[0].clear();
        self.lows[0].resize(steps, u32::MAX);
        for room in [&mut self.highs[1], &mut self.lows[1]] {
            room.resize(steps, 0);
        }
    }

    /// Makes prefix sums of what each step has, and hands prices on over steps without any.
    #[inline(always)]
    fn accumulate(&mut self) {
        let mut open = 0;
        for (price, &trades) in self.opens.iter_mut().zip(&self.trades[1..]).rev() {
            open = if trades == 0 { open } else { *price };
            *price = open;
        }
        let (mut notional, mut volume, mut count, mut close) = (0_u64, 0_u64, 0_u32, 0);
        let sums = self.notionals[1..].iter_mut().zip(&mut self.volumes[1..]);
        let others = self.trades[1..].iter_mut().zip(&mut self.closes);
        for ((notionals, volumes), (trades, price)) in sums.zip(others) {
            close = if *trades == 0 { close } else { *price };
            *price = close;
            notional = notional.wrapping_add(*notionals);
            *notionals = notional;
            volume = volume.wrapping_add(*volumes);
            *volumes = volume;
            count = count.wrapping_add(*trades);
            *trades = count;
        }
    }

    /// Sums of `count` windows from the places `start` and `end` on; returns how many high words
    /// there are.
    #[inline(always)]
    fn subtract(&self, start: usize, end: usize, count: usize, shown: &mut Shown) -> usize {
        differences(&mut shown.volumes[..count], &self.volumes, start, end);
        let ends = &self.trades[end..end + count];
        let starts = &self.trades[start..start + count];
        for ((trades, &high), &low) in shown.trades[..count].iter_mut().zip(ends).zip(starts) {
            *trades = high.wrapping_sub(low);
        }
        if self.wide.is_empty() {
            differences(&mut shown.notionals[..count], &self.notionals, start, end);
            return 0;
        }
        for index in 0..count {
            let sum = self.wide[end + index] - self.wide[start + index];
            shown.notionals[index] = sum as u64;
            shown.notional_highs[index] = (sum >> 64) as u32;
        }
        count
    }
}

#[inline(always)]
fn differences(out: &mut [u64], sums: &[u64], start: usize, end: usize) {
    let ends = &sums[end..end + out.len()];
    let starts = &sums[start..start + out.len()];
    for ((out, &high), &low) in out.iter_mut().zip(ends).zip(starts) {
        *out = high.wrapping_sub(low);
    }
}
