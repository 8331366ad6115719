//! Orders that the ring has no slot for: open addressing with linear probing over the same slots.
//!
//! An entry is at its home, the beginning of the line that the top bits of a product with an odd number
//! name, or behind it without an empty slot between. Removal closes the hole by moving later entries back,
//! so there are no tombstones and a search ends at the first empty slot. At most half of the slots are
//! used, so nearly every search ends in the line in which it began.

use super::slot::{Order, Slot};
use crate::memory::Memory;

/// Fewest slots, as a power of two.
const LEAST_BITS: u32 = 8;
/// Slots in a cache line.
const IN_LINE: usize = 64 / size_of::<Slot>();
/// Orders that wait to be put in: their places are asked for together, so that the waits overlap.
const WAITING: usize = 32;

/// A set of slots by reference.
#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Slot]>,
    /// Orders in `slots`.
    length: usize,
    bits: u32,
    waiting: [Slot; WAITING],
    /// Orders in `waiting`.
    wait: usize,
    memory: Memory,
}

impl Table {
    /// An empty table of `1 << bits` slots at first, 256 at least.
    pub(super) fn new(bits: u32, memory: Memory) -> Self {
        let bits = bits.max(LEAST_BITS);
        Self {
            slots: memory.array(1 << bits),
            length: 0,
            bits,
            waiting: [Slot::default(); WAITING],
            wait: 0,
            memory,
        }
    }

    #[inline(always)]
    fn home(&self, reference: u64) -> usize {
        let top = reference.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - self.bits);
        top as usize & !(IN_LINE - 1)
    }

    #[inline(always)]
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    /// The slots, and where a search for `reference` begins among them.
    #[inline(always)]
    pub(super) fn place(&self, reference: u64) -> (&[Slot], usize) {
        (&self.slots, self.home(reference))
    }

    fn find(&self, reference: u64) -> Option<usize> {
        let mut place = self.home(reference);
        while !self.slots[place].is_empty() {
            if self.slots[place].reference() == reference {
                return Some(place);
            }
            place = self.after(place);
        }
        None
    }

    /// Takes up to `shares` from the order of `reference`: what it was before, and whether it is gone.
    pub(super) fn reduce(&mut self, reference: u64, shares: u32) -> Option<(Order, bool)> {
        if let Some(place) = self.find(reference) {
            let before = self.slots[place].reduce(shares);
            let gone = self.slots[place].is_empty();
            if gone {
                self.close(place);
            }
            return Some((before, gone));
        }
        let waiting = &mut self.waiting[..self.wait];
        let place = waiting
            .iter()
            .position(|slot| slot.reference() == reference)?;
        let before = waiting[place].reduce(shares);
        let gone = waiting[place].is_empty();
        if gone {
            self.wait -= 1;
            self.waiting[place] = self.waiting[self.wait];
        }
        Some((before, gone))
    }

    /// Adds an order whose reference is not in.
    #[inline]
    pub(super) fn insert(&mut self, slot: Slot) {
        let (slots, home) = self.place(slot.reference());
        self.memory.prefetch(slots, home);
        self.waiting[self.wait] = slot;
        self.wait += 1;
        if self.wait == WAITING {
            self.admit();
        }
    }

    /// Puts the orders in that wait.
    fn admit(&mut self) {
        while 2 * (self.length + self.wait) > self.slots.len() {
            self.grow();
        }
        self.length += self.wait;
        for waiting in 0..self.wait {
            self.put(self.waiting[waiting]);
        }
        self.wait = 0;
    }

    fn put(&mut self, slot: Slot) {
        let mut place = self.home(slot.reference());
        while !self.slots[place].is_empty() {
            place = self.after(place);
        }
        self.slots[place] = slot;
    }

    fn grow(&mut self) {
        self.bits += 1;
        let larger = self.memory.array(1 << self.bits);
        let slots = std::mem::replace(&mut self.slots, larger);
        for slot in slots.iter().filter(|slot| !slot.is_empty()) {
            self.put(*slot);
        }
    }

    /// Closes the hole at `place`, whose order has lost its shares.
    fn close(&mut self, place: usize) {
        self.length -= 1;
        let mut hole = place;
        let mut next = self.after(place);
        while !self.slots[next].is_empty() {
            // An entry may move back to the hole if its home is not between the two.
            let home = self.home(self.slots[next].reference());
            let mask = self.slots.len() - 1;
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = self.after(next);
        }
        self.slots[hole] = Slot::default();
    }

    pub(super) fn length(&self) -> usize {
        self.length + self.wait
    }

    pub(super) fn bytes(&self) -> u64 {
        size_of_val(&*self.slots) as u64
    }
}
