//! Orders: added, cancelled, deleted, replaced.

use crate::market::Side;
use crate::wire::itch50::{
    AddOrderFields, AddOrderWithAttributionFields, OrderCancelFields, OrderDeleteFields,
    OrderReplaceFields,
};

use super::exchange::Exchange;
use super::ladder::Order;
use super::rng::Rng;

/// The market maker of attributed orders.
const ATTRIBUTION: [u8; 4] = *b"WIDE";

impl Exchange {
    /// A or F: a new order in some symbol.
    pub(super) fn add(&mut self, now: u64, out: &mut Vec<u8>) {
        let locate = self.some_symbol();
        let side = some_side(&mut self.rng);
        let distance = some_distance(&mut self.rng);
        let shares = some_shares(&mut self.rng);
        let reference = self.tape.next_reference(some_gap(&mut self.rng));
        let step = self.books.add(locate, side, distance, (reference, shares));
        let (price, stock) = (self.books.price(locate, step), self.books.symbol(locate));
        let attributed = self.rng.chance(self.rates.attributed);
        self.tape.put(out, (locate, now), |header, out| {
            if attributed {
                AddOrderWithAttributionFields {
                    reference,
                    buy_sell_indicator: side.indicator(),
                    shares,
                    stock,
                    price,
                    attribution: ATTRIBUTION,
                }
                .emit(header, out);
            } else {
                AddOrderFields {
                    reference,
                    buy_sell_indicator: side.indicator(),
                    shares,
                    stock,
                    price,
                }
                .emit(header, out);
            }
        });
    }

    /// D: some order goes, by preference one that is in the way of its symbol's price.
    pub(super) fn delete(&mut self, now: u64, out: &mut Vec<u8>) {
        let index = match self.in_the_way() {
            Some(index) => index,
            None => match self.books.pick(&mut self.rng) {
                Some(index) => index,
                None => return self.add(now, out),
            },
        };
        let order = self.books.remove(index);
        self.tape.put(out, (order.locate, now), |header, out| {
            OrderDeleteFields {
                reference: order.reference,
            }
            .emit(header, out);
        });
        self.drift(order.locate, order.side);
    }

    /// The order that keeps a symbol's touch from moving; moves the touch if it no longer does.
    fn in_the_way(&mut self) -> Option<u32> {
        let (locate, side) = self.blocked?;
        match self.books.shift(locate, side) {
            Err(Some(index)) => Some(index),
            Ok(()) | Err(None) => {
                self.blocked = None;
                None
            }
        }
    }

    /// X: part of some order goes.
    pub(super) fn cancel(&mut self, now: u64, out: &mut Vec<u8>) {
        let Some((index, order)) = self.some_order().filter(|(_, order)| order.shares > 1) else {
            return self.delete(now, out);
        };
        let shares = 1 + self.rng.below(order.shares - 1);
        self.books.reduce(index, shares);
        self.tape.put(out, (order.locate, now), |header, out| {
            OrderCancelFields {
                reference: order.reference,
                cancelled_shares: shares,
            }
            .emit(header, out);
        });
    }

    /// U: some order moves to another price, size and reference.
    pub(super) fn replace(&mut self, now: u64, out: &mut Vec<u8>) {
        let Some(index) = self.books.pick(&mut self.rng) else {
            return self.add(now, out);
        };
        let old = self.books.remove(index);
        let distance = some_distance(&mut self.rng);
        let shares = match self.rng.below(4) {
            0 => some_shares(&mut self.rng),
            _ => old.shares,
        };
        let reference = self.tape.next_reference(some_gap(&mut self.rng));
        let step = self
            .books
            .add(old.locate, old.side, distance, (reference, shares));
        let price = self.books.price(old.locate, step);
        self.tape.put(out, (old.locate, now), |header, out| {
            OrderReplaceFields {
                original_reference: old.reference,
                new_reference: reference,
                shares,
                price,
            }
            .emit(header, out);
        });
    }

    pub(super) fn some_order(&mut self) -> Option<(u32, Order)> {
        let index = self.books.pick(&mut self.rng)?;
        Some((index, self.books.order(index)))
    }
}

#[inline]
fn some_side(rng: &mut Rng) -> Side {
    match rng.bits() & 1 {
        0 => Side::Buy,
        _ => Side::Sell,
    }
}

/// Steps from the touch: half of the orders at the best price, a quarter one step away and so on,
/// with a longer tail.
#[inline]
fn some_distance(rng: &mut Rng) -> u32 {
    let bits = rng.bits();
    let near = bits.trailing_zeros().min(12);
    match bits >> 56 {
        0..192 => near,
        _ => near + ((bits >> 40) & 15) as u32,
    }
}

/// Round lots mostly, some odd lots, few large orders.
#[inline]
pub(super) fn some_shares(rng: &mut Rng) -> u32 {
    match rng.below(100) {
        0..50 => 100,
        50..75 => 100 * (1 + rng.below(10)),
        75..97 => 1 + rng.below(99),
        _ => 1_000 * (1 + rng.below(20)),
    }
}

/// References that the exchange used for something else, between two orders.
#[inline]
fn some_gap(rng: &mut Rng) -> u32 {
    match rng.bits() & 7 {
        0 => 1,
        1 => 3,
        _ => 0,
    }
}
