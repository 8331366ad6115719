//! Live orders by reference: a ring of slots that every reference maps to, a table for the rest.
//!
//! References grow through the day, so the recent ones fall into different slots of a ring,
//! `reference % slots`, and are found without a search. An order whose slot a newer one takes
//! survives in the table, where each order moves at most once; if that happens although the ring has
//! few slots for each live order, the ring doubles instead. So memory follows the live orders, not
//! the length of the day, and nothing depends on the references really growing: whatever comes is
//! found by its whole reference. A reference above all that ever left the ring is not in the table,
//! which spares new orders a look into it; the exchange numbers orders in four independent sequences,
//! told apart by the lowest two bits, so there are four such marks.

use std::collections::HashMap;

use super::slot::{Order, Slot, Step};
use super::table::Table;
use crate::memory::Memory;

/// Slots that the ring may have for each live order.
pub(super) const SLOTS_PER_ORDER: u64 = 8;
/// Live orders for each in the table up to which nothing is asked for ahead there.
const ORDERS_PER_SURVIVOR: u64 = 4;
/// Sequences in which the exchange numbers orders.
const SEQUENCES: usize = 4;

/// Where the orders are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Live orders.
    pub live: u64,
    /// Live orders among them that are in the table.
    pub in_table: u64,
    /// Bytes of the ring and the table.
    pub bytes: u64,
    /// Orders that moved from the ring to the table so far.
    pub moved: u64,
}

/// The live orders.
#[derive(Debug)]
pub(super) struct Store {
    /// A power of two of slots.
    ring: Box<[Slot]>,
    table: Table,
    /// Orders with numbers larger than an exchange uses.
    odd: HashMap<u64, Order>,
    /// The highest reference of each sequence that was ever kept elsewhere than in the ring.
    elsewhere: [u64; SEQUENCES],
    live: u64,
    moved: u64,
    memory: Memory,
}

/// The ring of slots, as values that stay in registers while many of them are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Slots<'a> {
    ring: &'a [Slot],
    memory: Memory,
}

/// Where the slot of `reference` is in a ring.
#[inline(always)]
fn place(ring: &[Slot], reference: u64) -> usize {
    reference as usize & (ring.len() - 1)
}

/// Which of the exchange's sequences `reference` is of.
#[inline(always)]
fn sequence(reference: u64) -> usize {
    reference as usize % SEQUENCES
}

impl Slots<'_> {
    /// Asks for the slot of the order of a step to come. With many asked for at a time, the waits for memory
    /// overlap.
    #[inline(always)]
    pub fn prefetch(&self, step: &Step) {
        self.memory
            .prefetch(self.ring, place(self.ring, step.reference()));
    }
}

impl Store {
    /// An empty store whose ring has `1 << bits` slots at first, and its table a quarter as many: what a
    /// day needs in which the ring need not grow.
    pub(super) fn new(bits: u32, memory: Memory) -> Self {
        Self {
            ring: memory.array(1 << bits),
            table: Table::new(bits - 2, memory),
            odd: HashMap::new(),
            elsewhere: [0; SEQUENCES],
            live: 0,
            moved: 0,
            memory,
        }
    }

    #[inline(always)]
    fn place(&self, reference: u64) -> usize {
        place(&self.ring, reference)
    }

