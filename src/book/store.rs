//! Live orders by reference: a direct index over recent references, a hash map for the rest.
//!
//! References grow through the day, so the recent ones are found by subtraction in pages of slots.
//! The index may hold a fixed multiple of the live orders; when a new page would exceed that, the
//! oldest page is given up, its survivors move to the map, and its memory is filled again. Each order
//! moves at most once. So memory follows the live orders, not the length of the day. References that
//! are too old or too far ahead live in the map from the start; when only such references arrive,
//! because the feed has jumped, the index moves to where they are.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use crate::market::{Locate, Price, Side};

/// Slots that the index may always have.
const SLOTS_FREE: u64 = 1 << 18;
/// Slots that the index may have for each live order.
const SLOTS_PER_ORDER: u64 = 8;
/// Pages that a reference may be ahead of the newest page.
const PAGES_AHEAD: u64 = 64;
/// References in a row that were too far ahead, after which the index moves there.
const JUMPED: u32 = 1_024;

/// A resting order. `shares` is 0 in a slot without an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) price: u32,
    pub(super) shares: u32,
    locate: u16,
    sell: bool,
}

impl Order {
    pub(super) fn new(locate: Locate, side: Side, shares: u32, price: Price) -> Self {
        Self {
            price: price.0,
            shares,
            locate: locate.0,
            sell: side == Side::Sell,
        }
    }

    #[inline]
    pub(super) fn locate(&self) -> Locate {
        Locate(self.locate)
    }

    #[inline]
    pub(super) fn side(&self) -> Side {
        if self.sell { Side::Sell } else { Side::Buy }
    }
}

/// Where the orders are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Live orders.
    pub live: u64,
    /// Live orders among them that are in the map.
    pub in_map: u64,
    /// Pages of the index.
    pub pages: u64,
    /// Bytes of the index, spare pages included.
    pub index_bytes: u64,
    /// Orders that moved from the index to the map so far.
    pub moved: u64,
}

impl StoreCounts {
    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &StoreCounts) -> StoreCounts {
        StoreCounts {
            live: self.live + other.live,
            in_map: self.in_map + other.in_map,
            pages: self.pages + other.pages,
            index_bytes: self.index_bytes + other.index_bytes,
            moved: self.moved + other.moved,
        }
    }
}

/// A page with the number of live orders on it.
#[derive(Debug)]
struct Page {
    slots: Box<[Order]>,
    live: u32,
}

/// The live orders.
#[derive(Debug)]
pub(super) struct Store {
    /// Pages from `first_page` on; `None` where no order has been.
    pages: VecDeque<Option<Page>>,
    first_page: u64,
    /// Pages that are there.
    allocated: u64,
    spare: Vec<Page>,
    map: HashMap<u64, Order, BuildHasherDefault<ReferenceHasher>>,
    live: u64,
    moved: u64,
    /// Whether references that were too far ahead have ever gone to the map.
    strays: bool,
    /// References too far ahead since the last one that was not.
    ahead: u32,
    page_bits: u32,
}

impl Store {
    /// An empty store whose pages have `1 << page_bits` slots.
    pub(super) fn new(page_bits: u32) -> Self {
        Self {
            pages: VecDeque::new(),
            first_page: 0,
            allocated: 0,
            spare: Vec::new(),
            map: HashMap::default(),
            live: 0,
            moved: 0,
            strays: false,
            ahead: 0,
            page_bits,
        }
    }

    #[inline]
    fn place(&self, reference: u64) -> (u64, usize) {
        let slot = reference & ((1 << self.page_bits) - 1);
        (
            (reference >> self.page_bits).wrapping_sub(self.first_page),
            slot as usize,
        )
    }

    /// The order of `reference`, if it is live.
    #[inline]
    pub(super) fn get_mut(&mut self, reference: u64) -> Option<&mut Order> {
        let (page, slot) = self.place(reference);
        let in_reach = page < self.pages.len() as u64;
        if in_reach && let Some(Some(page)) = self.pages.get_mut(page as usize) {
            let order = &mut page.slots[slot];
            if order.shares > 0 {
                return Some(order);
            }
        }
        // What the index reaches is in the map only if it came too early.
        if in_reach && !self.strays {
            return None;
        }
        self.map.get_mut(&reference)
    }

    /// The order in the index slot of `reference`, read so that it is in cache when it is needed.
    #[inline]
    pub(super) fn peek(&self, reference: u64) -> Option<Order> {
        let (page, slot) = self.place(reference);
        let page = self
            .pages
            .get(usize::try_from(page).unwrap_or(usize::MAX))?
            .as_ref()?;
        Some(page.slots[slot])
    }

    /// Forgets the order of `reference`, which is live.
    #[inline]
    pub(super) fn remove(&mut self, reference: u64) {
        let (page, slot) = self.place(reference);
        self.live -= 1;
        if let Some(Some(page)) = self
            .pages
            .get_mut(usize::try_from(page).unwrap_or(usize::MAX))
            && page.slots[slot].shares > 0
        {
            page.slots[slot] = Order::default();
            page.live -= 1;
            return;
        }
        self.map.remove(&reference);
    }

    /// Adds an order with shares under a reference that is not live.
    #[inline]
    pub(super) fn insert(&mut self, reference: u64, order: Order) {
        self.live += 1;
        let (page, slot) = self.place(reference);
        let page = usize::try_from(page).unwrap_or(usize::MAX);
        if let Some(Some(page)) = self.pages.get_mut(page) {
            page.slots[slot] = order;
            page.live += 1;
            return;
        }
        self.insert_slowly(reference, order);
    }

