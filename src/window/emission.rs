//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::sliding::{Completeness, Output, Sliding, label};
use super::{Row, Width};
use crate::columns::Position;
use crate::market::{Locate, Price, Timestamp};

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        if !self.touched.is_empty() || (self.spec.every_end && !self.holding.is_empty()) {
            return self.next_end;
        }
        let step = self.spec.step.nanos();
        let passed = self.next_end - step;
        let changes = self
            .spec
            .windows
            .iter()
            .zip(&self.cursors)
            .flat_map(|(window, &cursor)| {
                let oldest = (cursor < self.log.end()).then(|| self.log.time(cursor));
                let leaves = oldest.and_then(|time| window.width.first_end_without(time, step));
                [leaves, self.gaps.next_change(passed, window.width, step)]
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
            self.evict(window, width.start(end));
            let complete = self.gaps.complete(end, width);
            let changed = complete != self.gaps.complete(end - step, width);
            self.completeness[window] = Completeness { complete, changed };
            everyone |= changed;
        }
        self.oldest = self.oldest_cursor();
        self.mark_symbols(everyone);
        let before = output.rows.len();
        for word in 0..self.ranking.words() {
            if !self.ranking.any_marked(word) {
                continue;
            }
            for locate in self.ranking.take_marked(word) {
                self.write_rows(locate, end, output);
            }
        }
        self.touched.clear();
        self.counts.rows += (output.rows.len() - before) as u64;
        output.close(end);
    }

    /// Takes away what the window that starts at `start` no longer holds.
    fn evict(&mut self, window: usize, start: u64) {
        let windows = self.spec.windows.len();
        let mask = self.spec.policy.bit();
        let mut cursor = self.cursors[window];
        while cursor < self.log.end() && self.log.time(cursor) < start {
            let trade = self.log.get(cursor);
            let next = self.log.next(cursor);
            let totals = match self.totals.get_mut(trade.locate.index() * windows + window) {
                Some(totals) => totals,
                None => {
                    cursor += 1;
                    continue;
                }
            };
            if totals.head == cursor {
                totals.head = next;
            }
            if trade.policies & mask != 0 {
                totals.take(&trade);
                totals.left = self.emission;
                let symbol = &mut self.symbols[trade.locate.index()];
                if !std::mem::replace(&mut symbol.touched, true) {
                    self.touched.push(trade.locate.0);
                }
            }
            cursor += 1;
        }
        self.cursors[window] = cursor;
    }

    fn write_rows(&mut self, locate: Locate, end: u64, output: &mut Output) {
        let mask = self.spec.policy.bit();
        let windows = self.spec.windows.len();
        let symbol = &mut self.symbols[locate.index()];
        for (window, totals) in self.totals[locate.index() * windows..][..windows]
            .iter_mut()
            .enumerate()
        {
            if totals.trades == 0 {
                continue;
            }
            let Completeness { complete, changed } = self.completeness[window];
            let left = totals.left == self.emission;
            if !(self.spec.every_end || symbol.entered > 0 || left || changed) {
                continue;
            }
            while self.log.policies(totals.head) & mask == 0 {
                totals.head = self.log.next(totals.head);
            }
            let start = match self.spec.windows[window].width {
                Width::Finite(_) => Some(self.cursors[window]),
                Width::Session => None,
            };
            let sums = symbol.sums(totals, start, Price(self.log.price(totals.head)));
            output.rows.push(Row {
                end: Timestamp(end),
                locate,
                symbol: label(&self.directory, locate),
                window: window as u16,
                sums,
                complete,
                revision: 0,
            });
        }
        symbol.entered = 0;
        symbol.touched = false;
    }

    fn mark_symbols(&mut self, everyone: bool) {
        if self.ranking.is_stale() {
            let labels = (0..=u16::MAX).take(self.symbols.len()).map(Locate);
            let labels = labels.map(|locate| (self.label(locate), locate)).collect();
            self.ranking.rank(labels);
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
