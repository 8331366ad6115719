//! Captures of a lossy feed: what they give is a function of their bytes alone.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use widetape::wire::ipv4_udp::{Datagram, emit_ethernet};

use super::process::widetape;
use super::{folder, text};
use crate::common::plumbing::{pack, trade};

/// Half past nine.
const OPEN_NS: u64 = 34_200_000_000_000;
/// From packet to packet of a line.
const PACE_NS: u64 = 20_000;

/// So many trades, 1 ms from one to the next.
fn trades(count: u64) -> Vec<Vec<u8>> {
    let times = (0..count).map(|n| (OPEN_NS + n * 1_000_000, n + 1));
    times.map(|(time, number)| trade(time, number)).collect()
}

pub(super) fn binary_file(path: &Path, messages: &[Vec<u8>]) {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
    }
    fs::write(path, bytes).expect("a scratch file");
}

/// Packets with their time in the capture and their line.
type Timed = Vec<(u64, u8, Vec<u8>)>;

/// A capture in nanoseconds.
fn capture(packets: Timed) -> Vec<u8> {
    frames(packets, |_| ())
}

/// As [`capture`], with each frame changed.
fn frames(packets: Timed, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let mut bytes = words(&[0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1]);
    let mut frame = Vec::new();
    for (time_ns, line, payload) in packets {
        let datagram = Datagram {
            source: "10.0.0.1:4000".parse().expect("an address"),
            destination: SocketAddrV4::new([239, 192, 0, 1 + line].into(), 5000),
            payload: &payload,
        };
        frame.clear();
        emit_ethernet(&datagram, &[], &mut frame).expect("it fits");
        change(&mut frame);
        let (second, rest) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
        let length = frame.len() as u32;
        bytes.extend(words(&[
            1_700_000_000 + second as u32,
            rest as u32,
            length,
            length,
        ]));
        bytes.extend(&frame);
    }
    bytes
}

/// Line A without the packets that it `loses`, and B, which loses none, `lag` packets behind.
fn two_lines(messages: &[Vec<u8>], loses: impl Fn(u64) -> bool, lag: u64) -> Vec<u8> {
    let messages: Vec<_> = messages.iter().cloned().map(Some).collect();
    let packets = pack(&messages, || 1);
    let (mut timed, end) = (Timed::new(), packets.len() as u64 - 1);
    for (n, packet) in (0..).zip(packets) {
        let due_ns = n * PACE_NS;
        if n == end {
            timed.push((due_ns + (lag + 1) * PACE_NS, 0, packet));
            continue;
        }
        if !loses(n) {
            timed.push((due_ns, 0, packet.clone()));
        }
        timed.push((due_ns + lag * PACE_NS + 1, 1, packet));
    }
    timed.sort_by_key(|&(time_ns, ..)| time_ns);
    capture(timed)
}

const ROWS: [&str; 6] = [
    "--window",
    "10ms,session",
    "--step",
    "1ms",
    "--format",
    "csv",
];

fn rows(command: &str, file: &Path) -> String {
    let arguments = [&[command, text(file)], &ROWS[..]].concat();
    let done = widetape(&arguments).exits(0);
    assert!(done.err.is_empty(), "{command}: {:?}", done.err);
    done.text().to_owned()
}

/// The rows of a capture that comes through a pipe, to a reader that pauses.
fn rows_slowly(command: &str, pipe: &Path, bytes: Vec<u8>) -> String {
    let status = Command::new("mkfifo").arg(pipe).status();
    assert!(status.is_ok_and(|status| status.success()), "mkfifo");
    let path = pipe.to_owned();
    let writer = std::thread::spawn(move || {
        let mut pipe = File::create(path).expect("a reader opens it");
        pipe.write_all(&bytes).expect("all of it is read");
    });
    let mut child = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_widetape"), command, text(pipe)])
        .args(ROWS)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the built command starts");
    let mut out = child.stdout.take().expect("it is piped");
    let mut rows = Vec::new();
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(600));
        let mut part = (&mut out).take(60_000);
        part.read_to_end(&mut rows).expect("rows");
    }
    out.read_to_end(&mut rows).expect("rows");
    assert!(child.wait().expect("it ends").success());
    writer.join().expect("all of it is read");
    String::from_utf8(rows).expect("text")
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a scratch file");
    path
}

