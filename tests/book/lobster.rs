//! LOBSTER reconstructs books by its own means: its top of book against ours, over a real hour.
//!
//! Orders that rested from before the hour are missing in the file, so tops are compared from the
//! moment on when none of them can be at the top any more. LOBSTER's rows carry no times and cover
//! the whole day; they are the states after each event, so each of our tops must be found among
//! them, in our order.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use widetape::book::{Book, Change};
use widetape::market::{Shares, Top};
use widetape::wire::binaryfile::Blocks;
use widetape::wire::itch50::{Message, parse};

/// From here on the book is right: nanoseconds since midnight.
const RIGHT_FROM: u64 = 36_642_000_000_000;

fn unpacked(name: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path: PathBuf = folder.join("itch50-lobster-aapl-1h").join(name);
    let Ok(file) = File::open(&path) else {
        println!("SKIPPED: {} is not there", path.display());
        return None;
    };
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .expect("a whole gzip file");
    Some(bytes)
}

#[derive(Default)]
struct Hour {
    /// Ask, its size, bid, its size, after each message that changed one of them.
    tops: Vec<[u64; 4]>,
    executions: u64,
    shares: u64,
    notional: u64,
}

fn as_row(top: Top) -> [u64; 4] {
    [
        u64::from(top.ask.0),
        top.ask_size,
        u64::from(top.bid.0),
        top.bid_size,
    ]
}

/// What a message does to the book; nothing if it is not about it.
fn apply(book: &mut Book, message: &Message<'_>) -> Option<Change> {
    let locate = message.header().locate;
    let change = match message {
        Message::AddOrder(add) => {
            let side = add.side().expect("B or S");
            book.add(
                add.reference(),
                locate,
                side,
                Shares(add.shares()),
                add.price(),
            )
        }
        Message::OrderExecuted(executed) => book.execute(
            executed.reference(),
            locate,
            Shares(executed.executed_shares()),
        ),
        Message::OrderCancel(cancel) => book.cancel(
            cancel.reference(),
            locate,
            Shares(cancel.cancelled_shares()),
        ),
        Message::OrderDelete(delete) => book.delete(delete.reference(), locate),
        Message::SystemEvent(_) | Message::StockDirectory(_) | Message::Trade(_) => return None,
        other => panic!("no {} was announced", other.name()),
    };
    let change = change.expect("the file has no dangling references");
    assert_eq!(change.oddity, None, "{message}");
    Some(change)
}

fn replay(bytes: &[u8]) -> Hour {
    let mut book = Book::new();
    let mut hour = Hour::default();
    for (_, message) in Blocks::new(bytes) {
        let message = parse(message).expect("ITCH 5.0");
        let header = message.header();
        let before = book.top(header.locate);
        let Some(change) = apply(&mut book, &message) else {
            continue;
        };
        let top = book.top(header.locate);
        assert_eq!(change.top_changed, top != before, "{message}");
        if let Message::OrderExecuted(executed) = message {
            let shares = u64::from(executed.executed_shares());
            hour.executions += 1;
            hour.shares += shares;
            hour.notional += shares * u64::from(change.price.0);
        }
        if header.timestamp.0 >= RIGHT_FROM && top != before {
            hour.tops.push(as_row(top));
        }
    }
    hour
}

#[test]
fn every_top_is_one_of_lobsters_in_order() {
    let Some(day) = unpacked("lobster_aapl_20120621_1h.itch.gz") else {
        return;
    };
    let rows = unpacked("AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz")
        .expect("the rows beside the messages");
    let rows = String::from_utf8(rows).expect("ASCII");
    let mut theirs: Vec<[u64; 4]> = rows
        .lines()
        .map(|line| {
            let mut columns = line.split(',').map(|column| column.parse().expect(line));
            std::array::from_fn(|_| columns.next().expect("four columns"))
        })
        .collect();
    theirs.dedup();

    let hour = replay(&day);
    // expected.json, total_without_P_and_Q
    assert_eq!(
        (hour.executions, hour.shares, hour.notional),
        (4_067, 350_494, 2_053_777_664_200)
    );
    assert_eq!(hour.tops.len(), 5_083);
    let mut rest = theirs.iter().enumerate();
    let found: Vec<usize> = hour
        .tops
        .iter()
        .enumerate()
        .map(|(number, top)| {
            rest.find(|(_, row)| *row == top)
                .unwrap_or_else(|| panic!("top {number}, {top:?}, is not among LOBSTER's"))
                .0
        })
        .collect();
    // And none of theirs is missing in between.
    assert_eq!(found[found.len() - 1] - found[0] + 1, hour.tops.len());
}
