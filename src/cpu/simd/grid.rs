//! The dense grid: planes of one symbol, a block of ends at a time.
//!
//! The bars of a block, and of as much before it as the widest window reaches back, are spread over
//! planes with a place for every step. A sum is then the difference of two places of a prefix sum: 64
//! bits that may wrap, where all bars of the symbol together stay below 2^64, else 128 bits. The first
//! price of a window is the first one at or after its start, the last price the last one before its
//! end, so one plane of each serves all widths.
//!
//! Extremes: the plane of width w, `m[j] = max(h[j - w + 1 ..= j])`, follows from that of a narrower
//! width v by the maximum of up to six places of it, v or less apart, whose windows cover the wider one.
//! The widths are taken in ascending order, each reached from the one before: mostly one plain loop over
//! the plane a width, log6 of their ratio where they lie far apart, whatever the widths are.

use pulp::{Arch, WithSimd};

use crate::window::day::{BarsPart, Grid, GridBlock, SymbolBars, Visit};

/// Ends in a block; blocks of wide windows are longer.
const BLOCK: usize = 4096;
/// Most windows that cover a wider one in one pass.
const MOST_COVERS: usize = 6;
/// Ends shown at a time.
const SHOWN: usize = 512;

/// What the bars before a place add up to.
#[derive(Clone, Copy, Default)]
struct Tally {
    notional: u64,
    volume: u64,
    trades: u32,
    /// First price of the bar that follows.
    open: u32,
    /// Last price of the bar before.
    close: u32,
}

/// A place for every step from `start` on.
#[derive(Default)]
struct Planes {
    /// First step, which may lie before midnight.
    start: i64,
    /// Whether a step has a bar.
    is_held: Vec<bool>,
    /// Of the first 0, 1, 2, ... bars; in 128 bits where 64 do not do.
    tallies: Vec<Tally>,
    wide_tallies: Vec<u128>,
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
        arch.dispatch(Symbol {
            symbol: &symbol,
            grid,
            order: &order,
            planes: &mut planes,
            shown: &mut shown,
            visitor,
        });
    }
}

/// The grid of one symbol.
struct Symbol<'a, V> {
    symbol: &'a SymbolBars<'a>,
    grid: &'a Grid,
    order: &'a [(usize, usize)],
    planes: &'a mut Planes,
    shown: &'a mut Shown,
    visitor: &'a mut V,
}

impl<V: Visit> WithSimd for Symbol<'_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Some(&(_, widest)) = self.order.last() else {
            return;
        };
        let (symbol, grid) = (self.symbol, self.grid);
        let bars = 0..symbol.steps.len();
        let total: u128 = bars.map(|bar| symbol.notional(bar)).sum();
        let is_wide = total >> 64 != 0;
        let length = BLOCK.max(widest);
        let mut done = 0;
        while done < grid.ends as usize {
            let ends = length.min(grid.ends as usize - done);
            let first = grid.first as usize + done;
            done += ends;
            let planes = &mut *self.planes;
            planes.start = first as i64 - widest as i64;
            if planes.spread(symbol, widest + ends - 1, is_wide) {
                let block = (first, ends);
                show_block(symbol, block, self.order, planes, self.shown, self.visitor);
            }
        }
    }
}