#[test]
fn the_other_line_may_be_a_thousand_packets_behind() {
    let folder = folder("lag");
    let messages = trades(3_000);
    let file = folder.join("day.itch");
    binary_file(&file, &messages);
    let bytes = two_lines(&messages, |n| n % 100 == 40, 1_000);
    let capture = written(&folder, "day.pcap", &bytes);
    for command in ["replay", "scan"] {
        assert_eq!(rows(command, &capture), rows(command, &file), "{command}");
    }
}

#[test]
fn a_pipe_and_a_reader_that_pauses_change_no_row() {
    let folder = folder("pause");
    let messages = trades(6_000);
    let bytes = two_lines(&messages, |n| n % 20 == 7, 30);
    let capture = written(&folder, "day.pcap", &bytes);
    for command in ["replay", "scan"] {
        let slow = rows_slowly(command, &folder.join(command), bytes.clone());
        assert!(slow.len() > 300_000, "{}", slow.len());
        assert!(slow == rows(command, &capture), "{command}");
    }
}

#[test]
fn holes_of_a_capture_take_no_time_of_the_machine() {
    let folder = folder("holes");
    let messages = trades(5_000);
    let bytes = two_lines(&messages, |n| n % 10 == 5, 0);
    let both = written(&folder, "both.pcap", &bytes);
    assert!(
        rows("scan", &both)
            .lines()
            .all(|row| !row.contains("false"))
    );
    // Line A alone: what it lost stays lost, and there is time for no, some or all of the timeouts.
    let gone = messages.into_iter().zip(0_u64..);
    let gone: Vec<_> = gone
        .map(|(message, n)| (n % 10 != 5).then_some(message))
        .collect();
    let times: [fn(u64) -> u64; 5] = [
        |_| 0,
        |n| n * PACE_NS,
        |n| n * 1_000_000_000,
        |n| (10_000 - n) * 1_000_000_000,
        |n| n * 7_919 % 1_000 * 1_000_000_000,
    ];
    for (case, time_ns) in times.iter().enumerate() {
        let packets = (0..).zip(pack(&gone, || 1));
        let timed = packets.map(|(n, packet)| (time_ns(n), 0, packet)).collect();
        let alone = written(&folder, "alone.pcap", &capture(timed));
        for command in ["replay", "scan"] {
            let arguments = [&[command, text(&alone)], &ROWS[..]].concat();
            let done = widetape(&arguments).exits(0);
            let told = "widetape: warning: gaps 500, lost messages 500: rows that they touch say complete=false";
            assert_eq!(done.err, [told], "{command} {case}");
        }
    }
}

/// The packets of one line from `start_ns` on, of trades of `symbol` under the one locate that all have.
fn session(name: &[u8; 10], symbol: &[u8; 8], start_ns: u64) -> Timed {
    let mut messages = trades(40);
    for message in &mut messages {
        message[24..32].copy_from_slice(symbol);
    }
    let messages: Vec<_> = messages.into_iter().map(Some).collect();
    let packets = (0..).zip(pack(&messages, || 5));
    let named = packets.map(|(n, mut packet)| {
        packet[..10].copy_from_slice(name);
        (start_ns + n * PACE_NS, 0, packet)
    });
    named.collect()
}

fn without_end(mut packets: Timed) -> Timed {
    packets.pop();
    packets
}

#[test]
fn a_session_may_go_on_in_the_next_file() {
    let folder = folder("split");
    let whole = session(b"DAY       ", b"AAPL    ", 0);
    let (first, second) = whole.split_at(4);
    let all = rows(
        "replay",
        &written(&folder, "all.pcap", &capture(whole.clone())),
    );
    let first = written(&folder, "first.pcap", &capture(first.to_vec()));
    let second = written(&folder, "second.pcap", &capture(second.to_vec()));
    for command in ["replay", "scan"] {
        let arguments = [&[command, text(&first), text(&second)], &ROWS[..]].concat();
        let done = widetape(&arguments).exits(0);
        assert_eq!(
            (done.text(), done.err.len()),
            (&all[..], 0),
            "{:?}",
            done.err
        );
    }
}

