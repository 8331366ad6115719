//! A reader that stops: its symbols are conflated to their newest values, the others notice nothing,
//! and when it goes on it ends with the same values as they.

use std::collections::BTreeMap;

use widetape::market::{Locate, Price, Symbol, Timestamp, TradingState, TradingStatus};
use widetape::publish::fix::AcceptorOptions;
use widetape::publish::{Publisher, Update};
use widetape::window::Row;

use super::client::{Client, Desk, one_trade};

const SYMBOLS: u16 = 2_000;
const CONFLATE: usize = 64 << 10;
const WISH: &str = "262=R|263=1|264=0|267=2|269=9|269=B|146=1|55=*|";

/// Newest entry of each symbol, window and type.
type Values = BTreeMap<(String, String, String), String>;

fn row(locate: u16, window: u8, step: u32) -> Row {
    let price = Price(10_000 + step + u32::from(locate));
    Row {
        end: Timestamp(34_200_000_000_000 + u64::from(step) * 1_000_000_000),
        locate: Locate(locate),
        symbol: Symbol::new(&format!("S{locate}")).unwrap(),
        window,
        sums: one_trade(price, 3),
        complete: true,
        revision: 0,
    }
}

/// The end of `step` as 273 says it.
fn clock(step: u32) -> String {
    let end = 34_200 + step;
    let (hour, minute, second) = (end / 3600, end / 60 % 60, end % 60);
    format!("{hour:02}:{minute:02}:{second:02}.000")
}

/// Takes the entries of a 35=X; how many there were.
fn take(message: &str, values: &mut Values) -> usize {
    assert!(message.contains("|35=X|"), "{message}");
    let mut entries = message.split("|279=");
    let head = entries.next().unwrap();
    let count: usize = head.split_once("|268=").unwrap().1.parse().unwrap();
    let mut found = 0;
    for entry in entries {
        let field = |tag: &str| {
            let value = entry.split_once(&format!("|{tag}=")).unwrap().1;
            value.split('|').next().unwrap().to_owned()
        };
        let tag = if field("269") == "9" { "270" } else { "271" };
        let value = format!("{} at {}", field(tag), field("273"));
        let key = (field("55"), field("282"), field("269"));
        let newer = values.get(&key).is_none_or(|old| {
            let end = |text: &str| text.split_once(" at ").unwrap().1.to_owned();
            end(&value) >= end(old)
        });
        assert!(newer, "a value goes back: {entry}");
        values.insert(key, value);
        found += 1;
    }
    assert_eq!(found, count);
    found
}

/// A desk that lists every symbol.
fn listed(change: impl FnOnce(&mut AcceptorOptions)) -> Desk {
    let mut desk = Desk::new(change);
    for locate in 0..SYMBOLS {
        let symbol = Symbol::new(&format!("S{locate}")).unwrap();
        desk.acceptor.listing(Locate(locate), symbol);
    }
    desk
}

fn subscriber(desk: &mut Desk, name: &str) -> Client {
    let mut client = desk.log_on(name);
    let before = desk.acceptor.counts().requests;
    client.send(desk, "V", WISH);
    desk.until(|acceptor| acceptor.counts().requests > before);
    client
}

impl Desk {
    /// One step of every symbol, both windows at even steps.
    fn step(&mut self, step: u32) -> usize {
        let windows = if step.is_multiple_of(2) { 0..2 } else { 0..1 };
        let rows: Vec<Row> = (0..SYMBOLS)
            .flat_map(|locate| windows.clone().map(move |window| row(locate, window, step)))
            .collect();
        self.acceptor.set_clock(self.clock());
        let update = Update {
            time: rows[0].end,
            rows: (&rows).into(),
            tops: &[],
        };
        self.acceptor.publish(&update).unwrap();
        rows.len() * 2
    }
}

#[test]
fn a_stopped_reader_is_conflated_and_catches_up() {
    let mut desk = listed(|options| options.conflate_bytes = CONFLATE);
    let mut lazy = subscriber(&mut desk, "LAZY");
    let mut keen = subscriber(&mut desk, "KEEN");
    let (mut keen_values, mut lazy_values) = (Values::new(), Values::new());
    let (mut step, mut after) = (0, 0);
    while after < 20 {
        step += 1;
        after += u32::from(desk.acceptor.counts().conflated > 0);
        assert!(step < 1_000, "the socket cannot take it all");
        let mut left = desk.step(step);
        let waiting = desk.acceptor.counts().bytes_waiting as usize;
        assert!(waiting < 2 * (CONFLATE + 64 * 1024), "{waiting} bytes wait");
        while left > 0 {
            left -= take(&keen.next(&mut desk), &mut keen_values);
        }
    }
    let increments = desk.acceptor.counts().increments;
    assert_eq!(keen_values.len(), usize::from(SYMBOLS) * 4);
    let mut entries = 0;
    while lazy_values != keen_values {
        entries += take(&lazy.next(&mut desk), &mut lazy_values);
    }
    let counts = desk.acceptor.counts();
    assert!(counts.increments > increments, "caught up with 35=X");
    let all = 3 * step as usize * usize::from(SYMBOLS);
    assert!(entries < all, "{entries} of {all} entries");
    assert_eq!((counts.slow_readers, counts.market_data_dropped), (0, 0));
    lazy.send(&desk, "1", "112=in order again|");
    assert!(lazy.next(&mut desk).contains("|112=in order again|"));
}

