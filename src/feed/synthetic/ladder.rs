//! The live orders of all symbols, in price-time priority, on books that cannot cross.
//!
//! Each symbol has a *top*: the highest price step at which a bid may rest. Bids rest on the steps
//! `top - 31 ..= top`, offers on `top + 1 ..= top + 32`, so the book is uncrossed by construction.
//! A step's place in the table is its number modulo 64, and a word of 64 bits says which steps are
//! occupied: the best price is a rotation and a count of zeros. The top moves by one step only when
//! the step that changes sides and the step that leaves the range are both empty.
//!
//! Orders of all symbols lie in one dense array, newest at its end; within a step they are linked
//! in order of arrival. Memory follows the number of live orders.

use crate::market::{Price, Side, Symbol};

use super::rng::Rng;

/// No order.
const NONE: u32 = u32::MAX;
/// Steps on each side of the touch.
pub(super) const DEPTH: u32 = 32;

/// A resting order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) shares: u32,
    /// Price in the steps of its symbol.
    pub(super) step: u32,
    pub(super) locate: u16,
    pub(super) side: Side,
    older: u32,
    newer: u32,
}

/// The oldest and the newest order of a step.
#[derive(Clone, Copy, Debug)]
struct Queue {
    oldest: u32,
    newest: u32,
}

const EMPTY: Queue = Queue {
    oldest: NONE,
    newest: NONE,
};

/// How a symbol is named and priced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue {
    pub(super) symbol: Symbol,
    /// The first top.
    pub(super) top: u32,
    /// Price difference between two steps, in ticks of 1e-4 USD.
    pub(super) spacing: u32,
}

/// One symbol's book without its orders. What most messages read lies in one cache line.
#[derive(Clone, Copy, Debug)]
struct Touch {
    occupied: u64,
    issue: Issue,
}

impl Touch {
    /// Bit `n` (0..32) is the offer step `top + 1 + n`; bit `63 - n` the bid step `top - n`.
    #[inline]
    fn around(self) -> u64 {
        self.occupied.rotate_right((self.issue.top + 1) & 63)
    }
}

/// The books of all symbols.
#[derive(Debug)]
pub(super) struct Ladders {
    orders: Vec<Order>,
    touches: Vec<Touch>,
    queues: Vec<[Queue; 64]>,
}

impl Ladders {
    /// Empty books, one for each issue.
    pub(super) fn new(issues: impl Iterator<Item = Issue>) -> Self {
        let touches: Vec<Touch> = issues.map(|issue| Touch { occupied: 0, issue }).collect();
        Self {
            orders: Vec::new(),
            queues: vec![[EMPTY; 64]; touches.len()],
            touches,
        }
    }

