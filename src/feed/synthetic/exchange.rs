//! The exchange: its books and symbols, and how an event is chosen.

use std::collections::VecDeque;

use crate::market::Side;

use super::clock::{MARKET_CLOSE, MARKET_OPEN};
use super::ladder::{DEPTH, Issue, Ladders};
use super::memory::Memory;
use super::names::symbol_name;
use super::options::{Rates, SyntheticOptions};
use super::rng::{Rng, Zipf};
use super::tape::Tape;

/// The prices of no symbol go beyond this.
const HIGHEST_PRICE: u64 = 4_000_000_000;
/// Of 1,000 messages, so many leave an order alive,
const LIVE_PER_THOUSAND: u64 = 24;
/// until so many are alive.
const LIVE_AT_MOST: u64 = 1_500_000;
/// Fewest messages of an event that is more than one message.
pub(super) const ROOM: u64 = 16;

/// What is seldom looked at of a symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listing {
    /// Shares executed without being printed; the next cross prints them.
    pub(super) unprinted: u64,
    pub(super) halted: bool,
}

/// Everything that events change.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) rng: Rng,
    pub(super) tape: Tape,
    pub(super) books: Ladders,
    /// By locate; locate 0 is no symbol and nothing trades in it.
    pub(super) listings: Vec<Listing>,
    pub(super) popular: Zipf,
    pub(super) memory: Memory,
    pub(super) rates: Rates,
    /// Halted symbols and when they resume, earliest first.
    pub(super) halts: VecDeque<(u64, u16)>,
    /// A symbol whose touch wants to move this way, but an order far away is in the way.
    pub(super) blocked: Option<(u16, Side)>,
}

impl Exchange {
    pub(super) fn new(options: &SyntheticOptions) -> Self {
        let mut rng = Rng::new(options.seed);
        let count = options.symbols;
        let issues: Vec<Issue> = (0..=count).map(|locate| issue(locate, &mut rng)).collect();
        let mut ranks: Vec<u16> = (0..count).collect();
        for last in (1..ranks.len()).rev() {
            ranks.swap(last, rng.below(last as u32 + 1) as usize);
        }
        Self {
            popular: Zipf::new(&ranks),
            rng,
            tape: Tape::new(),
            listings: vec![Listing::default(); issues.len()],
            books: Ladders::new(issues.into_iter()),
            memory: Memory::new(),
            rates: options.profile.rates(),
            halts: VecDeque::new(),
            blocked: None,
        }
    }

    /// A symbol, the popular ones more often.
    #[inline]
    pub(super) fn some_symbol(&mut self) -> u16 {
        self.popular.draw(&mut self.rng) + 1
    }

    pub(super) fn listing(&self, locate: u16) -> Listing {
        self.listings[usize::from(locate)]
    }

    /// Writes the next event, at most `room` messages.
    pub(super) fn event(&mut self, now: u64, room: u64, out: &mut Vec<u8>) {
        if room >= ROOM && self.resume_due(now, out) {
            return;
        }
        let rates = self.rates;
        let mut draw = self.rng.below(1_000_000);
        let mut is = |chance: u32| {
            let hit = draw < chance;
            draw = draw.wrapping_sub(chance);
            hit
        };
        if is(rates.replace) {
            self.replace(now, out);
        } else if is(rates.execute) {
            self.execute(now, room, out);
        } else if is(rates.cancel) {
            self.cancel(now, out);
        } else if is(rates.hidden) {
            self.hidden(now, out);
        } else if is(rates.priced) {
            self.execute_at_other_price(now, out);
        } else if is(rates.note) {
            self.note(now, out);
        } else if is(rates.bust) {
            self.bust(now, out);
        } else if is(rates.halt) {
            self.halt(now, room, out);
        } else if before_auction(now) && self.rng.chance(120_000) {
            self.imbalance(now, out);
        } else if self.wants_orders() {
            self.add(now, out);
        } else {
            self.delete(now, out);
        }
    }

    /// Whether the next message should rather add an order than delete one: even chances when the
    /// number of live orders is what it should be.
    fn wants_orders(&mut self) -> bool {
        let alive = self.tape.messages() * LIVE_PER_THOUSAND / 1_000;
        let target = 64 + alive.min(LIVE_AT_MOST);
        let tolerance = 32 + target / 32;
        let missing = (target + tolerance).saturating_sub(self.books.live() as u64);
        self.rng.below_wide(2 * tolerance) < missing
    }

    /// After the best step of a side may have become free: sometimes the price follows.
    pub(super) fn drift(&mut self, locate: u16, side: Side) {
        if !self.books.touch_is_free(locate, side) || !self.rng.chance(400_000) {
            return;
        }
        let top = self.books.top(locate);
        let spacing = u64::from(self.books.spacing(locate));
        let inside = match side {
            Side::Buy => top > 3 * DEPTH,
            Side::Sell => (u64::from(top) + 2 * u64::from(DEPTH)) * spacing < HIGHEST_PRICE,
        };
        if inside && self.books.shift(locate, side).is_err() {
            self.blocked = Some((locate, side));
        }
    }
}

/// The five minutes before the open and the ten before the close, when imbalances are published.
fn before_auction(now: u64) -> bool {
    const MINUTE: u64 = 60_000_000_000;
    (MARKET_OPEN - 5 * MINUTE..MARKET_OPEN).contains(&now)
        || (MARKET_CLOSE - 10 * MINUTE..MARKET_CLOSE).contains(&now)
}

/// A symbol and its first price: some penny stocks, most between 2 and 60 USD, few dear ones.
fn issue(locate: u16, rng: &mut Rng) -> Issue {
    let (top, spacing) = match rng.below(100) {
        0..6 => (1_000 + rng.below(8_900), 1),
        6..66 => (200 + rng.below(5_800), 100),
        66..93 => (3_000 + rng.below(12_000), 200),
        _ => (600 + rng.below(3_400), 5_000),
    };
    Issue {
        symbol: symbol_name(locate.saturating_sub(1)),
        top,
        spacing,
    }
}
