//! One end of the streaming path: what falls out of the windows, and the rows that are due.

use super::entries::{Entry, EntryNumber};
use super::sliding::Sliding;
use super::spec::first_end;
use super::state::Totals;
use super::table::held;
use super::{Output, Width};
use crate::market::{Locate, Timestamp};

/// How many entries before it enters or leaves the state of its symbol is asked for.
const SOON: usize = 8;
/// How many entries before it leaves an entry itself is asked for.
const LATER: usize = 16;

/// How many entries can come before what has been asked for the first of them leaves the cache.
const FRESH: EntryNumber = 128;
/// Where fewer than one line in so many is a row, rows are copied: who reads a table reads all lines.
const MOST: usize = 2;
/// For how many windows of symbols highs, or lows, are looked up together.
const TOGETHER: usize = 256;

/// Rows whose high has left, or whose low. No processor foresees whose it is, so they are noted without a branch and
/// looked up later.
#[derive(Debug)]
pub(super) struct Missing {
    rows: [u32; TOGETHER],
    count: usize,
}

impl Missing {
    pub(super) const NONE: Self = Self {
        rows: [0; TOGETHER],
        count: 0,
    };

    /// Notes a row if it `is_missing`. There must be room.
    #[inline(always)]
    fn note_if(&mut self, row: usize, is_missing: bool) {
        self.rows[self.count % TOGETHER] = row as u32;
        self.count += usize::from(is_missing);
    }

    /// The rows noted; none are any more.
    #[inline(always)]
    fn take(&mut self) -> &[u32] {
        let count = std::mem::take(&mut self.count);
        &self.rows[..count]
    }
}

impl Sliding {
    /// First end, from `next_end` on, at which a row may be due.
    pub(super) fn next_interesting_end(&self) -> u64 {
        let is_due = self.spec.every_end && self.changes.count() > 0;
        if is_due || self.next_entry < self.entries.end() {
            return self.next_end;
        }
        let step = self.spec.step.nanos();
        let due = self.due.iter().min().copied().unwrap_or(u64::MAX);
        let mut end = first_end(due, step);
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
        self.look_up();
        if !self.narrow {
            self.enter_all();
        }
        if !self.gaps.is_empty() {
            self.judge_completeness(end);
        }
        let oldest = self.oldest_period();
        self.oldest = self.entries.first_of(oldest);
        self.entries.drop_before(oldest);
        let before = output.len();
        self.write_rows(end, output);
        self.counts.rows += (output.len() - before) as u64;
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
        if news != 0 && !self.spec.every_end {
            self.tell_all(news);
        }
    }

    /// Takes away what the window that ends at `end` no longer holds.
    fn evict(&mut self, window: usize, end: u64) {
        let start = self.spec.windows[window].width.start(end);
        let mut cursor = self.cursors[window];
        let from = self.entries.first_of(cursor);
        let oldest = loop {
            match self.entries.period(cursor) {
                Some(period) if period.begin < start => cursor += 1,
                oldest => break oldest,
            }
        };
        let width = self.spec.windows[window].width;
        let due = oldest.map(|oldest| width.last_end(oldest.begin));
        (self.cursors[window], self.due[window]) = (cursor, due.unwrap_or(u64::MAX));
        let mut number = from;
        let end = self.entries.first_of(cursor);
        while number < end {
            number += self.take_away(window, number, end);
        }
    }

    /// Takes away the entries from `from` up to `end`, as far as they lie in a row and are not many; returns how many.
    fn take_away(&mut self, window: usize, from: EntryNumber, end: EntryNumber) -> EntryNumber {
        if self.missing.iter().any(|noted| noted.count > TOGETHER / 2) {
            self.look_up();
        }
        let (memory, totals) = (self.memory, &mut *self.totals);
        let firsts = &*self.firsts;
        let every_end = self.spec.every_end;
        let [high, low] = &mut self.missing;
        let stretch = self.entries.stretch(from);
        let most = ((end - from) as usize).min(TOGETHER / 2);
        let leaving = &stretch[..stretch.len().min(most)];
        for (index, entry) in leaving.iter().enumerate() {
            if let Some(soon) = stretch.get(index + SOON)
                && let Some(&first) = firsts.get(soon.locate.index())
            {
                memory.prefetch(totals, first as usize + window);
            }
            memory.prefetch(stretch, index + LATER);
            // All its executions may be broken.
            if entry.sums.trades == 0 {
                continue;
            }
            let row = firsts[entry.locate.index()] as usize + window;
            let left = &mut totals[row];
            let (high_left, low_left) = left.take(from + index as EntryNumber, entry);
            high.note_if(row, high_left);
            low.note_if(row, low_left);
            // A window that is empty now has no row; its line in a table has changed.
            self.due_rows.set(row, (left.sums.trades > 0) | every_end);
        }
        leaving.len() as EntryNumber
    }

