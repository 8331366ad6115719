//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::sliding::{Output, Sliding};
use super::state::{SymbolState, Totals};
use super::{Row, Width};
use crate::columns::Position;
use crate::market::{Locate, Timestamp};

/// How many executions before it leaves the state of its symbol is asked for.
const SOON: usize = 8;

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        if !self.touched.is_empty() || (self.spec.every_end && !self.holding.is_empty()) {
            return self.next_end;
        }
        let step = self.spec.step.nanos();
        let due = self.due.iter().min().copied().unwrap_or(u64::MAX);
        let mut end = (due / step).saturating_add(1).saturating_mul(step);
        if !self.gaps.is_empty() {
            let passed = self.next_end - step;
            let widths = self.spec.windows.iter().map(|window| window.width);
            let changes = widths.filter_map(|width| self.gaps.next_change(passed, width, step));
            end = changes.fold(end, u64::min);
        }
        end.max(self.next_end)
    }

    pub(super) fn emit(&mut self, end: u64, output: &mut Output) {
        if self.narrow {
            self.enter_all();
        }
        for window in 0..self.spec.windows.len() {
            if self.due[window] < end {
                self.evict(window, end);
            }
        }
        self.news = if self.spec.every_end { u64::MAX } else { 0 };
        if !self.gaps.is_empty() {
            self.judge_completeness(end);
        }
        self.oldest = self.oldest_cursor();
        self.mark_symbols(self.news != 0);
        let before = output.rows.len();
        let mut due = std::mem::take(&mut self.rows_due);
        self.ranking.take_marked(&mut due);
        for (place, &locate) in due.iter().enumerate() {
            if let Some(soon) = due.get(place + SOON) {
                self.prefetch(soon.0);
            }
            self.write_rows(locate, end, output);
        }
        self.rows_due = due;
        self.touched.clear();
        self.counts.rows += (output.rows.len() - before) as u64;
        output.close(end);
    }

    /// Says of each window whether it is complete, and whether that is news: whether it has rows for
    /// that alone.
    fn judge_completeness(&mut self, end: u64) {
        let step = self.spec.step.nanos();
        self.complete = 0;
        for (window, asked) in self.spec.windows.iter().enumerate() {
            let complete = self.gaps.complete(end, asked.width);
            let before = self.gaps.complete(end - step, asked.width);
            self.complete |= u64::from(complete) << window;
            self.news |= u64::from(complete != before) << window;
        }
    }

    /// Takes away what the window that ends at `end` no longer holds.
    fn evict(&mut self, window: usize, end: u64) {
        let windows = self.spec.windows.len();
        let mask = self.spec.policy.bit();
        let start = self.spec.windows[window].width.start(end);
        self.due[window] = u64::MAX;
        while let Some(trades) = self.log.stretch(self.cursors[window]) {
            let leaving = trades.times.iter().take_while(|&&time| time < start);
            let count = leaving.count();
            let asked =
                (self.ahead[window].max(self.cursors[window]) - self.cursors[window]) as usize;
            let soon = trades.locates.len().min(count + SOON);
            for &locate in trades.locates[..soon].iter().take(SOON).skip(asked) {
                self.prefetch(locate);
            }
            for index in 0..count {
                if index + SOON >= asked
                    && let Some(&locate) = trades.locates.get(index + SOON)
                {
                    self.prefetch(locate);
                }
                if trades.policies[index] & mask == 0 {
                    continue;
                }
                let symbol = usize::from(trades.locates[index]);
                let totals = &mut self.totals[symbol * windows + window];
                let next = (trades.next[index], trades.next_prices[index]);
                let look_up = totals.take((trades.prices[index], trades.shares[index]), next);
                let state = &mut self.symbols[symbol];
                if look_up {
                    // What enters at this end may already be among the candidates.
                    (totals.high, totals.low) = state.extremes(next.0);
                }
                if !state.is_touched() {
                    self.touched.push(trades.locates[index]);
                }
                state.changed |= 1 << window;
            }
            self.ahead[window] = self.cursors[window] + soon.max(asked) as Position;
            self.cursors[window] += count as Position;
            if let Some(&time) = trades.times.get(count) {
                self.due[window] = self.leaves_after(window, time);
                return;
            }
            if count == 0 {
                return;
            }
        }
    }

    /// The last end at which the window still holds an execution at `time`.
    pub(super) fn leaves_after(&self, window: usize, time: u64) -> u64 {
        match self.spec.windows[window].width {
            Width::Finite(width) => time.saturating_add(width.nanos()),
            Width::Session => u64::MAX,
        }
    }

    /// Lets what has entered since the last emission into all windows before anything leaves them.
    fn enter_all(&mut self) {
        let windows = self.spec.windows.len();
        for &locate in &self.touched {
            let totals = &mut self.totals[usize::from(locate) * windows..][..windows];
            enter(&mut self.symbols[usize::from(locate)], totals);
        }
    }

    fn write_rows(&mut self, locate: Locate, end: u64, output: &mut Output) {
        let windows = self.spec.windows.len();
        let symbol = &mut self.symbols[locate.index()];
        let totals = &mut self.totals[locate.index() * windows..][..windows];
        enter(symbol, totals);
        let mut due = std::mem::take(&mut symbol.changed) | self.news;
        due &= u64::MAX >> (64 - windows);
        while due != 0 {
            let window = due.trailing_zeros() as usize;
            due &= due - 1;
            if totals[window].trades > 0 {
                output.rows.push(Row {
                    end: Timestamp(end),
                    locate,
                    symbol: symbol.label,
                    window: window as u16,
                    sums: totals[window].sums(symbol.close),
                    complete: self.complete >> window & 1 == 1,
                    revision: 0,
                });
            }
        }
    }

    fn mark_symbols(&mut self, everyone: bool) {
        if self.ranking.is_stale() {
            let labels = (0..=u16::MAX).zip(&self.symbols);
            let labels = labels.map(|(locate, symbol)| (symbol.label, Locate(locate)));
            self.ranking.rank(labels.collect());
        }
        if everyone {
            self.mark_holding();
        }
        for &locate in &self.touched {
            self.ranking.mark(Locate(locate));
        }
    }

    /// Marks the symbols that hold an execution in some window, and forgets those that hold none.
    fn mark_holding(&mut self) {
        let windows = self.spec.windows.len();
        let (totals, symbols, ranking) = (&self.totals, &mut self.symbols, &mut self.ranking);
        self.holding.retain(|&locate| {
            let totals = &totals[usize::from(locate) * windows..][..windows];
            let symbol = &mut symbols[usize::from(locate)];
            let holds = symbol.entered.trades > 0 || totals.iter().any(|totals| totals.trades > 0);
            symbol.holding = holds;
            if holds {
                ranking.mark(Locate(locate));
            }
            holds
        });
    }

    /// Oldest position that a finite window holds.
    fn oldest_cursor(&self) -> Position {
        let finite = self.spec.windows.iter().zip(&self.cursors);
        let finite = finite.filter(|(window, _)| window.width != Width::Session);
        finite.map(|(_, &cursor)| cursor).min().unwrap_or(0)
    }
}

/// Lets what has entered since the last emission into the windows of its symbol.
#[inline]
fn enter(symbol: &mut SymbolState, totals: &mut [Totals]) {
    if symbol.entered.trades > 0 {
        for totals in totals {
            totals.join(&symbol.entered);
        }
        symbol.entered = Totals::EMPTY;
        symbol.changed = u64::MAX;
    }
}
