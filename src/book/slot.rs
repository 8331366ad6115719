//! An order as the ring and the table keep it, and the step that most messages take on its slot.

use bytemuck::Zeroable;

use crate::market::{Locate, Price, Side};

/// A resting order as two numbers, so that it travels in registers: what was written piecewise to
/// memory and read as a whole would wait for the pieces. Without shares it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Price (32 bits) and shares (32).
    worth: u64,
    /// Whether it is an offer (1 bit), and locate (16).
    owner: u32,
}

impl Order {
    /// What an unknown reference has.
    pub(super) const NONE: Self = Self { worth: 0, owner: 0 };

    #[inline(always)]
    pub(super) fn new(locate: Locate, side: Side, shares: u32, price: Price) -> Self {
        Self {
            worth: u64::from(price.0) << 32 | u64::from(shares),
            owner: u32::from(side == Side::Sell) << 16 | u32::from(locate.0),
        }
    }

    /// Takes up to `shares` away and returns what was there before.
    #[inline(always)]
    pub(super) fn reduce(&mut self, shares: u32) -> Self {
        let before = *self;
        self.worth -= u64::from(shares.min(before.shares()));
        before
    }

    #[inline(always)]
    pub(super) fn price(self) -> Price {
        Price((self.worth >> 32) as u32)
    }

    #[inline(always)]
    pub(super) fn shares(self) -> u32 {
        self.worth as u32
    }

    #[inline(always)]
    pub(super) fn locate(self) -> Locate {
        Locate(self.owner as u16)
    }

    #[inline(always)]
    pub(super) fn side(self) -> Side {
        if self.owner >> 16 == 0 {
            Side::Buy
        } else {
            Side::Sell
        }
    }
}

/// An order with its reference in 16 bytes, a quarter of a cache line. An empty slot is all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroable)]
pub(super) struct Slot {
    /// Reference (48 bits) and locate (16).
    name: u64,
    /// Price (32 bits), whether it is an offer (1), and shares (31).
    worth: u64,
}

impl Slot {
    const OFFER: u64 = 1 << 31;
    const SHARES: u64 = Self::OFFER - 1;

    /// The order as a slot; `None` where its numbers are larger than an exchange uses.
    #[inline(always)]
    pub(super) fn new(reference: u64, order: Order) -> Option<Self> {
        let name = reference << 16 | u64::from(order.locate().0);
        if reference >> 48 != 0 || name == 0 || order.worth & Self::OFFER != 0 {
            return None;
        }
        Some(Self {
            name,
            worth: order.worth | u64::from(order.owner >> 16) << 31,
        })
    }

    #[inline(always)]
    pub(super) fn reference(&self) -> u64 {
        self.name >> 16
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.name == 0
    }

    /// Whether it holds the order of `reference`.
    #[inline(always)]
    pub(super) fn holds(&self, reference: u64) -> bool {
        (self.reference() == reference) & !self.is_empty()
    }

    #[inline(always)]
    fn order(&self) -> Order {
        Order {
            worth: self.worth & !Self::OFFER,
            owner: (self.worth >> 15) as u32 & 1 << 16 | (self.name as u16) as u32,
        }
    }

    /// Takes up to `shares` away and returns what was there before.
    #[inline(always)]
    pub(super) fn reduce(&mut self, shares: u32) -> Order {
        let before = self.order();
        self.worth -= u64::from(shares.min(before.shares()));
        if self.worth & Self::SHARES == 0 {
            *self = Self::default();
        }
        before
    }
}

/// What most messages do: an order joins under a new reference, or one leaves. Either expects a slot
/// with a certain name and leaves another slot there, so it is made and taken without a branch on which
/// of the two it is: no processor foresees that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// Reference (48 bits) and locate (16).
    name: u64,
    /// What the slot of an order that joins holds.
    worth: u64,
    /// As a mask: all ones if the order joins, 0 if it leaves.
    joins: u64,
}

impl Step {
    /// The step of an order that joins, if the mask `joins` is all ones, or leaves, if it is 0. Of one
    /// that leaves, `offer`, `shares` and `price` do not matter. Unless the second value is 0 the order's
    /// numbers are not such as an exchange uses, and the step must not be taken.
    #[inline(always)]
    #[must_use]
    pub fn new(
        joins: u64,
        (reference, locate): (u64, Locate),
        (offer, shares, price): (bool, u32, Price),
    ) -> (Self, u64) {
        let step = Self {
            name: reference << 16 | u64::from(locate.0),
            worth: u64::from(price.0) << 32 | u64::from(offer) << 31 | u64::from(shares),
            joins,
        };
        // References 1 to 2^47 and shares 1 to 2^30, as what is left above that.
        let excess = u64::from(shares.wrapping_sub(1) >> 30);
        (step, reference.wrapping_sub(1) >> 47 | excess & joins)
    }