#[test]
fn another_session_is_refused_and_adds_to_no_row() {
    const DAY_NS: u64 = 86_400_000_000_000;
    let folder = folder("sessions");
    let apple = session(b"DAY       ", b"AAPL    ", 0);
    let other = |start_ns| session(b"NEXT      ", b"IBM     ", start_ns);
    let file = folder.join("messages.itch");
    binary_file(&file, &trades(10));
    let next = written(&folder, "next.pcap", &capture(other(DAY_NS)));
    let soon = written(&folder, "soon.pcap", &capture(other(PACE_NS)));
    let both = written(
        &folder,
        "both.pcap",
        &capture([apple.clone(), other(DAY_NS)].concat()),
    );
    let ended = written(&folder, "ended.pcap", &capture(apple.clone()));
    let open = written(&folder, "open.pcap", &capture(without_end(apple)));
    let mut cut = fs::read(&ended).expect("a scratch file");
    cut.truncate(cut.len() - 1);
    let cut = written(&folder, "cut.pcap", &cut);
    let apart = "session NEXT follows session DAY, but a run holds one session";
    let mixed = format!("{} follows session DAY", text(&file));
    let unused = "not used: 9; give each session";
    let wanted = rows("replay", &ended);
    for (files, told) in [
        (&[&both][..], apart),
        (&[&ended, &next], apart),
        (&[&ended, &soon], apart),
        (&[&open, &next], apart),
        (&[&open, &soon], unused),
        (&[&ended, &file], &mixed),
        (&[&open, &file], &mixed),
        (&[&file, &ended], "session DAY follows a file"),
        (&[&ended, &cut], "cut.pcap: the message at byte"),
    ] {
        let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
        for command in ["replay", "scan"] {
            let done = widetape(&[&[command], &files[..], &ROWS[..]].concat()).exits(1);
            let line = done.err.last().expect("a line");
            assert!(line.contains(told), "{files:?}: {line}");
            assert!(!done.text().contains("IBM"));
            if files[0] != text(&file) {
                assert_eq!(done.text(), wanted, "{command} {files:?}");
            }
        }
    }
    let lenient = [
        &["replay", text(&open), text(&soon), "--lenient"],
        &ROWS[..],
    ]
    .concat();
    let done = widetape(&lenient).exits(0);
    let warned = &done.err[..];
    assert!(
        warned.len() == 1 && warned[0].contains(unused),
        "{warned:?}"
    );
    assert_eq!(done.text(), wanted);
}

#[test]
fn a_capture_without_a_usable_packet_is_refused_with_the_reason() {
    let folder = folder("useless");
    let day = || session(b"DAY       ", b"AAPL    ", 0);
    let changed = |at: usize, bytes: &'static [u8]| {
        frames(day(), |frame| {
            frame[24..26].fill(0);
            frame[at..at + bytes.len()].copy_from_slice(bytes);
        })
    };
    for (name, content, told) in [
        ("six", changed(12, &[0x86, 0xdd]), "9 other protocols"),
        ("fragments", changed(20, &[0x20, 0]), "9 fragments"),
        ("sums", changed(40, &[1, 2]), "9 wrong checksums"),
        (
            "noise",
            capture(
                (0..300_u64)
                    .map(|n| (n, 0, b"no MoldUDP64".to_vec()))
                    .collect(),
            ),
            "300 frames are no whole datagrams",
        ),
    ] {
        let path = written(&folder, name, &content);
        for command in ["replay", "scan"] {
            let done = widetape(&[command, text(&path)]).exits(1);
            let line = done.err.last().expect("a line");
            assert!(line.contains(told), "{name}: {line}");
        }
    }
    let snapped = frames(day(), |frame| {
        if frame.len() > 70 {
            frame.truncate(96);
        }
    });
    let done = widetape(&["scan", text(&written(&folder, "snapped", &snapped))]).exits(1);
    let line = done.err.last().expect("a line");
    assert!(line.contains("8 frames are no whole datagrams"), "{line}");
    let mut some = day();
    some.push((1, 0, b"syslog".to_vec()));
    let path = written(&folder, "some", &capture(some));
    let done = widetape(&["replay", text(&path)]).exits(0);
    let told = "widetape: warning: datagrams that are no MoldUDP64, left out: 1";
    assert_eq!(done.err, [told]);
    let arp = frames(day(), |frame| {
        if frame.len() < 70 {
            frame[12..14].copy_from_slice(&[8, 6]);
        }
    });
    let done = widetape(&["replay", text(&written(&folder, "arp", &arp))]).exits(0);
    let told =
        "widetape: warning: frames of captures without a datagram that can be used, left out: 1";
    assert_eq!(done.err, [told]);
}
