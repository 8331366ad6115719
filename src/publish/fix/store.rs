//! Sequence numbers between connections.
//!
//! A session in the sense of FIX outlives its connections: who logs on again goes on where both
//! sides stopped. Kept in memory, bounded; messages are not kept, so that what is asked for again is
//! filled with SequenceReset-GapFill.

use std::collections::HashMap;

use super::Version;

/// Counterparties whose numbers are remembered; beyond that the one that left first is forgotten.
const MAX_REMEMBERED: usize = 1024;

/// The two sequence numbers of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// MsgSeqNum that the counterparty's next message must carry.
    pub expected: u64,
    /// MsgSeqNum of the next message to it.
    pub next: u64,
    /// When the scheduled period opened that they belong to, in nanoseconds since 1970-01-01 UTC; 0
    /// without a schedule.
    pub opened_ns: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            expected: 1,
            next: 1,
            opened_ns: 0,
        }
    }
}

/// What names a session: version, our CompID and theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The version, of which BeginString is part of the name.
    pub version: Version,
    /// Our CompID.
    pub sender: Box<[u8]>,
    /// Theirs.
    pub target: Box<[u8]>,
}

#[derive(Debug)]
struct Slot {
    numbers: Numbers,
    live: bool,
    /// When it was released, in releases.
    left: u64,
}

/// The numbers of every session.
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

    /// Takes a session for one connection; `None` while another has it. Numbers of another period
    /// than the one that opened at `opened_ns` start again.
    pub fn acquire(&mut self, key: &Key, opened_ns: u64) -> Option<Numbers> {
        let fresh = Numbers {
            opened_ns,
            ..Numbers::default()
        };
        if let Some(slot) = self.slots.get_mut(key) {
            if slot.live {
                return None;
            }
            slot.live = true;
            if slot.numbers.opened_ns != opened_ns {
                slot.numbers = fresh;
            }
            return Some(slot.numbers);
        }
        if self.slots.len() >= MAX_REMEMBERED {
            self.forget_oldest();
        }
        let slot = Slot {
            numbers: fresh,
            live: true,
            left: 0,
        };
        self.slots.insert(key.clone(), slot);
        Some(fresh)
    }

    /// Gives the session back with the numbers it has come to.
    pub fn release(&mut self, key: &Key, numbers: Numbers) {
        self.releases += 1;
        if let Some(slot) = self.slots.get_mut(key) {
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

    fn key(target: &str) -> Key {
        Key {
            version: Version::Fix44,
            sender: b"W"[..].into(),
            target: target.as_bytes().into(),
        }
    }

    #[test]
    fn numbers_go_on_and_a_live_session_is_taken() {
        let mut store = Store::new();
        assert_eq!(store.acquire(&key("A"), 0), Some(Numbers::default()));
        assert_eq!(store.acquire(&key("A"), 0), None);
        let later = Numbers {
            expected: 9,
            next: 40,
            opened_ns: 0,
        };
        store.release(&key("A"), later);
        assert_eq!(store.acquire(&key("B"), 0), Some(Numbers::default()));
        let other = Key {
            version: Version::Fix42,
            ..key("A")
        };
        assert_eq!(store.acquire(&other, 0), Some(Numbers::default()));
        assert_eq!(store.acquire(&key("A"), 0), Some(later));
    }

    #[test]
    fn a_new_period_starts_numbers_again() {
        let mut store = Store::new();
        let fresh = |opened_ns| Numbers {
            opened_ns,
            ..Numbers::default()
        };
        assert_eq!(store.acquire(&key("A"), 7), Some(fresh(7)));
        let later = Numbers {
            next: 40,
            ..fresh(7)
        };
        store.release(&key("A"), later);
        assert_eq!(store.acquire(&key("A"), 7), Some(later));
        store.release(&key("A"), later);
        assert_eq!(store.acquire(&key("A"), 8), Some(fresh(8)));
    }

    #[test]
    fn the_one_that_left_first_is_forgotten() {
        let mut store = Store::new();
        let later = Numbers {
            expected: 2,
            next: 2,
            opened_ns: 0,
        };
        for peer in 0..=MAX_REMEMBERED {
            let name = key(&peer.to_string());
            store.acquire(&name, 0).unwrap();
            if peer > 0 {
                store.release(&name, later);
            }
        }
        assert_eq!(store.len(), MAX_REMEMBERED);
        assert_eq!(store.acquire(&key("0"), 0), None, "live ones stay");
        assert_eq!(store.acquire(&key("2"), 0), Some(later));
        assert_eq!(store.acquire(&key("1"), 0), Some(Numbers::default()));
    }
}
