//! The book: orders and ladders kept in step.

use super::StoreCounts;
use super::ladder::Ladder;
use super::store::{Order, Store};
use crate::market::{Locate, Price, Shares, Side, Top};

/// Slots of a page, as a power of two: 3 MiB, few enough pages that their addresses stay in cache.
const PAGE_BITS: u32 = 18;

/// The exchange numbers orders in four independent sequences, told apart by the lowest two bits of
/// the reference; each has an index of its own.
const LANE_BITS: u32 = 2;

#[inline]
fn lane(reference: u64) -> usize {
    (reference & ((1 << LANE_BITS) - 1)) as usize
}

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
    /// Orders by lane.
    lanes: [Store; 4],
    /// Bids and offers, dense by locate.
    ladders: Vec<[Ladder; 2]>,
    /// Whether ladders are kept at all.
    laddered: bool,
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
        Self::with_page_bits(PAGE_BITS)
    }

    /// An empty book whose order index has pages of `1 << page_bits` slots (4 to 20).
    #[must_use]
    pub fn with_page_bits(page_bits: u32) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Store::new(page_bits.clamp(4, 20))),
            ladders: Vec::new(),
            laddered: true,
        }
    }

    /// An empty book that prices executions and knows no best prices, for when nobody asks for them.
    #[must_use]
    pub fn without_ladders() -> Self {
        Self {
            laddered: false,
            ..Self::new()
        }
    }

    /// The most orders that one call of [`Book::warm`] looks at.
    pub const WARM: usize = 32;

    /// Reads what messages about these orders will need, many at a time, so that the waits for
    /// memory overlap: for each a reference, a symbol, and the side if the message tells it.
    #[inline]
    pub fn warm(&self, orders: &[(u64, Locate, Option<Side>)]) {
        let mut sides = [None; Self::WARM];
        for (side, &(reference, locate, told)) in sides.iter_mut().zip(orders) {
            let order = self.lanes[lane(reference)].peek(reference >> LANE_BITS);
            *side = told
                .or(order.map(|order| order.side()))
                .map(|side| (locate, side));
        }
        if self.laddered {
            let mut touched = 0;
            for (locate, side) in sides.into_iter().flatten() {
                if let Some(sides) = self.ladders.get(locate.index()) {
                    touched ^= sides[side as usize].peek();
                }
            }
            std::hint::black_box(touched);
        } else {
            std::hint::black_box(sides);
        }
    }

    #[inline]
    fn ladder(&mut self, locate: Locate, side: Side) -> &mut Ladder {
        if self.ladders.len() <= locate.index() {
            self.ladders
                .resize_with(locate.index() + 1, Default::default);
        }
        &mut self.ladders[locate.index()][side as usize]
    }

    /// An order joins the book (ITCH A and F).
    ///
    /// # Errors
    /// [`BookError::NoShares`].
    #[inline]
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
        let reused = self.lanes[lane(reference)]
            .get_mut(reference >> LANE_BITS)
            .is_some();
        if reused {
            self.delete(reference, locate)?;
        }
        self.lanes[lane(reference)].insert(
            reference >> LANE_BITS,
            Order::new(locate, side, shares.0, price),
        );
        let top_changed = self.laddered && self.ladder(locate, side).add(side, price, shares.0);
        let oddity = reused.then_some(Oddity::ReusedReference);
        Ok(Change {
            price,
            side,
            locate,
            top_changed: top_changed || (reused && self.laddered),
            oddity,
        })
    }

    /// Shares of an order are executed (ITCH E and C); the change carries the order's price.
    ///
    /// # Errors
    /// [`BookError::UnknownReference`].
    #[inline]
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
    #[inline]
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
    #[inline]
    pub fn delete(&mut self, reference: u64, locate: Locate) -> Result<Change, BookError> {
        let change = self.reduce(reference, locate, u32::MAX)?;
        let oddity = change
            .oddity
            .filter(|oddity| *oddity != Oddity::ExcessShares);
        Ok(Change { oddity, ..change })
    }

    fn reduce(&mut self, reference: u64, locate: Locate, shares: u32) -> Result<Change, BookError> {
        let order = self.lanes[lane(reference)]
            .get_mut(reference >> LANE_BITS)
            .ok_or(BookError::UnknownReference(reference))?;
        let before = *order;
        let taken = shares.min(before.shares);
        order.shares -= taken;
        if taken == before.shares {
            order.shares = before.shares;
            self.lanes[lane(reference)].remove(reference >> LANE_BITS);
        }
        let (side, price) = (before.side(), Price(before.price));
        let top_changed =
            self.laddered && self.ladder(before.locate(), side).take(side, price, taken);
        let oddity = if before.locate() != locate {
            Some(Oddity::LocateMismatch)
        } else if shares > before.shares {
            Some(Oddity::ExcessShares)
        } else {
            None
        };
        Ok(Change {
            price,
            side,
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
    #[inline]
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
        let lanes = self.lanes.iter().map(Store::counts);
        lanes.fold(StoreCounts::default(), |sum, lane| sum.plus(&lane))
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
