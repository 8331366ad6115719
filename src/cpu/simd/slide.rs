//! Sliding windows over bars: no loop whose length depends on the data of one bar.
//!
//! A window's first bar is found by counting: one bit says for every step whether it has a bar, one
//! number for every 64 steps how many bars come before. Where bars are so far apart that the bits
//! would outnumber them, two cursors find the same places.
//!
//! Sums are differences of prefix sums: 64 bits that may wrap, where all bars of the block together
//! stay below 2^64, else 128 bits. High and low come from tables of the extremes of 1, 2, 4, ... bars:
//! two entries cover any window, and no table is longer than the longest window asks for.
//!
//! A block of windows starts its prefix sums and tables at the first bar that its first window holds,
//! so all of them stay in the cache.

use pulp::{Arch, WithSimd};

use crate::columns::Column;
use crate::window::day::{BarsPart, SymbolBars};

/// Windows in a block; blocks of wide windows are longer.
const BLOCK: usize = 2048;
/// Most words of 64 steps that may be spent on a bar.
const WORDS_A_BAR: usize = 4;

/// What is used again for each symbol.
#[derive(Default)]
struct Scratch {
    /// Of each bar, the first bar of its window.
    first: Vec<u32>,
    /// Steps with bars among 64, and the bars before them.
    words: Vec<(u64, u32)>,
    notionals: Vec<u64>,
    volumes: Vec<u64>,
    trades: Vec<u32>,
    /// Extremes of 1, 2, 4, ... bars, one table after the other.
    highs: Vec<u32>,
    lows: Vec<u32>,
}

pub(super) fn slide(arch: Arch, from: &BarsPart, width: u32, part: &mut BarsPart) {
    let mut scratch = Scratch::default();
    for symbol in from.symbols() {
        arch.dispatch(Symbol {
            symbol: &symbol,
            width,
            scratch: &mut scratch,
            part,
        });
        part.close(symbol.locate);
    }
}

/// The windows of one symbol.
struct Symbol<'a> {
    symbol: &'a SymbolBars<'a>,
    width: u32,
    scratch: &'a mut Scratch,
    part: &'a mut BarsPart,
}

impl WithSimd for Symbol<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let steps = self.symbol.steps;
        first_bars(steps, self.width, self.scratch);
        copy(&mut self.part.steps, steps);
        let longest = BLOCK.max(2 * (self.width as usize).min(steps.len()));
        let mut done = 0;
        while done < steps.len() {
            let to = (done + longest).min(steps.len());
            block(self.symbol, done, to, self.scratch, self.part);
            done = to;
        }
    }
}

fn copy(column: &mut Column<u32>, values: &[u32]) {
    column.append(values.len()).copy_from_slice(values);
}

/// Finds the first bar of every bar's window.
#[inline(always)]
fn first_bars(steps: &[u32], width: u32, scratch: &mut Scratch) {
    let (Some(&base), Some(&last)) = (steps.first(), steps.last()) else {
        return;
    };
    scratch.first.clear();
    let words = (last - base) as usize / 64 + 1;
    if words <= WORDS_A_BAR * steps.len() {
        mark(steps, base, words, &mut scratch.words);
        let words = &scratch.words[..words];
        scratch.first.extend(steps.iter().map(|&step| {
            let start = (step - base + 1).saturating_sub(width);
            let (bits, before) = words[start as usize / 64];
            before + (bits & !(u64::MAX << (start % 64))).count_ones()
        }));
    } else {
        let mut first = 0;
        scratch.first.extend(steps.iter().map(|&step| {
            while step - steps[first] >= width {
                first += 1;
            }
            first as u32
        }));
    }
}

/// Sets a bit for each step, and the number of bars before each word.
#[inline(always)]
fn mark(steps: &[u32], base: u32, words: usize, marked: &mut Vec<(u64, u32)>) {
    marked.clear();
    marked.resize(words, (0, 0));
    for &step in steps {
        let at = step - base;
        marked[at as usize / 64].0 |= 1 << (at % 64);
    }
    let mut before = 0;
    for (bits, count) in marked {
        *count = before;
        before += bits.count_ones();
    }
}

