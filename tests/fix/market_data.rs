//! Requests, snapshots, increments and refusals over TCP.

use widetape::market::{Locate, Notional, Price, Symbol, Timestamp, Top};
use widetape::publish::{Publisher, Update};
use widetape::window::{Row, Sums};

use super::client::{Client, Desk};

const NINE_THIRTY: u64 = 34_200_000_000_000;

fn symbol(name: &str) -> Symbol {
    Symbol::new(name).unwrap()
}

/// A row whose VWAP is `ticks` and a third, over 3 shares.
fn row(locate: u16, name: &str, window: u8, end_ms: u64, ticks: u32) -> Row {
    let price = Price(ticks);
    Row {
        end: Timestamp(NINE_THIRTY + end_ms * 1_000_000),
        locate: Locate(locate),
        symbol: symbol(name),
        window,
        sums: Sums {
            notional: Notional::from(u64::from(ticks) * 3 + 1),
            volume: 3,
            trades: 2,
            open: price,
            high: Price(ticks + 1),
            low: price,
            close: Price(ticks + 1),
        },
        complete: true,
        revision: 0,
    }
}

impl Desk {
    fn publish(&mut self, rows: &[Row], tops: &[(Locate, Symbol, Top)]) {
        self.acceptor.set_clock(self.clock());
        let time = Timestamp(NINE_THIRTY + 5_000_000);
        let rows = rows.into();
        self.acceptor.publish(&Update { time, rows, tops }).unwrap();
    }

    fn with_universe() -> Self {
        let mut desk = Desk::new(|_| {});
        for (locate, name) in [(1, "AAPL"), (2, "MSFT"), (3, "ZVZZT")] {
            desk.acceptor.listing(Locate(locate), symbol(name));
        }
        desk
    }
}

/// What follows the header: from 262 to before 10.
fn body(message: &str) -> &str {
    let start = message.find("|262=").unwrap() + 1;
    &message[start..message.rfind("10=").unwrap()]
}

fn ask(client: &mut Client, desk: &mut Desk, fields: &str) -> String {
    client.send(desk, "V", fields);
    client.next(desk)
}

#[test]
fn snapshot_then_increments_to_the_letter() {
    let mut desk = Desk::with_universe();
    let mut client = desk.log_on("ME");
    desk.publish(&[row(1, "AAPL", 0, 0, 3_200_000)], &[]);
    let wish = "262=R1|263=1|264=0|265=1|267=2|269=9|269=B|146=1|55=AAPL|";
    let snapshot = ask(&mut client, &mut desk, wish);
    assert!(snapshot.contains("|35=W|"), "{snapshot}");
    assert_eq!(
        body(&snapshot),
        "262=R1|55=AAPL|268=2|269=9|270=320.000033|273=09:30:00.000|282=1s|\
         269=B|271=3|346=2|273=09:30:00.000|282=1s|"
    );

    let mut corrected = row(1, "AAPL", 1, 0, 3_210_000);
    (corrected.revision, corrected.complete) = (1, false);
    let mut emptied = row(1, "AAPL", 0, 0, 0);
    (emptied.revision, emptied.sums) = (1, Sums::default());
    desk.publish(&[row(2, "MSFT", 0, 1, 5), corrected, emptied], &[]);
    let increment = client.next(&mut desk);
    assert!(
        increment.contains("|35=X|49=WIDETAPE|56=ME|34=3|"),
        "{increment}"
    );
    assert_eq!(
        body(&increment),
        "262=R1|268=4|\
         279=1|269=9|55=AAPL|270=321.000033|273=09:30:00.000|282=session|58=incomplete revision 1|\
         279=1|269=B|55=AAPL|271=3|346=2|273=09:30:00.000|282=session|58=incomplete revision 1|\
         279=2|269=9|55=AAPL|273=09:30:00.000|282=1s|58=revision 1|\
         279=2|269=B|55=AAPL|273=09:30:00.000|282=1s|58=revision 1|"
    );
    let counts = desk.acceptor.counts();
    assert_eq!((counts.snapshots, counts.increments), (1, 1));
}

