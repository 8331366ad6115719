//! The blocks as they are written, and the numbers that the exchange hands out.

use crate::market::{Locate, Timestamp};
use crate::wire::itch50::Header;

/// The first match number; breaks of unknown executions name smaller ones.
pub(super) const FIRST_MATCH: u64 = 10_000;

/// Counts the messages and hands out references and match numbers, both increasing.
#[derive(Debug)]
pub(super) struct Tape {
    messages: u64,
    reference: u64,
    match_number: u64,
}

impl Tape {
    pub(super) fn new() -> Self {
        Self {
            messages: 0,
            reference: 0,
            match_number: FIRST_MATCH,
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
            timestamp: Timestamp(now),
        };
        emit(&header, out);
        let length = (out.len() - start - 2) as u16;
        out[start..start + 2].copy_from_slice(&length.to_be_bytes());
        self.messages += 1;
    }
}
