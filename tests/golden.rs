//! Rows against answers that the crate had no part in: the Python oracle's and the real captures'.

/// Real captures, and the answers of decoders that share nothing with the crate.
mod captures;
/// Files that are damaged, cut short or of another format.
mod damaged;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::cli::process::widetape;

const BACKENDS: &[&str] = &[
    "scalar",
    "simd",
    "parallel",
    #[cfg(feature = "gpu")]
    "gpu",
];

fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("datasets")
        .join(name)
}

/// The bytes of a file, unpacked if it is a gzip file.
fn bytes_of(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .expect("a whole gzip file");
    unpacked
}

/// Names the first line that differs.
#[track_caller]
fn assert_same_lines(found: &[u8], wanted: &[u8], what: &str) {
    if found == wanted {
        return;
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.split('\n').map(str::to_owned).collect()
    };
    let (found, wanted) = (lines(found), lines(wanted));
    let same = found
        .iter()
        .zip(&wanted)
        .take_while(|(found, wanted)| found == wanted)
        .count();
    panic!(
        "{what}: line {} differs\n  wanted {:?}\n  found  {:?}",
        same + 1,
        wanted.get(same),
        found.get(same)
    );
}

/// Golden file, input, command and its options.
fn cases() -> Vec<[String; 3]> {
    let text = fs::read_to_string(dataset("golden/cases.txt")).expect("the list of cases");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('|').map(|field| field.trim().to_owned());
            std::array::from_fn(|_| fields.next().expect(line))
        })
        .collect()
}

#[test]
fn every_backend_prints_what_the_oracle_prints() {
    let cases = cases();
    assert!(cases.len() >= 15, "{}", cases.len());
    for [golden, input, command] in &cases {
        let wanted = bytes_of(&dataset("golden").join(golden));
        let input = dataset(input);
        for backend in BACKENDS {
            let mut arguments: Vec<&str> = command.split_whitespace().collect();
            let rest = ["--format", "csv", "--out", "-", "--backend", backend];
            arguments.extend(rest);
            arguments.push(input.to_str().expect("UTF-8"));
            let done = widetape(&arguments).exits(0);
            assert_same_lines(&done.out, &wanted, &format!("{golden} by {backend}"));
        }
    }
}

#[test]
fn every_golden_file_is_compared() {
    let listed: BTreeSet<String> = cases().into_iter().map(|[golden, ..]| golden).collect();
    let there: BTreeSet<String> = fs::read_dir(dataset("golden"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "cases.txt" && !name.ends_with(".session.csv"))
        .collect();
    assert_eq!(there, listed);
}

/// The columns of a row, by their names in the heading.
fn rows(csv: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = csv.lines();
    let heading: Vec<&str> = lines.next().expect("a heading").split(',').collect();
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            assert_eq!(columns.len(), heading.len(), "{line}");
            heading.iter().copied().zip(columns).collect()
        })
        .collect()
}

#[test]
fn session_rows_end_at_the_answers_of_the_day() {
    for (name, input) in [
        ("sample_day", "sample_day.itch.gz"),
        ("edge_cases", "edge_cases.itch"),
    ] {
        let golden = bytes_of(&dataset(&format!("golden/{name}.session.csv")));
        let golden = String::from_utf8(golden).expect("ASCII");
        let input = dataset(input);
        for command in ["scan", "replay"] {
            let input = input.to_str().expect("UTF-8");
            let options = ["--window", "session", "--step", "1s", "--format", "csv"];
            let done = widetape(&[&[command, input], &options[..]].concat()).exits(0);
            let mut newest = BTreeMap::new();
            for row in rows(done.text()) {
                let end: u64 = row["end_ns"].parse().expect("a number");
                let revision: u64 = row["revision"].parse().expect("a number");
                let held = newest.entry(row["symbol"]).or_insert((0, 0, row.clone()));
                if (end, revision) >= (held.0, held.1) {
                    *held = (end, revision, row);
                }
            }
            let wanted: BTreeMap<&str, _> = rows(&golden)
                .into_iter()
                .map(|row| (row["symbol"], row))
                .collect();
            assert!(wanted.len() > 3, "{name}");
            let found: BTreeSet<&str> = newest
                .iter()
                .filter(|(_, (_, _, row))| row["trades"] != "0")
                .map(|(symbol, _)| *symbol)
                .collect();
            assert_eq!(found, wanted.keys().copied().collect(), "{name} {command}");
            for (symbol, wanted) in &wanted {
                for (column, value) in wanted {
                    let found = newest[symbol].2[column];
                    assert_eq!(found, *value, "{name} {command} {symbol} {column}");
                }
            }
        }
    }
}