#[test]
fn universe_windows_tops_and_the_end_of_a_subscription() {
    let mut desk = Desk::with_universe();
    let mut client = desk.log_on("ME");
    let top = Top {
        bid: Price(99_900),
        bid_size: 700,
        ask: Price(0),
        ask_size: 0,
    };
    desk.publish(
        &[
            row(1, "AAPL", 0, 0, 10),
            row(1, "AAPL", 1, 0, 20),
            row(2, "MSFT", 0, 0, 30),
        ],
        &[(Locate(3), symbol("ZVZZT"), top)],
    );
    let wish = "262=ALL|263=1|264=1|267=3|269=0|269=1|269=2|146=1|55=*|386=1|336=1s|";
    let first = ask(&mut client, &mut desk, wish);
    assert_eq!(
        body(&first),
        "262=ALL|55=AAPL|268=1|269=2|270=0.0011|273=09:30:00.000|282=1s|"
    );
    assert!(body(&client.next(&mut desk)).starts_with("262=ALL|55=MSFT|268=1|"));
    assert_eq!(
        body(&client.next(&mut desk)),
        "262=ALL|55=ZVZZT|268=1|269=0|270=9.9900|271=700|273=09:30:00.005|"
    );

    let crossed = Top {
        bid: Price(0),
        bid_size: 0,
        ask: Price(100_000),
        ask_size: 1,
    };
    desk.publish(
        &[row(1, "AAPL", 1, 1000, 20), row(9, "#9", 0, 1000, 40)],
        &[(Locate(3), symbol("ZVZZT"), crossed)],
    );
    assert_eq!(
        body(&client.next(&mut desk)),
        "262=ALL|268=3|279=0|269=2|55=#9|270=0.0041|273=09:30:01.000|282=1s|\
         279=2|269=0|55=ZVZZT|273=09:30:00.005|\
         279=0|269=1|55=ZVZZT|270=10.0000|271=1|273=09:30:00.005|"
    );
    client.send(&desk, "V", "262=ALL|263=2|264=1|267=1|269=2|146=1|55=*|");
    desk.until(|acceptor| acceptor.counts().requests == 2);
    desk.publish(&[row(1, "AAPL", 0, 2000, 10)], &[]);
    client.send(&desk, "1", "112=nothing came before|");
    assert!(client.next(&mut desk).contains("|112=nothing came before|"));
}

#[test]
fn security_lists() {
    let mut desk = Desk::with_universe();
    let mut client = desk.log_on("ME");
    let list = |client: &mut Client, desk: &mut Desk, fields: &str| {
        client.send(desk, "x", fields);
        let answer = client.next(desk);
        assert!(answer.contains("|35=y|"), "{answer}");
        answer[answer.find("|320=").unwrap() + 1..answer.rfind("10=").unwrap()].to_owned()
    };
    let all = list(&mut client, &mut desk, "320=L1|559=4|");
    let expected = "320=L1|322=2|560=0|393=3|146=3|55=AAPL|55=MSFT|55=ZVZZT|";
    assert_eq!(all, expected);
    let one = list(&mut client, &mut desk, "320=L2|559=0|55=MSFT|");
    assert_eq!(one, "320=L2|322=3|560=0|393=1|146=1|55=MSFT|");
    let none = list(&mut client, &mut desk, "320=L3|559=0|55=NONE|");
    assert_eq!(none, "320=L3|322=4|560=2|");
    for wish in ["559=1|", "559=0|", "559=4|263=1|"] {
        let answer = list(&mut client, &mut desk, &format!("320=L4|{wish}"));
        // No stock dictionary has a 58 there.
        assert!(answer.ends_with("|560=1|"), "{answer}");
    }
    for locate in 4..600 {
        desk.acceptor
            .listing(Locate(locate), symbol(&format!("S{locate}")));
    }
    let first = list(&mut client, &mut desk, "320=L5|559=4|");
    assert!(first.contains("|393=599|146=500|"), "{first}");
    assert!(client.next(&mut desk).contains("|393=599|146=99|"));
}

#[test]
fn staleness_is_told_to_subscribers() {
    let mut desk = Desk::with_universe();
    let mut subscriber = desk.log_on("ME");
    let mut other = desk.log_on("OTHER");
    let wish = "262=R|263=1|264=1|267=1|269=9|146=1|55=MSFT|";
    ask(&mut subscriber, &mut desk, wish);
    desk.acceptor.set_clock(desk.clock());
    for stale in [true, true, false] {
        desk.acceptor.feed_state(stale);
    }
    let status = |client: &mut Client, desk: &mut Desk| {
        let message = client.next(desk);
        assert!(message.contains("|35=h|"), "{message}");
        message.contains("|336=1|325=Y|340=0|58=stale")
    };
    assert!(status(&mut subscriber, &mut desk));
    assert!(!status(&mut subscriber, &mut desk), "once, then live");
    desk.acceptor.feed_state(true);
    assert!(status(&mut subscriber, &mut desk));
    other.send(&desk, "V", wish);
    assert!(
        status(&mut other, &mut desk),
        "and nothing before it subscribed"
    );
    assert!(other.next(&mut desk).contains("|35=W|"));
}

