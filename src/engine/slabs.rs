//! The batch path: every row of a day, slab by slab.
//!
//! The ends are worked off in slabs, so that the rows in memory stay bounded: for each symbol the
//! planner says which rows exist, a job asks the kernel for their sums, and the rows of all symbols
//! are sorted. A session row needs everything since midnight; the sums before the slab are carried
//! along, so that no slab reads the day again.

use std::collections::BTreeMap;

use super::day::Day;
use super::residents::{Reducer, Residents};
use crate::columns::Position;
use crate::market::{Locate, Timestamp};
use crate::window::bounds::{Break, Planned, Planner};
use crate::window::{
    Alive, Bounds, Corrections, Gaps, Job, Kernel, Output, Row, SlidingCounts, Spec, Sums, Wanted,
    Width, first_end,
};

/// Executions that one slab of ends brings at most, unless one step alone brings more.
const SLAB_TRADES: usize = 1 << 16;
/// Rows that one slab brings at most when a row is written at every end.
const SLAB_ROWS: u64 = 1 << 20;

/// With so many executions copied, rows are computed before others are: each break may ask for a symbol's anew.
const SLAB_EXECUTIONS: usize = 1 << 22;

/// The rows of a day that are still to be computed.
pub(super) struct Slabs {
    day: Day,
    spec: Spec,
    wanted: Option<Wanted>,
    residents: Option<Residents>,
    /// The symbols whose rows are computed one by one.
    symbols: Vec<SymbolDay>,
    /// Ends up to here are done.
    after: u64,
    last: u64,
}

/// The eligible executions of one symbol.
#[derive(Debug, Default)]
pub(super) struct SymbolDay {
    pub(super) locate: Locate,
    pub(super) times: Vec<u64>,
    pub(super) prices: Vec<u32>,
    pub(super) shares: Vec<u32>,
    pub(super) breaks: Vec<Break>,
    /// Sums of the executions before the slab at hand, and how many they are.
    pub(super) carry: Sums,
    pub(super) carried: usize,
}

/// The rows of one symbol in one slab, with what the kernel needs to fill them in.
#[derive(Debug, Default)]
struct Request {
    planned: Vec<(Planned, u8)>,
    bounds: Vec<Bounds>,
    sums: Vec<Sums>,
    prices: Vec<u32>,
    shares: Vec<u32>,
}

impl Slabs {
    /// With a `reducer`, most of what is wanted of ends is told by it.
    pub(super) fn new(
        mut day: Day,
        spec: Spec,
        wanted: Option<Wanted>,
        reducer: Option<Box<dyn Reducer>>,
    ) -> Self {
        let step = spec.step.nanos();
        let mut symbols = day.by_symbol(&spec);
        let breaks = symbols.iter().flat_map(|symbol| {
            symbol
                .breaks
                .iter()
                .map(|broken| (symbol.times[broken.index as usize], broken))
        });
        // As when streaming: rows that held the execution had been written when the break came.
        let unpublished =
            breaks.filter(|(time, broken)| !broken.published && *time < broken.at / step * step);
        day.counts.unpublished_breaks = unpublished.count() as u64;
        let first = symbols
            .iter()
            .filter_map(|symbol| symbol.times.first())
            .min();
        let last = first_end(day.now.0, step);
        let after = first.map_or(last, |time| time / step * step);
        let residents = wanted
            .as_ref()
            .zip(reducer)
            .map(|(wanted, reducer)| Residents::new(reducer, &day, (&spec, wanted), &mut symbols));
        Self {
            day,
            spec,
            wanted,
            residents,
            symbols,
            after,
            last,
        }
    }

    pub(super) fn counts(&self) -> SlidingCounts {
        self.day.counts
    }

    /// Computes the next rows, in order; `false` when there are no more.
    pub(super) fn next(&mut self, kernel: &dyn Kernel, output: &mut Output) -> bool {
        if self.after >= self.last {
            return false;
        }
        let to = self.slab_end();
        self.slab(kernel, to, output);
        self.day.counts.rows += output.rows.len() as u64;
        output.passed = Timestamp(to);
        self.after = to;
        true
    }

    fn slab_end(&self) -> u64 {
        let step = self.spec.step.nanos();
        let log = &self.day.log;
        let beyond = log.first_at_or_after(self.after) as usize + SLAB_TRADES;
        let mut end = self.last;
        if beyond < log.end() as usize {
            end = end.min(log.time(beyond as Position) / step * step);
        }
        if self.spec.every_end {
            let windows = self.spec.windows.len();
            let selected = self.residents.as_ref().map(|day| day.rows_an_end(windows));
            let rows_an_end = (self.symbols.len() * windows + selected.unwrap_or(0)).max(1);
            end = end.min(self.after + (SLAB_ROWS / rows_an_end as u64).max(1) * step);
        }
        end.max(self.after + step)
    }

    fn slab(&mut self, kernel: &dyn Kernel, to: u64, output: &mut Output) {
        let after = self.after;
        let (mut requests, mut executions) = (Vec::new(), 0);
        let mut corrections = 0;
        for index in 0..self.symbols.len() {
            self.symbols[index].carry_to(after);
            let symbol = &self.symbols[index];
            let planned = symbol.plan(&self.spec, &self.day.gaps, after, to);
            for request in symbol.requests(&self.spec, planned) {
                executions += request.prices.len();
                requests.push((index, request));
                if executions >= SLAB_EXECUTIONS {
                    corrections += self.answer(kernel, std::mem::take(&mut requests), output);
                    executions = 0;
                }
            }
        }
        corrections += self.answer(kernel, requests, output);
        self.day.counts.corrections += corrections;
        if let Some(wanted) = &self.wanted {
            output.rows.retain(|row| wanted.concerns(row.symbol));
        }
        if let Some(residents) = &mut self.residents {
            residents.select(&self.day, &self.spec, (after, to), &mut output.rows);
        }
        output
            .rows
            .sort_unstable_by_key(|row| (row.end, row.symbol, row.locate, row.window));
        if let Some(wanted) = &self.wanted {
            select(wanted, &mut output.rows);
        }
        close_updates(output);
    }

