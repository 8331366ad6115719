//! What the live table shows, and when.

use super::*;
use crate::market::{Duration, Notional, Price, Timestamp, Top};
use crate::window::{Corrections, Policy, Row, Sums};

const OPEN: u64 = 34_200 * NANOS_PER_SECOND;

fn spec(windows: &[&str]) -> Spec {
    Spec {
        windows: windows.iter().map(|text| text.parse().unwrap()).collect(),
        step: Duration::from_millis(100).unwrap(),
        policy: Policy::All,
        every_end: false,
        corrections: Corrections::All,
    }
}

fn row(locate: u16, symbol: &str, window: u8, end: u64, sums: (u32, u64, u32)) -> Row {
    let (price, volume, trades) = sums;
    Row {
        end: Timestamp(end),
        locate: Locate(locate),
        symbol: Symbol::new(symbol).unwrap(),
        window,
        sums: Sums {
            notional: Notional::new(u128::from(price) * u128::from(volume)),
            volume,
            trades,
            close: Price(price),
            ..Sums::default()
        },
        complete: true,
        revision: 0,
    }
}

fn publish(table: &mut LiveTable<Vec<u8>>, time: u64, rows: &[Row]) {
    let top = Top {
        bid: Price(3_210_400),
        bid_size: 1_200,
        ask: Price(3_210_600),
        ask_size: 12_345,
    };
    let tops = [(Locate(1), Symbol::new("AAPL").unwrap(), top)];
    let update = Update {
        time: Timestamp(time),
        rows: rows.into(),
        tops: &tops,
    };
    table.publish(&update).unwrap();
}

fn two_symbols(table: &mut LiveTable<Vec<u8>>) {
    let rows = [
        row(1, "AAPL", 0, OPEN, (3_210_500, 100, 2)),
        row(1, "AAPL", 1, OPEN, (3_210_510, 81_556, 1_234)),
        row(2, "MSFT", 1, OPEN, (1_700_000, 90_000, 7)),
    ];
    publish(table, OPEN, &rows);
}

#[test]
fn rows_by_volume_in_eighty_columns() {
    let mut table = LiveTable::new(&spec(&["1s", "session"]), Vec::new(), true);
    two_symbols(&mut table);
    let heading =
        "symbol      last size       bid       ask size    vwap 1s    session  vol trades";
    assert_eq!(table.heading(), heading);
    let apple = "AAPL    321.0510 1200  321.0400  321.0600  12k 321.050000 321.051000  81k   1234";
    let msft = "MSFT    170.0000    0         -         -    0          - 170.000000  90k      7";
    assert_eq!(table.final_rows(9), [msft, apple]);
    assert_eq!(table.final_rows(1), [msft]);
    assert_eq!(heading.len(), 80);
}

#[test]
fn windows_are_left_out_where_there_is_no_room() {
    let windows = spec(&["1s", "1m", "session", "5m"]);
    let shown = |columns| -> Vec<usize> {
        let table = LiveTable::new(&windows, Vec::<u8>::new(), true).with_columns(columns);
        let length = table.heading().len();
        assert!(length <= columns.max(FIXED_COLUMNS + VWAP_COLUMNS));
        table.shown().collect()
    };
    assert_eq!(shown(0), [2]);
    assert_eq!(shown(79), [2]);
    assert_eq!(shown(80), [0, 2]);
    assert_eq!(shown(91), [0, 1, 2]);
    assert_eq!(shown(102), [0, 1, 2, 3]);
}

#[test]
fn a_terminal_is_redrawn_ten_times_a_second() {
    let mut table = LiveTable::new(&spec(&["1s", "session"]), Vec::new(), true);
    assert!(!table.tick(0).unwrap(), "nothing to show yet");
    two_symbols(&mut table);
    assert!(table.tick(1_000).unwrap());
    assert!(!table.tick(200_000_000).unwrap(), "nothing has changed");
    two_symbols(&mut table);
    assert!(!table.tick(100_000_999).unwrap());
    assert!(table.tick(100_001_000).unwrap());
    let text = String::from_utf8(table.into_inner()).unwrap();
    let status = "09:30:00.000 symbols 2 trades 1241 volume 171556 rows 3\n";
    assert!(text.starts_with(&format!("\x1b[2J\x1b[H\x1b[2K{status}\x1b[2Ksymbol ")));
    assert_eq!(text.matches("\x1b[H").count(), 2);
    assert_eq!(text.matches("\x1b[2J").count(), 1);
    assert!(text.ends_with("   1234\n\x1b[J"), "{text}");
}

#[test]
fn elsewhere_a_plain_line_a_second() {
    let mut table = LiveTable::new(&spec(&["1s", "session"]), Vec::new(), false);
    two_symbols(&mut table);
    assert!(!table.tick(5).unwrap());
    assert!(!table.tick(1_000_000_004).unwrap());
    assert!(table.tick(1_000_000_005).unwrap());
    publish(&mut table, OPEN + 1, &[]);
    assert!(!table.tick(2_000_000_004).unwrap());
    table.finish().unwrap();
    table.finish().unwrap();
    let line = "09:30:00.000 symbols 2 trades 1241 volume 171556 rows 3 most active MSFT vwap session 170.000000\n";
    assert_eq!(
        String::from_utf8(table.into_inner()).unwrap(),
        line.repeat(2)
    );
}

#[test]
fn without_a_session_the_widest_window_counts_until_it_is_empty() {
    let mut table = LiveTable::new(&spec(&["1s", "1m", "5s"]), Vec::new(), false);
    publish(
        &mut table,
        OPEN,
        &[
            row(1, "AAPL", 0, OPEN, (3_210_500, 100, 2)),
            row(1, "AAPL", 1, OPEN, (3_210_500, 400, 4)),
            row(1, "AAPL", 2, OPEN, (3_210_500, 300, 3)),
        ],
    );
    assert_eq!(table.figures.totals().volume, 400);
    let minute = 60 * NANOS_PER_SECOND;
    publish(&mut table, OPEN + minute - 1, &[]);
    assert_eq!(table.figures.totals().trades, 4);
    publish(&mut table, OPEN + minute, &[]);
    assert_eq!(table.figures.totals().trades, 0);
    assert!(table.final_rows(1)[0].starts_with("AAPL    321.0500"));
    assert!(
        table
            .status()
            .starts_with("09:31:00.000 symbols 1 trades 0")
    );
}

#[test]
fn corrections_of_older_rows_change_nothing_and_listings_name() {
    let mut table = LiveTable::new(&spec(&["session"]), Vec::new(), false);
    let later = OPEN + NANOS_PER_SECOND;
    publish(
        &mut table,
        later,
        &[row(2, "#2", 0, later, (20_000, 10, 2))],
    );
    table.listing(Locate(2), Symbol::new("MSFT").unwrap());
    let mut older = row(2, "#2", 0, OPEN, (10_000, 5, 1));
    older.revision = 1;
    publish(&mut table, later, &[older]);
    assert!(table.final_rows(1)[0].starts_with("MSFT      2.0000"));
    assert_eq!(table.figures.totals().volume, 10);
    let mut newest = row(2, "#2", 0, later, (30_000, 4, 1));
    newest.revision = 1;
    publish(&mut table, later, &[newest]);
    assert!(table.final_rows(1)[0].starts_with("MSFT      3.0000"));
    assert_eq!(table.figures.totals().volume, 4);
    let rows = [row(1, "AAPL", 1, later, (1, 1, 1))];
    let update = Update {
        time: Timestamp(later),
        rows: (&rows).into(),
        tops: &[],
    };
    assert!(table.publish(&update).is_err(), "there is no window 1");
}
