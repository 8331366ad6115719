//! `--top`, `--deviation` and `--totals`: what a reader of the whole output would pick or add up, by every
//! backend.

use super::dataset;
use super::process::widetape;

const BACKENDS: &[&str] = &[
    "scalar",
    "simd",
    "parallel",
    #[cfg(feature = "gpu")]
    "gpu",
];

const WINDOWS: &str = "1m,5m,session";

fn scan(input: &str, options: &[&str]) -> String {
    let day = dataset(input);
    let asked = [
        "scan",
        &day,
        "--every-end",
        "--step",
        "1m",
        "--window",
        WINDOWS,
    ];
    let whole = [&asked[..], &["--format", "csv"], options].concat();
    widetape(&whole).exits(0).text().to_owned()
}

/// A field of a line as a whole number; prices in ticks. 0 where it is empty.
fn number(line: &str, column: usize) -> u128 {
    let field = line.split(',').nth(column).expect("a field");
    field.replace('.', "").parse().unwrap_or(0)
}

const VOLUME: usize = 4;
const NOTIONAL: usize = 5;
const TRADES: usize = 6;
const HIGH: usize = 8;
const LOW: usize = 9;

/// What lines are ranked by.
type Ranked = fn(&str) -> u128;

fn end_of(line: &str) -> &str {
    line.split(',').next().expect("a field")
}

fn window_of(line: &str) -> &str {
    line.split(',').nth(2).expect("a field")
}

/// The lines with fewer than `count` lines of their end and window ahead of them.
fn first<'a>(lines: &[&'a str], count: usize, measure: Ranked) -> Vec<&'a str> {
    let mut kept = Vec::new();
    for end in lines.chunk_by(|a, b| end_of(a) == end_of(b)) {
        for (index, line) in end.iter().enumerate() {
            let ahead = end.iter().enumerate().filter(|&(rival, other)| {
                let (mine, theirs) = (measure(line), measure(other));
                window_of(other) == window_of(line)
                    && number(other, TRADES) > 0
                    && (theirs > mine || (theirs == mine && rival < index))
            });
            if ahead.count() < count && number(line, TRADES) > 0 {
                kept.push(*line);
            }
        }
    }
    kept
}

#[test]
fn the_first_of_each_end_and_window_are_written() {
    let measures: [(&str, Ranked); 4] = [
        ("volume", |line| number(line, VOLUME)),
        ("notional", |line| number(line, NOTIONAL)),
        ("trades", |line| number(line, TRADES)),
        ("range", |line| number(line, HIGH) - number(line, LOW)),
    ];
    for input in ["sample_day.itch.gz", "edge_cases.itch"] {
        let all = scan(input, &[]);
        let (heading, rows) = all.split_once('\n').expect("a heading");
        let rows: Vec<&str> = rows.lines().collect();
        for (index, (name, measure)) in measures.into_iter().enumerate() {
            let wanted = first(&rows, index + 1, measure);
            assert!(!wanted.is_empty() && wanted.len() < rows.len());
            let count = (index + 1).to_string();
            for backend in BACKENDS {
                let options = ["--top", &count, "--by", name, "--backend", backend];
                let found = scan(input, &options);
                let found: Vec<&str> = found.lines().collect();
                assert_eq!(found[0], heading);
                assert!(
                    found[1..] == wanted,
                    "{input}: {count} by {name}, {backend}"
                );
            }
        }
    }
    let by_default = scan("edge_cases.itch", &["--top", "2"]);
    assert_eq!(
        by_default,
        scan("edge_cases.itch", &["--top", "2", "--by", "volume"])
    );
}

#[test]
fn symbols_that_stray_are_written_with_both_windows() {
    let all = scan("sample_day.itch.gz", &[]);
    let rows: Vec<&str> = all.lines().skip(1).collect();
    for basis_points in [1, 5, 20] {
        let mut wanted: Vec<&str> = Vec::new();
        for symbol in rows.chunk_by(|a, b| a.split(',').take(2).eq(b.split(',').take(2))) {
            let row = |window| symbol.iter().find(|line| window_of(line) == window);
            let (Some(short), Some(long)) = (row("1m"), row("session")) else {
                continue;
            };
            // All executions of such a window have been broken.
            if number(short, VOLUME) == 0 {
                continue;
            }
            let a = number(short, NOTIONAL) * number(long, VOLUME);
            let b = number(long, NOTIONAL) * number(short, VOLUME);
            if a.abs_diff(b) * 10_000 >= basis_points * b {
                wanted.extend([short, long]);
            }
        }
        assert!(
            !wanted.is_empty() && wanted.len() < rows.len(),
            "{basis_points}"
        );
        for backend in BACKENDS {
            let threshold = format!("60s,session,{basis_points}bp");
            let options = ["--deviation", &threshold, "--backend", backend];
            let found = scan("sample_day.itch.gz", &options);
            let found: Vec<&str> = found.lines().skip(1).collect();
            assert!(found == wanted, "{basis_points} by {backend}");
        }
    }
}

#[test]
fn totals_are_the_sums_of_all_rows() {
    for (input, options) in [
        ("sample_day.itch.gz", &[][..]),
        ("edge_cases.itch", &[]),
        ("edge_cases.itch", &["--corrections", "off"]),
        ("sample_day.itch.gz", &["--symbols", "A,AA,AB"]),
    ] {
        let all = scan(input, options);
        let rows: Vec<&str> = all.lines().skip(1).collect();
        let mut wanted = Vec::new();
        for end in rows.chunk_by(|a, b| end_of(a) == end_of(b)) {
            for window in WINDOWS.split(',') {
                let of_window = || end.iter().filter(|line| window_of(line) == window);
                let sum = |column| of_window().map(|line| number(line, column)).sum::<u128>();
                let text = |column| {
                    of_window()
                        .next()
                        .and_then(|line| line.split(',').nth(column))
                };
                if let (Some(complete), Some(policy)) = (text(11), text(13)) {
                    let sums = [VOLUME, NOTIONAL, TRADES].map(|column| sum(column).to_string());
                    let (end, sums) = (end_of(end[0]), sums.join(","));
                    let revision = sum(12);
                    let line = format!("{sums},,,,,{complete},{revision},{policy}");
                    wanted.push((format!("{end},*,{window},"), line));
                }
            }
        }
        assert!(!wanted.is_empty() && wanted.len() < rows.len());
        for backend in BACKENDS {
            let found = scan(
                input,
                &[options, &["--totals", "--backend", backend]].concat(),
            );
            let found: Vec<&str> = found.lines().skip(1).collect();
            assert_eq!(found.len(), wanted.len(), "{input} by {backend}");
            for (found, (head, tail)) in found.iter().zip(&wanted) {
                assert!(found.starts_with(head) && found.ends_with(tail), "{found}");
            }
        }
    }
}
