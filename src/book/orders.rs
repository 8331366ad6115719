//! The book: orders and ladders kept in step.

use super::StoreCounts;
use super::ladder::Ladder;
use super::slot::{Order, Step};
use super::store::{SLOTS_PER_ORDER, Slots, Store};
use crate::market::{Locate, Price, Shares, Side, Top};
use crate::memory::Memory;

/// Slots that the ring has at least, as a power of two.
const RING_BITS: u32 = 16;

/// What a message did to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Price of the order that it was about; after a replacement, of the new one.
    pub price: Price,
    /// Side of that order.
    pub side: Side,
    /// Symbol of that order.
    pub locate: Locate,
    /// Whether the symbol's best bid or offer was touched: never false when it has another price or
    /// size now.
    pub top_changed: bool,
    /// What a feed should not have said.
    pub oddity: Option<Oddity>,
}

/// What a feed should not say; done all the same, as far as it makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// More shares executed or cancelled than rest: the order is gone.
    ExcessShares,
    /// The message names another symbol than its order has; the order's symbol is changed.
    LocateMismatch,
    /// An order was added under a live reference: the old order is gone.
    ReusedReference,
}

/// Why a message did nothing to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// No live order has the reference.
    #[error("no live order has reference {0}")]
    UnknownReference(u64),
    /// An order of 0 shares; a replacement by 0 shares removes the original.
    #[error("order {0} has no shares")]
    NoShares(u64),
}

