//! A map of orders, and a sorted map of the shares at each price.

use std::collections::{BTreeMap, HashMap};

use widetape::book::{BookError, Change, Oddity};
use widetape::market::{Locate, Price, Shares, Side, Top};

#[derive(Clone, Copy)]
struct Order {
    locate: Locate,
    side: Side,
    shares: u32,
    price: Price,
}

#[derive(Default)]
pub(super) struct Naive {
    orders: HashMap<u64, Order>,
    levels: BTreeMap<(u16, bool, u32), u64>,
}

/// The caller looks whether the top has changed.
fn change(order: Order, oddity: Option<Oddity>) -> Change {
    Change {
        price: order.price,
        side: order.side,
        locate: order.locate,
        top_changed: false,
        oddity,
    }
}

impl Naive {
    fn level(&mut self, order: Order) -> &mut u64 {
        let key = (order.locate.0, order.side == Side::Sell, order.price.0);
        self.levels.entry(key).or_default()
    }

    fn remove(&mut self, reference: u64) -> Option<Order> {
        let order = self.orders.remove(&reference)?;
        *self.level(order) -= u64::from(order.shares);
        self.levels.retain(|_, size| *size > 0);
        Some(order)
    }

    pub(super) fn add(
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
        let reused = self.remove(reference).map(|_| Oddity::ReusedReference);
        let order = Order {
            locate,
            side,
            shares: shares.0,
            price,
        };
        self.orders.insert(reference, order);
        *self.level(order) += u64::from(shares.0);
        Ok(change(order, reused))
    }

    pub(super) fn reduce(
        &mut self,
        reference: u64,
        locate: Locate,
        shares: u32,
    ) -> Result<Change, BookError> {
        let order = self
            .remove(reference)
            .ok_or(BookError::UnknownReference(reference))?;
        if let Some(left) = order.shares.checked_sub(shares).filter(|left| *left > 0) {
            let rest = Order {
                shares: left,
                ..order
            };
            self.orders.insert(reference, rest);
            *self.level(rest) += u64::from(left);
        }
        let oddity = match (order.locate == locate, shares > order.shares) {
            (false, _) => Some(Oddity::LocateMismatch),
            (true, true) => Some(Oddity::ExcessShares),
            (true, false) => None,
        };
        Ok(change(order, oddity))
    }

    pub(super) fn delete(&mut self, reference: u64, locate: Locate) -> Result<Change, BookError> {
        let shares = self.orders.get(&reference).map_or(0, |order| order.shares);
        self.reduce(reference, locate, shares)
    }

    pub(super) fn replace(
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
            oddity: removed.oddity.or(added.oddity),
            ..added
        })
    }

    pub(super) fn top(&self, locate: Locate) -> Top {
        let side = |sell| {
            self.levels
                .range((locate.0, sell, 0)..=(locate.0, sell, u32::MAX))
        };
        let bid = side(false).next_back();
        let ask = side(true).next();
        let price = |level: Option<(&(u16, bool, u32), &u64)>| level.map_or(0, |(key, _)| key.2);
        let size = |level: Option<(&(u16, bool, u32), &u64)>| level.map_or(0, |(_, size)| *size);
        Top {
            bid: Price(price(bid)),
            bid_size: size(bid),
            ask: Price(price(ask)),
            ask_size: size(ask),
        }
    }

    pub(super) fn live(&self) -> u64 {
        self.orders.len() as u64
    }

    /// Every live reference, in order.
    pub(super) fn references(&self) -> Vec<u64> {
        let mut references: Vec<u64> = self.orders.keys().copied().collect();
        references.sort_unstable();
        references
    }
}
