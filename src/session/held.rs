//! Packets that wait for an earlier one, sorted by their first message.

use std::collections::VecDeque;

use crate::buffer::Packet;

/// A packet with the messages `first .. next`.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) packet: Packet,
    pub(super) first: u64,
    pub(super) next: u64,
}

/// The packets that wait. The sequencer keeps their number within its bound.
#[derive(Debug)]
pub(super) struct Waiting {
    list: VecDeque<Held>,
}

impl Waiting {
    pub(super) fn new(reserved: usize) -> Self {
        Self {
            list: VecDeque::with_capacity(reserved),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds a packet; what arrives in order goes to the end without a search.
    pub(super) fn insert(&mut self, held: Held) {
        match self.list.back() {
            Some(last) if last.first > held.first => {
                let at = self.list.partition_point(|other| other.first <= held.first);
                self.list.insert(at, held);
            }
            _ => self.list.push_back(held),
        }
    }

    /// Takes the first packet, if it starts at or before `expected`.
    pub(super) fn pop_due(&mut self, expected: u64) -> Option<Held> {
        if self.list.front()?.first > expected {
            return None;
        }
        self.list.pop_front()
    }
}
