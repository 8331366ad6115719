//! Which messages are known to be missing.
//!
//! The frontier is the next number as far as anything received has told: everything below it is
//! delivered, held, or in exactly one hole. Holes are sorted and disjoint, and since the frontier
//! only moves up, the first hole is also the oldest.

use std::collections::VecDeque;

/// A run of messages that are missing but exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Number of the first missing message.
    pub first_sequence: u64,
    /// The number after the last missing message.
    pub next_sequence: u64,
    /// When it became known that they exist, in nanoseconds on the caller's clock.
    pub since_ns: u64,
}

/// The open holes and the frontier.
#[derive(Debug)]
pub(super) struct Holes {
    list: VecDeque<Hole>,
    frontier: u64,
    limit: usize,
}

impl Holes {
    /// No holes, message 1 next. Beyond `limit` holes, a new one that touches the last is joined to
    /// it, and with it inherits its age.
    pub(super) fn new(limit: usize, reserved: usize) -> Self {
        Self {
            list: VecDeque::with_capacity(reserved),
            frontier: 1,
            limit,
        }
    }

    pub(super) fn frontier(&self) -> u64 {
        self.frontier
    }

    pub(super) fn first(&self) -> Option<&Hole> {
        self.list.front()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Hole> + '_ {
        self.list.iter().copied()
    }

    /// Forgets everything; `next` is the next number.
    pub(super) fn restart(&mut self, next: u64) {
        self.list.clear();
        self.frontier = next;
    }

    /// Moves the frontier over messages that are there. Only without holes.
    pub(super) fn advance(&mut self, next: u64) {
        debug_assert!(self.list.is_empty() && next >= self.frontier);
        self.frontier = next;
    }

    /// Learns that every message below `next` exists.
    pub(super) fn reveal(&mut self, next: u64, now_ns: u64) {
        if next <= self.frontier {
            return;
        }
        let first_sequence = self.frontier;
        self.frontier = next;
        if self.list.len() >= self.limit
            && let Some(last) = self.list.back_mut()
            && last.next_sequence == first_sequence
        {
            last.next_sequence = next;
            return;
        }
        self.list.push_back(Hole {
            first_sequence,
            next_sequence: next,
            since_ns: now_ns,
        });
    }

    /// Whether a message of `first .. next` is missing or not even known.
    pub(super) fn wants(&self, first: u64, next: u64) -> bool {
        next > self.frontier
            || self
                .list
                .get(self.after(first))
                .is_some_and(|hole| hole.first_sequence < next)
    }

    /// Takes `first .. next` out of the holes, moves the frontier if need be, and says how many of
    /// these messages were wanted. `first` is not beyond the frontier.
    pub(super) fn fill(&mut self, first: u64, next: u64) -> u64 {
        debug_assert!(first <= self.frontier);
        let mut filled = next.saturating_sub(self.frontier);
        self.frontier = self.frontier.max(next);
        let mut at = self.after(first);
        while let Some(hole) = self.list.get_mut(at)
            && hole.first_sequence < next
        {
            let whole = *hole;
            let from = first.max(whole.first_sequence);
            let to = next.min(whole.next_sequence);
            filled += to - from;
            match (whole.first_sequence < from, to < whole.next_sequence) {
                (false, false) => {
                    self.list.remove(at);
                    continue;
                }
                (true, false) => hole.next_sequence = from,
                (false, true) => hole.first_sequence = to,
                (true, true) => {
                    hole.next_sequence = from;
                    let rest = Hole {
                        first_sequence: to,
                        ..whole
                    };
                    self.list.insert(at + 1, rest);
                    break;
                }
            }
            at += 1;
        }
        filled
    }

    /// Gives up the first hole, but not from `limit` on, and returns what was given up.
    pub(super) fn give_up(&mut self, limit: u64) -> Option<(u64, u64)> {
        let hole = self.list.front_mut()?;
        let first = hole.first_sequence;
        if limit < hole.next_sequence {
            hole.first_sequence = limit.max(first);
            return (limit > first).then_some((first, limit));
        }
        let next = hole.next_sequence;
        self.list.pop_front();
        Some((first, next))
    }

    /// Index of the first hole that ends after `sequence`.
    fn after(&self, sequence: u64) -> usize {
        self.list
            .partition_point(|hole| hole.next_sequence <= sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(holes: &Holes) -> Vec<(u64, u64, u64)> {
        holes
            .iter()
            .map(|hole| (hole.first_sequence, hole.next_sequence, hole.since_ns))
            .collect()
    }

    #[test]
    fn filling_cuts_splits_and_removes() {
        let mut holes = Holes::new(8, 0);
        holes.reveal(10, 5);
        assert_eq!(holes.fill(1, 3), 2);
        assert_eq!(holes.fill(8, 12), 4, "two missing, two new");
        assert_eq!(holes.frontier(), 12);
        assert_eq!(ranges(&holes), [(3, 8, 5)]);
        assert_eq!(holes.fill(5, 6), 1);
        assert_eq!(ranges(&holes), [(3, 5, 5), (6, 8, 5)]);
        assert!(!holes.wants(5, 6) && !holes.wants(8, 12));
        assert!(holes.wants(5, 7) && holes.wants(11, 13) && holes.wants(1, 4));
        assert_eq!(holes.fill(4, 20), 11);
        assert_eq!(ranges(&holes), [(3, 4, 5)]);
    }

    #[test]
    fn giving_up_stops_at_its_limit() {
        let mut holes = Holes::new(8, 0);
        holes.reveal(10, 5);
        assert_eq!(holes.give_up(1), None);
        assert_eq!(holes.give_up(4), Some((1, 4)));
        assert_eq!(ranges(&holes), [(4, 10, 5)]);
        assert_eq!(holes.give_up(10), Some((4, 10)));
        assert_eq!(holes.give_up(u64::MAX), None);
    }

    #[test]
    fn holes_keep_their_ages_until_there_are_too_many() {
        let mut holes = Holes::new(2, 0);
        for (next, now) in [(3, 10), (5, 20), (7, 30), (7, 40), (2, 50)] {
            holes.reveal(next, now);
        }
        assert_eq!(ranges(&holes), [(1, 3, 10), (3, 7, 20)]);
    }
}
