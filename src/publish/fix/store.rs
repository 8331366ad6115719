//! Sequence numbers, and messages if asked, between connections.
//!
//! A session in the sense of FIX outlives its connections: who logs on again goes on where both sides
//! stopped. Kept in memory, bounded; with a file ([`StoreOptions::file`]) also beyond the process,
//! however it ends. Numbers are written in blocks ahead: the file says up to which number messages may
//! have been sent, and a process that was killed goes on there; what it never sent is filled with
//! SequenceReset-GapFill when it is asked for. So nothing waits for the file while messages go out,
//! unless messages are kept: these are in the file before they are on the wire.

mod journal;
mod kept;
mod records;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Deserialize;

use journal::Journal;
use kept::KeptMessages;
use records::{Kept, Record};

pub use journal::StoreError;
pub use records::{Key, Numbers};

/// Sessions whose numbers are remembered; beyond that the one that left first is forgotten.
const MAX_REMEMBERED: usize = 1024;
/// Numbers that are written ahead. When half of them are used, the next block is written.
const BLOCK: u64 = 65_536;
/// Bytes of a file at which it is written anew without what no longer counts.
const REWRITE_FROM: u64 = 64 << 20;

/// Where numbers and messages are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// A file that outlives the process; in memory alone unless said.
    pub file: Option<PathBuf>,
    /// Newest application messages that are kept of each session, of 64 MiB together at most, to be sent again
    /// when asked for; default 0, then gap fills stand for them.
    pub messages: usize,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    numbers: Numbers,
    /// What the file says of `numbers`: numbers from `next` on have never been sent.
    written: Numbers,
    kept: KeptMessages,
    live: bool,
    /// When it was released, in releases.
    left: u64,
}

/// The place of a session in the store, as long as the session is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// The numbers of every session.
#[derive(Debug, Default)]
pub struct Store {
    places: HashMap<Key, u32>,
    slots: BTreeMap<u32, Slot>,
    next_place: u32,
    releases: u64,
    /// Messages kept of each session.
    keep: usize,
    journal: Option<Journal>,
    rewrite_from: u64,
    failure: Option<StoreError>,
}

