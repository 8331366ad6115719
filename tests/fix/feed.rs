//! Market data over FIX as a feed: what trades and quotes become, and a real capture.

use std::path::{Path, PathBuf};

use widetape::engine::{Clock, Engine, Options, Summary};
use widetape::feed::open_any;
use widetape::market::{NANOS_PER_SECOND, Price, Top};
use widetape::metrics::Counter;
use widetape::publish::{Publisher, Shared, Update};
use widetape::window::{Row, Spec};
use widetape::{Locate, Pool, Symbol};

use super::client::framed;

/// Keeps the rows and the newest top of each symbol.
#[derive(Debug, Default)]
struct Seen {
    rows: Vec<Row>,
    tops: Vec<(String, Top)>,
}

impl Publisher for Seen {
    fn name(&self) -> String {
        "seen".to_owned()
    }

    fn wants_tops(&self) -> bool {
        true
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    fn publish(&mut self, update: &Update<'_>) -> std::io::Result<()> {
        self.rows.extend(update.rows);
        let tops = update.tops.iter();
        self.tops
            .extend(tops.map(|(_, symbol, top)| (symbol.name(), *top)));
        Ok(())
    }

    fn finish(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Replays a log with one window, the session.
fn replay(path: &Path) -> (Seen, Summary) {
    let source = open_any(path, Pool::new(4, 64 << 10)).unwrap();
    let seen = Shared::new(Seen::default());
    let spec = Spec {
        windows: vec!["session".parse().unwrap()],
        ..Spec::default()
    };
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![Box::new(seen.clone())];
    let engine = Engine::new(source, publishers, Options::new(spec)).unwrap();
    let (summary, outcome) = engine.run_inline(&Clock::machine(), None);
    outcome.unwrap();
    let seen = std::mem::take(&mut *seen.lock());
    (seen, summary)
}

fn log(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("widetape-{name}-{}.fix", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Messages a second apart from 09:30:00, a line each.
fn messages(bodies: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (second, body) in bodies.iter().enumerate() {
        let (kind, fields) = body.split_at(2);
        let time = format!("20200130-09:30:{second:02}.000");
        let body = format!("35={kind}49=A|56=B|34={}|52={time}|{fields}", second + 1);
        bytes.extend(framed("FIX.4.4", &body));
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn what_a_log_holds_twice_counts_once() {
    let message = |number: u32, again: &str, shares: u32| {
        let time = "20200130-09:30:01.000";
        let trade = format!("268=1|279=0|269=2|55=AAPL|270=10|271={shares}|");
        framed(
            "FIX.4.4",
            &format!("35=X|49=A|56=B|34={number}|{again}52={time}|{trade}"),
        )
    };
    let resent = "43=Y|";
    let bytes = [
        message(1, "", 1),
        message(2, "", 10),
        message(5, "", 100),
        message(2, resent, 10),
        message(3, resent, 1_000),
        message(4, resent, 10_000),
        message(5, resent, 100),
        message(6, "", 100_000),
    ];
    let path = log("repeated", &bytes.concat());
    let (seen, summary) = replay(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(seen.rows.last().unwrap().sums.volume, 111_111);
    assert_eq!(summary.counters.get(Counter::RepeatedMessages), 2);
    assert_eq!(summary.counters.get(Counter::Messages), 8);
}

#[test]
fn trades_and_quotes_of_a_log_become_rows_and_tops() {
    let path = log(
        "trades",
        &messages(&[
            // The trade of a snapshot counts, with the time of its message.
            "W|55=AAPL|268=3|269=0|270=9.99|271=200|269=1|270=10.01|271=300|269=2|270=10|271=100|",
            // A new one of another symbol, a cross, and one more of the first, by its time.
            "X|268=2|279=0|269=2|278=7|55=MSFT|270=20.5000|271=10|58=Q|279=0|269=2|278=8|55=AAPL|270=10.0001|271=50|273=09:30:01.500|",
            // A repeated snapshot counts once; its book replaces the one before.
            "W|55=AAPL|268=3|269=0|270=9.98|271=100|269=1|270=10.01|271=300|269=2|270=10.0001|271=50|278=8|273=09:30:01.500|",
            // One side of a book goes, a trade is taken back, one is replaced.
            "X|268=3|279=2|269=0|55=AAPL|279=2|269=2|278=7|55=MSFT|279=1|269=2|278=8|55=AAPL|270=11|271=5|",
            // Neither trades nor quotes; then no size, a price of five decimals, no symbol, a fraction.
            "X|268=1|279=0|269=3|55=AAPL|270=1|",
            "X|268=4|279=0|269=2|270=1|271=1|279=0|269=2|55=AAPL|270=1|279=0|269=2|270=1.00001|271=1|279=0|269=0|270=1|271=0.5|",
            // As many entries as are not there.
            "X|268=2|279=0|269=2|55=AAPL|270=1|271=1|",
            "0|",
        ]),
    );
    let (seen, summary) = replay(&path);
    std::fs::remove_file(&path).unwrap();
    let count = |counter| summary.counters.get(counter);
    assert_eq!(count(Counter::Trades), 4);
    assert_eq!(count(Counter::BreaksApplied), 2);
    assert_eq!(count(Counter::UnusedEntries), 1);
    assert_eq!(count(Counter::UnusableEntries), 4);
    assert_eq!(count(Counter::MalformedMessages), 1);
    assert_eq!(count(Counter::GarbledBytes), 0);
    let last = |name: &str| {
        let mut rows = seen.rows.iter().rev();
        *rows.find(|row| row.symbol.name() == name).unwrap()
    };
    let apple = last("AAPL").sums;
    assert_eq!((apple.volume, apple.trades), (105, 2));
    assert_eq!(apple.notional.get(), 100 * 100_000 + 5 * 110_000);
    assert_eq!(last("MSFT").sums.trades, 0, "taken back");
    let first = seen.rows[0];
    assert_eq!(
        first.end.0,
        34_200 * NANOS_PER_SECOND + NANOS_PER_SECOND / 10
    );
    assert_eq!(first.sums.notional.get(), 10_000_000);
    let only_the_offer = Top {
        ask: Price(100_100),
        ask_size: 300,
        ..Top::default()
    };
    assert_eq!(seen.tops.last(), Some(&("AAPL".to_owned(), only_the_offer)));
}

#[test]
fn trades_of_snapshots_count_once_whatever_their_order() {
    let trade = |id: u32, second: u32, shares: u32| {
        format!("269=2|270=10|271={shares}|273=09:30:{second:02}.000|278={id}|")
    };
    let [first, second, third, fourth] = [
        trade(1, 4, 1),
        trade(2, 5, 10),
        trade(3, 5, 100),
        trade(4, 3, 1_000),
    ];
    let path = log(
        "snapshots",
        &messages(&[
            // The newest first.
            &format!("W|55=AAPL|268=2|{second}{first}"),
            // Two of one moment, again and again, and without a time of their own.
            &format!("W|55=AAPL|268=2|{second}{third}"),
            &format!("W|55=AAPL|268=2|{second}{third}"),
            "W|55=AAPL|268=1|269=2|270=10|271=100|278=3|",
            // An older one that had been missed.
            &format!("W|55=AAPL|268=2|{fourth}{first}"),
            // Another symbol's, of the same number.
            &format!("W|55=MSFT|268=1|{fourth}"),
        ]),
    );
    let (seen, summary) = replay(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(summary.counters.get(Counter::Trades), 5);
    let mut rows = seen.rows.iter().rev();
    let apple = rows.find(|row| row.symbol.name() == "AAPL").unwrap().sums;
    assert_eq!((apple.volume, apple.trades), (1_111, 4));
}

#[test]
fn a_message_that_is_broken_off_takes_no_other() {
    let good = messages(&[
        "X|268=1|279=0|269=2|55=AAPL|270=10|271=1|",
        "X|268=1|279=0|269=2|55=AAPL|270=10|271=10|",
        "X|268=1|279=0|269=2|55=AAPL|270=10|271=100|",
    ]);
    let ends: Vec<usize> = (0..good.len()).filter(|&at| good[at] == b'\n').collect();
    // The second one without its last bytes, then with a sum of two digits.
    let cut = [&good[..ends[1] - 20], &good[ends[1]..]].concat();
    let short = [&good[..ends[1] - 2], &good[ends[1] - 1..]].concat();
    for bytes in [cut, short] {
        let path = log("broken-off", &bytes);
        let (seen, summary) = replay(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(seen.rows.last().unwrap().sums.volume, 101);
        assert!(summary.counters.get(Counter::GarbledBytes) > 0);
    }
}

#[test]
fn bytes_between_messages_are_counted_and_a_cut_end_is_told() {
    let mut bytes = messages(&["0|", "0|"]);
    let end = bytes.len() - 3;
    bytes.splice(0..0, *b"8=FIX garbage\n");
    bytes[60] ^= 1;
    let path = log("damaged", &bytes[..end + 14]);
    let mut source = open_any(&path, Pool::new(4, 64 << 10)).unwrap();
    let mut packets = Vec::new();
    let error = source.poll(0, &mut packets).unwrap_err().to_string();
    assert!(
        packets.is_empty() && error.contains("is cut short"),
        "{error}"
    );
    assert!(source.counts().garbled_bytes > 13);
    std::fs::remove_file(&path).unwrap();
}

/// What a decoder that shares no code with this one counts: 13,888 messages, 11,365 of them 35=X with
/// 11,365 index values (269=3) and 3,010 entries of the exchange's own types.
#[test]
fn a_real_capture_is_read_whole_and_holds_no_trade() {
    let capture = "../shared/data/fix-jse-20111124/fix.5.0.set.1.gz";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(capture);
    if !path.exists() {
        println!("SKIPPED: no capture at {}", path.display());
        return;
    }
    let (seen, summary) = replay(&path);
    let count = |counter| summary.counters.get(counter);
    assert_eq!(count(Counter::Messages), 13_888);
    assert_eq!(count(Counter::UnusedEntries), 11_365 + 2_930 + 80);
    assert_eq!(count(Counter::GarbledBytes), 0, "every checksum is right");
    let none = [
        Counter::UnusableEntries,
        Counter::MalformedMessages,
        Counter::Trades,
    ];
    assert_eq!(none.map(count), [0; 3]);
    assert!(seen.rows.is_empty());
}