#[test]
fn quotes_that_are_not_offered_are_not_asked_of_the_feed() {
    let mut desk = Desk::new(|options| options.quotes = false);
    assert!(!desk.acceptor.wants_tops());
    desk.acceptor.listing(Locate(1), symbol("AAPL"));
    desk.publish(&[row(1, "AAPL", 0, 0, 10_000)], &[]);
    let mut client = desk.log_on("ME");
    for types in ["267=1|269=0", "267=1|269=1", "267=2|269=9|269=1"] {
        let wish = format!("262=A|263=1|264=1|{types}|146=1|55=*|");
        let answer = ask(&mut client, &mut desk, &wish);
        assert!(
            answer.contains("|35=Y|") && answer.contains("|281=8|"),
            "{answer}"
        );
    }
    let wish = "262=A|263=1|264=1|267=1|269=9|146=1|55=*|";
    assert!(ask(&mut client, &mut desk, wish).contains("|35=W|"));
    assert!(Desk::new(|_| {}).acceptor.wants_tops());
}

#[test]
fn refusals_by_reason() {
    let mut desk = Desk::with_universe();
    let mut client = desk.log_on("ME");
    let live = "262=LIVE|263=1|264=1|267=1|269=9|146=1|55=MSFT|";
    assert_eq!(
        body(&ask(&mut client, &mut desk, live)),
        "262=LIVE|55=MSFT|268=0|"
    );
    let cases = [
        (live, "|281=1|"),
        ("262=A|263=1|264=1|267=1|269=9|146=1|55=NONE|", "|281=0|"),
        ("262=A|263=5|264=1|267=1|269=9|146=1|55=*|", "|281=4|"),
        ("262=A|263=1|264=9|267=1|269=0|146=1|55=*|", "|281=5|"),
        ("262=A|263=1|264=1|265=0|267=1|269=9|146=1|55=*|", "|281=6|"),
        ("262=A|263=1|264=1|267=1|269=C|146=1|55=*|", "|281=8|"),
        (
            "262=A|263=1|264=1|267=1|269=9|146=1|55=*|386=1|336=7m|",
            "|281=9|",
        ),
        (
            "262=A|263=2|264=1|267=1|269=9|146=1|55=*|",
            "|58=no subscription",
        ),
    ];
    for (wish, expected) in cases {
        let answer = ask(&mut client, &mut desk, wish);
        assert!(
            answer.contains("|35=Y|") && answer.contains(expected),
            "{answer}"
        );
    }
    let rejected = ask(&mut client, &mut desk, "262=A|263=1|264=1|267=1|269=9|");
    assert!(
        rejected.contains("|35=3|") && rejected.contains("|371=146|372=V|373=1|"),
        "{rejected}"
    );
    for number in 1..16 {
        client.send(
            &desk,
            "V",
            &format!("262=N{number}|263=1|264=1|267=1|269=9|146=1|55=*|"),
        );
    }
    let answer = ask(
        &mut client,
        &mut desk,
        "262=A|263=1|264=1|267=1|269=9|146=1|55=*|",
    );
    assert!(answer.contains("|262=A|281=2|"), "{answer}");
    assert_eq!(desk.acceptor.counts().requests_refused, 9);
}

#[test]
fn a_reader_that_does_not_read_is_logged_out() {
    let mut desk = Desk::new(|options| {
        options.max_pending_bytes = 1 << 20;
        options.conflate_bytes = (1 << 20) - 1;
    });
    let mut lazy = desk.log_on("LAZY");
    let mut keen = desk.log_on("KEEN");
    for client in [&mut lazy, &mut keen] {
        client.send(
            &desk,
            "V",
            "262=R|263=1|264=1|267=3|269=9|269=B|269=2|146=1|55=*|",
        );
    }
    desk.until(|acceptor| acceptor.counts().requests == 2);
    let rows: Vec<Row> = (0..2_000)
        .map(|locate| row(locate, "SYM", 0, 0, 7))
        .collect();
    let mut updates = 0;
    while desk.acceptor.counts().slow_readers == 0 {
        desk.publish(&rows, &[]);
        updates += 1;
        assert!(updates < 1_000, "the socket cannot take it all");
        let mut entries = 0;
        while entries < 6_000 {
            let message = keen.next(&mut desk);
            let count = message.split("|268=").nth(1).unwrap();
            entries += count.split('|').next().unwrap().parse::<usize>().unwrap();
        }
    }
    let messages = lazy.rest(|| {
        desk.duty();
    });
    let last = messages.last().unwrap();
    assert!(
        last.contains("|35=5|") && last.contains("|58=reader too slow"),
        "{last}"
    );
    keen.send(&desk, "1", "112=alive|");
    assert!(keen.next(&mut desk).contains("|112=alive|"));
    assert_eq!(desk.acceptor.counts().slow_readers, 1);
}
