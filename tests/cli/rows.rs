//! Rows as they are asked for: formats, places, symbols.

use std::fs;

use super::captures::binary_file;
use super::process::{widetape, widetape_cut_off};
use super::{dataset, folder, text};
use crate::common::plumbing::trade;

const COLUMNS: &str =
    "end_ns,symbol,window,vwap,volume,notional,trades,open,high,low,close,complete,revision,policy";

fn printed(command: &str, options: &[&str]) -> String {
    let day = dataset("edge_cases.itch");
    let arguments = [&[command, &day], options].concat();
    widetape(&arguments).exits(0).text().to_owned()
}

/// A line of CSV as a line of JSON with the same values.
fn as_json(line: &str) -> String {
    let fields: Vec<String> = COLUMNS
        .split(',')
        .zip(line.split(','))
        .map(|(name, value)| match name {
            "symbol" | "window" | "policy" => format!("\"{name}\":\"{value}\""),
            _ if value.is_empty() => format!("\"{name}\":null"),
            _ => format!("\"{name}\":{value}"),
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn every_format_holds_the_same_rows() {
    for command in ["scan", "replay"] {
        let csv = printed(command, &["--format", "csv"]);
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some(COLUMNS));
        let wanted: Vec<String> = lines.map(as_json).collect();
        assert!(wanted.len() > 20);
        let jsonl = printed(command, &["--format", "jsonl"]);
        assert_eq!(jsonl.lines().collect::<Vec<_>>(), wanted, "{command}");

        let table = printed(command, &["--format", "table"]);
        assert_eq!(table, printed(command, &[]), "the default");
        let mut lines = table.lines();
        let heading = lines.next().expect("a heading");
        assert!(heading.starts_with("end ") && heading.contains(" vwap "));
        let symbols: Vec<&str> = lines.filter_map(|line| line.split(' ').nth(1)).collect();
        let wanted: Vec<&str> = csv
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').nth(1))
            .collect();
        assert_eq!(symbols, wanted, "{command}");
    }
}

#[test]
fn a_log_may_hold_a_message_of_nearly_256_kib() {
    const ENTRIES: usize = 5_000;
    let head = format!(
        "35=W\x0149=A\x0156=B\x0134=1\x0152=20260102-14:30:00.000\x0155=AAPL\x01268={ENTRIES}\x01"
    );
    // Each a millisecond behind the one before.
    let entry = |at: usize| {
        let time = format!("14:30:{:02}.{:03}000000", at / 1_000, at % 1_000);
        format!("269=2\x01270=100.25\x01271=100\x01273={time}\x01")
    };
    let body: String = head + &(0..ENTRIES).map(entry).collect::<String>();
    let mut message = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
    let sum = message.bytes().fold(0_u8, u8::wrapping_add);
    message += &format!("10={sum:03}\x01");
    assert!((200 << 10..256 << 10).contains(&message.len()));
    let folder = folder("long-message");
    let log = folder.join("log.fix");
    fs::write(&log, message).expect("written");
    for command in ["replay", "scan"] {
        let options = ["--window", "session", "--format", "csv"];
        let arguments = [&[command, text(&log)], options.as_slice()].concat();
        let rows = widetape(&arguments).exits(0).text().to_owned();
        let expected = "AAPL,session,100.250000,500000,501250000000,5000,100.2500,";
        assert!(rows.contains(expected), "{command}: {rows}");
    }
}

#[test]
fn a_file_receives_what_standard_output_would() {
    let folder = folder("out");
    for command in ["scan", "replay"] {
        for format in ["csv", "jsonl", "table"] {
            let wanted = printed(command, &["--format", format, "--out", "-"]);
            let path = folder.join(format!("{command}.{format}"));
            let options = ["--format", format, "--out", text(&path)];
            assert_eq!(printed(command, &options), "");
            let found = fs::read_to_string(&path).expect("the file");
            assert_eq!(found, wanted, "{command} {format}");
        }
    }
}

#[test]
fn only_rows_of_the_symbols_asked_for() {
    for command in ["scan", "replay"] {
        let all = printed(command, &["--format", "csv"]);
        for symbols in ["ONE", "ONE,#2", "NONE"] {
            let wanted: Vec<&str> = all
                .lines()
                .filter(|line| {
                    let symbol = line.split(',').nth(1).expect("a symbol");
                    symbol == "symbol" || symbols.split(',').any(|asked| asked == symbol)
                })
                .collect();
            let found = printed(command, &["--format", "csv", "--symbols", symbols]);
            assert_eq!(found.lines().collect::<Vec<_>>(), wanted, "{symbols}");
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let day = dataset("sample_day.itch.gz");
    for arguments in [
        &["scan", &day, "--format", "csv"][..],
        &["replay", &day, "--format", "table"],
        &["inspect", &day],
        &["generate", "--messages", "200000", "--out", "-"],
    ] {
        for bytes in [0, 1, 100_000] {
            let done = widetape_cut_off(arguments, bytes).exits(0);
            assert_eq!(done.out.len() as u64, bytes, "{arguments:?}");
            let said = done.err.join("\n");
            assert!(!said.contains("pipe"), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn no_input_is_overwritten_under_whatever_name() {
    let folder = folder("names");
    let day = folder.join("day.itch");
    fs::copy(dataset("edge_cases.itch"), &day).expect("a copy");
    let (linked, pointing) = (folder.join("linked"), folder.join("pointing"));
    fs::hard_link(&day, &linked).expect("a link");
    std::os::unix::fs::symlink(&day, &pointing).expect("a link");
    for command in ["scan", "replay"] {
        for out in [&day, &linked, &pointing] {
            let done = widetape(&[command, text(&day), "--out", text(out)]).exits(2);
            let told = "would overwrite an input file";
            assert!(done.refused().contains(told), "{:?}", done.err);
        }
    }
    for option in ["--json", "--plot"] {
        let done = widetape(&["compare", text(&day), option, text(&linked)]).exits(2);
        let told = format!(
            "{option} {} would overwrite an input file",
            linked.display()
        );
        assert!(done.refused().contains(&told), "{:?}", done.err);
    }
    let whole = fs::read(dataset("edge_cases.itch")).expect("the day");
    assert!(fs::read(&day).expect("still there") == whole);
    let config = folder.join("config.toml");
    fs::write(&config, "[window]\nstep = \"1s\"\n").expect("a configuration");
    let done = widetape(&["run", "--config", text(&config), "--out", text(&config)]).exits(2);
    assert!(done.refused().contains("would overwrite"), "{:?}", done.err);
}

#[test]
fn second_names_of_a_locate_are_told() {
    let folder = folder("renamed");
    let (first, second) = (trade(1, 1), trade(2, 2));
    let mut renamed = second.clone();
    renamed[24..32].copy_from_slice(b"IBM     ");
    let [known, other] = [("known", &second), ("other", &renamed)].map(|(name, last)| {
        let path = folder.join(name);
        binary_file(&path, &[first.clone(), last.clone(), stock(last)]);
        path
    });
    for command in ["scan", "replay"] {
        assert!(widetape(&[command, text(&known)]).exits(0).err.is_empty());
        let told = "widetape: warning: second names of a locate, which keeps its first: 1";
        assert_eq!(widetape(&[command, text(&other)]).exits(0).err, [told]);
    }
}

#[test]
fn symbols_that_the_input_has_not_are_told() {
    let file = folder("absent").join("day.itch");
    binary_file(&file, &[trade(1, 1)]);
    for command in ["scan", "replay"] {
        let done = widetape(&[command, text(&file), "--symbols", "APPL,AAPL,#7"]).exits(0);
        assert_eq!(
            done.err,
            ["widetape: warning: --symbols: the input has no APPL"]
        );
    }
}

#[test]
fn breaks_that_correct_no_row_are_told() {
    let file = folder("late").join("day.itch");
    let second = 1_000_000_000;
    let mut broken = trade(3 * second, 1)[..19].to_vec();
    broken[0] = b'B';
    broken[11..].copy_from_slice(&1_u64.to_be_bytes());
    binary_file(&file, &[trade(1, 1), broken.clone(), broken]);
    for command in ["scan", "replay"] {
        let asked = [command, text(&file), "--window", "session"];
        let repeated = "widetape: warning: breaks of executions that were broken before: 1";
        let done = widetape(&[&asked[..], &["--step", "1s"]].concat()).exits(0);
        assert_eq!(done.err, [repeated]);
        let late = "widetape: warning: breaks later than --corrections allows, whose executions stay in the rows \
                    written before: 1";
        let bounded = ["--step", "1s", "--corrections", "1s"];
        let done = widetape(&[&asked[..], &bounded].concat()).exits(0);
        assert_eq!(done.err, [repeated, late]);
    }
}

#[test]
fn a_failure_hides_no_earlier_one() {
    let folder = folder("both");
    let (cut, strange) = (folder.join("cut.itch"), folder.join("strange.itch"));
    binary_file(&cut, &[trade(1, 1), trade(2, 2)]);
    let whole = fs::read(&cut).expect("a file");
    fs::write(&cut, &whole[..whole.len() - 3]).expect("a shorter file");
    binary_file(&strange, &[trade(3, 3), vec![b'~'; 20]]);
    for command in ["scan", "replay"] {
        for lenient in [&[][..], &["--lenient"]] {
            let asked = [command, text(&cut), text(&strange)];
            let done = widetape(&[&asked[..], lenient].concat()).exits(1);
            let told = |what: &str| done.err.iter().filter(|line| line.contains(what)).count();
            assert_eq!(
                (told("cut.itch"), told("strange.itch: message")),
                (1, 1),
                "{:?}",
                done.err
            );
        }
    }
}

/// The stock directory's message for the symbol of a trade.
fn stock(trade: &[u8]) -> Vec<u8> {
    let mut message = vec![b' '; 39];
    message[..11].copy_from_slice(&trade[..11]);
    message[0] = b'R';
    message[11..19].copy_from_slice(&trade[24..32]);
    message
}

#[test]
fn auto_says_who_computed_and_why() {
    let day = dataset("sample_day.itch.gz");
    let asked = ["scan", &day, "--format", "csv"];
    let plain = widetape(&asked).exits(0);
    let done = widetape(&[&asked[..], &["--explain"]].concat()).exits(0);
    assert_eq!(done.text(), plain.text());
    let rows = done.text().lines().count() - 1;
    let said = done.err.iter().find(|line| line.contains(" rows over "));
    let said = said.expect("a line for people");
    assert!(
        said.starts_with(&format!("widetape: {rows} rows over ")),
        "{said}"
    );
    assert!(said.contains("by the CPU"), "{said}");
    assert!(
        said.ends_with("because too little is asked to seek a device"),
        "{said}"
    );
    assert!(!plain.err.iter().any(|line| line.contains("because")));
}
