//! Breaks: an execution is taken back, and the rows that held it are written again.

use super::Survey;
use crate::market::{Locate, Timestamp};
use crate::window::{Bounds, Output, Row, touched_ends};

impl Survey {
    /// Applies a break that arrived at `now`; the ends up to `now` have been planned.
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
        // What has been asked for is asked of executions that were whole.
        self.settle(output);
        self.counts.broken += 1;
        self.log.clear_policies(position);
        if trade.policies & self.spec.policy.bit() == 0 {
            return;
        }
        let symbol = &mut self.symbols[trade.locate.index()];
        let index = symbol.take_back(position, now, self.spec.corrections);
        let passed = self.next_end - self.spec.step.nanos();
        if trade.time.0 >= passed {
            return;
        }
        if self.spec.corrections.publishes(trade.time.0, now) {
            self.correct((trade.locate, index), trade.time.0, passed, output);
            output.close(now);
        } else {
            self.counts.unpublished_breaks += 1;
        }
    }

    /// Writes again the rows with an end up to `passed` that held the execution at `index`, made at `time`.
    fn correct(
        &mut self,
        (locate, index): (Locate, usize),
        time: u64,
        passed: u64,
        output: &mut Output,
    ) {
        let symbol = &self.symbols[locate.index()];
        let mut rows = Vec::new();
        for window in 0..self.spec.windows.len() {
            let (after, last) = touched_ends(&self.spec, window, time, passed);
            let planner = symbol.planner(&self.spec, window, &self.gaps);
            planner.plan(after, last, |row| {
                if (row.bounds.low as usize..row.bounds.high as usize).contains(&index) {
                    rows.push((row, window as u8));
                }
            });
        }
        // Window by window, as they were planned: so the bounds seldom go back, for which kernels are made.
        let bounds: Vec<Bounds> = rows.iter().map(|(row, _)| row.bounds).collect();
        let sums = symbol.sums_of_unbroken(&self.cpu, &bounds);
        self.counts.corrections += rows.len() as u64;
        let first = output.rows.len();
        output
            .rows
            .extend(rows.iter().zip(sums).map(|((row, window), sums)| Row {
                end: Timestamp(row.end),
                locate,
                symbol: self.directory.label_at(locate, Timestamp(row.end)),
                window: *window,
                sums,
                complete: row.complete,
                revision: row.revision,
            }));
        output.rows[first..].sort_unstable_by_key(|row| (row.end, row.window));
    }
}
