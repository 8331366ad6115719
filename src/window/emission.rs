//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::sliding::Sliding;
use super::{Output, Row, Width};
use crate::columns::Position;
use crate::market::{Locate, Timestamp};

/// How many executions before it leaves the state of its symbol is asked for.
const SOON: usize = 8;
/// How many executions before it leaves an execution itself is asked for, as it lies in the log.
const LATER: Position = 16;

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        if !self.touched.is_empty() || (self.spec.every_end && self.holders > 0) {
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
        self.rank_symbols();
        if self.narrow {
            self.enter_all();
        }
        for window in 0..self.spec.windows.len() {
            if self.due[window] < end {
                self.evict(window, end);
            }
        }
        if !self.narrow {
            self.enter_all();
        }
        self.news = if self.spec.every_end { u64::MAX } else { 0 };
        if !self.gaps.is_empty() {
            self.judge_completeness(end);
        }
        self.oldest = self.oldest_cursor();
        let before = output.rows.len();
        if self.news == 0 {
            self.write_touched(end, output);
        } else {
            self.write_holding(end, output);
        }
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
        while let Some(trades) = self.log.stretch(self.cursors[window]) {
            for (index, &time) in trades.times.iter().enumerate() {
                if time >= start {
                    let next = self.cursors[window] + index as Position;
                    self.cursors[window] = next;
                    self.due[window] = self.leaves_after(window, time);
                    // For what leaves at the ends to come, which are too far apart for the processor to foresee it.
                    self.log.prefetch(next.saturating_add(LATER), self.memory);
                    return;
                }
                if let Some(&soon) = trades.locates.get(index + SOON) {
                    self.prefetch_window(soon, window);
                }
                if trades.policies[index] & mask == 0 {
                    continue;
                }
                let locate = Locate(trades.locates[index]);
                let totals = &mut self.totals[locate.index() * windows + window];
                let position = self.cursors[window] + index as Position;
                let (next, taken) = (
                    trades.next[index],
                    (trades.prices[index], trades.shares[index]),
                );
                let (look_up_high, look_up_low) = totals.take(position, taken, next);
                // What enters at this end may already be among the candidates.
                if look_up_high {
                    totals.high = self.symbols.candidates[locate.index()].high(next.position);
                }
                if look_up_low {
                    totals.low = self.symbols.candidates[locate.index()].low(next.position);
                }
                // A window that is empty now has no row.
                let holds = totals.trades > 0;
                let face = &mut self.symbols.faces[locate.index()];
                face.changed = face.changed & !(1 << window) | u64::from(holds) << window;
                self.ranking.mark_if(locate, holds);
            }
            self.cursors[window] += trades.times.len() as Position;
        }
        self.due[window] = u64::MAX;
    }

    /// Asks for what an execution that leaves a window will need of its symbol.
    #[inline]
    fn prefetch_window(&self, locate: u16, window: usize) {
        let (locate, windows) = (usize::from(locate), self.spec.windows.len());
        let place = locate * windows + window;
        self.memory.prefetch(&self.totals, place);
        self.memory.prefetch(&self.symbols.faces, locate);
    }

    /// The last end at which the window still holds an execution at `time`.
    pub(super) fn leaves_after(&self, window: usize, time: u64) -> u64 {
        match self.spec.windows[window].width {
            Width::Finite(width) => time.saturating_add(width.nanos()),
            Width::Session => u64::MAX,
        }
    }

    /// Lets what has entered since the last emission into all windows of its symbols, whose rows are due.
    /// Before anything leaves only where it may leave at once: a window that is about to be empty needs no
    /// other high and low.
    fn enter_all(&mut self) {
        let windows = self.spec.windows.len();
        for &locate in &self.touched {
            let totals = &mut self.totals[usize::from(locate) * windows..][..windows];
            self.symbols.enter(usize::from(locate), totals);
            self.ranking.mark_if(Locate(locate), true);
        }
    }

    /// Writes the rows of the symbols that something has entered or left.
    fn write_touched(&mut self, end: u64, output: &mut Output) {
        let mut due = std::mem::take(&mut self.rows_due);
        self.ranking.take_marked(&mut due);
        // What they need has been asked for when it entered or left.
        for &locate in &due {
            self.write_rows(locate, end, output);
        }
        self.rows_due = due;
    }

    /// Writes the rows of every symbol that holds an execution in some window, and forgets those that hold
    /// none. What was touched has held one, so it is among them.
    fn write_holding(&mut self, end: u64, output: &mut Output) {
        for locate in self.new_holders.drain(..) {
            self.ranking.hold(locate);
        }
        let mut due = std::mem::take(&mut self.rows_due);
        self.ranking.put_held(&mut due);
        for (place, &locate) in due.iter().enumerate() {
            if let Some(soon) = due.get(place + SOON) {
                self.memory.prefetch(&self.symbols.faces, soon.index());
                self.prefetch_totals(soon.index());
            }
            if !self.write_rows(locate, end, output) && !self.holds(locate) {
                self.symbols.faces[locate.index()].is_holding = false;
                self.holders -= 1;
                self.ranking.let_go(locate);
            }
        }
        self.rows_due = due;
    }

    /// Whether a symbol holds an execution in some window.
    #[inline]
    fn holds(&self, locate: Locate) -> bool {
        let windows = self.spec.windows.len();
        let totals = &self.totals[locate.index() * windows..][..windows];
        totals.iter().any(|totals| totals.trades > 0)
    }

    /// Writes the rows of a symbol that are due; whether there are any.
    #[inline(always)]
    fn write_rows(&mut self, locate: Locate, end: u64, output: &mut Output) -> bool {
        let before = output.rows.len();
        let windows = self.spec.windows.len();
        let totals = &self.totals[locate.index() * windows..][..windows];
        let face = &mut self.symbols.faces[locate.index()];
        let mut due = std::mem::take(&mut face.changed) | self.news;
        due &= u64::MAX >> (64 - windows);
        while due != 0 {
            let window = due.trailing_zeros() as usize;
            due &= due - 1;
            if totals[window].trades > 0 {
                output.rows.push(Row {
                    end: Timestamp(end),
                    locate,
                    symbol: face.label,
                    window: window as u16,
                    sums: totals[window].sums(face.price),
                    complete: self.complete >> window & 1 == 1,
                    revision: 0,
                });
            }
        }
        output.rows.len() > before
    }

    /// Orders the symbols by their labels, where those have changed.
    fn rank_symbols(&mut self) {
        if self.ranking.is_stale() {
            let faces = (0..=u16::MAX).zip(&self.symbols.faces);
            let labels = faces
                .clone()
                .map(|(locate, face)| (face.label, Locate(locate)));
            self.ranking.rank(labels.collect());
            let holding = faces.filter(|(_, face)| face.is_holding);
            self.new_holders = holding.map(|(locate, _)| Locate(locate)).collect();
        }
    }

    /// Oldest position that a finite window holds.
    fn oldest_cursor(&self) -> Position {
        let finite = self.spec.windows.iter().zip(&self.cursors);
        let finite = finite.filter(|(window, _)| window.width != Width::Session);
        finite.map(|(_, &cursor)| cursor).min().unwrap_or(0)
    }
}
