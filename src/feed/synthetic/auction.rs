//! Crosses, imbalances, halts.

use crate::market::{Price, Side};
use crate::wire::itch50::{
    CrossTradeFields, LuldAuctionCollarFields, NetOrderImbalanceFields,
    RetailPriceImprovementFields, StockTradingActionFields,
};

use super::clock::{MARKET_CLOSE, MARKET_OPEN};
use super::exchange::{Exchange, ROOM};
use super::flow::some_shares;
use super::memory::Done;

const MINUTE: u64 = 60_000_000_000;
/// How long a halt lasts.
const HALT: u64 = 5 * MINUTE;
/// Most pairs of orders that a cross executes with a C each.
const PAIRS: u64 = 4;

/// Which cross (the type byte of Q and I).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cross {
    Opening,
    Closing,
    /// After a halt.
    Halt,
}

impl Cross {
    fn code(self) -> u8 {
        match self {
            Self::Opening => b'O',
            Self::Closing => b'C',
            Self::Halt => b'H',
        }
    }
}

impl Exchange {
    /// Crosses one symbol: the best bids meet the best offers, each with a C that is not printed,
    /// and a Q prints their sum in bulk, together with what earlier executions left unprinted and
    /// with orders that were never displayed. Often nothing crosses: then Q has 0 shares.
    /// Writes 1 message, and up to `room - 1` more.
    pub(super) fn cross(
        &mut self,
        now: u64,
        locate: u16,
        (cross, room): (Cross, u64),
        out: &mut Vec<u8>,
    ) {
        let listing = self.listing(locate);
        let price = self.books.price(locate, self.books.top(locate));
        let quiet = listing.halted && cross != Cross::Halt || self.rng.below(4) == 0;
        let mut pairs = room.saturating_sub(1) / 2;
        while !quiet && pairs > 0 && self.cross_pair(now, locate, price, out) {
            pairs = if self.rng.below(2) == 0 {
                pairs.min(PAIRS) - 1
            } else {
                0
            };
        }
        let unprinted = &mut self.listings[usize::from(locate)].unprinted;
        let mut shares = std::mem::take(unprinted);
        if !quiet {
            shares += 50 * u64::from(some_shares(&mut self.rng));
        }
        let match_number = self.tape.next_match();
        self.tape.put(out, (locate, now), |header, out| {
            CrossTradeFields {
                shares,
                stock: self.books.symbol(locate),
                cross_price: if shares == 0 { Price(0) } else { price },
                match_number,
                cross_type: cross.code(),
            }
            .emit(header, out);
        });
        let done = Done {
            locate,
            match_number,
        };
        self.memory.remember_cross(done, &mut self.rng);
    }

    /// Executes the smaller of the best bid and the best offer against the other. The bid's shares
    /// alone are what the cross prints. False when a side is empty.
    fn cross_pair(&mut self, now: u64, locate: u16, price: Price, out: &mut Vec<u8>) -> bool {
        let best = |side| self.books.best(locate, side);
        let (Some(bid), Some(offer)) = (best(Side::Buy), best(Side::Sell)) else {
            return false;
        };
        let shares = self
            .books
            .order(bid)
            .shares
            .min(self.books.order(offer).shares);
        self.execute_priced(now, bid, (shares, price, false), out);
        if let Some(offer) = self.books.best(locate, Side::Sell) {
            let shares = shares.min(self.books.order(offer).shares);
            let unprinted = self.listing(locate).unprinted;
            self.execute_priced(now, offer, (shares, price, false), out);
            self.listings[usize::from(locate)].unprinted = unprinted;
        }
        true
    }

    /// I: before the opening and the closing cross.
    pub(super) fn imbalance(&mut self, now: u64, out: &mut Vec<u8>) {
        let locate = self.some_symbol();
        let top = self.books.top(locate);
        let (near, far) = (
            self.books.price(locate, top),
            self.books.price(locate, top + 1),
        );
        let opening = now < MARKET_OPEN;
        let paired_shares = 100 * u64::from(some_shares(&mut self.rng));
        let imbalance_shares = 10 * u64::from(some_shares(&mut self.rng));
        let direction = b"BS"[self.rng.below(2) as usize];
        let stock = self.books.symbol(locate);
        self.tape.put(out, (locate, now), |header, out| {
            NetOrderImbalanceFields {
                paired_shares,
                imbalance_shares,
                imbalance_direction: direction,
                stock,
                far_price: far,
                near_price: near,
                current_reference_price: near,
                cross_type: if opening { b'O' } else { b'C' },
                price_variation_indicator: b'L',
            }
            .emit(header, out);
        });
    }

    /// H and J: trading in a symbol stops for five minutes. Only in the middle of the day.
    pub(super) fn halt(&mut self, now: u64, room: u64, out: &mut Vec<u8>) {
        let locate = self.some_symbol();
        let day = MARKET_OPEN + 5 * MINUTE..MARKET_CLOSE - 20 * MINUTE;
        if room < ROOM || !day.contains(&now) || self.listing(locate).halted {
            return self.add(now, out);
        }
        self.listings[usize::from(locate)].halted = true;
        self.halts.push_back((now + HALT, locate));
        self.trading_action(now, (locate, b'H', *b"LUDP"), out);
        let top = self.books.top(locate);
        let (low, price) = (
            self.books.price(locate, top - top / 20),
            self.books.price(locate, top),
        );
        let high = self.books.price(locate, top + top / 20);
        let stock = self.books.symbol(locate);
        self.tape.put(out, (locate, now), |header, out| {
            LuldAuctionCollarFields {
                stock,
                auction_collar_reference_price: price,
                upper_auction_collar_price: high,
                lower_auction_collar_price: low,
                auction_collar_extension: 0,
            }
            .emit(header, out);
        });
    }

    /// Lets the next halted symbol trade again if its time has come: quotes, a cross, trading.
    pub(super) fn resume_due(&mut self, now: u64, out: &mut Vec<u8>) -> bool {
        let Some((_, locate)) = self.halts.pop_front_if(|(resume, _)| *resume <= now) else {
            return false;
        };
        self.trading_action(now, (locate, b'Q', *b"LUDP"), out);
        self.cross(now, locate, (Cross::Halt, ROOM - 2), out);
        self.listings[usize::from(locate)].halted = false;
        self.trading_action(now, (locate, b'T', *b"    "), out);
        true
    }

    /// H: the state of a symbol.
    pub(super) fn trading_action(
        &mut self,
        now: u64,
        (locate, state, reason): (u16, u8, [u8; 4]),
        out: &mut Vec<u8>,
    ) {
        let stock = self.books.symbol(locate);
        self.tape.put(out, (locate, now), |header, out| {
            StockTradingActionFields {
                stock,
                trading_state: state,
                reserved: b' ',
                reason,
            }
            .emit(header, out);
        });
    }

    /// N: retail interest, which moves nothing.
    pub(super) fn note(&mut self, now: u64, out: &mut Vec<u8>) {
        let locate = self.some_symbol();
        let stock = self.books.symbol(locate);
        let interest = b"BSAN"[self.rng.below(4) as usize];
        self.tape.put(out, (locate, now), |header, out| {
            RetailPriceImprovementFields {
                stock,
                interest_flag: interest,
            }
            .emit(header, out);
        });
    }
}
