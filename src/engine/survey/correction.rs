//! Breaks: an execution is taken back, and the rows that held it are written again.

use super::Survey;
use crate::market::{Locate, Timestamp};
use crate::window::{Bounds, Output, Row, touched_rows};

impl Survey {
    /// Applies a break that arrived at `now`; the ends up to `now` have been planned.
    pub(super) fn take_back(&mut self, match_number: u64, now: u64, output: &mut Output) {
        if self.log.find(match_number).is_some() {
            // What has been asked for is asked of executions that were whole.
            self.settle(output);
        }
        let taken = self.log.take_back(match_number);
        let Some((position, trade)) = self.counts.found(taken) else {
            return;
        };
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
            self.correct(trade.locate, index, passed, output);
            output.close(now);
        } else {
            self.counts.unpublished_breaks += 1;
        }
    }

    /// Writes again the rows with an end up to `passed` that held the execution at `index`.
    fn correct(&mut self, locate: Locate, index: usize, passed: u64, output: &mut Output) {
        let symbol = &self.symbols[locate.index()];
        let rows = touched_rows(&self.spec, &self.gaps, symbol.columns(), index, passed);
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
