//! Which messages of a log of FIX have been met before.
//!
//! A message with 43=Y was sent again because somebody asked: it fills what was missing, or it is a repeat
//! and would count twice. Numbers (34) run apart for each sender and receiver. A number that goes back
//! without 43=Y begins a new run. Numbers that are missing for good are no gap: logs are often kept of some
//! types alone.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use crate::wire::fix::{Message, parse_uint, tag};

/// Pairs of sender and receiver that are told apart; messages of more are all taken.
const MOST_PAIRS: usize = 4096;

/// Runs of missing numbers remembered for each; what is in an older one and comes late is taken for a repeat.
const MOST_MISSING: usize = 256;

/// The fields of a header, and a few more: 43 may stand anywhere among them.
const HEADER_FIELDS: usize = 24;

/// The numbers met so far.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    pairs: HashMap<Vec<u8>, Numbers>,
    /// Sender and receiver of the message in hand.
    pair: Vec<u8>,
}

#[derive(Debug)]
struct Numbers {
    next: u64,
    /// Numbers below `next` that have not come, sorted.
    missing: VecDeque<Range<u64>>,
}

impl Repeats {
    /// Takes note of a message, and says whether it has been met before.
    pub(super) fn has(&mut self, message: &Message<'_>) -> bool {
        let (mut number, mut again, mut sender, mut receiver) = (None, false, &b""[..], &b""[..]);
        for field in message.fields().flatten().take(HEADER_FIELDS) {
            match field.tag {
                tag::MSG_SEQ_NUM => number = number.or(parse_uint(field.value)),
                tag::POSS_DUP_FLAG => again = field.value == b"Y",
                tag::SENDER_COMP_ID => sender = field.value,
                tag::TARGET_COMP_ID => receiver = field.value,
                _ => {}
            }
        }
        let Some(number) = number else {
            return false;
        };
        self.pair.clear();
        self.pair.extend_from_slice(sender);
        self.pair.push(1);
        self.pair.extend_from_slice(receiver);
        if let Some(numbers) = self.pairs.get_mut(&self.pair) {
            return numbers.has(number, again);
        }
        if self.pairs.len() < MOST_PAIRS {
            let begun = Numbers {
                next: number.saturating_add(1),
                missing: VecDeque::new(),
            };
            self.pairs.insert(self.pair.clone(), begun);
        }
        false
    }
}

impl Numbers {
    fn has(&mut self, number: u64, again: bool) -> bool {
        if number < self.next && again {
            return !self.fill(number);
        }
        if number < self.next {
            self.missing.clear();
        } else if number > self.next {
            self.missing.push_back(self.next..number);
            if self.missing.len() > MOST_MISSING {
                self.missing.pop_front();
            }
        }
        self.next = number.saturating_add(1);
        false
    }

    /// Takes `number` out of what is missing; whether it was there.
    fn fill(&mut self, number: u64) -> bool {
        let at = self.missing.partition_point(|run| run.end <= number);
        let Some(run) = self.missing.get_mut(at).filter(|run| run.contains(&number)) else {
            return false;
        };
        let (before, behind) = (run.start..number, number + 1..run.end);
        match (before.is_empty(), behind.is_empty()) {
            (true, true) => drop(self.missing.remove(at)),
            (true, false) => *run = behind,
            (false, true) => *run = before,
            (false, false) => {
                *run = before;
                self.missing.insert(at + 1, behind);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(repeats: &mut Repeats, sender: &str, number: u64, again: bool) -> bool {
        let flag = if again { "43=Y\u{1}" } else { "" };
        let text = format!("35=X\u{1}49={sender}\u{1}56=B\u{1}34={number}\u{1}{flag}");
        repeats.has(&Message::new(b"FIX.4.4", text.as_bytes()).unwrap())
    }

    #[test]
    fn what_was_missing_is_taken_and_the_rest_is_repeated() {
        let mut repeats = Repeats::default();
        for number in [5, 6, 12] {
            assert!(!has(&mut repeats, "A", number, false));
        }
        let again: Vec<bool> = (4..=13)
            .map(|number| has(&mut repeats, "A", number, true))
            .collect();
        let wanted = [
            true, true, true, false, false, false, false, false, true, false,
        ];
        assert_eq!(again, wanted, "7 to 11 were missing, 13 is new");
        assert!(has(&mut repeats, "A", 9, true), "a second time");
        assert!(!has(&mut repeats, "B", 9, true), "another sender");
        assert!(!has(&mut repeats, "A", 1, false), "a new run");
        assert!(!has(&mut repeats, "A", 5, true) && has(&mut repeats, "A", 1, true));
    }

    #[test]
    fn missing_numbers_are_taken_in_any_order() {
        for order in [[2, 3, 4], [4, 3, 2], [3, 2, 4], [3, 4, 2]] {
            let mut repeats = Repeats::default();
            assert!(!has(&mut repeats, "A", 1, false) && !has(&mut repeats, "A", 5, false));
            for number in order {
                assert!(!has(&mut repeats, "A", number, true), "{order:?}");
                assert!(has(&mut repeats, "A", number, true), "{order:?}");
            }
        }
    }
}
