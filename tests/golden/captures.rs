//! Real captures, and the answers of decoders that share nothing with the crate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{BACKENDS, rows};
use crate::cli::process::widetape;

/// A real capture; `None`, said aloud, where the captures are not.
pub(super) fn capture(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if !path.exists() {
        println!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The numbers of an indented JSON file by their path, such as `total/AAPL/volume`.
fn numbers(json: &str) -> BTreeMap<String, String> {
    let mut path: Vec<&str> = Vec::new();
    let mut numbers = BTreeMap::new();
    for line in json.lines().map(str::trim) {
        if line.starts_with('}') {
            path.pop();
        } else if let Some((key, value)) = line.split_once(": ") {
            let key = key.trim_matches('"');
            path.push(key);
            if value != "{" {
                let value = value.trim_end_matches(',').to_owned();
                numbers.insert(path.join("/"), value);
                path.pop();
            }
        }
    }
    numbers
}

/// USD with six decimals, half to even, from ticks.
fn vwap(notional: u128, volume: u128) -> String {
    let (quotient, rest) = (notional * 100 / volume, notional * 100 % volume);
    let up = 2 * rest > volume || (2 * rest == volume && quotient % 2 == 1);
    let micros = quotient + u128::from(up);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// trades, volume, notional and vwap of an entry.
fn answer(numbers: &BTreeMap<String, String>, path: &str) -> [String; 4] {
    let number = |name| numbers[&format!("{path}/{name}")].clone();
    let (volume, notional) = (number("volume"), number("notional_e4"));
    let wide = |text: &str| text.parse().expect("a whole number");
    let vwap = vwap(wide(&notional), wide(&volume));
    [number("trades"), volume, notional, vwap]
}

fn found(row: &BTreeMap<&str, &str>) -> [String; 4] {
    ["trades", "volume", "notional", "vwap"].map(|column| row[column].to_owned())
}

/// Compares a file of one symbol with the answers beside it; gives the answer of the session.
fn compare(file: &Path, expected: &Path) -> [String; 4] {
    let json = std::fs::read_to_string(expected).expect("the answers beside the capture");
    let numbers = numbers(&json);
    let windows: BTreeMap<u64, [String; 4]> = numbers
        .keys()
        .filter_map(|key| {
            let path = key.strip_suffix("/trades")?;
            let start = path.strip_prefix("windows_5min/AAPL@")?.strip_suffix('s')?;
            let start: u64 = start.parse().expect("whole seconds");
            Some((start, answer(&numbers, path)))
        })
        .collect();
    assert!(windows.len() >= 12, "{windows:?}");

    let file = file.to_str().expect("UTF-8");
    let runs = BACKENDS.iter().map(|backend| ["scan", *backend]);
    for [command, backend] in runs.chain([["replay", "scalar"]]) {
        let request = |options: &[&str]| {
            let whole = [command, file, "--format", "csv", "--backend", backend];
            let done = widetape(&[&whole, options].concat()).exits(0);
            done.text().to_owned()
        };
        let tumbling = request(&["--window", "5m", "--step", "5m"]);
        let tumbling: Vec<(u64, [String; 4])> = rows(&tumbling)
            .iter()
            .map(|row| {
                assert_eq!((row["symbol"], row["complete"]), ("AAPL", "true"));
                let end: u64 = row["end_ns"].parse().expect("a number");
                assert_eq!(end % 300_000_000_000, 0);
                (end / 1_000_000_000 - 300, found(row))
            })
            .collect();
        let wanted: Vec<(u64, [String; 4])> = windows.clone().into_iter().collect();
        assert_eq!(tumbling, wanted, "{command} {backend}");

        for (policy, path) in [
            ("itch.all", "total/AAPL"),
            ("itch.displayed", "total_without_P_and_Q/AAPL"),
        ] {
            let session = request(&["--window", "session", "--policy", policy]);
            let last = rows(&session).pop().expect("a row");
            assert_eq!(found(&last), answer(&numbers, path), "{policy} {command}");
        }
    }
    answer(&numbers, "total/AAPL")
}

#[test]
fn nasdaq_apple_before_the_open() {
    let name = "itch50-nasdaq-aapl-20200130/aapl_20200130_first10k";
    let Some(file) = capture(&format!("{name}.itch")) else {
        return;
    };
    let answer = compare(&file, &file.with_extension("expected.json"));
    assert_eq!(answer, ["1089", "81556", "261867156100", "321.088769"]);
}

#[test]
fn lobster_apple_in_the_first_hour() {
    let folder = "itch50-lobster-aapl-1h";
    let Some(file) = capture(&format!("{folder}/lobster_aapl_20120621_1h.itch.gz")) else {
        return;
    };
    let expected = file.with_file_name("lobster_aapl_20120621_1h.expected.json");
    let answer = compare(&file, &expected);
    assert_eq!(answer, ["6268", "533629", "3126921296100", "585.972894"]);
}

#[test]
fn a_capture_of_multicast_decodes_to_its_messages() {
    let name = "moldudp64-nasdaq-pcap/nasdaq_totalview_20230822_100pkts.pcap";
    let Some(file) = capture(name) else {
        return;
    };
    let file = file.to_str().expect("UTF-8");
    let done = widetape(&["inspect", file]).exits(0);
    let mut types = BTreeMap::new();
    for (sequence, line) in (14_757_701_u64..).zip(done.text().lines()) {
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some(sequence.to_string().as_str()), "{line}");
        *types.entry(words.nth(1).expect(line)).or_insert(0) += 1;
    }
    let wanted = [
        ("A", 125),
        ("U", 99),
        ("D", 30),
        ("F", 6),
        ("I", 5),
        ("E", 3),
        ("S", 1),
    ];
    assert_eq!(types, BTreeMap::from(wanted));
    assert_eq!(types.values().sum::<u32>(), 269);

    // Joined in the middle: the three executions are of orders that nobody has seen.
    let done = widetape(&["scan", file, "--format", "csv"]).exits(0);
    assert_eq!(done.text().lines().count(), 1);
    let said = done.err.join("\n");
    assert!(said.contains("gaps 1, lost messages 14757700"), "{said}");
    assert!(said.contains("not counted: 3, of"), "{said}");
}

#[test]
fn the_rounding_of_this_file_is_half_to_even() {
    // 1 tick over 8 shares is 12.5 millionths; 3 over 8 are 37.5.
    assert_eq!(vwap(1, 8), "0.000012");
    assert_eq!(vwap(3, 8), "0.000038");
    assert_eq!(vwap(261_867_156_100, 81_556), "321.088769");
}