impl Store {
    /// An empty store in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The store that `options` ask for, with what its file holds.
    ///
    /// # Errors
    /// When the file cannot be read or written, is no journal, or is damaged in the middle.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let mut store = Self {
            keep: options.messages,
            rewrite_from: REWRITE_FROM,
            ..Self::default()
        };
        let Some(path) = &options.file else {
            return Ok(store);
        };
        let journal = Journal::open(path, |payload| store.replay(payload))?;
        store.journal = Some(journal);
        store.rewrite();
        store.commit();
        match store.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(store),
        }
    }

    /// Takes a session for one connection; `None` while another has it. Numbers of another period
    /// than the one that opened at `opened_ns` start again.
    pub fn acquire(&mut self, key: &Key, opened_ns: u64) -> Option<(Place, Numbers)> {
        let place = match self.places.get(key) {
            Some(&place) => place,
            None => {
                if self.slots.len() >= MAX_REMEMBERED {
                    self.forget_oldest();
                }
                self.introduce(key.clone())
            }
        };
        let slot = self.slots.get_mut(&place).filter(|slot| !slot.live)?;
        slot.live = true;
        if slot.numbers.opened_ns != opened_ns {
            slot.numbers.opened_ns = opened_ns;
            self.reset(Place(place));
        }
        let numbers = self.slots.get(&place)?.numbers;
        self.reserve(place, numbers);
        Some((Place(place), numbers))
    }

    /// Gives the session back with the numbers it has come to.
    pub fn release(&mut self, place: Place, numbers: Numbers) {
        self.releases += 1;
        if let Some(slot) = self.slots.get_mut(&place.0) {
            slot.numbers = numbers;
            slot.live = false;
            slot.left = self.releases;
        }
        self.write(place.0, numbers);
    }

    /// Takes note of how far a live session has come: writes what came in, and another block of
    /// numbers when half of the last one is used.
    pub fn progress(&mut self, place: Place, numbers: Numbers) {
        let Some(slot) = self.slots.get_mut(&place.0) else {
            return;
        };
        slot.numbers = numbers;
        let written = slot.written;
        if written.expected != numbers.expected || written.next < numbers.next + BLOCK / 2 {
            self.reserve(place.0, numbers);
        }
    }

    /// The first number that may not be used before [`progress`](Self::progress) is called.
    #[must_use]
    pub fn reserved(&self, place: Place) -> u64 {
        match (&self.journal, self.slots.get(&place.0)) {
            (Some(_), Some(slot)) => slot.written.next,
            _ => u64::MAX,
        }
    }

    /// Reserves another block behind `next` at once, when a burst has used up the last one.
    pub(super) fn extend(&mut self, place: Place, next: u64) {
        if let Some(slot) = self.slots.get_mut(&place.0) {
            slot.numbers.next = next;
            let numbers = slot.numbers;
            self.reserve(place.0, numbers);
        }
    }

    /// Both numbers of a session are 1 again, and no message is kept.
    pub fn reset(&mut self, place: Place) {
        let Some(slot) = self.slots.get_mut(&place.0) else {
            return;
        };
        slot.kept.clear();
        let opened_ns = slot.numbers.opened_ns;
        slot.numbers = Numbers {
            opened_ns,
            ..Numbers::default()
        };
        let numbers = slot.numbers;
        self.append(&Record::Reset { place: place.0 });
        self.reserve(place.0, numbers);
    }

    /// Keeps a message of which `parts` are the body, if messages are kept.
    pub(super) fn keep(
        &mut self,
        place: Place,
        sent_ns: u64,
        sequence: u64,
        msg_type: &[u8],
        parts: &[&[u8]],
    ) {
        if self.keep == 0 || matches!(msg_type, [b'0'..=b'5' | b'A']) {
            return;
        }
        let kept = Kept {
            sequence,
            sent_ns,
            msg_type: msg_type.into(),
            body: parts.concat().into(),
        };
        self.append(&Record::Message {
            place: place.0,
            message: kept.clone(),
        });
        if let Some(slot) = self.slots.get_mut(&place.0) {
            slot.kept.push(kept, self.keep);
        }
    }

    /// The first kept message of a session with a number from `from` on.
    pub(super) fn kept(&self, place: Place, from: u64) -> Option<&Kept> {
        self.slots.get(&place.0)?.kept.first_from(from)
    }

    /// Puts what was noted into the file. To be called before bytes go out that depend on it.
    pub(super) fn commit(&mut self) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        let done = journal.commit();
        if journal.length() > self.rewrite_from {
            self.rewrite();
        }
        self.note(done);
    }

    /// Why numbers could not be kept, once.
    pub(super) fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
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

    fn note(&mut self, done: Result<(), StoreError>) {
        if let Err(failure) = done {
            self.failure.get_or_insert(failure);
        }
    }

    /// A place for a session that is not known.
    fn introduce(&mut self, key: Key) -> u32 {
        let place = self.next_place;
        self.append(&Record::Session {
            place,
            key: key.clone(),
        });
        self.enter(place, key);
        place
    }

    /// Gives `key` its place; one that it had before no longer counts.
    fn enter(&mut self, place: u32, key: Key) {
        self.next_place = self.next_place.max(place + 1);
        if let Some(former) = self.places.insert(key.clone(), place) {
            self.slots.remove(&former);
        }
        let slot = Slot {
            key,
            numbers: Numbers::default(),
            written: Numbers::default(),
            kept: KeptMessages::default(),
            live: false,
            left: self.releases,
        };
        self.slots.insert(place, slot);
    }

    /// Writes numbers with a whole block ahead.
    fn reserve(&mut self, place: u32, numbers: Numbers) {
        let next = numbers.next + BLOCK;
        self.write(place, Numbers { next, ..numbers });
    }

    fn write(&mut self, place: u32, numbers: Numbers) {
        if let Some(slot) = self.slots.get_mut(&place) {
            slot.written = numbers;
            self.append(&Record::Numbers { place, numbers });
        }
    }

    fn append(&mut self, record: &Record) {
        if let Some(journal) = &mut self.journal {
            record.append_to(journal);
        }
    }

    /// Takes a record of the file.
    fn replay(&mut self, payload: &[u8]) {
        match Record::parse(payload) {
            Some(Record::Session { place, key }) => self.enter(place, key),
            Some(Record::Numbers { place, numbers }) => {
                if let Some(slot) = self.slots.get_mut(&place) {
                    (slot.numbers, slot.written) = (numbers, numbers);
                }
            }
            Some(Record::Reset { place }) => {
                if let Some(slot) = self.slots.get_mut(&place) {
                    slot.kept.clear();
                }
            }
            Some(Record::Message { place, message }) => {
                if let Some(slot) = self.slots.get_mut(&place) {
                    slot.kept.push(message, self.keep);
                }
            }
            Some(Record::Forget { place }) => self.forget(place),
            None => {}
        }
    }

    /// Writes the file anew with what counts.
    fn rewrite(&mut self) {
        let Some(mut journal) = self.journal.take() else {
            return;
        };
        let done = journal.rewrite(|fresh| {
            for (&place, slot) in &self.slots {
                let key = slot.key.clone();
                Record::Session { place, key }.append_to(fresh);
                let numbers = slot.written;
                Record::Numbers { place, numbers }.append_to(fresh);
                for message in slot.kept.iter().cloned() {
                    Record::Message { place, message }.append_to(fresh);
                }
            }
        });
        self.rewrite_from = REWRITE_FROM.max(journal.length() * 2);
        self.journal = Some(journal);
        self.note(done);
    }

    fn forget_oldest(&mut self) {
        let gone = self.slots.iter().filter(|(_, slot)| !slot.live);
        let oldest = gone.min_by_key(|(_, slot)| slot.left);
        if let Some((&place, _)) = oldest {
            self.append(&Record::Forget { place });
            self.forget(place);
        }
    }

    fn forget(&mut self, place: u32) {
        if let Some(slot) = self.slots.remove(&place) {
            self.places.remove(&slot.key);
        }
    }
}

#[cfg(test)]
mod tests;
