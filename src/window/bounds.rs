//! Which rows exist, and which executions each of them holds: pure functions of the columns.
//!
//! The set of a window at an end can differ from the set one step before only where an execution
//! enters (the first end after its time), where one leaves (the first end whose window starts after
//! it), or where `complete` changes. So the planner visits those ends alone and compares the two sets
//! there. With `low..high` and `previous_low..previous_high` the executions inside the two windows,
//! what entered is `max(low, previous_high)..high` and what left is
//! `previous_low..min(low, previous_high)`: two stretches that are empty exactly when the sets are
//! equal. Both sets are judged with what was known when the row was written: an execution broken
//! before that moment belongs to neither.

use super::spec::first_end;
use super::{Bounds, Corrections, Gaps, Spec, Width};

/// A broken execution of one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// Which execution, counted within the symbol.
    pub index: u32,
    /// Feed time of the break: ends up to it were written before it took effect.
    pub at: u64,
    /// Whether rows that held the execution are written again.
    pub published: bool,
    /// Greater than that of all earlier breaks of its symbol, in feed order.
    pub order: u32,
}

impl Break {
    /// The break at `at` of the execution that is `index` among those of its symbol at `times`.
    #[must_use]
    pub fn new(index: u32, at: u64, order: u32, times: &[u64], corrections: Corrections) -> Self {
        Self {
            index,
            at,
            published: corrections.publishes(times[index as usize], at),
            order,
        }
    }
}

/// A row that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// End of the window.
    pub end: u64,
    /// Executions inside it, broken ones included.
    pub bounds: Bounds,
    /// Whether no gap overlaps it.
    pub complete: bool,
    /// How often it has been corrected so far.
    pub revision: u32,
    /// Breaks of the symbol with an order below this are taken out of its final values.
    pub applied: u32,
}

/// The executions of one symbol and the window asked of them.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    /// Times of all eligible executions in feed order, broken ones included; never decreasing.
    pub times: &'a [u64],
    /// Breaks so far, ordered by `index`.
    pub breaks: &'a [Break],
    /// Holes in the stream.
    pub gaps: &'a Gaps,
    /// The window.
    pub width: Width,
    /// Distance between ends in nanoseconds.
    pub step: u64,
    /// Whether a row is written at every end while its window holds an execution.
    pub every_end: bool,
}

/// What a window holds, `low..high` in `times`, and the ends at which that changes, the greatest number if never.
/// All move forwards only.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    low: usize,
    high: usize,
    /// When the first execution behind `high` enters.
    enters: u64,
    /// When the one at `low` leaves.
    leaves: u64,
}

impl<'a> Planner<'a> {
    /// A planner for one window of `spec`.
    #[must_use]
    pub fn new(
        spec: &Spec,
        window: usize,
        gaps: &'a Gaps,
        times: &'a [u64],
        breaks: &'a [Break],
    ) -> Self {
        Self {
            times,
            breaks,
            gaps,
            width: spec.windows[window].width,
            step: spec.step.nanos(),
            every_end: spec.every_end,
        }
    }

    /// Calls `visit` for every row whose end is in `after < end <= last`, in ascending order.
    /// `after` and `last` are multiples of the step.
    pub fn plan(&self, after: u64, last: u64, visit: impl FnMut(Planned)) {
        self.plan_on(&mut self.held(after), (after, last), visit);
    }

    /// The same, where it is known what the window that ends at `after` holds; says what the one at `last` does.
    /// `times` must be those of which `held` was made.
    pub fn plan_on(
        &self,
        held: &mut Held,
        (after, last): (u64, u64),
        mut visit: impl FnMut(Planned),
    ) {
        let mut end = after;
        while let Some(next) = self.next_end(end, held).filter(|&next| next <= last) {
            // No set changed since the last end that was looked at: what that held is what was held a step ago.
            let before = *held;
            end = next;
            let low = self.advance(held.low, self.width.start(end));
            let high = self.advance(held.high, end);
            if high != held.high {
                held.enters = self.enters(high);
            }
            if (low, high) != (held.low, held.high) {
                held.leaves = self.leaves(low, high);
            }
            (held.low, held.high) = (low, high);
            if self.exists(end, &before, held) {
                visit(self.row(end, held));
            }
        }
    }

    /// The first end after `after`, a multiple of the step, at which a row may exist as things stand.
    #[must_use]
    pub fn next(&self, after: u64) -> Option<u64> {
        self.next_end(after, &self.held(after))
    }

    /// What the window that ends at `end`, a multiple of the step, holds.
    #[must_use]
    pub fn held(&self, end: u64) -> Held {
        let (low, high) = (self.first_at(self.width.start(end)), self.first_at(end));
        Held {
            low,
            high,
            enters: self.enters(high),
            leaves: self.leaves(low, high),
        }
    }

    fn enters(&self, high: usize) -> u64 {
        let next = self.times.get(high);
        next.map_or(u64::MAX, |&time| first_end(time, self.step))
    }

    fn leaves(&self, low: usize, high: usize) -> u64 {
        let oldest = self.times.get(low).filter(|_| low < high);
        let leaves = oldest.and_then(|&time| self.width.first_end_without(time, self.step));
        leaves.unwrap_or(u64::MAX)
    }

    fn first_at(&self, time: u64) -> usize {
        self.times.partition_point(|&t| t < time)
    }

    /// `from` moved to the first execution at or after `time`: a few steps, else a search.
    fn advance(&self, from: usize, time: u64) -> usize {
        let ahead = &self.times[from..];
        match ahead.iter().take(8).position(|&t| t >= time) {
            Some(steps) => from + steps,
            None => from + ahead.partition_point(|&t| t < time),
        }
    }

