//! The rows of a slab: what is planned of them, then their sums, then their order.

use std::borrow::Cow;

use super::{Day, SymbolDay};
use crate::market::{Directory, Locate, Symbol, Timestamp};
use crate::window::bounds::Planned;
use crate::window::{Bounds, Job, Kernel, Row, Spec, Sums, Width};

/// What is kept from slab to slab, for its memory.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Symbol by symbol and window by window.
    planned: Vec<Line>,
    /// Of each line, but for the last ones, as many as there are bounds.
    sums: Vec<Sums>,
    bounds: Vec<Bounds>,
    order: Vec<u128>,
}

/// What is known of a row without its sums.
#[derive(Clone, Copy, Debug)]
struct Line {
    end: Timestamp,
    revision: u32,
    locate: Locate,
    window: u8,
    complete: bool,
}

/// What the kernel is asked of one symbol: of all lines since the last question.
pub(super) struct Share<'a> {
    pub(super) symbol: &'a SymbolDay,
    /// The bounds of its lines are counted from the one of this number, which is the first of the columns.
    pub(super) from: u32,
    pub(super) prices: Cow<'a, [u32]>,
    pub(super) shares: Cow<'a, [u32]>,
}

/// The rows that a slab has so far.
pub(super) struct Sheet<'a> {
    pub(super) spec: &'a Spec,
    pub(super) day: &'a Day,
    /// The ends of the slab: after the one, up to the other, in nanoseconds.
    pub(super) ends: (u64, u64),
    kernel: &'a dyn Kernel,
    lines: Lines,
    /// What is asked, and how many of the lines without sums are its own or before.
    asked: Vec<(Share<'a>, usize)>,
    copied: usize,
    /// With so many executions copied, sums are computed before more is asked.
    most_copied: usize,
    corrections: u64,
}

impl<'a> Sheet<'a> {
    /// A sheet without lines, on which so many executions may be copied before sums are computed.
    pub(super) fn new(
        (mut lines, most_copied): (Lines, usize),
        kernel: &'a dyn Kernel,
        (spec, day): (&'a Spec, &'a Day),
        ends: (u64, u64),
    ) -> Self {
        lines.planned.clear();
        lines.sums.clear();
        Self {
            spec,
            day,
            ends,
            kernel,
            lines,
            asked: Vec::new(),
            copied: 0,
            most_copied,
            corrections: 0,
        }
    }

    /// Puts down a line, and the executions that its window holds.
    pub(super) fn put(&mut self, locate: Locate, row: &Planned, window: u8, bounds: Bounds) {
        self.lines.planned.push(Line {
            end: Timestamp(row.end),
            revision: row.revision,
            locate,
            window,
            complete: row.complete,
        });
        self.lines.bounds.push(bounds);
        self.corrections += u64::from(row.revision);
    }

    /// Asks for the sums of all lines that have been put down since the last question.
    pub(super) fn ask(&mut self, share: Share<'a>) {
        let before = self.asked.last().map_or(0, |&(_, before)| before);
        for bounds in &mut self.lines.bounds[before..] {
            bounds.low -= share.from;
            bounds.high -= share.from;
        }
        if let Cow::Owned(prices) = &share.prices {
            self.copied += prices.len();
        }
        self.asked.push((share, self.lines.bounds.len()));
        if self.copied >= self.most_copied {
            self.answer();
        }
    }

    /// All lines with their sums, and how often they were corrected.
    pub(super) fn finish(mut self) -> (Lines, u64) {
        self.answer();
        (self.lines, self.corrections)
    }

    fn answer(&mut self) {
        let lines = &mut self.lines;
        let first = lines.sums.len();
        lines.sums.resize(lines.planned.len(), Sums::default());
        let (mut bounds, mut sums, mut from) = (&lines.bounds[..], &mut lines.sums[first..], 0);
        let mut jobs = Vec::with_capacity(self.asked.len());
        for (share, to) in &self.asked {
            let (its_bounds, later) = bounds.split_at(to - from);
            let (its_sums, later_sums) = sums.split_at_mut(to - from);
            (bounds, sums, from) = (later, later_sums, *to);
            jobs.push(Job {
                prices: &share.prices,
                shares: &share.shares,
                bounds: its_bounds,
                sums: its_sums,
            });
        }
        self.kernel.evaluate(&mut jobs);
        drop(jobs);
        let (planned, sums) = (&lines.planned[first..], &mut lines.sums[first..]);
        let mut from = 0;
        for (Share { symbol, .. }, to) in self.asked.drain(..) {
            let has_carry = symbol.breaks.is_empty();
            for (line, sums) in planned[from..to].iter().zip(&mut sums[from..to]) {
                let width = self.spec.windows[usize::from(line.window)].width;
                if has_carry && width == Width::Session {
                    *sums = symbol.carry.then(sums);
                }
            }
            from = to;
        }
        lines.bounds.clear();
        self.copied = 0;
    }
}

impl Lines {
    /// Appends the rows to `out` in the order in which they are written.
    pub(super) fn write_in_order(&mut self, directory: &Directory, out: &mut Vec<Row>) {
        let ends = self.planned.iter().map(|line| u128::from(line.end.0));
        self.order.clear();
        self.order
            .extend(ends.zip(0..).map(|(end, place)| end << 64 | place));
        self.order.sort_unstable();
        let from = out.len();
        let places = self.order.iter().map(|&key| key as u64 as usize);
        out.extend(places.map(|place| {
            let line = self.planned[place];
            Row {
                end: line.end,
                locate: line.locate,
                symbol: directory.label_at(line.locate, line.end),
                window: line.window,
                sums: self.sums[place],
                complete: line.complete,
                revision: line.revision,
            }
        }));
        // Those of an end are in order already, but for symbols that get their names later.
        for end in out[from..].chunk_by_mut(|a, b| a.end == b.end) {
            if !end.is_sorted_by_key(key_in_end) {
                end.sort_unstable_by_key(key_in_end);
            }
        }
    }
}

/// What orders the rows of an end.
pub(super) fn key_in_end(row: &Row) -> (Symbol, Locate, u8) {
    (row.symbol, row.locate, row.window)
}
