//! Market data that a session has taken and nobody has collected yet.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};

/// Whole messages, one behind the other, and what is missing between them.
#[derive(Debug, Default)]
pub(super) struct Taken {
    bytes: BytesMut,
    /// Length of each, and how many are missing in front of it: 0 if nobody knows.
    messages: VecDeque<(usize, Option<u64>)>,
    /// What is missing in front of the next.
    lost: Option<u64>,
}

impl Taken {
    /// Adds a message.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.messages.push_back((bytes.len(), self.lost.take()));
    }

    /// Messages are missing in front of the next one.
    pub(super) fn lose(&mut self, count: u64) {
        self.lost = Some(self.lost.unwrap_or(0).saturating_add(count));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Moves messages into `into` until it is full or something is missing in front of the next.
    /// Returns how many bytes they take, and what is missing in front of the first; without a message,
    /// what is missing at the end.
    pub(super) fn collect(&mut self, into: &mut [u8]) -> (usize, Option<u64>) {
        if self.messages.is_empty() {
            return (0, self.lost.take());
        }
        let (mut filled, mut missing) = (0, None);
        while let Some(&(length, lost)) = self.messages.front() {
            if filled + length > into.len() || (filled > 0 && lost.is_some()) {
                break;
            }
            missing = missing.or(lost);
            into[filled..filled + length].copy_from_slice(&self.bytes[..length]);
            self.bytes.advance(length);
            self.messages.pop_front();
            filled += length;
        }
        (filled, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stays_in_its_place() {
        let mut taken = Taken::default();
        taken.push(b"aa");
        taken.push(b"bb");
        taken.lose(2);
        taken.lose(3);
        taken.push(b"cc");
        taken.push(b"dd");
        let mut into = [0; 5];
        assert_eq!(taken.collect(&mut into), (4, None));
        assert_eq!(&into[..4], b"aabb");
        assert_eq!(taken.collect(&mut into[..3]), (2, Some(5)));
        assert_eq!(taken.collect(&mut into), (2, None));
        assert_eq!(&into[..2], b"dd");
        assert!(taken.is_empty());
        taken.lose(0);
        taken.push(b"ee");
        assert_eq!(taken.collect(&mut into), (2, Some(0)));
        taken.lose(u64::MAX);
        taken.lose(1);
        assert_eq!(taken.collect(&mut into), (0, Some(u64::MAX)));
        assert_eq!(taken.collect(&mut into), (0, None));
    }
}
