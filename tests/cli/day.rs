//! Synthetic days, decoded lines, and what the machine gives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::process::widetape;
use super::{dataset, folder, text};

fn generated(path: &Path, more: &[&str]) -> Vec<u8> {
    let options = ["generate", "--messages", "20000", "--symbols", "30"];
    let out = ["--out", text(path)];
    let done = widetape(&[&options[..], more, &out[..]].concat()).exits(0);
    assert_eq!(done.text(), "");
    fs::read(path).expect("the generated file")
}

#[test]
fn the_same_seed_gives_the_same_day_however_it_is_packed() {
    let folder = folder("generate");
    let day = generated(&folder.join("one.itch"), &["--seed", "7"]);
    assert_eq!(generated(&folder.join("two.itch"), &["--seed", "7"]), day);
    assert_ne!(generated(&folder.join("other.itch"), &["--seed", "8"]), day);

    let packed = generated(&folder.join("day.itch.gz"), &["--seed", "7"]);
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .expect("a whole gzip file");
    assert!(unpacked == day && packed.len() < day.len() / 2);

    let packed = generated(&folder.join("day.itch.zst"), &["--seed", "7"]);
    let unpacked = zstd::decode_all(&packed[..]).expect("a whole zstd file");
    assert!(unpacked == day && packed.len() < day.len() / 2);

    let rows = ["itch", "itch.gz", "itch.zst"].map(|extension| {
        let path = folder
            .join("day.itch")
            .with_extension("")
            .with_extension(extension);
        if extension == "itch" {
            fs::write(&path, &day).expect("the plain day");
        }
        let done = widetape(&["scan", text(&path), "--format", "csv"]).exits(0);
        done.out
    });
    assert!(rows[0].len() > 10_000 && rows[0] == rows[1] && rows[0] == rows[2]);
}

#[test]
fn too_few_messages_are_refused_before_the_file_is_touched() {
    let path = folder("too_few").join("kept.itch");
    fs::write(&path, "as it was").expect("a file");
    let options = ["generate", "--messages", "3", "--symbols", "10"];
    let done = widetape(&[&options[..], &["--out", text(&path)]].concat()).exits(2);
    assert!(done.refused().contains("10 symbols need"), "{:?}", done.err);
    assert_eq!(fs::read(&path).expect("still there"), b"as it was");
}

#[test]
fn inspect_prints_a_line_for_each_message() {
    let mut day = Vec::new();
    let file = File::open(dataset("sample_day.itch.gz")).expect("the sample day");
    GzDecoder::new(file).read_to_end(&mut day).expect("whole");
    let mut wanted = BTreeMap::new();
    let mut rest = &day[..];
    while let [high, low, message @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        *wanted
            .entry(char::from(message[0]).to_string())
            .or_insert(0) += 1;
        rest = &message[length..];
    }
    let done = widetape(&["inspect", &dataset("sample_day.itch.gz")]).exits(0);
    let mut found = BTreeMap::new();
    let mut before = "";
    for line in done.text().lines() {
        let mut words = line.split(' ');
        let time = words.next().expect("a time");
        assert!(time.len() == 18 && time >= before, "{line}");
        before = time;
        let kind = words.next().expect("a type").to_owned();
        *found.entry(kind).or_insert(0) += 1;
    }
    assert_eq!(found, wanted);
    assert_eq!(found.values().sum::<u32>(), 40_000);
    let path = folder("marked").join("day.itch");
    fs::write(&path, [&day[..], &[0, 0]].concat()).expect("a day with an end marker");
    let marked = widetape(&["inspect", text(&path)]).exits(0);
    assert_eq!(marked.text(), done.text());
}

#[test]
fn inspect_says_what_it_cannot_show() {
    let path = folder("unshown").join("log.fix");
    let message = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01\n";
    fs::write(&path, [&message[..], b"garbage\n", message].concat()).expect("a log");
    let done = widetape(&["inspect", text(&path)]).exits(0);
    assert_eq!(done.text().lines().count(), 2);
    let told = "widetape: warning: bytes of a log that are in no FIX message, skipped: 7";
    assert_eq!(done.err, [told]);
}
