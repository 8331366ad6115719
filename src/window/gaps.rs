//! Holes in the stream and the windows that they make incomplete.
//!
//! The messages lost in a gap carried times in `[after, before]`, both included. A window
//! `[start, end)` is complete unless it meets such an interval: `after < end` and `before >= start`.

use super::Width;
use super::spec::first_end;
use crate::market::Gap;

/// So many gaps that one width holds at once are passed over in one look.
const TOGETHER: usize = 64;

/// The day's gaps as disjoint intervals in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    spans: Vec<(u64, u64)>,
}

impl Gaps {
    /// Adds a gap. Gaps arrive in the order of the stream; one that touches the last extends it.
    pub fn add(&mut self, gap: &Gap) {
        let (after, before) = (gap.after.0, gap.before.0.max(gap.after.0));
        match self.spans.last_mut() {
            Some(last) if after <= last.1 => last.1 = last.1.max(before),
            _ => self.spans.push((after, before)),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether no gap overlaps the window of `width` that ends at `end`.
    #[must_use]
    pub fn complete(&self, end: u64, width: Width) -> bool {
        let earlier = self.spans.partition_point(|&(after, _)| after < end);
        match earlier.checked_sub(1).map(|last| self.spans[last]) {
            Some((_, before)) => before < width.start(end),
            None => true,
        }
    }

    /// First end after `end` at which [`Gaps::complete`] may answer differently than one step before: it does, unless
    /// many gaps follow each other within the width.
    #[must_use]
    #[inline]
    pub fn next_change(&self, end: u64, width: Width, step: u64) -> Option<u64> {
        if self.spans.is_empty() {
            return None;
        }
        // The ends that a gap makes incomplete: from the one to before the other. Both grow from gap to gap.
        let begins = |&(after, _): &(u64, u64)| first_end(after, step);
        let ceases = |&(_, before): &(u64, u64)| {
            let ceases = width.first_end_without(before, step);
            ceases.unwrap_or(u64::MAX)
        };
        let first = self.spans.partition_point(|span| ceases(span) <= end);
        let mut later = self.spans[first..].iter();
        let now = later.next()?;
        if begins(now) > end {
            return Some(begins(now)).filter(|&next| next < u64::MAX);
        }
        let mut next = ceases(now);
        for span in later.take(TOGETHER) {
            if begins(span) > next {
                break;
            }
            next = ceases(span);
        }
        Some(next).filter(|&next| next < u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::{Duration, Timestamp};

    const MILLI: u64 = 1_000_000;

    fn gap(after: u64, before: u64) -> Gap {
        Gap {
            after: Timestamp(after),
            before: Timestamp(before),
            first_sequence: 1,
            count: 1,
        }
    }

    #[test]
    fn both_ends_of_the_interval() {
        let width = Width::Finite(Duration::from_millis(10).unwrap());
        let mut gaps = Gaps::default();
        gaps.add(&gap(5 * MILLI, 7 * MILLI));
        assert!(gaps.complete(5 * MILLI, width));
        assert!(!gaps.complete(5 * MILLI + 1, width));
        assert!(!gaps.complete(17 * MILLI, width));
        assert!(gaps.complete(17 * MILLI + 1, width));
        assert!(!gaps.complete(90 * MILLI, Width::Session));
        assert!(gaps.complete(5 * MILLI, Width::Session));
    }

    #[test]
    fn changes_are_announced_in_order() {
        let width = Width::Finite(Duration::from_millis(10).unwrap());
        let mut gaps = Gaps::default();
        gaps.add(&gap(5 * MILLI, 7 * MILLI));
        gaps.add(&gap(6 * MILLI, 8 * MILLI));
        gaps.add(&gap(50 * MILLI, u64::MAX));
        assert_eq!(gaps.spans.len(), 2, "overlapping gaps merge");
        assert_eq!(gaps.next_change(0, width, MILLI), Some(6 * MILLI));
        assert_eq!(gaps.next_change(6 * MILLI, width, MILLI), Some(19 * MILLI));
        assert_eq!(gaps.next_change(19 * MILLI, width, MILLI), Some(51 * MILLI));
        assert_eq!(gaps.next_change(51 * MILLI, width, MILLI), None);
        let session = |end| gaps.next_change(end, Width::Session, MILLI);
        assert_eq!(session(5 * MILLI), Some(6 * MILLI));
        assert_eq!(session(6 * MILLI), None, "what is lost stays lost");
    }

    proptest! {
        #[test]
        fn changes_are_announced(
            gaps in prop::collection::vec((0..9_u64, 0..9_u64), 0..100),
            (step, width, end) in (1..5_u64, 0..40_u64, 0..400_u64),
        ) {
            let width = match width {
                0 => Width::Session,
                width => Width::Finite(Duration::from_millis(width).unwrap()),
            };
            let (mut all, mut now) = (Gaps::default(), 0);
            for (pause, length) in &gaps {
                now += pause;
                all.add(&gap(now * MILLI, if now > 350 { u64::MAX } else { (now + length) * MILLI }));
            }
            let step = step * MILLI;
            let end = end * MILLI / step * step;
            let mut ends = (end / step + 1..500).map(|number| number * step);
            let change = ends.find(|&end| all.complete(end, width) != all.complete(end - step, width));
            let announced = all.next_change(end, width, step).unwrap_or(u64::MAX);
            prop_assert!(announced <= change.unwrap_or(u64::MAX));
            // A gap that lies between two windows makes none incomplete.
            let is_wide = width.last_end(0) >= step;
            if is_wide && gaps.len() <= TOGETHER && announced < 500 * step {
                prop_assert_eq!(Some(announced), change);
            }
        }
    }

    #[test]
    fn announced_changes_are_all_changes() {
        let width = Width::Finite(Duration::from_millis(3).unwrap());
        let mut gaps = Gaps::default();
        for (after, before) in [(2, 2), (9, 15), (16, 16), (30, 31)] {
            gaps.add(&gap(after * MILLI, before * MILLI));
        }
        for width in [width, Width::Session] {
            let mut announced = vec![];
            let mut end = 0;
            while let Some(next) = gaps.next_change(end, width, 2 * MILLI) {
                announced.push(next);
                end = next;
            }
            for step in 1..30 {
                let end = step * 2 * MILLI;
                if gaps.complete(end, width) != gaps.complete(end - 2 * MILLI, width) {
                    assert!(announced.contains(&end), "{end}");
                }
            }
        }
    }
}
