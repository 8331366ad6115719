//! Days drawn from a seed: the same events for the model and, as wire messages, for the engine.

use widetape::market::{Duration, Locate, Price, Symbol, Timestamp};
use widetape::window::{Corrections, Policy, Spec};
use widetape::wire::itch50::{
    AddOrderFields, BrokenTradeFields, CrossTradeFields, Header, OrderExecutedFields,
    OrderExecutedWithPriceFields, StockDirectoryFields, SystemEventFields, TradeFields,
};

use crate::common::random::Random;

/// One execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub(crate) locate: u16,
    pub(crate) price: u32,
    pub(crate) shares: u32,
    pub(crate) number: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A message that only tells the time.
    Nothing,
    /// A message that never arrives.
    Lost,
    Name {
        locate: u16,
        symbol: Symbol,
    },
    /// An order, and at once its execution.
    Executed(Trade),
    /// An execution of an order that nobody has heard of: it names no symbol.
    WithPrice(Trade),
    NonDisplayed(Trade),
    Cross(Trade),
    Break {
        number: u64,
    },
}

/// Something that happens; what is lost has no time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) time: Option<u64>,
    pub(crate) kind: Kind,
}

impl Kind {
    pub(crate) fn counts_under(&self, policy: Policy) -> bool {
        match self {
            Kind::Executed(_) | Kind::WithPrice(_) => policy != Policy::Auction,
            Kind::NonDisplayed(_) => matches!(policy, Policy::All | Policy::Continuous),
            Kind::Cross(_) => matches!(policy, Policy::All | Policy::Auction),
            _ => false,
        }
    }
}

/// The name that orders and trades give a locate. Their order is not that of the locates, and two
/// locates share one.
pub(crate) fn symbol_of(locate: u16) -> Symbol {
    let name = ["MM", "ZZ", "AA", "MM", "B"][usize::from(locate) % 5];
    Symbol::new(name).unwrap()
}

/// The messages of `events`, in order; `None` where one is lost.
pub(crate) fn messages(events: &[Event]) -> Vec<Option<Vec<u8>>> {
    let mut messages = Vec::new();
    for (reference, event) in (1..).zip(events) {
        let Some(time) = event.time else {
            messages.push(None);
            continue;
        };
        write(event.kind, time, reference, |message| {
            messages.push(Some(message))
        });
    }
    messages
}

fn write(kind: Kind, time: u64, reference: u64, mut push: impl FnMut(Vec<u8>)) {
    let header = |locate| Header {
        locate: Locate(locate),
        tracking_number: 0,
        timestamp: Timestamp(time),
    };
    let mut out = Vec::new();
    match kind {
        Kind::Nothing | Kind::Lost => {
            SystemEventFields { event_code: b'Q' }.emit(&header(0), &mut out);
        }
        Kind::Name { locate, symbol } => listing(symbol).emit(&header(locate), &mut out),
        Kind::Executed(trade) => {
            let order = AddOrderFields {
                reference,
                buy_sell_indicator: b'S',
                shares: trade.shares.max(1),
                stock: symbol_of(trade.locate),
                price: Price(trade.price),
            };
            order.emit(&header(trade.locate), &mut out);
            push(std::mem::take(&mut out));
            let executed = OrderExecutedFields {
                reference,
                executed_shares: trade.shares,
                match_number: trade.number,
            };
            executed.emit(&header(trade.locate), &mut out);
        }
        Kind::WithPrice(trade) => OrderExecutedWithPriceFields {
            reference: 1 << 40,
            executed_shares: trade.shares,
            match_number: trade.number,
            printable: b'Y',
            execution_price: Price(trade.price),
        }
        .emit(&header(trade.locate), &mut out),
        Kind::NonDisplayed(trade) => TradeFields {
            reference: 0,
            buy_sell_indicator: b'B',
            shares: trade.shares,
            stock: symbol_of(trade.locate),
            price: Price(trade.price),
            match_number: trade.number,
        }
        .emit(&header(trade.locate), &mut out),
        Kind::Cross(trade) => CrossTradeFields {
            shares: u64::from(trade.shares),
            stock: symbol_of(trade.locate),
            cross_price: Price(trade.price),
            match_number: trade.number,
            cross_type: b'O',
        }
        .emit(&header(trade.locate), &mut out),
        Kind::Break { number } => BrokenTradeFields {
            match_number: number,
        }
        .emit(&header(0), &mut out),
    }
    push(out);
}

