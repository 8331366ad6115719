//! Breaks: an execution is taken back, and the rows that held it are written again.
//!
//! Rows that were written before the break are found by planning the ends that the execution
//! touched, over the symbol's executions in the log, exactly as the batch path does; their values
//! come from the kernel.

use std::ops::Range;

use super::bounds::{Planned, Planner};
use super::broken::Broken;
use super::sliding::Sliding;
use super::{Bounds, Break, Gaps, Job, Output, Row, Spec, Sums, Width};
use crate::columns::Position;
use crate::market::{Locate, Price, Timestamp, Trade};

/// The executions of one symbol that rows depend on, oldest first, broken ones included.
#[derive(Debug, Default)]
struct History {
    /// The newest of the unbroken ones that are left out, as they are too old for all windows but the session.
    older: Option<Position>,
    positions: Vec<Position>,
    times: Vec<u64>,
    prices: Vec<u32>,
    shares: Vec<u32>,
}

impl Sliding {
    /// Applies a break that arrived at `now`; the ends up to `now` have been written.
    pub(super) fn take_back(&mut self, match_number: u64, now: u64, output: &mut Output) {
        let taken = self.log.take_back(match_number);
        let Some((position, trade)) = self.counts.found(taken) else {
            return;
        };
        if trade.policies & self.spec.policy.bit() == 0 {
            return;
        }
        self.broken.insert(trade.locate, position, now);
        self.remove(position, &trade);
        let passed = self.next_end - self.spec.step.nanos();
        if trade.time.0 >= passed {
            return;
        }
        if self.spec.corrections.publishes(trade.time.0, now) {
            self.correct(position, &trade, now, passed, output);
        } else {
            self.counts.unpublished_breaks += 1;
        }
    }

    /// Writes again the rows with an end up to `passed` that held the trade at `position`.
    fn correct(
        &mut self,
        position: Position,
        trade: &Trade,
        now: u64,
        passed: u64,
        output: &mut Output,
    ) {
        let history = self.history(trade.locate, trade.time.0);
        let breaks = self.breaks_in(trade.locate, &history);
        let Ok(index) = history.positions.binary_search(&position) else {
            return;
        };
        let alive = Alive::within(
            0..history.positions.len() as u32,
            &history.prices,
            &history.shares,
            &breaks,
            u32::MAX,
        );
        let columns = (&history.times[..], &breaks[..]);
        let rows = touched_rows(&self.spec, &self.gaps, columns, index, passed);
        let planned = rows.iter().map(|(row, _)| alive.bounds(row.bounds));
        let bounds: Vec<Bounds> = planned.chain([alive.all()]).collect();
        let mut sums = vec![Sums::default(); bounds.len()];
        let (prices, shares) = (&alive.prices, &alive.shares);
        self.kernel.evaluate(&mut [Job {
            prices,
            shares,
            bounds: &bounds,
            sums: &mut sums,
        }]);
        let later = sums.pop().unwrap_or_default();
        if let (Some(session), Some(older)) = (self.session, history.older) {
            let older = self.session_up_to(older, session, trade.locate, &later);
            for ((_, window), sums) in rows.iter().zip(&mut sums) {
                if self.spec.windows[usize::from(*window)].width == Width::Session {
                    *sums = older.then(sums);
                }
            }
        }
        self.counts.corrections += rows.len() as u64;
        let first = output.rows.len();
        output
            .rows
            .extend(rows.iter().zip(sums).map(|((row, window), sums)| Row {
                end: Timestamp(row.end),
                locate: trade.locate,
                symbol: self.label_at(trade.locate, row.end),
                window: *window,
                sums,
                complete: row.complete,
                revision: row.revision,
            }));
        output.rows[first..].sort_unstable_by_key(|row| (row.end, row.window));
        output.close(now);
    }

    /// The eligible executions of `locate` that rows touched by an execution at `time` depend on, but for the
    /// unbroken ones that the session alone still holds.
    fn history(&self, locate: Locate, time: u64) -> History {
        let reach = self.spec.widest() + self.spec.step.nanos();
        let since = time.saturating_sub(reach);
        let (from, last) = match self.session {
            Some(_) => (0, u64::MAX),
            None => (since, time.saturating_add(reach)),
        };
        // All of an execution is read on the way: the wait for it and the one for the next overlap.
        let with_trade = |position| (position, self.log.get(position));
        let newest = self.symbols.faces[locate.index()].position;
        let mut unbroken = self.log.backwards(newest).map(with_trade).peekable();
        let recent = std::iter::from_fn(|| unbroken.next_if(|(_, trade)| trade.time.0 >= since));
        let mut trades: Vec<(Position, Trade)> = recent.collect();
        let older = unbroken.peek().map(|&(position, _)| position);
        let first = self.log.first_at_or_after(from);
        let broken = self.broken.of(locate, first..=Position::MAX);
        let broken = broken.map(|(position, _)| with_trade(position));
        trades.extend(broken.take_while(|(_, trade)| trade.time.0 <= last));
        trades.retain(|(_, trade)| (from..=last).contains(&trade.time.0));
        // Two runs, one from the newest on: a sort that finds them has little to do.
        trades.sort_by_key(|&(position, _)| position);
        let (positions, trades): (Vec<_>, Vec<_>) = trades.into_iter().unzip();
        History {
            older,
            positions,
            times: trades.iter().map(|trade| trade.time.0).collect(),
            prices: trades.iter().map(|trade| trade.price.0).collect(),
            shares: trades.iter().map(|trade| trade.shares.0).collect(),
        }
    }