    #[cold]
    fn insert_slowly(&mut self, reference: u64, order: Order) {
        let number = reference >> self.page_bits;
        if self.pages.is_empty() {
            self.first_page = number;
        }
        let past_newest = number.wrapping_sub(self.first_page);
        let is_old = number < self.first_page;
        if !is_old && past_newest >= self.pages.len() as u64 + PAGES_AHEAD {
            self.ahead += 1;
            if self.ahead < JUMPED {
                self.strays = true;
                self.map.insert(reference, order);
                return;
            }
            self.move_index(number);
        }
        if is_old {
            self.map.insert(reference, order);
            return;
        }
        self.ahead = 0;
        let index = (number - self.first_page) as usize;
        while self.pages.len() <= index {
            self.pages.push_back(None);
        }
        self.make_room(index);
        let index = (number - self.first_page) as usize;
        let mut page = self.blank_page();
        page.slots[(reference & ((1 << self.page_bits) - 1)) as usize] = order;
        page.live = 1;
        self.pages[index] = Some(page);
        self.allocated += 1;
    }

    fn blank_page(&mut self) -> Page {
        self.spare.pop().unwrap_or_else(|| Page {
            slots: vec![Order::default(); 1 << self.page_bits].into(),
            live: 0,
        })
    }

    /// Gives up old pages, none at or behind `keep`, until one more fits the allowance.
    fn make_room(&mut self, keep: usize) {
        let allowed = (SLOTS_FREE.max(self.live * SLOTS_PER_ORDER) >> self.page_bits).max(2);
        let mut before_keep = keep;
        while before_keep > 0 && self.allocated + 1 > allowed {
            self.give_up_oldest();
            before_keep -= 1;
        }
        while before_keep > 0 && matches!(self.pages.front(), Some(None)) {
            self.give_up_oldest();
            before_keep -= 1;
        }
    }

    fn give_up_oldest(&mut self) {
        let Some(oldest) = self.pages.pop_front() else {
            return;
        };
        let first = self.first_page << self.page_bits;
        self.first_page += 1;
        let Some(mut page) = oldest else { return };
        self.allocated -= 1;
        if page.live > 0 {
            for (reference, order) in (first..).zip(page.slots.iter_mut()) {
                if order.shares > 0 {
                    self.map.insert(reference, *order);
                    self.moved += 1;
                }
            }
        }
        // A spare page for each that is in use is enough for the next ones.
        if self.spare.len() < 4 {
            page.slots.fill(Order::default());
            page.live = 0;
            self.spare.push(page);
        }
    }

    /// Moves the index to `number`: all orders go to the map.
    fn move_index(&mut self, number: u64) {
        while !self.pages.is_empty() {
            self.give_up_oldest();
        }
        self.first_page = number;
    }

    pub(super) fn counts(&self) -> StoreCounts {
        let page_bytes = (size_of::<Order>() as u64) << self.page_bits;
        StoreCounts {
            live: self.live,
            in_map: self.map.len() as u64,
            pages: self.allocated,
            index_bytes: (self.allocated + self.spare.len() as u64) * page_bytes,
            moved: self.moved,
        }
    }
}

/// Scatters references: a wide multiplication by an odd number, its halves folded together.
#[derive(Clone, Copy, Debug, Default)]
struct ReferenceHasher(u64);

impl Hasher for ReferenceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(value) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(shares: u32) -> Order {
        Order::new(Locate(1), Side::Buy, shares, Price(10))
    }

    #[test]
    fn a_slot_is_twelve_bytes() {
        assert_eq!(size_of::<Order>(), 12);
    }

    #[test]
    fn memory_follows_the_live_orders() {
        let mut store = Store::new(10);
        for reference in 0..10_000_000 {
            store.insert(reference, order(1));
            if reference % 1_000 != 0 {
                store.remove(reference);
            }
        }
        let counts = store.counts();
        assert_eq!(counts.live, 10_000);
        assert!(
            counts.index_bytes <= (SLOTS_FREE + (5 << 10)) * 12,
            "{counts:?}"
        );
        assert!(
            counts.moved > 8_000 && counts.in_map == counts.moved,
            "{counts:?}"
        );
        for reference in (0..10_000_000).step_by(1_000) {
            assert_eq!(store.get_mut(reference), Some(&mut order(1)), "{reference}");
            store.remove(reference);
        }
        assert_eq!(store.counts().live + store.counts().in_map, 0);
    }

    #[test]
    fn hostile_references_live_in_the_map_and_a_jump_moves_the_index() {
        let mut store = Store::new(10);
        for reference in [1_000_000, u64::MAX, 0, 1 << 60, 5] {
            store.insert(reference, order(2));
            assert_eq!(store.get_mut(reference), Some(&mut order(2)));
        }
        assert_eq!((store.counts().pages, store.counts().in_map), (1, 4));
        for reference in 0..2_000 {
            store.insert((1 << 50) + reference, order(3));
        }
        // Two of the first five were too far ahead already.
        assert_eq!(store.counts().in_map, 5 + u64::from(JUMPED) - 1 - 2);
        assert_eq!(store.get_mut(1_000_000), Some(&mut order(2)));
        assert_eq!(store.get_mut((1 << 50) + 1), Some(&mut order(3)));
        assert_eq!(store.get_mut((1 << 50) + 1_999), Some(&mut order(3)));
        assert_eq!(store.get_mut((1 << 50) + 2_000), None);
    }
}
