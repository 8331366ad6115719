//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::candidates::Candidates;
use super::sliding::Sliding;
use super::state::Totals;
use super::{Output, Row, Width};
use crate::columns::Position;
use crate::market::{Locate, Timestamp};

/// How many executions before it leaves the state of its symbol is asked for.
const SOON: usize = 8;
/// How many executions before it leaves an execution itself is asked for, as it lies in the log.
const LATER: Position = 16;

/// For how many symbols highs, or lows, are looked up together.
const TOGETHER: usize = 32;

/// Symbols whose high in a window has left, or whose low. No processor foresees whose it is, so they are
/// noted without a branch and looked up later.
#[derive(Clone, Copy)]
struct Missing {
    locates: [u16; TOGETHER],
    count: usize,
}

impl Missing {
    const NONE: Self = Self {
        locates: [0; TOGETHER],
        count: 0,
    };

    /// Notes a symbol if it `is_missing`. There must be room.
    #[inline(always)]
    fn note_if(&mut self, locate: u16, is_missing: bool) {
        self.locates[self.count % TOGETHER] = locate;
        self.count += usize::from(is_missing);
    }

    /// The symbols noted; none are any more.
    fn take(&mut self) -> &[u16] {
        let count = std::mem::take(&mut self.count);
        &self.locates[..count]
    }
}

/// One bit for each window of a symbol that holds an execution.
#[inline(always)]
fn held(totals: &[Totals]) -> u64 {
    let held = totals.iter().rev();
    held.fold(0, |held, totals| {
        held << 1 | u64::from(totals.sums.trades > 0)
    })
}