fn status(locate: u16, state: TradingState) -> (Symbol, TradingStatus) {
    let status = TradingStatus {
        locate: Locate(locate),
        state,
        reason: *b"T1  ",
        time: Timestamp(34_200_000_000_000),
    };
    (Symbol::new(&format!("S{locate}")).unwrap(), status)
}

#[test]
fn a_reader_that_is_behind_is_told_the_newest_trading_states_first() {
    let mut desk = listed(|options| options.conflate_bytes = CONFLATE);
    let mut lazy = subscriber(&mut desk, "LAZY");
    let mut step = 0;
    while desk.acceptor.counts().conflated == 0 {
        step += 1;
        assert!(step < 1_000, "the socket cannot take it all");
        desk.step(step);
    }
    let told = desk.acceptor.counts().messages_sent;
    for state in [TradingState::Halted, TradingState::QuotationOnly] {
        let changes = [5, 6].map(|locate| status(locate, state));
        desk.acceptor.trading_statuses(&changes);
    }
    let resumed = [status(5, TradingState::Trading)];
    desk.acceptor.trading_statuses(&resumed);
    assert_eq!(desk.acceptor.counts().messages_sent, told, "they wait");
    desk.step(step + 1);
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let message = lazy.next(&mut desk);
        let is_newest = message.contains("|35=X|") && message.contains(&clock(step + 1));
        if message.contains("|35=f|") || is_newest {
            seen.push(message);
        }
    }
    let found: Vec<bool> = [
        "|55=S5|325=Y|326=3|",
        "|55=S6|325=Y|326=5|",
        "|35=X|",
        "|35=X|",
    ]
    .iter()
    .zip(&seen)
    .map(|(expected, message)| message.contains(expected))
    .collect();
    assert_eq!(found, [true; 4], "{seen:?}");
    while desk.acceptor.counts().bytes_waiting > 0 {
        assert!(!lazy.next(&mut desk).contains("|35=f|"), "told once");
    }
    assert_eq!(desk.acceptor.counts().statuses, 2);
}

#[test]
fn one_stopped_reader_of_a_hundred_costs_the_others_nothing() {
    let mut desk = listed(|options| {
        options.conflate_bytes = CONFLATE;
        options.max_sessions = 100;
    });
    let _stopped = subscriber(&mut desk, "STOPPED");
    let mut others: Vec<(Client, Values)> = Vec::new();
    for number in 1..100 {
        let mut client = desk.log_on(&format!("R{number}"));
        let wish = "262=R|263=1|264=0|267=2|269=9|269=B|146=3|55=S1|55=S2|55=S3|";
        client.send(&desk, "V", wish);
        for _ in 0..3 {
            assert!(client.next(&mut desk).contains("|35=W|"));
        }
        others.push((client, Values::new()));
    }
    let (mut step, mut after) = (0_u32, 0);
    while after < 4 {
        step += 1;
        after += u32::from(desk.acceptor.counts().conflated > 0);
        assert!(step < 1_000, "the socket cannot take it all");
        let windows = if step.is_multiple_of(2) { 2 } else { 1 };
        desk.step(step);
        for (client, values) in &mut others {
            assert_eq!(take(&client.next(&mut desk), values), 3 * 2 * windows);
        }
    }
    let now = format!("at {}", clock(step));
    for (_, values) in &others {
        assert_eq!(values, &others[0].1);
        let newest = values.iter().filter(|((_, window, _), _)| window == "1s");
        assert!(
            newest.clone().count() == 6 && newest.clone().all(|(_, value)| value.ends_with(&now))
        );
    }
    assert_eq!(desk.acceptor.sessions(), 100);
    assert_eq!(desk.acceptor.counts().market_data_dropped, 0);
}

#[test]
fn a_reader_that_stays_stopped_is_logged_out() {
    let mut desk = Desk::new(|options| {
        options.conflate_bytes = CONFLATE;
        options.max_pending_ms = 10_000;
    });
    let mut lazy = subscriber(&mut desk, "LAZY");
    let mut step = 0;
    while desk.acceptor.counts().conflated == 0 {
        step += 1;
        desk.step(step);
    }
    desk.duty();
    desk.elapsed_ms = 10_000;
    desk.duty();
    assert_eq!(desk.acceptor.counts().slow_readers, 0);
    desk.elapsed_ms = 10_001;
    desk.duty();
    assert_eq!(desk.acceptor.counts().slow_readers, 1);
    let messages = lazy.rest(|| {
        desk.duty();
    });
    let last = messages.last().unwrap();
    let reason = "|58=reader too slow: bytes have waited for more than 10000 ms|";
    assert!(last.contains("|35=5|") && last.contains(reason), "{last}");
}
