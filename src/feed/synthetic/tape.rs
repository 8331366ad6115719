//! The blocks as they are written, and the numbers that the exchange hands out.

use super::clock::{DAY, SYSTEM_START};
use crate::market::{Locate, Timestamp};
use crate::wire::itch50::Header;

/// The first match number; breaks of unknown executions name smaller ones.
pub(super) const FIRST_MATCH: u64 = 10_000;

/// Counts the messages and hands out references and match numbers, both increasing. Its times are those of
/// the day, drawn towards 04:00 where the day is asked to be shorter.
#[derive(Debug)]
pub(super) struct Tape {
    /// Nanoseconds from 04:00 to the end of the day.
    lasts: u64,
    messages: u64,
    reference: u64,
    match_number: u64,
}

impl Tape {
    pub(super) fn new() -> Self {
        Self {
            lasts: DAY,
            messages: 0,
            reference: 0,
            match_number: FIRST_MATCH,
        }
    }

    /// Lets the day end `nanos` after 04:00.
    pub(super) fn last(&mut self, nanos: u64) {
        self.lasts = nanos;
    }

    /// When what happens at `now` is said to happen; later is never said to be earlier.
    fn told(&self, now: u64) -> u64 {
        let drawn = |nanos: u64| {
            let product = u128::from(nanos) * u128::from(self.lasts);
            (product / u128::from(DAY)) as u64
        };
        match now.checked_sub(SYSTEM_START) {
            _ if self.lasts == DAY => now,
            Some(after) => SYSTEM_START + drawn(after),
            None => SYSTEM_START - drawn(SYSTEM_START - now),
        }
    }

    /// Messages written so far.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// A reference that is `gap + 1` above the last one.
    pub(super) fn next_reference(&mut self, gap: u32) -> u64 {
        self.reference += 1 + u64::from(gap);
        self.reference
    }

    pub(super) fn next_match(&mut self) -> u64 {
        self.match_number += 1;
        self.match_number
    }

    /// Appends one block: the message that `emit` appends, after its length.
    #[inline]
    pub(super) fn put(
        &mut self,
        out: &mut Vec<u8>,
        (locate, now): (u16, u64),
        emit: impl FnOnce(&Header, &mut Vec<u8>),
    ) {
        let start = out.len();
        out.extend_from_slice(&[0, 0]);
        let header = Header {
            locate: Locate(locate),
            tracking_number: 0,
            timestamp: Timestamp(self.told(now)),
        };
        emit(&header, out);
        let length = (out.len() - start - 2) as u16;
        out[start..start + 2].copy_from_slice(&length.to_be_bytes());
        self.messages += 1;
    }
}