/// Looks up the highs and lows that are missing in the window whose totals are at `row`.
#[inline(always)]
fn look_up(
    [highs, lows]: &mut [Missing; 2],
    candidates: &[Candidates],
    totals: &mut [Totals],
    row: impl Fn(u16) -> usize,
) {
    // What enters at this end may already be among the candidates.
    for &locate in highs.take() {
        let totals = &mut totals[row(locate)];
        totals.set_high(candidates[usize::from(locate)].high(totals.head));
    }
    for &locate in lows.take() {
        let totals = &mut totals[row(locate)];
        totals.set_low(candidates[usize::from(locate)].low(totals.head));
    }
}

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        if !self.touched.is_empty() || self.due_rows.has_due() {
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
        if !self.gaps.is_empty() {
            self.judge_completeness(end);
        }
        self.oldest = self.oldest_cursor();
        let before = output.rows.len();
        self.write_rows(end, output);
        self.touched.clear();
        self.counts.rows += (output.rows.len() - before) as u64;
        output.close(end);
    }

    /// Says of each window whether it is complete; where that is news, all its rows are due for that alone.
    fn judge_completeness(&mut self, end: u64) {
        let step = self.spec.step.nanos();
        let mut news = 0;
        self.complete = 0;
        for (window, asked) in self.spec.windows.iter().enumerate() {
            let complete = self.gaps.complete(end, asked.width);
            let before = self.gaps.complete(end - step, asked.width);
            self.complete |= u64::from(complete) << window;
            news |= u64::from(complete != before) << window;
        }
        if news != 0 {
            self.tell_all(news);
        }
    }

    /// Takes away what the window that ends at `end` no longer holds.
    fn evict(&mut self, window: usize, end: u64) {
        let policy = self.spec.policy.bit();
        let start = self.spec.windows[window].width.start(end);
        let firsts = &*self.firsts;
        let row = |locate: u16| firsts[usize::from(locate)] as usize + window;
        let mut missing = [Missing::NONE; 2];
        self.due[window] = u64::MAX;
        'log: while let Some(trades) = self.log.stretch(self.cursors[window]) {
            for (index, &time) in trades.times.iter().enumerate() {
                if time >= start {
                    let next = self.cursors[window] + index as Position;
                    self.cursors[window] = next;
                    self.due[window] = self.leaves_after(window, time);
                    // For what leaves at the ends to come, which are too far apart for the processor to foresee it.
                    self.log.prefetch(next.saturating_add(LATER), self.memory);
                    break 'log;
                }
                if let Some(&soon) = trades.locates.get(index + SOON)
                    && let Some(&first) = firsts.get(usize::from(soon))
                {
                    self.memory.prefetch(&self.totals, first as usize + window);
                }
                if trades.policies[index] & policy == 0 {
                    continue;
                }
                let locate = trades.locates[index];
                let row_left = row(locate);
                let totals = &mut self.totals[row_left];
                let position = self.cursors[window] + index as Position;
                let taken = (trades.prices[index], trades.shares[index]);
                let (high_left, low_left) = totals.take(position, taken, trades.next[index]);
                missing[0].note_if(locate, high_left);
                missing[1].note_if(locate, low_left);
                // A window that is empty now has no row.
                self.due_rows.set(row_left, totals.sums.trades > 0);
                if missing.iter().any(|noted| noted.count == TOGETHER) {
                    let candidates = &self.symbols.candidates;
                    look_up(&mut missing, candidates, &mut self.totals, row);
                }
            }
            self.cursors[window] += trades.times.len() as Position;
        }
        let candidates = &self.symbols.candidates;
        look_up(&mut missing, candidates, &mut self.totals, row);
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
            let first = self.firsts[usize::from(locate)] as usize;
            let totals = &mut self.totals[first..][..windows];
            if self.symbols.enter(usize::from(locate), totals) {
                self.due_rows.add(first, u64::MAX);
            }
        }
    }

    /// Says that all rows of the windows in `news`, one bit for each, are due where they hold executions.
    #[cold]
    fn tell_all(&mut self, news: u64) {
        let windows = self.spec.windows.len();
        for (place, totals) in self.totals.chunks(windows).enumerate() {
            self.due_rows.add(place * windows, held(totals) & news);
        }
    }

    /// Writes the rows that are due.
    fn write_rows(&mut self, end: u64, output: &mut Output) {
        let (end, complete) = (Timestamp(end), self.complete);
        let row = |totals: &Totals| Row {
            sums: totals.sums,
            end,
            locate: totals.locate,
            symbol: totals.symbol,
            window: totals.window,
            complete: complete >> totals.window & 1 == 1,
            revision: 0,
        };
        let (totals, rows) = (&*self.totals, &mut output.rows);
        if self.spec.every_end {
            self.due_rows
                .runs(|run| rows.extend(totals[run].iter().map(row)));
        } else {
            let due = self.due_rows.take().iter();
            // Two maps: as one they would copy each row twice.
            rows.extend(due.map(|&due| &totals[due as usize]).map(row));
        }
    }

    /// Orders the symbols by their labels, where those have changed, and their totals with them.
    fn rank_symbols(&mut self) {
        if !self.is_ranked {
            let locates = (0..=u16::MAX).map(Locate).take(self.symbols.len());
            let mut labels: Vec<_> = locates.map(|locate| (self.label(locate), locate)).collect();
            labels.sort_unstable();
            let windows = self.spec.windows.len();
            let before = self.totals.clone();
            for (place, (symbol, locate)) in labels.into_iter().enumerate() {
                let first =
                    std::mem::replace(&mut self.firsts[locate.index()], (place * windows) as u32);
                let before = &before[first as usize..][..windows];
                let after = &mut self.totals[place * windows..][..windows];
                for (window, (after, before)) in (0..).zip(after.iter_mut().zip(before)) {
                    *after = *before;
                    (after.symbol, after.locate, after.window) = (symbol, locate, window);
                }
            }
            self.due_rows.resize(self.totals.len());
            self.is_ranked = true;
            if self.spec.every_end {
                self.tell_all(u64::MAX);
            }
        }
    }

    /// Oldest position that a finite window holds.
    fn oldest_cursor(&self) -> Position {
        let finite = self.spec.windows.iter().zip(&self.cursors);
        let finite = finite.filter(|(window, _)| window.width != Width::Session);
        finite.map(|(_, &cursor)| cursor).min().unwrap_or(0)
    }
}
