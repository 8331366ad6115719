//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::sliding::{Completeness, Output, Sliding};
use super::{Row, Width};
use crate::columns::Position;
use crate::market::{Locate, Timestamp};

/// Executions about to leave whose totals are read ahead.
const SOON: usize = 4;

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        if !self.touched.is_empty() || (self.spec.every_end && !self.holding.is_empty()) {
            return self.next_end;
        }
        let windows = self.spec.windows.iter().zip(&self.cursors);
        let oldest = windows.map(|(window, &cursor)| {
            let time = (cursor < self.log.end()).then(|| self.log.time(cursor));
            (window.width, time)
        });
        let leaves_now = |(width, time): (Width, Option<u64>)| {
            time.is_some_and(|time| time < width.start(self.next_end))
        };
        if oldest.clone().any(leaves_now) {
            return self.next_end;
        }
        let step = self.spec.step.nanos();
        let passed = self.next_end - step;
        let changes = oldest.flat_map(|(width, time)| {
            let leaves = time.and_then(|time| width.first_end_without(time, step));
            [leaves, self.gaps.next_change(passed, width, step)]
        });
        changes
            .flatten()
            .min()
            .unwrap_or(u64::MAX)
            .max(self.next_end)
    }

    pub(super) fn emit(&mut self, end: u64, output: &mut Output) {
        self.emission += 1;
        let step = self.spec.step.nanos();
        let mut everyone = self.spec.every_end;
        for window in 0..self.spec.windows.len() {
            let width = self.spec.windows[window].width;
            if width != Width::Session {
                self.evict(window, width.start(end));
            }
            let complete = self.gaps.complete(end, width);
            let changed = complete != self.gaps.complete(end - step, width);
            self.completeness[window] = Completeness { complete, changed };
            everyone |= changed;
        }
        self.oldest = self.oldest_cursor();
        self.mark_symbols(everyone);
        let before = output.rows.len();
        let mut from = 0;
        while let Some(locate) = self.ranking.take_first(&mut from) {
            self.write_rows(locate, end, output);
        }
        self.touched.clear();
        self.counts.rows += (output.rows.len() - before) as u64;
        output.close(end);
    }

    /// Takes away what the window that starts at `start` no longer holds.
    fn evict(&mut self, window: usize, start: u64) {
        let windows = self.spec.windows.len();
        let mask = self.spec.policy.bit();
        while let Some(trades) = self.log.stretch(self.cursors[window]) {
            let leaving = trades.times.iter().take_while(|&&time| time < start);
            let count = leaving.count();
            for index in 0..count {
                if trades.policies[index] & mask == 0 {
                    continue;
                }
                let symbol = usize::from(trades.locates[index]);
                let totals = &mut self.totals[symbol * windows + window];
                let next = (trades.next[index], trades.next_prices[index]);
                let look_up = totals.take((trades.prices[index], trades.shares[index]), next);
                totals.left = self.emission;
                let state = &mut self.symbols[symbol];
                if look_up {
                    (totals.high, totals.low) = state.extremes(next.0);
                }
                if !std::mem::replace(&mut state.touched, true) {
                    self.touched.push(trades.locates[index]);
                }
            }
            self.cursors[window] += count as Position;
            if count < trades.times.len() || count == 0 {
                // What leaves next is read now, so that it is in cache when it does.
                let soon = trades.locates[count..].iter().take(SOON);
                let soon = soon.filter_map(|&locate| {
                    let totals = self.totals.get(usize::from(locate) * windows + window)?;
                    Some(totals.left)
                });
                std::hint::black_box(soon.fold(0, |read, left| read ^ left));
                return;
            }
        }
    }

    fn write_rows(&mut self, locate: Locate, end: u64, output: &mut Output) {
        let windows = self.spec.windows.len();
        let symbol = &mut self.symbols[locate.index()];
        let due = self.spec.every_end || symbol.entered > 0;
        let totals = &self.totals[locate.index() * windows..][..windows];
        for (window, (totals, completeness)) in totals.iter().zip(&self.completeness).enumerate() {
            let left = totals.left == self.emission;
            if totals.trades == 0 || !(due || left || completeness.changed) {
                continue;
            }
            output.rows.push(Row {
                end: Timestamp(end),
                locate,
                symbol: symbol.label,
                window: window as u16,
                sums: totals.sums(symbol.close),
                complete: completeness.complete,
                revision: 0,
            });
        }
        symbol.entered = 0;
        symbol.touched = false;
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
            let holds = totals.iter().any(|totals| totals.trades > 0);
            symbols[usize::from(locate)].holding = holds;
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
