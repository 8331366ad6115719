//! Files that are damaged, cut short or of another format.

use std::fs;
use std::path::{Path, PathBuf};

use super::captures::capture;
use super::{assert_same_lines, bytes_of, dataset};
use crate::cli::process::{Finished, widetape};

#[test]
fn what_is_not_itch_is_refused_in_one_line_before_any_row() {
    let Some(folder) = capture("itch-negative") else {
        return;
    };
    for (name, reason) in [
        (
            "RITCH_ex20101224.TEST_ITCH_50.gz",
            "the length before the first message is 0",
        ),
        (
            "karan_rtl_sim_SYNTHETIC_wrong_lengths.itch.gz",
            "has 14 bytes where ITCH 5.0 has 12",
        ),
        ("nasdaq_tvagg_2.0_real.bin.xz", "an xz archive"),
    ] {
        let path = folder.join(name);
        let path = path.to_str().expect("UTF-8");
        for command in ["scan", "replay", "inspect"] {
            let done = widetape(&[command, path]).exits(1);
            let line = done.refused();
            assert!(line.contains(name) && line.contains(reason), "{line}");
        }
    }
}

/// A file of this test.
fn scratch(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    fs::create_dir_all(&folder).expect("a folder for scratch files");
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a scratch file can be written");
    path
}

/// Where each message begins, and the end.
fn borders(day: &[u8]) -> Vec<usize> {
    let mut borders = vec![0];
    while let Some(prefix) = day
        .get(borders[borders.len() - 1]..)
        .and_then(<[u8]>::first_chunk)
    {
        borders.push(borders[borders.len() - 1] + 2 + usize::from(u16::from_be_bytes(*prefix)));
    }
    assert_eq!(borders.last(), Some(&day.len()));
    borders
}

fn rows_of(command: &str, path: &Path, more: &[&str]) -> Finished {
    let path = path.to_str().expect("UTF-8");
    widetape(&[&[command, path, "--format", "csv"], more].concat())
}

#[test]
fn everything_before_a_cut_counts_and_the_cut_is_told() {
    let day = bytes_of(&dataset("sample_day.itch.gz"));
    let borders = borders(&day);
    let message = 30_000;
    let (start, end) = (borders[message], borders[message + 1]);
    let whole = scratch("whole.itch", &day[..start]);
    for cut in [start + 1, start + 2, end - 1] {
        let name = format!("cut_at_{cut}.itch");
        let path = scratch(&name, &day[..cut]);
        for command in ["scan", "replay"] {
            let wanted = rows_of(command, &whole, &[]).exits(0);
            assert!(wanted.text().lines().count() > 1_000);
            let strict = rows_of(command, &path, &[]).exits(1);
            let lenient = rows_of(command, &path, &["--lenient"]).exits(0);
            for done in [&strict, &lenient] {
                assert_same_lines(&done.out, &wanted.out, &format!("{command} {name}"));
                let told: Vec<&String> = done
                    .err
                    .iter()
                    .filter(|line| line.contains(&name))
                    .collect();
                assert_eq!(told.len(), 1, "{:?}", done.err);
                let offset = format!("byte {start} ");
                assert!(told[0].contains(&offset), "{told:?}");
            }
        }
    }
    // One byte more, and the message is whole.
    rows_of("scan", &scratch("one_more.itch", &day[..end]), &[]).exits(0);
}

#[test]
fn real_files_cut_short_give_every_whole_message() {
    let Some(folder) = capture("itch50-nasdaq-heads") else {
        return;
    };
    for (name, messages, cut) in [
        ("head_1000msgs.itch", 1_000, None),
        (
            "20190130_head_4096bytes_TRUNCATED.itch",
            101,
            Some("byte 4081 "),
        ),
        (
            "20190130_head_1MiB_TRUNCATED.itch.gz",
            35_581,
            Some("byte 1048574 "),
        ),
    ] {
        let path = folder.join(name);
        let code = i32::from(cut.is_some());
        let inspected = widetape(&["inspect", path.to_str().expect("UTF-8")]).exits(code);
        assert_eq!(inspected.text().lines().count(), messages, "{name}");
        let scanned = rows_of("scan", &path, &[]).exits(code);
        let lenient = rows_of("scan", &path, &["--lenient"]).exits(0);
        for done in [&inspected, &scanned, &lenient] {
            let told = done.err.join("\n");
            assert_eq!(done.err.len(), usize::from(cut.is_some()), "{told}");
            assert!(told.contains(cut.unwrap_or_default()), "{told}");
        }
    }
}

#[test]
fn a_wrong_message_in_the_middle_is_named_with_its_offset() {
    let day = bytes_of(&dataset("sample_day.itch.gz"));
    let borders = borders(&day);
    let at = borders[20_000];
    let mut unknown = day.clone();
    unknown[at + 2] = b'z';
    // A whole block, one byte longer than its type demands.
    let mut longer = day[..at].to_vec();
    let message = &day[at + 2..borders[20_001]];
    let length = u16::try_from(message.len() + 1).expect("short");
    longer.extend(length.to_be_bytes());
    longer.extend(message);
    longer.push(0);
    longer.extend(&day[borders[20_001]..]);
    for (name, bytes) in [("unknown.itch", unknown), ("longer.itch", longer)] {
        let path = scratch(name, &bytes);
        for command in ["scan", "replay"] {
            for more in [&[][..], &["--lenient"]] {
                let done = rows_of(command, &path, more).exits(1);
                let told = done.err.join("\n");
                assert!(told.contains(name), "{told}");
                assert!(told.contains(&format!("byte {at}")), "{told}");
            }
        }
    }
}