fn listing(stock: Symbol) -> StockDirectoryFields {
    StockDirectoryFields {
        stock,
        market_category: b'Q',
        financial_status_indicator: b'N',
        round_lot_size: 100,
        round_lots_only: b'N',
        issue_classification: b'C',
        issue_subtype: *b"Z ",
        authenticity: b'P',
        short_sale_threshold_indicator: b'N',
        ipo_flag: b'N',
        luld_reference_price_tier: b'1',
        etp_flag: b'N',
        etp_leverage_factor: 0,
        inverse_indicator: b'N',
    }
}

const MILLI: u64 = 1_000_000;

/// A request drawn from `random`.
pub(crate) fn spec(random: &mut Random) -> Spec {
    let step = random.pick(&[1, 7, 10, 10, 50]);
    let widths = ["1ms", "5ms", "10ms", "14ms", "25ms", "50ms", "200ms", "24h"];
    let mut labels: Vec<String> = Vec::new();
    for _ in 0..1 + random.below(3) {
        let label = match random.below(4) {
            0 => "session".to_owned(),
            1 => format!("{step}ms"),
            _ => random.pick(&widths).to_owned(),
        };
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let age = |millis| Corrections::Within(Duration::from_millis(millis).unwrap());
    Spec {
        windows: labels.iter().map(|label| label.parse().unwrap()).collect(),
        step: Duration::from_millis(step).unwrap(),
        policy: random.pick(&Policy::EACH),
        every_end: random.one_in(3),
        corrections: random.pick(&[
            Corrections::All,
            Corrections::All,
            Corrections::Off,
            age(1),
            age(30),
        ]),
    }
}

/// What `trade` is, or what is there in its place.
fn kind(random: &mut Random, trade: Trade) -> Kind {
    match random.below(12) {
        0 => Kind::Nothing,
        1 => Kind::Name {
            locate: trade.locate,
            symbol: Symbol::new(random.pick(&["LATE", "A", "MM"])).unwrap(),
        },
        2 | 3 => Kind::Cross(trade),
        4 | 5 => Kind::NonDisplayed(trade),
        6..9 => Kind::WithPrice(trade),
        _ => Kind::Executed(trade),
    }
}

/// A small day drawn from `random`.
pub(crate) fn day(random: &mut Random) -> Vec<Event> {
    let symbols = random.pick(&[1, 2, 5, 12]);
    let gap_odds = random.pick(&[4, 15, u64::MAX]);
    let break_odds = random.pick(&[3, 6, 50]);
    let pace = random.pick(&[100_000, MILLI, 5 * MILLI, 60 * MILLI]);
    let backwards = random.one_in(3);
    let same_numbers = random.one_in(4);
    let greatest = random.one_in(6);
    let mut time = random.pick(&[0, 3, 34_200_000 * MILLI, 34_200_000 * MILLI + 1]);
    let mut events: Vec<Event> = Vec::new();
    let mut number = 0;
    for _ in 0..random.pick(&[1, 6, 25, 45]) {
        time += match random.below(5) {
            0 => 0,
            1 => MILLI - time % MILLI,
            2 => 10 * MILLI - time % (10 * MILLI),
            _ => random.below(pace),
        };
        let stamp = if backwards && random.one_in(4) {
            time.saturating_sub(random.below(20 * MILLI))
        } else {
            time
        };
        let event = |kind| Event {
            time: Some(stamp),
            kind,
        };
        if random.one_in(gap_odds) {
            events.push(Event {
                time: None,
                kind: Kind::Lost,
            });
        }
        if random.one_in(break_odds) {
            let number = random.below(number + 3);
            events.push(event(Kind::Break { number }));
            continue;
        }
        number += 1;
        let edges = [0, 1, u32::MAX];
        let trade = Trade {
            locate: random.below(symbols) as u16,
            price: if greatest {
                random.pick(&edges)
            } else {
                random.below(30) as u32
            },
            shares: if greatest {
                random.pick(&edges)
            } else {
                random.below(20) as u32
            },
            number: if same_numbers { number / 2 } else { number },
        };
        events.push(event(kind(random, trade)));
    }
    if random.one_in(gap_odds) {
        events.push(Event {
            time: None,
            kind: Kind::Lost,
        });
    }
    events
}
