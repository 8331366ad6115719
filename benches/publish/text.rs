//! Rows as text, in each layout, and CSV by plain `format!`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use widetape::market::{Locate, Notional, Price, Symbol, Timestamp};
use widetape::publish::text::{Csv, Jsonl, Layout, Table};
use widetape::window::{Row, Sums, vwap_micros};
use widetape::{Spec, Window};

use crate::cpu_time::CpuTime;

const ROWS: u64 = 1_000;
const WINDOWS: [&str; 3] = ["1s", "5m", "session"];

/// Rows with numbers of as many digits as a day has.
fn rows() -> Vec<Row> {
    let mut random = 7_u64;
    let mut roll = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let row = |number: u64| {
        let name: String = (0..1 + roll(4))
            .map(|_| char::from(b'A' + roll(26) as u8))
            .collect();
        let ticks = 10_u64.pow(4 + roll(3) as u32) * (1 + roll(9)) + roll(1_000);
        let trades = 10_u64.pow(roll(4) as u32);
        let volume = trades * (1 + roll(300));
        Row {
            end: Timestamp(34_200_000_000_000 + number / 8 * 100_000_000),
            locate: Locate(1),
            symbol: Symbol::new(&name).expect("a symbol"),
            window: roll(WINDOWS.len() as u64) as u8,
            sums: Sums {
                notional: Notional::from(ticks * volume + roll(volume)),
                volume,
                trades: trades as u32,
                open: Price(ticks as u32),
                high: Price((ticks + roll(100)) as u32),
                low: Price((ticks - roll(100)) as u32),
                close: Price((ticks + roll(10)) as u32),
            },
            complete: roll(100) > 0,
            revision: u32::from(roll(100) == 0),
        }
    };
    (0..ROWS).map(row).collect()
}

fn naive(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let s = &row.sums;
        let micros = vwap_micros(s.notional, s.volume).unwrap_or(0);
        format!(
            "{},{},{},{}.{:06},{},{},{},{},{},{},{},{},{},itch.all\n",
            row.end.0,
            row.symbol,
            WINDOWS[usize::from(row.window)],
            micros / 1_000_000,
            micros % 1_000_000,
            s.volume,
            s.notional,
            s.trades,
            s.open,
            s.high,
            s.low,
            s.close,
            row.complete,
            row.revision
        )
    };
    rows.iter().map(line).collect()
}

fn write<L: Layout>(layout: &L, rows: &[Row], out: &mut Vec<u8>) {
    out.clear();
    for row in rows {
        layout.row(row, out);
    }
}

/// The values of all rows but their ends, of which the table shows the clock time.
fn values<'a>(text: &'a str, of_line: impl Fn(&'a str) -> Vec<&'a str>) -> Vec<Vec<&'a str>> {
    let values = |line| of_line(line).split_off(1);
    text.lines().map(values).collect()
}

pub(super) fn bench(criterion: &mut Criterion<CpuTime>) {
    let spec = Spec {
        windows: WINDOWS
            .map(|text| text.parse::<Window>().expect("a window"))
            .into(),
        ..Spec::default()
    };
    let (rows, mut out) = (rows(), Vec::new());
    let (csv, table, jsonl) = (Csv::new(&spec), Table::new(&spec), Jsonl::new(&spec));
    let naively = naive(&rows);
    let expected = values(&naively, |line| line.split(',').collect());
    write(&csv, &rows, &mut out);
    assert_eq!(out, naively.as_bytes(), "CSV");
    write(&table, &rows, &mut out);
    let text = std::str::from_utf8(&out).expect("text");
    let found = values(text, |line| line.split_whitespace().collect());
    assert_eq!(found, expected, "a table");
    write(&jsonl, &rows, &mut out);
    let text = std::str::from_utf8(&out).expect("text");
    let value = |member: &'_ str| member.rfind(':').map_or(0, |colon| colon + 1);
    let found = values(text, |line| {
        let members = line.split(',');
        members
            .map(|member| member[value(member)..].trim_matches(['"', '}']))
            .collect()
    });
    assert_eq!(found, expected, "JSON lines");

    let mut group = criterion.benchmark_group("rows as text");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("CSV", |bencher| {
        bencher.iter(|| write(&csv, black_box(&rows), &mut out));
    });
    group.bench_function("table", |bencher| {
        bencher.iter(|| write(&table, black_box(&rows), &mut out));
    });
    group.bench_function("JSON lines", |bencher| {
        bencher.iter(|| write(&jsonl, black_box(&rows), &mut out));
    });
    group.bench_function("CSV, naive format!", |bencher| {
        bencher.iter(|| naive(black_box(&rows)));
    });
    group.finish();
}
