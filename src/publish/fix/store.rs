//! Sequence numbers between connections.
//!
//! A session in the sense of FIX outlives its connections: who logs on again goes on where both
//! sides stopped. Kept in memory, bounded; messages are not kept, so that what is asked for again is
//! filled with SequenceReset-GapFill.

use std::collections::HashMap;

/// Counterparties whose numbers are remembered; beyond that the one that left first is forgotten.
const MAX_REMEMBERED: usize = 1024;

/// The two sequence numbers of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// MsgSeqNum that the counterparty's next message must carry.
    pub expected: u64,
    /// MsgSeqNum of the next message to it.
    pub next: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            expected: 1,
            next: 1,
        }
    }
}

#[derive(Debug)]
struct Slot {
    numbers: Numbers,
    live: bool,
    /// When it was released, in releases.
    left: u64,
}

/// Our CompID and theirs.
type Key = (Box<[u8]>, Box<[u8]>);

/// The numbers of every session, by (our CompID, theirs).
#[derive(Debug, Default)]
pub struct Store {
    slots: HashMap<Key, Slot>,
    releases: u64,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the session of `sender` and `target` for one connection; `None` while another has it.
    pub fn acquire(&mut self, sender: &[u8], target: &[u8]) -> Option<Numbers> {
        let key = (sender.into(), target.into());
        if let Some(slot) = self.slots.get_mut(&key) {
            if slot.live {
                return None;
            }
            slot.live = true;
            return Some(slot.numbers);
        }
        if self.slots.len() >= MAX_REMEMBERED {
            self.forget_oldest();
        }
        let numbers = Numbers::default();
        let slot = Slot {
            numbers,
            live: true,
            left: 0,
        };
        self.slots.insert(key, slot);
        Some(numbers)
    }

    /// Gives the session back with the numbers it has come to.
    pub fn release(&mut self, sender: &[u8], target: &[u8], numbers: Numbers) {
        self.releases += 1;
        if let Some(slot) = self.slots.get_mut(&(sender.into(), target.into())) {
            *slot = Slot {
                numbers,
                live: false,
                left: self.releases,
            };
        }
    }

    /// Sessions remembered, live ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no session is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .slots
            .iter()
            .filter(|(_, slot)| !slot.live)
            .min_by_key(|(_, slot)| slot.left)
            .map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.slots.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_and_a_live_session_is_taken() {
        let mut store = Store::new();
        assert_eq!(store.acquire(b"W", b"A"), Some(Numbers::default()));
        assert_eq!(store.acquire(b"W", b"A"), None);
        let later = Numbers {
            expected: 9,
            next: 40,
        };
        store.release(b"W", b"A", later);
        assert_eq!(store.acquire(b"W", b"B"), Some(Numbers::default()));
        assert_eq!(store.acquire(b"W", b"A"), Some(later));
    }

    #[test]
    fn the_one_that_left_first_is_forgotten() {
        let mut store = Store::new();
        let later = Numbers {
            expected: 2,
            next: 2,
        };
        for peer in 0..=MAX_REMEMBERED {
            let name = peer.to_string();
            store.acquire(b"W", name.as_bytes()).unwrap();
            if peer > 0 {
                store.release(b"W", name.as_bytes(), later);
            }
        }
        assert_eq!(store.len(), MAX_REMEMBERED);
        assert_eq!(store.acquire(b"W", b"0"), None, "live ones stay");
        assert_eq!(store.acquire(b"W", b"2"), Some(later));
        assert_eq!(store.acquire(b"W", b"1"), Some(Numbers::default()));
    }
}
