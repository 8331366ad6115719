//! A book of maps that asserts at every message what an exchange guarantees.

use std::collections::{BTreeMap, HashMap, HashSet};

use widetape::market::{Price, Side, Timestamp};
use widetape::wire::itch50::{Header, Message, parse};

struct Resting {
    locate: u16,
    side: Side,
    shares: u32,
    price: Price,
}

/// What a whole day came to.
#[derive(Default)]
pub(super) struct Naive {
    pub(super) kinds: HashMap<u8, u64>,
    orders: HashMap<u64, Resting>,
    /// How many orders rest at each price of each side.
    levels: HashMap<(u16, Side), BTreeMap<Price, u32>>,
    now: Timestamp,
    last_reference: u64,
    last_match: u64,
    halted: HashSet<u16>,
    /// Time of each execution that counts (not of unprinted ones), until it is broken.
    executions: HashMap<u64, Timestamp>,
    /// Ages of broken executions.
    pub(super) broken_ages: Vec<u64>,
    pub(super) breaks_without_effect: u64,
    pub(super) unprinted: u64,
    pub(super) empty_crosses: u64,
    /// Shares of unprinted executions, both sides of crosses included, and of crosses.
    pub(super) unprinted_shares: u64,
    pub(super) cross_shares: u64,
}

impl Naive {
    pub(super) fn messages(&self) -> u64 {
        self.kinds.values().sum()
    }

    pub(super) fn count(&self, kinds: &[u8]) -> u64 {
        kinds.iter().filter_map(|kind| self.kinds.get(kind)).sum()
    }

    pub(super) fn live(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn apply(&mut self, bytes: &[u8]) {
        let message = parse(bytes).expect("a message of the right length");
        let header = message.header();
        assert!(header.timestamp >= self.now, "time runs backwards");
        self.now = header.timestamp;
        *self.kinds.entry(bytes[0]).or_default() += 1;
        match message {
            Message::AddOrder(m) => {
                let side = m.side().expect("a side");
                self.rest(m.reference(), (&header, side, m.shares(), m.price()));
            }
            Message::AddOrderWithAttribution(m) => {
                let side = m.side().expect("a side");
                self.rest(m.reference(), (&header, side, m.shares(), m.price()));
            }
            Message::OrderReplace(m) => {
                let old = self.leave(m.original_reference(), &header);
                self.rest(
                    m.new_reference(),
                    (&header, old.side, m.shares(), m.price()),
                );
            }
            Message::OrderDelete(m) => {
                self.leave(m.reference(), &header);
            }
            Message::OrderCancel(m) => {
                let left = self.take(m.reference(), m.cancelled_shares(), &header);
                assert!(left > 0, "a cancel that leaves nothing");
            }
            _ => self.trade(&message, &header),
        }
    }

    fn trade(&mut self, message: &Message<'_>, header: &Header) {
        match message {
            Message::OrderExecuted(m) => {
                self.assert_best(m.reference());
                self.take(m.reference(), m.executed_shares(), header);
                self.execution(m.match_number(), header, true);
            }
            Message::OrderExecutedWithPrice(m) => {
                self.assert_best(m.reference());
                self.take(m.reference(), m.executed_shares(), header);
                assert!(m.execution_price().0 > 0 && b"YN".contains(&m.printable()));
                if m.printable() == b'N' {
                    self.unprinted += 1;
                    self.unprinted_shares += u64::from(m.executed_shares());
                }
                self.execution(m.match_number(), header, m.printable() == b'Y');
            }
            Message::Trade(m) => {
                assert!(m.price().0 > 0 && m.shares() > 0);
                self.execution(m.match_number(), header, true);
            }
            Message::CrossTrade(m) => {
                self.empty_crosses += u64::from(m.shares() == 0);
                self.cross_shares += m.shares();
                assert_eq!(m.shares() == 0, m.cross_price() == Price(0));
                self.halted.remove(&header.locate.0);
                self.execution(m.match_number(), header, m.shares() > 0);
            }
            Message::BrokenTrade(m) => match self.executions.remove(&m.match_number()) {
                Some(time) => self.broken_ages.push(self.now.0 - time.0),
                None => self.breaks_without_effect += 1,
            },
            Message::StockTradingAction(m) if m.trading_state() == b'H' => {
                assert!(self.halted.insert(header.locate.0), "halted twice");
            }
            Message::StockTradingAction(m) if m.trading_state() == b'Q' => {
                assert!(self.halted.remove(&header.locate.0), "not halted");
            }
            _ => {}
        }
    }

    fn rest(&mut self, reference: u64, (header, side, shares, price): (&Header, Side, u32, Price)) {
        assert!(reference > self.last_reference, "references increase");
        self.last_reference = reference;
        assert!(shares > 0 && price.0 > 0);
        assert!(price.0 < 20_000 || price.0 % 100 == 0, "{price} is no tick");
        let locate = header.locate.0;
        let level = self.levels.entry((locate, side)).or_default();
        *level.entry(price).or_default() += 1;
        let resting = Resting {
            locate,
            side,
            shares,
            price,
        };
        self.orders.insert(reference, resting);
        let bid = self.best(locate, Side::Buy);
        let offer = self.best(locate, Side::Sell);
        if let (Some(bid), Some(offer)) = (bid, offer) {
            assert!(bid < offer, "locate {locate} is crossed: {bid} {offer}");
        }
    }

    fn best(&self, locate: u16, side: Side) -> Option<Price> {
        let level = self.levels.get(&(locate, side))?;
        match side {
            Side::Buy => level.last_key_value(),
            Side::Sell => level.first_key_value(),
        }
        .map(|(&price, _)| price)
    }

    fn leave(&mut self, reference: u64, header: &Header) -> Resting {
        let order = self.orders.remove(&reference).expect("a known reference");
        assert_eq!(order.locate, header.locate.0);
        let level = self.levels.get_mut(&(order.locate, order.side)).unwrap();
        let count = level.get_mut(&order.price).unwrap();
        *count -= 1;
        if *count == 0 {
            level.remove(&order.price);
        }
        order
    }

    /// Takes shares from an order; returns how many are left.
    fn take(&mut self, reference: u64, shares: u32, header: &Header) -> u32 {
        let order = self.orders.get_mut(&reference).expect("a known reference");
        assert!(shares > 0 && shares <= order.shares);
        assert_eq!(order.locate, header.locate.0);
        order.shares -= shares;
        let left = order.shares;
        if left == 0 {
            self.leave(reference, header);
        }
        left
    }

    fn assert_best(&self, reference: u64) {
        let order = self.orders.get(&reference).expect("a known reference");
        assert_eq!(self.best(order.locate, order.side), Some(order.price));
    }

    fn execution(&mut self, match_number: u64, header: &Header, counts: bool) {
        assert!(match_number > self.last_match, "match numbers increase");
        self.last_match = match_number;
        assert!(!self.halted.contains(&header.locate.0), "traded in a halt");
        if counts {
            self.executions.insert(match_number, self.now);
        }
    }
}