    /// First end after `end` at which a row may exist.
    fn next_end(&self, end: u64, held: &Held) -> Option<u64> {
        if self.every_end && held.high > held.low {
            return end.checked_add(self.step);
        }
        let changes = self.gaps.next_change(end, self.width, self.step);
        let next = held
            .enters
            .min(held.leaves)
            .min(changes.unwrap_or(u64::MAX));
        (next < u64::MAX).then_some(next)
    }

    fn exists(&self, end: u64, before: &Held, held: &Held) -> bool {
        let changed = || {
            self.holds(end, held.low.max(before.high), held.high)
                || self.holds(end, before.low, held.low.min(before.high))
                || self.gaps.complete(end, self.width)
                    != self
                        .gaps
                        .complete(end.saturating_sub(self.step), self.width)
        };
        self.holds(end, held.low, held.high) && (self.every_end || changed())
    }

    /// Whether any of `low..high` was unbroken when the rows of `end` were written.
    fn holds(&self, end: u64, low: usize, high: usize) -> bool {
        let hidden = self
            .breaks_in(low, high)
            .iter()
            .filter(|broken| broken.at < end)
            .count();
        high.saturating_sub(low) > hidden
    }

    fn breaks_in(&self, low: usize, high: usize) -> &'a [Break] {
        if self.breaks.is_empty() || low >= high {
            return &[];
        }
        let from = self
            .breaks
            .partition_point(|broken| (broken.index as usize) < low);
        let to = self
            .breaks
            .partition_point(|broken| (broken.index as usize) < high);
        &self.breaks[from..to]
    }

    fn row(&self, end: u64, held: &Held) -> Planned {
        let inside = self.breaks_in(held.low, held.high);
        let corrections = inside
            .iter()
            .filter(|broken| broken.at >= end && broken.published);
        let in_time = inside.iter().filter(|broken| broken.at < end);
        let applied = in_time
            .chain(corrections.clone())
            .map(|broken| broken.order + 1)
            .max();
        Planned {
            end,
            bounds: Bounds {
                low: held.low as u32,
                high: held.high as u32,
            },
            complete: self.gaps.complete(end, self.width),
            revision: corrections.count() as u32,
            applied: applied.unwrap_or(0),
        }
    }
}

/// The breaks of one symbol in the order of its executions. `raw` holds (execution, feed time of the
/// break) in the order in which the breaks arrived.
#[must_use]
pub fn breaks_of(raw: &[(u32, u64)], times: &[u64], corrections: Corrections) -> Vec<Break> {
    let mut breaks: Vec<Break> = (0..)
        .zip(raw)
        .map(|(order, &(index, at))| Break::new(index, at, order, times, corrections))
        .collect();
    breaks.sort_unstable_by_key(|broken| broken.index);
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Gap, Timestamp};

    fn plan(
        times: &[u64],
        breaks: &[Break],
        width: u64,
        every_end: bool,
    ) -> Vec<(u64, u32, u32, u32)> {
        let gaps = Gaps::default();
        let width = crate::market::Duration::from_millis(width).unwrap();
        let times: Vec<u64> = times.iter().map(|t| t * 1_000_000).collect();
        let breaks: Vec<Break> = breaks
            .iter()
            .map(|b| Break {
                at: b.at * 1_000_000,
                ..*b
            })
            .collect();
        let width = Width::Finite(width);
        let planner = Planner {
            times: &times,
            breaks: &breaks,
            gaps: &gaps,
            width,
            step: 10_000_000,
            every_end,
        };
        let mut rows = vec![];
        planner.plan(0, 1_000_000_000, |row| {
            rows.push((
                row.end / 1_000_000,
                row.bounds.low,
                row.bounds.high,
                row.revision,
            ));
        });
        rows
    }

    #[test]
    fn rows_exist_where_the_set_changes() {
        assert_eq!(
            plan(&[5, 12, 19, 20], &[], 20, false),
            [(10, 0, 1, 0), (20, 0, 3, 0), (30, 1, 4, 0), (40, 3, 4, 0)]
        );
        assert_eq!(
            plan(&[5], &[], 30, true),
            [(10, 0, 1, 0), (20, 0, 1, 0), (30, 0, 1, 0)]
        );
        assert_eq!(plan(&[5], &[], 30, false), [(10, 0, 1, 0)]);
        assert_eq!(
            plan(&[5, 9, 95], &[], 5, false),
            [(10, 0, 2, 0), (100, 2, 3, 0)]
        );
        assert_eq!(
            plan(&[4], &[], 5, false),
            [],
            "narrower than the step and outside the window"
        );
    }

    #[test]
    fn breaks_hide_later_and_correct_earlier_rows() {
        let broken = |index, at| Break {
            index,
            at,
            published: true,
            order: 0,
        };
        assert_eq!(plan(&[5, 6], &[broken(1, 8)], 20, false), [(10, 0, 2, 0)]);
        assert_eq!(plan(&[5], &[broken(0, 8)], 20, false), []);
        assert_eq!(
            plan(&[5, 12, 25], &[broken(1, 21)], 20, false),
            [(10, 0, 1, 0), (20, 0, 2, 1), (30, 1, 3, 0)]
        );
    }

    #[test]
    fn complete_changes_make_rows() {
        let mut gaps = Gaps::default();
        let gap = Gap {
            after: Timestamp(25_000_000),
            before: Timestamp(31_000_000),
            first_sequence: 1,
            count: 1,
        };
        gaps.add(&gap);
        let planner = Planner {
            times: &[5_000_000],
            breaks: &[],
            gaps: &gaps,
            width: Width::Session,
            step: 10_000_000,
            every_end: false,
        };
        let mut rows = vec![];
        planner.plan(0, 90_000_000, |row| rows.push((row.end, row.complete)));
        assert_eq!(rows, [(10_000_000, true), (30_000_000, false)]);
    }
}