    /// Reference of the order.
    #[inline(always)]
    pub(super) fn reference(&self) -> u64 {
        self.name >> 16
    }

    /// Symbol of the order.
    #[inline(always)]
    #[must_use]
    pub fn locate(&self) -> Locate {
        Locate(self.name as u16)
    }

    /// As a mask: all ones if the order joins, 0 if it leaves.
    #[inline(always)]
    #[must_use]
    pub fn joins(&self) -> u64 {
        self.joins
    }

    /// The step of an order that joins on the side of the order in `slot`.
    #[inline(always)]
    pub(super) fn on_side_of(self, slot: &Slot) -> Self {
        Self {
            worth: self.worth | slot.worth & Slot::OFFER,
            ..self
        }
    }

    /// Whether `slot` is as the step expects it: empty if the order joins, otherwise the order's.
    #[inline(always)]
    pub(super) fn fits(&self, slot: &Slot) -> bool {
        slot.name == self.name & !self.joins
    }

    /// Whether the reference of an order that joins is above `highest`; true if it leaves.
    #[inline(always)]
    pub(super) fn is_above(&self, highest: u64) -> bool {
        self.reference() | !self.joins > highest
    }

    /// Takes the step on a slot that fits, and returns the order that joined or left.
    #[inline(always)]
    pub(super) fn take(&self, slot: &mut Slot) -> Order {
        let after = Slot {
            name: self.name & self.joins,
            worth: self.worth & self.joins,
        };
        let before = std::mem::replace(slot, after);
        // Of the two one is empty.
        let either = Slot {
            name: self.name,
            worth: before.worth | after.worth,
        };
        either.order()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_quarter_of_a_line() {
        assert_eq!(size_of::<Slot>(), 16);
        let (locate, shares, price) = (Locate(u16::MAX), u32::MAX >> 1, Price(u32::MAX));
        let sell = Order::new(locate, Side::Sell, shares, price);
        assert_eq!((sell.locate(), sell.side()), (locate, Side::Sell));
        assert_eq!((sell.shares(), sell.price()), (shares, price));
        let slot = Slot::new((1 << 48) - 1, sell).expect("the largest numbers");
        assert_eq!(slot.order(), sell);
        assert!(slot.holds((1 << 48) - 1) && !slot.holds(1 << 47));
        assert_eq!(Slot::new(1 << 48, sell), None);
        let huge = Order::new(Locate(1), Side::Buy, shares + 1, Price(10));
        assert_eq!(Slot::new(1, huge), None);
        let nameless = Order::new(Locate(0), Side::Buy, 1, Price(10));
        assert_eq!(Slot::new(0, nameless), None);
    }

    #[test]
    fn a_step_is_taken_on_the_slot_that_it_expects() {
        let (join, odd) = Step::new(u64::MAX, (7, Locate(3)), (true, 5, Price(9)));
        assert_eq!((odd, join.joins()), (0, u64::MAX));
        assert!(join.is_above(6) && !join.is_above(7));
        let mut slot = Slot::default();
        assert!(join.fits(&slot));
        let order = Order::new(Locate(3), Side::Sell, 5, Price(9));
        assert_eq!(join.take(&mut slot), order);
        assert_eq!(Some(slot), Slot::new(7, order));
        assert!(!join.fits(&slot), "taken");
        for (reference, locate, fits) in [(7, 3, true), (7, 2, false), (11, 3, false)] {
            let (leave, odd) = Step::new(0, (reference, Locate(locate)), (false, 0, Price(1)));
            assert_eq!((odd, leave.joins()), (0, 0));
            assert_eq!(leave.fits(&slot), fits, "{reference} {locate}");
            assert!(leave.is_above(u64::MAX - 1), "its reference is not new");
        }
        let (leave, _) = Step::new(0, (7, Locate(3)), (false, 0, Price(0)));
        assert_eq!((leave.take(&mut slot), slot), (order, Slot::default()));
    }

    #[test]
    fn numbers_that_no_exchange_uses_make_no_step() {
        let odd = |joins, reference, shares| {
            Step::new(joins, (reference, Locate(0)), (false, shares, Price(0))).1 != 0
        };
        for joins in [0, u64::MAX] {
            for (reference, expected) in [
                (0, true),
                (1, false),
                (1 << 47, false),
                ((1 << 47) + 1, true),
                (u64::MAX, true),
            ] {
                assert_eq!(odd(joins, reference, 1), expected, "{reference}");
            }
        }
        for (shares, expected) in [
            (0, true),
            (1, false),
            (1 << 30, false),
            ((1 << 30) + 1, true),
        ] {
            assert_eq!(odd(u64::MAX, 1, shares), expected, "{shares}");
            assert!(!odd(0, 1, shares), "whatever an order that leaves has");
        }
    }
}