    /// Live orders of all symbols.
    pub(super) fn live(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn order(&self, index: u32) -> Order {
        self.orders[index as usize]
    }

    /// The highest step for bids of a symbol.
    pub(super) fn top(&self, locate: u16) -> u32 {
        self.touches[usize::from(locate)].issue.top
    }

    pub(super) fn symbol(&self, locate: u16) -> Symbol {
        self.touches[usize::from(locate)].issue.symbol
    }

    pub(super) fn spacing(&self, locate: u16) -> u32 {
        self.touches[usize::from(locate)].issue.spacing
    }

    /// The price of a step.
    pub(super) fn price(&self, locate: u16, step: u32) -> Price {
        Price(step * self.spacing(locate))
    }

    /// The oldest order at the best step of a side.
    pub(super) fn best(&self, locate: u16, side: Side) -> Option<u32> {
        let touch = self.touches[usize::from(locate)];
        let around = touch.around();
        let step = match side {
            Side::Buy => {
                let below = (around >> 32 != 0).then(|| around.leading_zeros())?;
                touch.issue.top - below
            }
            Side::Sell => {
                let above = (around as u32 != 0).then(|| around.trailing_zeros())?;
                touch.issue.top + 1 + above
            }
        };
        Some(self.queues[usize::from(locate)][(step & 63) as usize].oldest)
    }

    /// Whether the best step of a side is free, so that the touch may move towards it.
    pub(super) fn touch_is_free(&self, locate: u16, side: Side) -> bool {
        let around = self.touches[usize::from(locate)].around();
        match side {
            Side::Buy => around >> 63 == 0,
            Side::Sell => around & 1 == 0,
        }
    }

    /// Moves the touch one step towards the offers (`Sell`) or the bids (`Buy`). When an order far
    /// from the touch stands in the way, nothing moves and the order's index is returned.
    pub(super) fn shift(&mut self, locate: u16, towards: Side) -> Result<(), Option<u32>> {
        if !self.touch_is_free(locate, towards) {
            return Err(None);
        }
        let touch = &mut self.touches[usize::from(locate)];
        let (leaving, bit, top) = match towards {
            Side::Sell => (touch.issue.top + 1 - DEPTH, 32, touch.issue.top + 1),
            Side::Buy => (touch.issue.top + DEPTH, 31, touch.issue.top - 1),
        };
        if touch.around() >> bit & 1 == 1 {
            let queue = self.queues[usize::from(locate)][(leaving & 63) as usize];
            return Err(Some(queue.oldest));
        }
        touch.issue.top = top;
        Ok(())
    }

    /// Rests an order `distance` (below [`DEPTH`]) steps away from the touch; returns its step.
    pub(super) fn add(
        &mut self,
        locate: u16,
        side: Side,
        distance: u32,
        (reference, shares): (u64, u32),
    ) -> u32 {
        let touch = &mut self.touches[usize::from(locate)];
        let distance = distance.min(DEPTH - 1);
        let step = match side {
            Side::Buy => touch.issue.top - distance,
            Side::Sell => touch.issue.top + 1 + distance,
        };
        touch.occupied |= 1 << (step & 63);
        let index = self.orders.len() as u32;
        let queue = &mut self.queues[usize::from(locate)][(step & 63) as usize];
        let older = std::mem::replace(&mut queue.newest, index);
        if older == NONE {
            queue.oldest = index;
        } else {
            self.orders[older as usize].newer = index;
        }
        self.orders.push(Order {
            reference,
            shares,
            step,
            locate,
            side,
            older,
            newer: NONE,
        });
        step
    }

    /// Takes shares from an order; it is removed when none are left. Returns whether it was.
    pub(super) fn reduce(&mut self, index: u32, shares: u32) -> bool {
        let order = &mut self.orders[index as usize];
        order.shares = order.shares.saturating_sub(shares);
        let gone = order.shares == 0;
        if gone {
            self.remove(index);
        }
        gone
    }

    /// Removes an order; the last one of the array takes its index.
    pub(super) fn remove(&mut self, index: u32) -> Order {
        let order = self.orders[index as usize];
        self.link(&order, order.newer, order.older);
        let place = (order.step & 63) as usize;
        if self.queues[usize::from(order.locate)][place].oldest == NONE {
            self.touches[usize::from(order.locate)].occupied &= !(1 << place);
        }
        self.orders.swap_remove(index as usize);
        if let Some(&moved) = self.orders.get(index as usize) {
            self.link(&moved, index, index);
        }
        order
    }

    /// Makes the neighbours of `order` point to `to_newer` (its older one) and `to_older` (its
    /// newer one); the ends of its queue stand in for missing neighbours.
    fn link(&mut self, order: &Order, to_newer: u32, to_older: u32) {
        let queue = &mut self.queues[usize::from(order.locate)][(order.step & 63) as usize];
        match order.older {
            NONE => queue.oldest = to_newer,
            older => self.orders[older as usize].newer = to_newer,
        }
        match order.newer {
            NONE => queue.newest = to_older,
            newer => self.orders[newer as usize].older = to_older,
        }
    }

    /// Some live order: mostly one of the latest, sometimes any. `None` when there are none.
    #[inline]
    pub(super) fn pick(&self, rng: &mut Rng) -> Option<u32> {
        let live = self.orders.len() as u32;
        let recent = match rng.below(16) {
            0..8 => live.min(256),
            8..15 => live.min(8_192),
            _ => live,
        };
        (live > 0).then(|| live - 1 - rng.below(recent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladders<const N: usize>(tops: [u32; N]) -> Ladders {
        Ladders::new(tops.into_iter().map(|top| Issue {
            symbol: Symbol(*b"TEST    "),
            top,
            spacing: 100,
        }))
    }

    #[test]
    fn priority_is_price_then_arrival() {
        let mut books = ladders([1_000]);
        for (reference, distance) in [(1, 3), (2, 1), (3, 1), (4, 31)] {
            books.add(0, Side::Buy, distance, (reference, 100));
            books.add(0, Side::Sell, distance, (reference + 10, 100));
        }
        let mut taken = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            while let Some(best) = books.best(0, side) {
                let order = books.order(best);
                taken.push((order.reference, order.step));
                assert!(!books.reduce(best, 99));
                assert!(books.reduce(books.best(0, side).unwrap(), 1));
            }
        }
        let expected = [(2, 999), (3, 999), (1, 997), (4, 969)];
        assert_eq!(taken[..4], expected);
        let offers = [(12, 1_002), (13, 1_002), (11, 1_004), (14, 1_032)];
        assert_eq!(taken[4..], offers);
        assert_eq!(books.live(), 0);
    }

    #[test]
    fn the_touch_moves_only_over_empty_steps() {
        let mut books = ladders([1_000]);
        books.add(0, Side::Sell, 0, (1, 1));
        assert_eq!(books.shift(0, Side::Sell), Err(None));
        let far = 1;
        books.add(0, Side::Sell, DEPTH - 1, (2, 1));
        assert_eq!(books.shift(0, Side::Buy), Err(Some(far)));
        books.remove(far);
        assert_eq!(books.shift(0, Side::Buy), Ok(()));
        assert_eq!(books.top(0), 999);
        books.remove(0);
        for top in 1_000..1_100 {
            assert_eq!(books.shift(0, Side::Sell), Ok(()));
            assert_eq!(books.top(0), top);
        }
    }

    #[test]
    fn removing_in_any_order_keeps_the_links() {
        let mut books = ladders([500, 600, 700]);
        let mut rng = Rng::new(3);
        let (mut added, mut removed) = (0_u64, 0);
        for _ in 0..20_000 {
            if rng.below(100) < 52 {
                let side = [Side::Buy, Side::Sell][rng.below(2) as usize];
                books.add(rng.below(3) as u16, side, rng.below(40), (added, 1));
                added += 1;
            } else if let Some(index) = books.pick(&mut rng) {
                books.remove(index);
                removed += 1;
            }
        }
        let live = books.live();
        assert_eq!(added - removed, live as u64);
        let mut drained = 0;
        for locate in 0..3 {
            for side in [Side::Buy, Side::Sell] {
                let mut last = (0, 0);
                while let Some(best) = books.best(locate, side) {
                    let order = books.remove(best);
                    let away = match side {
                        Side::Buy => u32::MAX - order.step,
                        Side::Sell => order.step,
                    };
                    assert!((away, order.reference) > last);
                    last = (away, order.reference);
                    drained += 1;
                }
            }
        }
        assert_eq!(drained, live);
    }
}
