//! The closing table: medians of this run, most as ratios to the row that each bar names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A figure and what it should be.
struct Bar {
    what: &'static str,
    /// Group and row, as criterion knows them.
    row: (&'static str, &'static str),
    limit: Limit,
    moonshot: f64,
}

enum Limit {
    /// At most so many times the time of this row.
    Times((&'static str, &'static str), f64),
    /// At most so much of another row, with which this one took turns.
    Rounds(f64),
    /// At most so many microseconds.
    Micros(f64),
    /// At most so many nanoseconds for each of the row's elements.
    NanosAnElement(f64),
    /// At most such a share of 100 ms.
    Share(f64),
}

const BARS: &[Bar] = &[
    Bar {
        what: "decode every field / raw offsets",
        row: ("pipeline", "every field"),
        limit: Limit::Rounds(1.1),
        moonshot: 0.9,
    },
    Bar {
        what: "session VWAP of 8,000 symbols / raw offsets",
        row: ("pipeline", "session VWAP"),
        limit: Limit::Rounds(1.6),
        moonshot: 1.2,
    },
    Bar {
        what: "full books and quotes / raw offsets",
        row: ("pipeline", "full books"),
        limit: Limit::Rounds(7.5),
        moonshot: 5.0,
    },
    Bar {
        what: "five live windows on top of full books",
        row: ("pipeline", "full books and windows"),
        limit: Limit::Rounds(0.10),
        moonshot: 0.05,
    },
    Bar {
        what: "one end of 10,000 symbols, changed rows (us)",
        row: ("window", "changed rows"),
        limit: Limit::Micros(5.0),
        moonshot: 1.7,
    },
    Bar {
        what: "one end of 10,000 symbols, all rows (us)",
        row: ("window", "all rows"),
        limit: Limit::Micros(15.0),
        moonshot: 5.6,
    },
    Bar {
        what: "J1 day's sums by symbol, feed order / reading the bytes",
        row: ("columns", "J1 simd"),
        limit: Limit::Times(("columns", "J1 floor_ the bytes read"), 2.5),
        moonshot: 1.5,
    },
    Bar {
        what: "J2 bars of a second / J1",
        row: ("columns", "J2 simd"),
        limit: Limit::Times(("columns", "J1 simd"), 6.0),
        moonshot: 4.0,
    },
    Bar {
        what: "J3 dense grid, eight widths (ns an output)",
        row: ("columns", "J3 dense simd"),
        limit: Limit::NanosAnElement(1.2),
        moonshot: 0.7,
    },
    Bar {
        what: "J1 on two threads / on one",
        row: ("columns", "J1 parallel, 2 threads"),
        limit: Limit::Rounds(1.0 / 1.7),
        moonshot: 0.5,
    },
    Bar {
        what: "J2 on two threads / on one",
        row: ("columns", "J2 parallel, 2 threads"),
        limit: Limit::Rounds(1.0 / 1.7),
        moonshot: 0.5,
    },
    Bar {
        what: "J3 sparse, sliding minute, on two threads / on one",
        row: ("columns", "J3 sparse parallel, 2 threads"),
        limit: Limit::Rounds(1.0 / 1.7),
        moonshot: 0.5,
    },
    Bar {
        what: "J3 dense on two threads / on one",
        row: ("columns", "J3 dense parallel, 2 threads"),
        limit: Limit::Rounds(1.0 / 1.7),
        moonshot: 0.5,
    },
    Bar {
        what: "FIX increment of 10 entries, body and first session (us)",
        row: ("fix increment of 10 entries", "body and first session"),
        limit: Limit::Micros(0.5),
        moonshot: 0.3,
    },
    Bar {
        what: "FIX increment of 10 entries, a further session (us)",
        row: ("fix increment of 10 entries", "further session"),
        limit: Limit::Micros(0.15),
        moonshot: 0.08,
    },
    Bar {
        what: "10,000 symbols to 20 sessions every 100 ms, share of one core",
        row: ("fix acceptor", "10,000 symbols to 20 sessions"),
        limit: Limit::Share(1.0),
        moonshot: 0.25,
    },
];

/// A bar with what was measured.
pub(crate) struct Row {
    what: &'static str,
    measured: f64,
    limit: f64,
    moonshot: f64,
}

/// Where criterion keeps its figures.
pub(crate) fn output_directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    target.join("criterion")
}

/// The bars whose rows were measured since `started`, or in `rounds` of their own, by name.
pub(crate) fn rows(output: &Path, started: SystemTime, rounds: &[(&str, f64)]) -> Vec<Row> {
    let time = |row| median(output, started, row);
    let measure = |bar: &Bar| {
        let (measured, limit) = match bar.limit {
            Limit::Times(of, limit) => (time(bar.row)? / time(of)?, limit),
            Limit::Rounds(limit) => (rounds.iter().find(|(row, _)| *row == bar.row.1)?.1, limit),
            Limit::Micros(limit) => (time(bar.row)? / 1_000.0, limit),
            Limit::NanosAnElement(limit) => (time(bar.row)? / elements(output, bar.row)?, limit),
            Limit::Share(limit) => (time(bar.row)? / 1e8, limit),
        };
        Some(Row {
            what: bar.what,
            measured,
            limit,
            moonshot: bar.moonshot,
        })
    };
    BARS.iter().filter_map(measure).collect()
}

/// Median of an iteration's time in nanoseconds.
fn median(output: &Path, started: SystemTime, (group, row): (&str, &str)) -> Option<f64> {
    let path = output.join(group).join(row).join("new/estimates.json");
    if path.metadata().ok()?.modified().ok()? < started {
        return None;
    }
    told(&path)?["median"]["point_estimate"].as_f64()
}

/// How many elements an iteration has.
fn elements(output: &Path, (group, row): (&str, &str)) -> Option<f64> {
    let path = output.join(group).join(row).join("new/benchmark.json");
    told(&path)?["throughput"]["Elements"].as_f64()
}

fn told(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// The table as Markdown.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = String::from("| what | measured | bar | moonshot | |\n|---|---|---|---|---|\n");
    for row in rows {
        let verdict = match row.measured {
            measured if measured <= row.moonshot => "moonshot",
            measured if measured <= row.limit => "met",
            _ => "**missed**",
        };
        let _ = writeln!(
            text,
            "| {} | {:.2} | {:.2} | {:.2} | {verdict} |",
            row.what, row.measured, row.limit, row.moonshot
        );
    }
    text
}