/// Live orders and the ladders of all symbols.
#[derive(Debug)]
pub struct Book {
    orders: Store,
    /// Bids and offers, dense by locate.
    ladders: Vec<[Ladder; 2]>,
    /// Whether ladders are kept at all.
    laddered: bool,
    memory: Memory,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::with_ring_bits(RING_BITS, Memory::default())
    }

    /// An empty book whose ring of orders has `1 << bits` slots at first (4 to 30).
    #[must_use]
    pub fn with_ring_bits(bits: u32, memory: Memory) -> Self {
        Self {
            orders: Store::new(bits.clamp(4, 30), memory),
            ladders: Vec::new(),
            laddered: true,
            memory,
        }
    }

    /// The book without best prices, for when nobody asks for them: it prices executions alone.
    #[must_use]
    pub fn without_ladders(self) -> Self {
        Self {
            laddered: false,
            ..self
        }
    }

    /// An empty book with room for so many live orders, its pages there already. More make it grow, which
    /// takes as long as all of them take to be copied.
    #[must_use]
    pub fn with_room(orders: usize, memory: Memory) -> Self {
        let slots = (orders as u64).saturating_mul(SLOTS_PER_ORDER).max(1);
        let bits = slots.ilog2() + u32::from(!slots.is_power_of_two());
        Self::with_ring_bits(bits.max(RING_BITS), memory)
    }

    /// Messages to look ahead.
    pub const AHEAD: usize = 32;

    /// Where orders are, to ask for slots ahead.
    #[inline(always)]
    #[must_use]
    pub fn slots(&self) -> Slots<'_> {
        self.orders.slots()
    }

    /// Whether [`Book::prefetch_more`] is worth its time: steps need more than slots of the ring.
    #[inline(always)]
    #[must_use]
    pub fn needs_more(&self) -> bool {
        self.laddered || self.orders.has_survivors()
    }

    /// When that slot has arrived: asks for what else the step will need.
    #[inline(always)]
    pub fn prefetch_more(&self, step: &Step) {
        self.orders.prefetch_survivor(step);
        if self.laddered
            && let Some(sides) = self.ladders.get(step.locate().index())
        {
            // Whichever side changes, the best of both may be asked for after it.
            for side in sides {
                side.prefetch(self.memory);
            }
        }
    }

    /// Takes an ordinary step: an order joins under a new reference, or one leaves. Whether the best
    /// price or its size was touched; `None` if it is not ordinary, and then nothing has happened.
    #[inline(always)]
    pub fn step(&mut self, step: &Step) -> Option<bool> {
        let order = self.orders.step(step)?;
        if !self.laddered {
            return Some(false);
        }
        let shares = u64::from(order.shares());
        // Its negative if the order leaves.
        let leaves = !step.joins();
        Some(self.change(order, (shares ^ leaves).wrapping_sub(leaves)))
    }

    /// Takes the steps of an ordinary replacement: one order leaves, the other joins under a new reference on
    /// its side, which `joins` does not say. Whether the best price or its size was touched; `None` if it is
    /// not ordinary, and then nothing has happened.
    #[inline(always)]
    pub fn replace_step(&mut self, leaves: &Step, joins: Step) -> Option<bool> {
        let (left, joined) = self.orders.replace(leaves, joins)?;
        if !self.laddered {
            return Some(false);
        }
        let before = self.leave(left, left.shares());
        Some(self.change(joined, u64::from(joined.shares())) | before)
    }

    /// An order joins the book (ITCH A and F).
    ///
    /// # Errors
    /// [`BookError::NoShares`].
    #[inline(always)]
    pub fn add(
        &mut self,
        reference: u64,
        locate: Locate,
        side: Side,
        shares: Shares,
        price: Price,
    ) -> Result<Change, BookError> {
        if shares.0 == 0 {
            return Err(BookError::NoShares(reference));
        }
        let reused = self.orders.may_be_live(reference) && self.forget(reference);
        let order = Order::new(locate, side, shares.0, price);
        self.orders.insert(reference, order);
        let top_changed = self.laddered && self.change(order, u64::from(shares.0));
        Ok(Change {
            price,
            side,
            locate,
            top_changed: top_changed || (reused && self.laddered),
            oddity: reused.then_some(Oddity::ReusedReference),
        })
    }

    /// Removes the order of `reference` if it is live, and says whether it was.
    #[cold]
    fn forget(&mut self, reference: u64) -> bool {
        let Some(order) = self.orders.reduce(reference, u32::MAX) else {
            return false;
        };
        if self.laddered {
            self.leave(order, order.shares());
        }
        true
    }

    /// Changes by `change` shares, modulo 2^64, what rests at an order's price; whether the best price or its
    /// size changed.
    #[inline(never)]
    fn change(&mut self, order: Order, change: u64) -> bool {
        let symbol = order.locate().index();
        if self.ladders.len() <= symbol {
            self.ladders.resize_with(symbol + 1, Default::default);
        }
        let side = order.side();
        self.ladders[symbol][side as usize].change(side, order.price(), change)
    }

    /// Takes `shares` of an order that rested off its ladder; whether the best price or its size changed.
    #[inline(always)]
    fn leave(&mut self, order: Order, shares: u32) -> bool {
        self.change(order, u64::from(shares).wrapping_neg())
    }

    /// Shares of an order are executed (ITCH E and C); the change carries the order's price.
    ///
    /// # Errors
    /// [`BookError::UnknownReference`].
    #[inline(always)]
    pub fn execute(
        &mut self,
        reference: u64,
        locate: Locate,
        shares: Shares,
    ) -> Result<Change, BookError> {
        self.reduce(reference, locate, shares.0)
    }

    /// Shares of an order are cancelled (ITCH X).
    ///
    /// # Errors
    /// [`BookError::UnknownReference`].
    #[inline(always)]
    pub fn cancel(
        &mut self,
        reference: u64,
        locate: Locate,
        shares: Shares,
    ) -> Result<Change, BookError> {
        self.reduce(reference, locate, shares.0)
    }

    /// An order leaves the book (ITCH D).
    ///
    /// # Errors
    /// [`BookError::UnknownReference`].
    #[inline(always)]
    pub fn delete(&mut self, reference: u64, locate: Locate) -> Result<Change, BookError> {
        let change = self.reduce(reference, locate, u32::MAX)?;
        let oddity = change
            .oddity
            .filter(|oddity| *oddity != Oddity::ExcessShares);
        Ok(Change { oddity, ..change })
    }

    #[inline(always)]
    fn reduce(&mut self, reference: u64, locate: Locate, shares: u32) -> Result<Change, BookError> {
        let Some(before) = self.orders.reduce(reference, shares) else {
            return Err(BookError::UnknownReference(reference));
        };
        let taken = shares.min(before.shares());
        let top_changed = self.laddered && self.leave(before, taken);
        let oddity = if before.locate() != locate {
            Some(Oddity::LocateMismatch)
        } else if shares > before.shares() {
            Some(Oddity::ExcessShares)
        } else {
            None
        };
        Ok(Change {
            price: before.price(),
            side: before.side(),
            locate: before.locate(),
            top_changed,
            oddity,
        })
    }

    /// An order is replaced by another of the same side and symbol (ITCH U).
    ///
    /// # Errors
    /// [`BookError::UnknownReference`] of the original: nothing is added, since neither side nor
    /// symbol are known. [`BookError::NoShares`]: the original has left all the same.
    #[inline(always)]
    pub fn replace(
        &mut self,
        original: u64,
        new: u64,
        locate: Locate,
        shares: Shares,
        price: Price,
    ) -> Result<Change, BookError> {
        let removed = self.delete(original, locate)?;
        let added = self.add(new, removed.locate, removed.side, shares, price)?;
        Ok(Change {
            top_changed: removed.top_changed || added.top_changed,
            oddity: removed.oddity.or(added.oddity),
            ..added
        })
    }

    /// Best bid and offer of a symbol.
    #[must_use]
    #[inline]
    pub fn top(&self, locate: Locate) -> Top {
        let Some([bids, asks]) = self.ladders.get(locate.index()) else {
            return Top::default();
        };
        let (bid, bid_size) = bids.best(Side::Buy).unwrap_or_default();
        let (ask, ask_size) = asks.best(Side::Sell).unwrap_or_default();
        Top {
            bid,
            bid_size,
            ask,
            ask_size,
        }
    }

    /// Where the orders are.
    #[must_use]
    pub fn counts(&self) -> StoreCounts {
        self.orders.counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Locate = Locate(1);

    #[test]
    fn executions_are_priced_and_tops_follow() {
        let mut book = Book::new();
        book.add(10, ONE, Side::Buy, Shares(100), Price(5_000))
            .unwrap();
        let change = book
            .add(11, ONE, Side::Sell, Shares(50), Price(5_100))
            .unwrap();
        assert!(change.top_changed);
        let change = book.execute(10, ONE, Shares(40)).unwrap();
        assert_eq!((change.price, change.side), (Price(5_000), Side::Buy));
        let top = Top {
            bid: Price(5_000),
            bid_size: 60,
            ask: Price(5_100),
            ask_size: 50,
        };
        assert_eq!(book.top(ONE), top);
        book.replace(10, 12, ONE, Shares(7), Price(4_900)).unwrap();
        assert_eq!(
            book.top(ONE),
            Top {
                bid: Price(4_900),
                bid_size: 7,
                ..top
            }
        );
        assert_eq!(book.delete(10, ONE), Err(BookError::UnknownReference(10)));
        assert_eq!(book.counts().live, 2);
    }

    #[test]
    fn what_a_feed_should_not_say() {
        let mut book = Book::new();
        assert_eq!(
            book.add(1, ONE, Side::Buy, Shares(0), Price(1)),
            Err(BookError::NoShares(1))
        );
        book.add(1, ONE, Side::Buy, Shares(5), Price(1)).unwrap();
        let reused = book.add(1, ONE, Side::Sell, Shares(6), Price(9)).unwrap();
        assert_eq!(reused.oddity, Some(Oddity::ReusedReference));
        assert_eq!(book.top(ONE).bid_size, 0);
        let mismatch = book.cancel(1, Locate(2), Shares(1)).unwrap();
        assert_eq!(mismatch.oddity, Some(Oddity::LocateMismatch));
        assert_eq!(book.top(ONE).ask_size, 5);
        let excess = book.execute(1, ONE, Shares(6)).unwrap();
        assert_eq!(
            (excess.oddity, excess.price),
            (Some(Oddity::ExcessShares), Price(9))
        );
        assert_eq!((book.top(ONE), book.counts().live), (Top::default(), 0));
    }
}
