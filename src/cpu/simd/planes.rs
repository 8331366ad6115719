//! Planes of the dense grid: what one symbol's bars before each end of a block, and before the starts of its
//! windows, add up to.
//!
//! A plane has a place for every end of the block, and before them for as many as the widest window reaches
//! back; those are carried over from block to block. What a plane says of a place is about the steps before
//! it. Between two bars nothing changes, so most planes are laid out in runs of one value. A sum over a
//! window is the difference of two places of a prefix sum: 64 bits that may wrap, where all bars of the
//! symbol together stay below 2^64, else 128 bits. The first price of a window is the first one at or after
//! its start, the last price the last one before its end, so one plane of each serves all widths.

use std::ops::Range;

use super::extremes::Extremes;
use crate::columns::Column;
use crate::window::day::SymbolBars;

/// Ends shown at a time.
pub(super) const SHOWN: usize = 512;
/// Places of a run that are written at a time. What is written beyond its end, the next run writes anew.
const RUN: usize = 8;

/// What the bars before a place add up to.
#[derive(Clone, Copy, Default)]
struct Tally {
    notional: u64,
    /// The same in 128 bits.
    wide: u128,
    volume: u64,
    trades: u32,
    /// Last price of the bar before.
    close: u32,
}

/// A place for every end of a block and, before them, for `back` more.
pub(super) struct Planes {
    pub(super) back: usize,
    /// Σ of the steps before each place.
    notionals: Column<u64>,
    /// The same in 128 bits, where 64 do not do.
    wide: Vec<u128>,
    volumes: Column<u64>,
    trades: Column<u32>,
    /// First price at or after each place.
    pub(super) opens: Column<u32>,
    /// Last price before each place.
    pub(super) closes: Column<u32>,
    /// By width, the narrowest, of a single step, first; each is made from the one before.
    pub(super) extremes: Vec<Extremes>,
    /// Ends of the block that was laid out last, if one of the symbol was.
    before: Option<usize>,
    tally: Tally,
    /// Bars of the symbol that the tally holds.
    bars: usize,
}

/// Sums on their way to the visitor.
#[repr(align(64))]
pub(super) struct Shown {
    pub(super) notionals: [u64; SHOWN],
    pub(super) notional_highs: [u32; SHOWN],
    pub(super) volumes: [u64; SHOWN],
    pub(super) trades: [u32; SHOWN],
}

impl Planes {
    /// Planes for blocks of so many ends at most and, before them, for windows of up to `back` steps, whose
    /// extremes are made for each of `widths`, in ascending order from 1 on.
    pub(super) fn new(back: usize, most: usize, widths: Vec<usize>) -> Self {
        let places = back + most + RUN;
        let widths = widths.into_iter();
        Self {
            back,
            notionals: zeros(places),
            wide: Vec::new(),
            volumes: zeros(places),
            trades: zeros(places),
            opens: zeros(places),
            closes: zeros(places),
            extremes: widths.map(|width| Extremes::new(width, places)).collect(),
            before: None,
            tally: Tally::default(),
            bars: 0,
        }
    }

    /// Another symbol follows.
    #[inline(always)]
    pub(super) fn start(&mut self, symbol: &SymbolBars<'_>) {
        self.before = None;
        let bars = 0..symbol.steps.len();
        let total: u128 = bars.map(|bar| symbol.notional(bar)).sum();
        let is_wide = total >> 64 != 0;
        let places = self.notionals.as_slice().len();
        self.wide.resize(if is_wide { places } else { 0 }, 0);
    }

    /// Goes on to the next block of so many ends, the first of which lies before the step `first`. Whether
    /// any of its windows holds a bar. If none does, the planes are left as they are: nor is there one in the
    /// last places of the block before, which are carried over, so that they say the same.
    #[inline(always)]
    pub(super) fn lay_out(&mut self, symbol: &SymbolBars<'_>, first: usize, ends: usize) -> bool {
        let start = first as i64 - self.back as i64;
        let past = start + (self.back + ends) as i64 - 1;
        let next = symbol
            .steps
            .partition_point(|&step| i64::from(step) < start);
        let next_step = symbol.steps.get(next).map(|&step| i64::from(step));
        if next_step.is_none_or(|step| step >= past) {
            return false;
        }
        let places = self.back + ends;
        match self.before.replace(ends) {
            Some(before) => {
                self.carry_over(before);
                self.lay_out_bars(symbol, start, self.back..places);
            }
            None => {
                (self.tally, self.bars) = (Tally::default(), next);
                self.lay_out_bars(symbol, start, 0..places);
                self.widen(0..self.back);
            }
        }
        true
    }

