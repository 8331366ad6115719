//! Executions, and breaks of them.

use crate::market::{Price, Side};
use crate::wire::itch50::{
    BrokenTradeFields, OrderExecutedFields, OrderExecutedWithPriceFields, TradeFields,
};

use super::exchange::Exchange;
use super::flow::some_shares;
use super::ladder::Order;
use super::memory::Done;
use super::tape::FIRST_MATCH;

/// Most resting orders that one incoming order executes.
const FILLS: u64 = 8;

impl Exchange {
    /// E, once or a few times in one moment: an incoming order meets the best orders of a side.
    pub(super) fn execute(&mut self, now: u64, room: u64, out: &mut Vec<u8>) {
        let Some((locate, side)) = self.trading_side() else {
            return self.add(now, out);
        };
        for fill in 1..=room.min(FILLS) {
            let Some(index) = self.books.best(locate, side) else {
                return;
            };
            let order = self.books.order(index);
            let whole = self.rng.chance(self.rates.whole);
            let shares = if whole {
                order.shares
            } else {
                self.part_of(&order)
            };
            let match_number = self.tape.next_match();
            self.tape.put(out, (locate, now), |header, out| {
                OrderExecutedFields {
                    reference: order.reference,
                    executed_shares: shares,
                    match_number,
                }
                .emit(header, out);
            });
            self.finish(index, &order, shares, match_number);
            if fill == room || !self.rng.chance(250_000) {
                return;
            }
        }
    }

    /// C: the best order of a side is executed at a price of its own, sometimes without print.
    pub(super) fn execute_at_other_price(&mut self, now: u64, out: &mut Vec<u8>) {
        let Some((locate, side)) = self.trading_side() else {
            return self.add(now, out);
        };
        let Some(index) = self.books.best(locate, side) else {
            return self.add(now, out);
        };
        let order = self.books.order(index);
        let shares = self.part_of(&order);
        let printable = !self.rng.chance(self.rates.unprinted);
        let own = self.books.price(locate, order.step).0;
        let better = self.rng.below(self.books.spacing(locate) + 1);
        let price = match side {
            Side::Buy => own + better,
            Side::Sell => own - better,
        };
        self.execute_priced(now, index, (shares, Price(price), printable), out);
    }

    /// Writes the C of one order and takes its shares.
    pub(super) fn execute_priced(
        &mut self,
        now: u64,
        index: u32,
        (shares, price, printable): (u32, Price, bool),
        out: &mut Vec<u8>,
    ) {
        let order = self.books.order(index);
        let match_number = self.tape.next_match();
        self.tape.put(out, (order.locate, now), |header, out| {
            OrderExecutedWithPriceFields {
                reference: order.reference,
                executed_shares: shares,
                match_number,
                printable: if printable { b'Y' } else { b'N' },
                execution_price: price,
            }
            .emit(header, out);
        });
        if !printable {
            self.listings[usize::from(order.locate)].unprinted += u64::from(shares);
        }
        self.finish(index, &order, shares, match_number);
    }

    /// P: an order that nobody sees is executed between the best prices.
    pub(super) fn hidden(&mut self, now: u64, out: &mut Vec<u8>) {
        let locate = self.some_symbol();
        let listing = self.listing(locate);
        if listing.halted {
            return self.add(now, out);
        }
        let bid = self.books.price(locate, self.books.top(locate)).0;
        let price = Price(bid + self.rng.below(3) * self.books.spacing(locate) / 2);
        let shares = some_shares(&mut self.rng);
        let match_number = self.tape.next_match();
        self.tape.put(out, (locate, now), |header, out| {
            TradeFields {
                reference: 0,
                buy_sell_indicator: Side::Buy.indicator(),
                shares,
                stock: self.books.symbol(locate),
                price,
                match_number,
            }
            .emit(header, out);
        });
        self.memory.remember(
            Done {
                locate,
                match_number,
            },
            &mut self.rng,
        );
    }

    /// B: of a remembered execution; one in 20 of an execution that never was.
    pub(super) fn bust(&mut self, now: u64, out: &mut Vec<u8>) {
        let unknown = Done {
            locate: 1,
            match_number: self.rng.below_wide(FIRST_MATCH),
        };
        let done = match self.rng.below(20) {
            0 => Some(unknown),
            _ => self.memory.choose(&mut self.rng),
        };
        let Some(done) = done else {
            return self.add(now, out);
        };
        self.tape.put(out, (done.locate, now), |header, out| {
            BrokenTradeFields {
                match_number: done.match_number,
            }
            .emit(header, out);
        });
    }

    /// The symbol and side of some live order, unless its symbol is halted.
    fn trading_side(&mut self) -> Option<(u16, Side)> {
        let (_, order) = self.some_order()?;
        (!self.listing(order.locate).halted).then_some((order.locate, order.side))
    }

    /// A part of an order's shares, at least one: half of them or fewer, all when there is one.
    fn part_of(&mut self, order: &Order) -> u32 {
        1 + self.rng.below(order.shares.div_ceil(2))
    }

    fn finish(&mut self, index: u32, order: &Order, shares: u32, match_number: u64) {
        let done = Done {
            locate: order.locate,
            match_number,
        };
        self.memory.remember(done, &mut self.rng);
        if self.books.reduce(index, shares) {
            self.drift(order.locate, order.side);
        }
    }
}