    /// The rows of what is asked of symbols, each by its index. Returns how often they were corrected.
    fn answer(
        &self,
        kernel: &dyn Kernel,
        mut requests: Vec<(usize, Request)>,
        output: &mut Output,
    ) -> u64 {
        let (spec, mut corrections) = (&self.spec, 0);
        let mut jobs: Vec<Job<'_>> = requests
            .iter_mut()
            .map(|(_, request)| request.job())
            .collect();
        kernel.evaluate(&mut jobs);
        drop(jobs);
        for (index, request) in requests {
            let symbol = &self.symbols[index];
            for ((planned, window), sums) in request.planned.into_iter().zip(request.sums) {
                let whole = spec.windows[usize::from(window)].width == Width::Session
                    && symbol.breaks.is_empty();
                output.rows.push(Row {
                    end: Timestamp(planned.end),
                    locate: symbol.locate,
                    symbol: self
                        .day
                        .directory
                        .label_at(symbol.locate, Timestamp(planned.end)),
                    window,
                    sums: if whole {
                        symbol.carry.then(&sums)
                    } else {
                        sums
                    },
                    complete: planned.complete,
                    revision: planned.revision,
                });
                corrections += u64::from(planned.revision);
            }
        }
        corrections
    }
}

/// Leaves of sorted rows what is told of their ends.
fn select(wanted: &Wanted, rows: &mut Vec<Row>) {
    let all = std::mem::take(rows);
    for end in all.chunk_by(|a, b| a.end == b.end) {
        wanted.selection.select(end, rows);
    }
}

/// Marks where the rows of each end stop.
fn close_updates(output: &mut Output) {
    for index in 0..output.rows.len() {
        let end = output.rows[index].end;
        if output
            .rows
            .get(index + 1)
            .is_none_or(|next| next.end != end)
        {
            output.updates.push((end, index + 1));
        }
    }
}

impl SymbolDay {
    /// Carries the executions before `time` into the session's sums.
    fn carry_to(&mut self, time: u64) {
        let to = self.times.partition_point(|&at| at < time);
        for index in self.carried..to {
            self.carry.push(self.prices[index], self.shares[index]);
        }
        self.carried = to;
    }

    fn plan(&self, spec: &Spec, gaps: &Gaps, after: u64, to: u64) -> Vec<(Planned, u8)> {
        let mut planned = Vec::new();
        for window in 0..spec.windows.len() {
            let planner = Planner {
                times: &self.times,
                breaks: &self.breaks,
                ..Planner::new(spec, window, gaps)
            };
            planner.plan(after, to, |row| planned.push((row, window as u8)));
        }
        planned
    }

    /// What to ask of the kernel: one request, or one for each state of the breaks.
    fn requests(
        &self,
        spec: &Spec,
        planned: Vec<(Planned, u8)>,
    ) -> impl Iterator<Item = Request> + '_ {
        let all = spec.corrections == Corrections::All;
        let (mut whole, mut by_state) = (None, BTreeMap::<u32, Vec<_>>::new());
        if self.breaks.is_empty() && !planned.is_empty() {
            whole = Some(self.request(spec, planned));
        } else {
            for row in planned {
                let applied = if all { u32::MAX } else { row.0.applied };
                by_state.entry(applied).or_default().push(row);
            }
        }
        let request = |(applied, planned): (u32, Vec<(Planned, u8)>)| {
            let bounds = planned.iter().map(|(row, _)| row.bounds);
            let from = bounds.clone().map(|bounds| bounds.low).min().unwrap_or(0);
            let to = bounds.map(|bounds| bounds.high).max().unwrap_or(0);
            let alive = Alive::within(from..to, &self.prices, &self.shares, &self.breaks, applied);
            let bounds: Vec<Bounds> = planned
                .iter()
                .map(|(row, _)| alive.bounds(row.bounds))
                .collect();
            let sums = vec![Sums::default(); bounds.len()];
            Request {
                planned,
                bounds,
                sums,
                prices: alive.prices,
                shares: alive.shares,
            }
        };
        whole.into_iter().chain(by_state.into_iter().map(request))
    }

    /// The request of a symbol without breaks: session rows ask for what follows the carry.
    fn request(&self, spec: &Spec, planned: Vec<(Planned, u8)>) -> Request {
        let carried = self.carried as u32;
        let mut bounds: Vec<Bounds> = planned
            .iter()
            .map(
                |(row, window)| match spec.windows[usize::from(*window)].width {
                    Width::Session => Bounds {
                        low: carried.min(row.bounds.high),
                        ..row.bounds
                    },
                    Width::Finite(_) => row.bounds,
                },
            )
            .collect();
        let from = bounds.iter().map(|bounds| bounds.low).min().unwrap_or(0);
        let to = bounds.iter().map(|bounds| bounds.high).max().unwrap_or(0);
        for bounds in &mut bounds {
            bounds.low -= from;
            bounds.high -= from;
        }
        Request {
            planned,
            sums: vec![Sums::default(); bounds.len()],
            bounds,
            prices: self.prices[from as usize..to as usize].to_vec(),
            shares: self.shares[from as usize..to as usize].to_vec(),
        }
    }
}

impl Request {
    fn job(&mut self) -> Job<'_> {
        Job {
            prices: &self.prices,
            shares: &self.shares,
            bounds: &self.bounds,
            sums: &mut self.sums,
        }
    }
}