    /// Moves the last places, after `ends` ends, before those of the next block.
    #[inline(always)]
    fn carry_over(&mut self, ends: usize) {
        let kept = ends..ends + self.back;
        for plane in [&mut self.notionals, &mut self.volumes] {
            plane.as_mut_slice().copy_within(kept.clone(), 0);
        }
        let narrow = [&mut self.trades, &mut self.opens, &mut self.closes];
        for plane in narrow {
            plane.as_mut_slice().copy_within(kept.clone(), 0);
        }
        if !self.wide.is_empty() {
            self.wide.copy_within(kept.clone(), 0);
        }
        // Of extremes as many as the next wider ones reach back.
        for number in 0..self.extremes.len() - 1 {
            let reach = self.extremes[number + 1].width - self.extremes[number].width;
            let kept = kept.end - reach..kept.end;
            self.extremes[number].copy_within(kept, self.back - reach);
        }
    }

    /// Lays the bars out over `places`, of which the first is at step `start`.
    #[inline(always)]
    fn lay_out_bars(&mut self, symbol: &SymbolBars<'_>, start: i64, places: Range<usize>) {
        self.extremes[0].clear(places.clone());
        // The place after a bar's step is the first to know of it.
        let place_of = |bar: usize| match symbol.steps.get(bar) {
            Some(&step) => (i64::from(step) - start + 1) as usize,
            None => usize::MAX,
        };
        let mut place = places.start;
        loop {
            let next = place_of(self.bars).min(places.end);
            let open = symbol.opens.get(self.bars).copied().unwrap_or(0);
            self.run(place..next, open);
            if next == places.end {
                return;
            }
            let bar = self.bars;
            self.bars += 1;
            let single = &mut self.extremes[0];
            single.highs.as_mut_slice()[next] = symbol.highs[bar];
            single.lows.as_mut_slice()[next] = symbol.lows[bar];
            let tally = &mut self.tally;
            tally.notional = tally.notional.wrapping_add(symbol.notionals[bar]);
            tally.volume = tally.volume.wrapping_add(symbol.volumes[bar]);
            tally.trades = tally.trades.wrapping_add(symbol.trades[bar]);
            tally.close = symbol.closes[bar];
            if !self.wide.is_empty() {
                tally.wide += symbol.notional(bar);
            }
            place = next;
        }
    }

    /// Places at which nothing changes.
    #[inline(always)]
    fn run(&mut self, places: Range<usize>, open: u32) {
        let tally = self.tally;
        let [notionals, volumes] =
            [&mut self.notionals, &mut self.volumes].map(|p| p.as_mut_slice());
        let narrow = [&mut self.trades, &mut self.opens, &mut self.closes];
        let [trades, opens, closes] = narrow.map(|plane| plane.as_mut_slice());
        let mut place = places.start;
        while place < places.end {
            notionals[place..place + RUN].fill(tally.notional);
            volumes[place..place + RUN].fill(tally.volume);
            trades[place..place + RUN].fill(tally.trades);
            opens[place..place + RUN].fill(open);
            closes[place..place + RUN].fill(tally.close);
            place += RUN;
        }
        if !self.wide.is_empty() {
            self.wide[places].fill(tally.wide);
        }
    }

    /// Makes the extremes of all widths at `places` from those of a single step.
    #[inline(always)]
    pub(super) fn widen(&mut self, places: Range<usize>) {
        for number in 1..self.extremes.len() {
            let (narrower, wider) = self.extremes.split_at_mut(number);
            wider[0].widen(&narrower[number - 1], places.clone());
        }
    }

    /// Sums of `count` windows from the places `start` and `end` on; returns how many high words
    /// there are.
    #[inline(always)]
    pub(super) fn subtract(
        &self,
        start: usize,
        end: usize,
        count: usize,
        shown: &mut Shown,
    ) -> usize {
        let volumes = self.volumes.as_slice();
        differences(&mut shown.volumes[..count], volumes, start, end);
        let trades = self.trades.as_slice();
        let ends = &trades[end..end + count];
        let starts = &trades[start..start + count];
        for ((trades, &high), &low) in shown.trades[..count].iter_mut().zip(ends).zip(starts) {
            *trades = high.wrapping_sub(low);
        }
        if self.wide.is_empty() {
            let notionals = self.notionals.as_slice();
            differences(&mut shown.notionals[..count], notionals, start, end);
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

pub(super) fn zeros<T: bytemuck::Pod>(places: usize) -> Column<T> {
    let mut column = Column::with_capacity(places);
    column.repeat(T::zeroed(), places);
    column
}