    /// Looks up the highs and lows that are missing.
    fn look_up(&mut self) {
        let (totals, candidates) = (&mut *self.totals, &*self.symbols.candidates);
        let [highs, lows] = &mut self.missing;
        // What enters at this end is among the candidates already.
        for &row in highs.take() {
            let totals = &mut totals[row as usize];
            totals.set_high(candidates[totals.locate.index()].high(totals.head));
        }
        for &row in lows.take() {
            let totals = &mut totals[row as usize];
            totals.set_low(candidates[totals.locate.index()].low(totals.head));
        }
    }

    /// Lets what has entered since the last emission into all windows of its symbols, whose rows are due.
    /// Before anything leaves only where it may leave at once: a window that is about to be empty needs no
    /// other high and low.
    fn enter_all(&mut self) {
        let (first, end) = (self.next_entry, self.entries.end());
        self.next_entry = end;
        self.entries.close();
        for number in first..end {
            let soon = number.saturating_add(SOON as EntryNumber);
            // What was asked for when the newest came is still there.
            if soon.saturating_add(FRESH) < end {
                self.prefetch_entering(self.entries.get(soon).locate);
                self.entries.prefetch_previous(soon);
            }
            self.enter(number);
        }
    }

    /// Asks for the totals that an entry of `locate` will enter.
    #[inline(always)]
    pub(super) fn prefetch_entering(&self, locate: Locate) {
        if let Some(&first) = self.firsts.get(locate.index()) {
            for row in first as usize..first as usize + self.spec.windows.len() {
                self.memory.prefetch(&self.totals, row);
            }
        }
    }

    #[inline(always)]
    fn enter(&mut self, number: EntryNumber) {
        let entry: &Entry = self.entries.get(number);
        // All its executions may be broken.
        if entry.sums.trades == 0 {
            return;
        }
        let locate = entry.locate.index();
        let first = self.firsts[locate] as usize;
        for totals in &mut self.totals[first..][..self.spec.windows.len()] {
            totals.join(number, entry);
        }
        self.due_rows.add(first, u64::MAX);
        if self.finite {
            self.entries.link(number);
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
        let totals = &*self.totals;
        let due = self.due_rows.take();
        if !self.spec.every_end {
            // Two maps: as one they would copy each row twice.
            let due = due.iter().map(|&due| &totals[due as usize]);
            output
                .rows
                .extend(due.map(|totals| totals.row(end, complete)));
            return;
        }
        self.changes.note(due, totals);
        let (count, lines) = (self.changes.count(), totals.len());
        let is_shown = count >= self.rows_in_table
            && count >= lines / MOST
            && output.show((end, complete), totals, &self.changes);
        if !is_shown {
            let rows = &mut output.rows;
            self.changes.runs(|run| {
                rows.extend(totals[run].iter().map(|totals| totals.row(end, complete)))
            });
        }
    }

    /// Orders the symbols by their labels, where those have changed, and their totals with them.
    fn rank_symbols(&mut self) {
        if !self.is_ranked {
            let locates = (0..=u16::MAX).map(Locate).take(self.symbols.len());
            let mut labels: Vec<_> = locates.map(|locate| (self.label(locate), locate)).collect();
            labels.sort_unstable();
            let windows = self.spec.windows.len();
            std::mem::swap(&mut self.totals, &mut self.unranked);
            let before = &self.unranked;
            Totals::resize(&mut self.totals, self.symbols.len(), windows, self.memory);
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
            self.changes.forget();
        }
    }

    /// The oldest period that a finite window holds, or the one that it will be.
    pub(super) fn oldest_period(&self) -> u64 {
        let finite = self.spec.windows.iter().zip(&self.cursors);
        let finite = finite.filter(|(window, _)| window.width != Width::Session);
        let oldest = finite.map(|(_, &cursor)| cursor).min();
        oldest.unwrap_or(self.entries.next_period())
    }
}
