//! Breaks: an execution is taken back, and the rows that held it are written again.
//!
//! Rows that were written before the break are found by planning the ends that the execution
//! touched, over the symbol's executions in the log, exactly as the batch path does; their values
//! come from the kernel.

use super::bounds::{Planned, Planner, breaks_of};
use super::sliding::{Broken, Output, Sliding};
use super::{Bounds, Break, Job, Row, Spec, Sums, Width};
use crate::columns::{Position, TradeLog};
use crate::market::{Locate, Price, Timestamp, Trade};

/// The executions of one symbol, oldest first, broken ones included.
#[derive(Debug, Default)]
struct History {
    positions: Vec<Position>,
    times: Vec<u64>,
    prices: Vec<u32>,
    shares: Vec<u32>,
}

impl Sliding {
    /// Applies a break that arrived at `now`; the ends up to `now` have been written.
    pub(super) fn take_back(&mut self, match_number: u64, now: u64, output: &mut Output) {
        let Some(position) = self.log.find(match_number) else {
            self.counts.unknown_breaks += 1;
            return;
        };
        let trade = self.log.get(position);
        if trade.policies == 0 {
            self.counts.repeated_breaks += 1;
            return;
        }
        self.counts.broken += 1;
        self.log.clear_policies(position);
        if trade.policies & self.spec.policy.bit() == 0 {
            return;
        }
        let order = self.broken.len() as u32;
        self.broken.insert(position, Broken { at: now, order });
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

    /// Takes an unbroken, eligible execution out of the windows that hold it now, and out of the chain
    /// of its symbol. The log has forgotten that it is eligible.
    fn remove(&mut self, position: Position, trade: &Trade) {
        let passed = self.next_end - self.spec.step.nanos();
        let next = self.log.next(position);
        let symbol = &mut self.symbols[trade.locate.index()];
        if trade.time.0 >= passed {
            symbol.entered -= 1;
        }
        if symbol.last == position {
            symbol.last = TradeLog::NONE;
        }
        symbol.forget();
        let (previous, day) = self.reconsider(position, trade);
        if let Some(previous) = previous {
            self.log.link(previous, next);
        }
        let windows = self.spec.windows.len();
        let totals = &mut self.totals[trade.locate.index() * windows..][..windows];
        let asked = self.spec.windows.iter().zip(&self.cursors).zip(totals);
        for ((window, &cursor), totals) in asked.filter(|((_, cursor), _)| position >= **cursor) {
            let head = match totals.head {
                head if head == position => next,
                head => (head, totals.open),
            };
            totals.take((trade.price.0, trade.shares.0), head);
            if totals.trades > 0 {
                (totals.high, totals.low) = match window.width {
                    Width::Session => day,
                    Width::Finite(_) => self.symbols[trade.locate.index()].extremes(cursor),
                };
            }
        }
    }

    /// Walks the executions of the symbol of `trade` that are still asked for, and sets its candidates,
    /// its newest execution and its close. Returns the position of the execution before `broken`, and
    /// the highest and lowest price of the day.
    fn reconsider(&mut self, broken: Position, trade: &Trade) -> (Option<Position>, (u32, u32)) {
        let oldest = match self.spec.has_session() {
            true => self.log.first(),
            false => self.oldest.min(broken),
        };
        let mask = self.spec.policy.bit();
        let symbol = &mut self.symbols[trade.locate.index()];
        let (mut previous, mut day) = (None, (0, u32::MAX));
        for (first, trades) in self.log.stretches(oldest) {
            let locates = trades.locates.as_slice().iter();
            let columns = locates.zip(trades.policies.as_slice());
            for (index, (&locate, &policies)) in columns.enumerate() {
                let position = first + index as Position;
                if locate != trade.locate.0 || policies & mask == 0 || position < oldest {
                    continue;
                }
                let price = trades.prices.as_slice()[index];
                day = (day.0.max(price), day.1.min(price));
                if self.finite && position >= self.oldest {
                    symbol.consider(position, price, self.oldest);
                }
                if position < broken {
                    previous = Some(position);
                }
                (symbol.last, symbol.close) = (position, Price(price));
            }
        }
        (previous, day)
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
        let history = self.history(trade.locate, self.reach(trade.time.0), trade.time.0);
        let breaks = self.breaks_in(&history);
        let Ok(index) = history.positions.binary_search(&position) else {
            return;
        };
        let alive = Alive::of(&history, &breaks, u32::MAX);
        let mut rows: Vec<(Planned, u16)> = Vec::new();
        for window in 0..self.spec.windows.len() {
            let planner = Planner {
                times: &history.times,
                breaks: &breaks,
                ..Planner::new(&self.spec, window, &self.gaps)
            };
            let (after, last) = touched_ends(&self.spec, window, trade.time.0, passed);
            planner.plan(after, last, |row| {
                if (row.bounds.low as usize..row.bounds.high as usize).contains(&index) {
                    rows.push((row, window as u16));
                }
            });
        }
        rows.sort_unstable_by_key(|(row, window)| (row.end, *window));
        let bounds: Vec<Bounds> = rows
            .iter()
            .map(|(row, _)| alive.bounds(row.bounds))
            .collect();
        let mut sums = vec![Sums::default(); bounds.len()];
        let (prices, shares) = (&alive.prices, &alive.shares);
        self.kernel.evaluate(&mut [Job {
            prices,
            shares,
            bounds: &bounds,
            sums: &mut sums,
        }]);
        self.counts.corrections += rows.len() as u64;
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
        output.close(now);
    }

    /// Time of the oldest execution that a row touched by an execution at `time` may depend on.
    fn reach(&self, time: u64) -> u64 {
        if self.spec.has_session() {
            return 0;
        }
        time.saturating_sub(self.spec.widest() + self.spec.step.nanos())
    }

    /// The eligible executions of `locate` from `from` to the widest finite end that an execution at
    /// `time` touches (to now if the session is asked for).
    fn history(&self, locate: Locate, from: u64, time: u64) -> History {
        let last = if self.spec.has_session() {
            u64::MAX
        } else {
            time.saturating_add(self.spec.widest() + self.spec.step.nanos())
        };
        let mask = self.spec.policy.bit();
        let mut history = History::default();
        for (first, trades) in self.log.stretches(self.log.first_at_or_after(from)) {
            let times = trades.times.as_slice();
            if times.first().is_some_and(|&time| time > last) {
                break;
            }
            let columns = trades
                .locates
                .as_slice()
                .iter()
                .zip(trades.policies.as_slice());
            for (index, (&at, &policies)) in columns.enumerate() {
                let position = first + index as Position;
                let counts =
                    at == locate.0 && (policies & mask != 0 || self.broken.contains_key(&position));
                if counts && times[index] >= from {
                    history.positions.push(position);
                    history.times.push(times[index]);
                    history.prices.push(trades.prices.as_slice()[index]);
                    history.shares.push(trades.shares.as_slice()[index]);
                }
            }
        }
        history
    }

    fn breaks_in(&self, history: &History) -> Vec<Break> {
        let (Some(first), Some(last)) = (history.positions.first(), history.positions.last())
        else {
            return Vec::new();
        };
        let mut raw: Vec<(u32, (u32, u64))> = self
            .broken
            .range(first..=last)
            .filter_map(|(position, broken)| {
                let index = history.positions.binary_search(position).ok()?;
                Some((broken.order, (index as u32, broken.at)))
            })
            .collect();
        raw.sort_unstable();
        let raw: Vec<(u32, u64)> = raw.into_iter().map(|(_, broken)| broken).collect();
        breaks_of(&raw, &history.times, self.spec.corrections)
    }
}

/// The ends, as (after, last], whose window holds an execution at `time`, none after `passed`.
fn touched_ends(spec: &Spec, window: usize, time: u64, passed: u64) -> (u64, u64) {
    let step = spec.step.nanos();
    let after = time / step * step;
    let last = match spec.windows[window].width {
        Width::Finite(width) => time.saturating_add(width.nanos()) / step * step,
        Width::Session => u64::MAX,
    };
    (after, last.min(passed))
}

/// The executions that are left when the first `applied` breaks have been taken out.
#[derive(Debug)]
pub struct Alive {
    /// Prices in ticks.
    pub prices: Vec<u32>,
    /// Shares.
    pub shares: Vec<u32>,
    /// Indices of the executions taken out, ascending.
    gone: Vec<u32>,
}

impl Alive {
    fn of(history: &History, breaks: &[Break], applied: u32) -> Self {
        Self::new(&history.prices, &history.shares, breaks, applied)
    }

    /// Takes the breaks with an order below `applied` out of a symbol's executions. `breaks` is
    /// ordered by index.
    #[must_use]
    pub fn new(prices: &[u32], shares: &[u32], breaks: &[Break], applied: u32) -> Self {
        let gone: Vec<u32> = breaks
            .iter()
            .filter(|broken| broken.order < applied)
            .map(|broken| broken.index)
            .collect();
        let keep = |values: &[u32]| {
            let mut kept = Vec::with_capacity(values.len());
            let mut from = 0;
            for &index in &gone {
                kept.extend_from_slice(&values[from..index as usize]);
                from = index as usize + 1;
            }
            kept.extend_from_slice(&values[from..]);
            kept
        };
        Self {
            prices: keep(prices),
            shares: keep(shares),
            gone,
        }
    }

    /// Bounds among all executions as bounds among those that are left.
    #[must_use]
    pub fn bounds(&self, all: Bounds) -> Bounds {
        let left = |index: u32| index - self.gone.partition_point(|&gone| gone < index) as u32;
        Bounds {
            low: left(all.low),
            high: left(all.high),
        }
    }
}
