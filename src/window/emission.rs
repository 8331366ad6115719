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

/// How many rows ahead the storage of a row is asked for.
const ROWS_AHEAD: usize = 6;
/// For how many symbols highs, or lows, are looked up together.
const TOGETHER: usize = 32;

/// Symbols whose high in a window has left, or whose low. No processor foresees whose it is, so they are
/// noted without a branch and looked up later.
#[derive(Clone, Copy)]
struct Missing {
    locates: [Locate; TOGETHER],
    count: usize,
}

impl Missing {
    const NONE: Self = Self {
        locates: [Locate(0); TOGETHER],
        count: 0,
    };

    /// Notes a symbol if it `is_missing`. There must be room.
    #[inline(always)]
    fn note_if(&mut self, locate: Locate, is_missing: bool) {
        self.locates[self.count % TOGETHER] = locate;
        self.count += usize::from(is_missing);
    }

    /// The symbols noted; none are any more.
    fn take(&mut self) -> &[Locate] {
        let count = std::mem::take(&mut self.count);
        &self.locates[..count]
    }
}

/// Looks up the highs and lows that are missing in the window whose totals are at `place`.
#[inline(always)]
fn look_up(
    [highs, lows]: &mut [Missing; 2],
    candidates: &[Candidates],
    totals: &mut [Totals],
    place: impl Fn(Locate) -> usize,
) {
    // What enters at this end may already be among the candidates.
    for &locate in highs.take() {
        let totals = &mut totals[place(locate)];
        totals.set_high(candidates[locate.index()].high(totals.head));
    }
    for &locate in lows.take() {
        let totals = &mut totals[place(locate)];
        totals.set_low(candidates[locate.index()].low(totals.head));
    }
}

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
        let place = |locate: Locate| locate.index() * windows + window;
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
                if let Some(&soon) = trades.locates.get(index + SOON) {
                    self.prefetch_window(soon, window);
                }
                if trades.policies[index] & mask == 0 {
                    continue;
                }
                let locate = Locate(trades.locates[index]);
                let totals = &mut self.totals[place(locate)];
                let position = self.cursors[window] + index as Position;
                let taken = (trades.prices[index], trades.shares[index]);
                let (high_left, low_left) = totals.take(position, taken, trades.next[index]);
                missing[0].note_if(locate, high_left);
                missing[1].note_if(locate, low_left);
                // A window that is empty now has no row.
                let holds = totals.sums.trades > 0;
                let face = &mut self.symbols.faces[locate.index()];
                face.changed = face.changed & !(1 << window) | u64::from(holds) << window;
                self.ranking.mark_if(face.rank, holds);
                if missing.iter().any(|noted| noted.count == TOGETHER) {
                    look_up(
                        &mut missing,
                        &self.symbols.candidates,
                        &mut self.totals,
                        place,
                    );
                }
            }
            self.cursors[window] += trades.times.len() as Position;
        }
        look_up(
            &mut missing,
            &self.symbols.candidates,
            &mut self.totals,
            place,
        );
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
            let rank = self.symbols.faces[usize::from(locate)].rank;
            self.ranking.mark_if(rank, true);
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
            let rank = self.symbols.faces[locate.index()].rank;
            self.ranking.hold(rank);
        }
        let mut due = std::mem::take(&mut self.rows_due);
        self.ranking.put_held(&mut due);
        for (place, &locate) in due.iter().enumerate() {
            if let Some(soon) = due.get(place + SOON) {
                self.memory.prefetch(&self.symbols.faces, soon.index());
                self.prefetch_totals(soon.index());
            }
            if !self.write_rows(locate, end, output) && !self.holds(locate) {
                let face = &mut self.symbols.faces[locate.index()];
                face.is_holding = false;
                self.holders -= 1;
                self.ranking.let_go(face.rank);
            }
        }
        self.rows_due = due;
    }

    /// Whether a symbol holds an execution in some window.
    #[inline]
    fn holds(&self, locate: Locate) -> bool {
        let windows = self.spec.windows.len();
        let totals = &self.totals[locate.index() * windows..][..windows];
        totals.iter().any(|totals| totals.sums.trades > 0)
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
            if totals[window].sums.trades > 0 {
                self.memory
                    .prefetch(&output.rows, output.rows.len() + ROWS_AHEAD);
                // Not pushed: so it is made where it stays, once there is room.
                let rows = output.rows.len() + 1;
                output.rows.resize_with(rows, || Row {
                    end: Timestamp(end),
                    locate,
                    symbol: face.label,
                    window: window as u16,
                    sums: totals[window].sums,
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
            let faces = &mut self.symbols.faces;
            let labels = (0..=u16::MAX).map(Locate).zip(&*faces);
            let labels = labels.map(|(locate, face)| (face.label, locate));
            let by_rank = self.ranking.rank(labels.collect());
            self.new_holders.clear();
            for (rank, &locate) in (0..=u16::MAX).zip(by_rank) {
                let face = &mut faces[locate.index()];
                face.rank = rank;
                if face.is_holding {
                    self.new_holders.push(locate);
                }
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