    /// The ring, to bring slots of it into cache.
    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots {
            ring: &self.ring,
            memory: self.memory,
        }
    }

    /// Whether so many of the live orders are in the table that it pays to look for them ahead.
    #[inline(always)]
    pub(super) fn has_survivors(&self) -> bool {
        self.table.length() as u64 > self.live / ORDERS_PER_SURVIVOR
    }

    /// When the ring's slot has arrived: brings the table's slot into cache if the order of a step rests
    /// and is not in the ring, or if it joins where another is, which will move there.
    #[inline(always)]
    pub(super) fn prefetch_survivor(&self, step: &Step) {
        let slot = self.ring[self.place(step.reference())];
        if !step.fits(&slot) {
            let reference = step.reference() & !step.joins() | slot.reference() & step.joins();
            let (table, home) = self.table.place(reference);
            self.memory.prefetch(table, home);
        }
    }

    /// Takes a step that the order's slot in the ring is enough for: a new order finds it empty, or the
    /// order that leaves is there. Returns the order; nothing has happened if that is `None`.
    #[inline(always)]
    pub(super) fn step(&mut self, step: &Step) -> Option<Order> {
        let reference = step.reference();
        let place = self.place(reference);
        let slot = &mut self.ring[place];
        if !step.fits(slot) || !step.is_above(self.elsewhere[sequence(reference)]) {
            return None;
        }
        // Without a branch on whether it joins: then there is one more, otherwise one less.
        self.live = self.live.wrapping_sub(step.joins() | 1);
        Some(step.take(slot))
    }

    /// Takes a step with which an order leaves and one with which another joins on its side, as
    /// [`Store::step`] takes one. Returns both orders.
    #[inline(always)]
    pub(super) fn replace(&mut self, leaves: &Step, joins: Step) -> Option<(Order, Order)> {
        let from = self.place(leaves.reference());
        let joins = joins.on_side_of(&self.ring[from]);
        let to = self.place(joins.reference());
        let elsewhere = self.elsewhere[sequence(joins.reference())];
        // In the place of the one that leaves the other does not fit.
        let fit = leaves.fits(&self.ring[from]) & joins.fits(&self.ring[to]);
        if !fit || !joins.is_above(elsewhere) {
            return None;
        }
        let left = leaves.take(&mut self.ring[from]);
        Some((left, joins.take(&mut self.ring[to])))
    }

    /// Takes up to `shares` from the order of `reference` and returns what it was before: nothing if
    /// it is not live. An order without shares left is gone.
    #[inline(always)]
    pub(super) fn reduce(&mut self, reference: u64, shares: u32) -> Option<Order> {
        let place = self.place(reference);
        let slot = &mut self.ring[place];
        if slot.holds(reference) {
            let before = slot.reduce(shares);
            self.live -= u64::from(slot.is_empty());
            return Some(before);
        }
        Some(self.reduce_elsewhere(reference, shares)).filter(|before| before.shares() > 0)
    }

    #[inline(never)]
    fn reduce_elsewhere(&mut self, reference: u64, shares: u32) -> Order {
        if let Some((before, gone)) = self.table.reduce(reference, shares) {
            self.live -= u64::from(gone);
            return before;
        }
        let Some(order) = self.odd.get_mut(&reference) else {
            return Order::NONE;
        };
        let before = order.reduce(shares);
        if order.shares() == 0 {
            self.odd.remove(&reference);
            self.live -= 1;
        }
        before
    }

    /// Whether the order of `reference` may be live: it is in the ring, or could be elsewhere.
    #[inline(always)]
    pub(super) fn may_be_live(&self, reference: u64) -> bool {
        self.ring[self.place(reference)].holds(reference)
            || reference <= self.elsewhere[sequence(reference)]
    }

    /// Notes that the order of `reference` is kept elsewhere than in the ring.
    fn note_elsewhere(&mut self, reference: u64) {
        let highest = &mut self.elsewhere[sequence(reference)];
        *highest = reference.max(*highest);
    }

    /// Adds an order with shares under a reference that is not live.
    #[inline(always)]
    pub(super) fn insert(&mut self, reference: u64, order: Order) {
        self.live += 1;
        let Some(slot) = Slot::new(reference, order) else {
            self.note_elsewhere(reference);
            self.odd.insert(reference, order);
            return;
        };
        let place = self.place(reference);
        if self.ring[place].is_empty() {
            self.ring[place] = slot;
        } else {
            self.displace(reference, slot);
        }
    }

    /// Puts `slot` where another order is, which moves to the table, or stays because the ring grows.
    #[inline(never)]
    fn displace(&mut self, reference: u64, slot: Slot) {
        while (self.ring.len() as u64) < self.live * SLOTS_PER_ORDER
            && !self.ring[self.place(reference)].is_empty()
        {
            self.grow();
        }
        let place = self.place(reference);
        let survivor = std::mem::replace(&mut self.ring[place], slot);
        if !survivor.is_empty() {
            self.note_elsewhere(survivor.reference());
            self.table.insert(survivor);
            self.moved += 1;
        }
    }

    fn grow(&mut self) {
        let mut ring: Box<[Slot]> = self.memory.array(2 * self.ring.len());
        for slot in self.ring.iter().filter(|slot| !slot.is_empty()) {
            let place = place(&ring, slot.reference());
            ring[place] = *slot;
        }
        self.ring = ring;
    }

    pub(super) fn counts(&self) -> StoreCounts {
        StoreCounts {
            live: self.live,
            in_table: self.table.length() as u64 + self.odd.len() as u64,
            bytes: size_of_val(&*self.ring) as u64 + self.table.bytes(),
            moved: self.moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Locate, Price, Side};

    fn order(shares: u32) -> Order {
        Order::new(Locate(1), Side::Buy, shares, Price(10))
    }

    #[test]
    fn memory_follows_the_live_orders() {
        let mut store = Store::new(10, Memory::Fast);
        for reference in 0..10_000_000 {
            store.insert(reference, order(1));
            if reference % 1_000 != 0 {
                store.reduce(reference, 1);
            }
        }
        let counts = store.counts();
        assert_eq!(counts.live, 10_000);
        assert!(counts.bytes <= 10_000 * 16 * 20, "{counts:?}");
        assert!(counts.moved > 8_000 && counts.in_table == counts.moved);
        for reference in (0..10_000_000).step_by(1_000) {
            assert_eq!(store.reduce(reference, 9), Some(order(1)), "{reference}");
        }
        assert_eq!(store.counts().live + store.counts().in_table, 0);
    }

    #[test]
    fn numbers_that_no_exchange_uses_are_kept_all_the_same() {
        let mut store = Store::new(4, Memory::Plain);
        for reference in [1_000_000, u64::MAX, 0, 1 << 60, 5] {
            store.insert(reference, order(u32::MAX));
            assert_eq!(store.reduce(reference, 1), Some(order(u32::MAX)));
            assert_eq!(store.reduce(reference, 1), Some(order(u32::MAX - 1)));
        }
        assert_eq!(store.counts().in_table, 5);
        assert_eq!(store.reduce(5, u32::MAX), Some(order(u32::MAX - 2)));
        assert_eq!(store.reduce(5, 1), None);
    }
}