/// Shows the windows of all widths at the ends (first, how many).
#[inline(always)]
fn show_block(
    symbol: &SymbolBars<'_>,
    (first, ends): (usize, usize),
    order: &[(usize, usize)],
    planes: &mut Planes,
    shown: &mut Shown,
    visitor: &mut impl Visit,
) {
    let widest = order.last().map_or(0, |&(_, width)| width);
    let mut reached = 1;
    for &(index, width) in order {
        while reached < width {
            let next = width.min(reached * MOST_COVERS);
            widen(&mut planes.highs, reached, next, u32::max);
            widen(&mut planes.lows, reached, next, u32::min);
            reached = next;
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

/// Makes the extremes of windows of `from` steps those of windows of `to`, at most six times as wide.
#[inline(always)]
fn widen(planes: &mut [Vec<u32>; 2], from: usize, to: usize, extreme: fn(u32, u32) -> u32) {
    let [now, next] = planes;
    // The windows that cover the wider one end so many steps before it.
    let back = |cover: usize| (cover * from).min(to - from);
    match to.div_ceil(from) {
        0..=2 => cover([0, back(1)], now, next, extreme),
        3 => cover([0, back(1), back(2)], now, next, extreme),
        4 => cover([0, back(1), back(2), back(3)], now, next, extreme),
        5 => cover([0, back(1), back(2), back(3), back(4)], now, next, extreme),
        _ => {
            let back = [0, back(1), back(2), back(3), back(4), back(5)];
            cover(back, now, next, extreme);
        }
    }
    planes.swap(0, 1);
}

/// The extreme of the places so many steps back. The first places, whose windows would begin before
/// the planes, are never asked for.
#[inline(always)]
fn cover<const COVERS: usize>(
    back: [usize; COVERS],
    now: &[u32],
    next: &mut [u32],
    extreme: fn(u32, u32) -> u32,
) {
    let skipped = back[COVERS - 1].min(now.len());
    let next = &mut next[skipped..];
    let covers = back.map(|back| &now[skipped - back.min(skipped)..][..next.len()]);
    for (place, widest) in next.iter_mut().enumerate() {
        let mut found = covers[0][place];
        for cover in &covers[1..] {
            found = extreme(found, cover[place]);
        }
        *widest = found;
    }
}

impl Planes {
    /// Spreads the symbol's bars over `steps` steps; `false` when there are none among them.
    #[inline(always)]
    fn spread(&mut self, symbol: &SymbolBars<'_>, steps: usize, is_wide: bool) -> bool {
        let start = self.start;
        let place = |step: u32| i64::from(step) - start;
        let low = symbol.steps.partition_point(|&step| place(step) < 0);
        let inside = &symbol.steps[low..];
        let count = inside.partition_point(|&step| place(step) < steps as i64);
        if count == 0 {
            return false;
        }
        self.clear(steps);
        let places = inside[..count].iter().map(|&step| place(step) as usize);
        for (bar, place) in (low..).zip(places) {
            self.is_held[place] = true;
            self.highs[0][place] = symbol.highs[bar];
            self.lows[0][place] = symbol.lows[bar];
        }
        self.tally(symbol, low, low + count, is_wide);
        self.lay_out();
        true
    }

    #[inline(always)]
    fn clear(&mut self, steps: usize) {
        self.is_held.clear();
        self.is_held.resize(steps, false);
        self.highs[0].clear();
        self.highs[0].resize(steps, 0);
        self.lows[0].clear();
        self.lows[0].resize(steps, u32::MAX);
        let words = [&mut self.opens, &mut self.closes];
        let [high, low] = [&mut self.highs[1], &mut self.lows[1]];
        for words in words.into_iter().chain([high, low]) {
            words.resize(steps, 0);
        }
        self.notionals.resize(steps + 1, 0);
        self.volumes.resize(steps + 1, 0);
        self.trades.resize(steps + 1, 0);
    }

    /// Adds up the bars `from..to`.
    #[inline(always)]
    fn tally(&mut self, symbol: &SymbolBars<'_>, from: usize, to: usize, is_wide: bool) {
        self.tallies.clear();
        self.wide_tallies.clear();
        let (mut tally, mut wide) = (Tally::default(), 0);
        for bar in from..to {
            tally.open = symbol.opens[bar];
            self.tallies.push(tally);
            tally.notional = tally.notional.wrapping_add(symbol.notionals[bar]);
            tally.volume = tally.volume.wrapping_add(symbol.volumes[bar]);
            tally.trades = tally.trades.wrapping_add(symbol.trades[bar]);
            tally.close = symbol.closes[bar];
            if is_wide {
                self.wide_tallies.push(wide);
                wide += symbol.notional(bar);
            }
        }
        self.tallies.push(tally);
        if is_wide {
            self.wide_tallies.push(wide);
        }
    }

    /// Gives every place the tally of the bars before it. Its number is counted up, without a branch
    /// for whether the place holds a bar.
    #[inline(always)]
    fn lay_out(&mut self) {
        let mut tally = self.tallies[0];
        let mut number = 0;
        let steps = self.is_held.len();
        let notionals = &mut self.notionals[..=steps];
        let volumes = &mut self.volumes[..=steps];
        let trades = &mut self.trades[..=steps];
        (notionals[0], volumes[0], trades[0]) = (0, 0, 0);
        let sums = notionals[1..].iter_mut().zip(&mut volumes[1..]);
        let sums = sums.zip(&mut trades[1..]);
        let prices = self.opens.iter_mut().zip(&mut self.closes);
        for (((sums, trades), prices), &is_held) in sums.zip(prices).zip(&self.is_held) {
            *prices.0 = tally.open;
            number += usize::from(is_held);
            tally = self.tallies[number];
            (*sums.0, *sums.1, *trades) = (tally.notional, tally.volume, tally.trades);
            *prices.1 = tally.close;
        }
        self.wide.clear();
        if let Some(&first) = self.wide_tallies.first() {
            let mut number = 0;
            self.wide.push(first);
            self.wide.extend(self.is_held.iter().map(|&is_held| {
                number += usize::from(is_held);
                self.wide_tallies[number]
            }));
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