/// Writes the windows that the bars `from..to` end.
#[inline(always)]
fn block(
    symbol: &SymbolBars<'_>,
    from: usize,
    to: usize,
    scratch: &mut Scratch,
    part: &mut BarsPart,
) {
    let base = scratch.first[from] as usize;
    let fits = symbol.notional_highs.is_empty() && {
        let mut total = 0_u128;
        for &notional in &symbol.notionals[base..to] {
            total += u128::from(notional);
        }
        total >> 64 == 0
    };
    let first = &scratch.first[from..to];
    let bounds = (first, base, from);
    if fits {
        let sums = &mut scratch.notionals;
        prefix(&symbol.notionals[base..to], sums, u64::wrapping_add);
        let notionals = part.notionals.append(to - from);
        differences(bounds, sums, notionals, u64::wrapping_sub);
    } else {
        notionals_wide(symbol, from, to, &scratch.first, part);
    }
    let sums = &mut scratch.volumes;
    prefix(&symbol.volumes[base..to], sums, u64::wrapping_add);
    let volumes = part.volumes.append(to - from);
    differences(bounds, sums, volumes, u64::wrapping_sub);
    let sums = &mut scratch.trades;
    prefix(&symbol.trades[base..to], sums, u32::wrapping_add);
    let trades = part.trades.append(to - from);
    differences(bounds, sums, trades, u32::wrapping_sub);
    for (open, &low) in part.opens.append(to - from).iter_mut().zip(first) {
        *open = symbol.opens[low as usize];
    }
    copy(&mut part.closes, &symbol.closes[from..to]);
    extremes(symbol, from, to, scratch, part);
}

/// Sums of the first 0, 1, 2, ... values, as `add` adds.
#[inline(always)]
fn prefix<T: Copy + Default>(values: &[T], sums: &mut Vec<T>, add: impl Fn(T, T) -> T) {
    sums.clear();
    sums.resize(values.len() + 1, T::default());
    let mut total = T::default();
    for (sum, &value) in sums[1..].iter_mut().zip(values) {
        total = add(total, value);
        *sum = total;
    }
}

/// The windows that begin at `first` and end with the bars from `from` on: `sums` are those of the bars
/// from `base` on.
#[inline(always)]
fn differences<T: Copy>(
    (first, base, from): (&[u32], usize, usize),
    sums: &[T],
    out: &mut [T],
    subtract: impl Fn(T, T) -> T,
) {
    for ((out, &low), high) in out.iter_mut().zip(first).zip(from + 1 - base..) {
        *out = subtract(sums[high], sums[low as usize - base]);
    }
}

/// Notionals of 128 bits, added and taken away bar by bar.
fn notionals_wide(
    symbol: &SymbolBars<'_>,
    from: usize,
    to: usize,
    first: &[u32],
    part: &mut BarsPart,
) {
    let mut low = first[from] as usize;
    let mut sum: u128 = (low..from).map(|bar| symbol.notional(bar)).sum();
    for (bar, &first) in (from..to).zip(&first[from..to]) {
        sum += symbol.notional(bar);
        while low < first as usize {
            sum -= symbol.notional(low);
            low += 1;
        }
        part.put_notional_high(part.notionals.as_slice().len(), (sum >> 64) as u32);
        part.notionals.push(sum as u64);
    }
}

/// Highs and lows of the windows that the bars `from..to` end.
#[inline(always)]
fn extremes(
    symbol: &SymbolBars<'_>,
    from: usize,
    to: usize,
    scratch: &mut Scratch,
    part: &mut BarsPart,
) {
    let base = scratch.first[from] as usize;
    let first = &scratch.first[from..to];
    let mut longest = 1;
    for (&low, bar) in first.iter().zip(from as u32..) {
        longest = longest.max(bar + 1 - low);
    }
    let levels = longest.ilog2() as usize + 1;
    let count = to - base;
    tables(
        &symbol.highs[base..to],
        levels,
        &mut scratch.highs,
        u32::max,
    );
    tables(&symbol.lows[base..to], levels, &mut scratch.lows, u32::min);
    let highs = part.highs.append(to - from).iter_mut();
    let lows = part.lows.append(to - from).iter_mut();
    let ends = first.iter().zip(from + 1 - base..);
    for ((high, low), (&start, end)) in highs.zip(lows).zip(ends) {
        let start = start as usize - base;
        let level = (end - start).ilog2() as usize;
        let (left, right) = (level * count + start, level * count + end - (1 << level));
        *high = scratch.highs[left].max(scratch.highs[right]);
        *low = scratch.lows[left].min(scratch.lows[right]);
    }
}

/// Extremes of 1, 2, 4, ... values from each value on; entries that would reach beyond are not used.
#[inline(always)]
fn tables(values: &[u32], levels: usize, tables: &mut Vec<u32>, extreme: impl Fn(u32, u32) -> u32) {
    let count = values.len();
    if tables.len() < levels * count {
        tables.resize(levels * count, 0);
    }
    tables[..count].copy_from_slice(values);
    for level in 1..levels {
        let (done, table) = tables.split_at_mut(level * count);
        let before = &done[(level - 1) * count..];
        let ahead = &before[(1 << (level - 1)).min(count)..];
        for ((entry, &left), &right) in table.iter_mut().zip(before).zip(ahead) {
            *entry = extreme(left, right);
        }
    }
}