    /// The sums of the session of `locate` up to the execution at `newest`, where those of all later ones
    /// are `later`. `session` is its window.
    fn session_up_to(
        &self,
        newest: Position,
        session: usize,
        locate: Locate,
        later: &Sums,
    ) -> Sums {
        let totals = &self.totals[self.firsts[locate.index()] as usize + session];
        let face = &self.symbols.faces[locate.index()];
        let coming = self.entries.backwards(face.entry);
        let coming = coming.take_while(|&number| number >= self.next_entry);
        let coming = coming.map(|number| &self.entries.get(number).sums);
        // Of their prices the open alone is asked for, and that is the one of the totals.
        let all = coming.fold(totals.sums, |all, sums| all.then(sums));
        let range = self.log.range(newest);
        Sums {
            notional: all.notional - later.notional,
            volume: all.volume - later.volume,
            trades: all.trades - later.trades,
            open: all.open,
            high: Price(range.high),
            low: Price(range.low),
            close: self.log.get(newest).price,
        }
    }

    fn breaks_in(&self, locate: Locate, history: &History) -> Vec<Break> {
        let (Some(&first), Some(&last)) = (history.positions.first(), history.positions.last())
        else {
            return Vec::new();
        };
        let broken = self.broken.of(locate, first..=last);
        let breaks = broken.filter_map(|(position, Broken { at, order })| {
            let index = history.positions.binary_search(&position).ok()? as u32;
            let corrections = self.spec.corrections;
            Some(Break::new(index, at, order, &history.times, corrections))
        });
        breaks.collect()
    }
}

/// The rows with an end up to `passed`, in nanoseconds, that hold the execution of this index among the columns of its
/// symbol, each with its window. They come window by window, so that their bounds seldom go back, for which kernels are
/// made.
#[must_use]
pub fn touched_rows(
    spec: &Spec,
    gaps: &Gaps,
    (times, breaks): (&[u64], &[Break]),
    index: usize,
    passed: u64,
) -> Vec<(Planned, u8)> {
    let (step, time) = (spec.step.nanos(), times[index]);
    let after = time / step * step;
    let mut rows = Vec::new();
    for (number, window) in (0..).zip(&spec.windows) {
        let last = (window.width.last_end(time) / step * step).min(passed);
        let planner = Planner::new(spec, number.into(), gaps, times, breaks);
        planner.plan(after, last, |row| {
            if (row.bounds.low as usize..row.bounds.high as usize).contains(&index) {
                rows.push((row, number));
            }
        });
    }
    rows
}

/// The executions that are left when the first `applied` breaks have been taken out.
#[derive(Debug)]
pub struct Alive {
    /// Prices in ticks.
    pub prices: Vec<u32>,
    /// Shares.
    pub shares: Vec<u32>,
    /// Index of the first execution of which this is.
    start: u32,
    /// Indices of the executions taken out, ascending.
    gone: Vec<u32>,
}

impl Alive {
    /// Takes the breaks with an order below `applied` out of those executions of a symbol that have an index in
    /// `held`. `breaks` is ordered by index.
    #[must_use]
    pub fn within(
        held: Range<u32>,
        prices: &[u32],
        shares: &[u32],
        breaks: &[Break],
        applied: u32,
    ) -> Self {
        let first = breaks.partition_point(|broken| broken.index < held.start);
        let breaks = breaks[first..]
            .iter()
            .take_while(|broken| broken.index < held.end);
        let gone: Vec<u32> = breaks
            .filter(|broken| broken.order < applied)
            .map(|broken| broken.index)
            .collect();
        let keep = |values: &[u32]| {
            let mut kept = Vec::with_capacity(held.len());
            let mut from = held.start as usize;
            for &index in &gone {
                kept.extend_from_slice(&values[from..index as usize]);
                from = index as usize + 1;
            }
            kept.extend_from_slice(&values[from..held.end as usize]);
            kept
        };
        Self {
            prices: keep(prices),
            shares: keep(shares),
            start: held.start,
            gone,
        }
    }

    /// The bounds of all that are left.
    fn all(&self) -> Bounds {
        Bounds {
            low: 0,
            high: self.prices.len() as u32,
        }
    }

    /// Bounds among all executions, within those of which this is, as bounds among those that are left.
    #[must_use]
    pub fn bounds(&self, all: Bounds) -> Bounds {
        let gone = |index: u32| self.gone.partition_point(|&gone| gone < index) as u32;
        let left = |index: u32| index - self.start - gone(index);
        Bounds {
            low: left(all.low),
            high: left(all.high),
        }
    }
}
