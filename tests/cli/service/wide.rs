//! Wide windows beside the others, to a file and over FIX.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use widetape::fix::UtcText;

use super::super::dataset;
use super::super::process::widetape;
use super::Service;
use crate::gpu::is_required;

/// A FIX session that is told one window of every symbol; reads until the service hangs up.
fn subscribed(address: &str, window: &str) -> JoinHandle<String> {
    let mut client = TcpStream::connect(address).expect("the acceptor listens");
    let limit = Some(Duration::from_secs(120));
    client.set_read_timeout(limit).expect("a limit");
    let wish = format!("262=W|263=1|264=1|267=1|269=B|146=1|55=*|386=1|336={window}|");
    let messages = [("A", "98=0|108=3600|"), ("V", &wish), ("1", "112=READY|")];
    for (number, (kind, fields)) in (1..).zip(messages) {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let time = UtcText::new(now.as_nanos() as u64);
        let time = String::from_utf8_lossy(time.bytes()).into_owned();
        let rest = format!("35={kind}|49=DESK|56=WIDETAPE|34={number}|52={time}|{fields}");
        let framed = format!("8=FIX.4.4|9={}|{rest}", rest.len()).replace('|', "\x01");
        let sum = framed.bytes().fold(0_u8, u8::wrapping_add);
        let whole = format!("{framed}10={sum:03}\x01");
        client.write_all(whole.as_bytes()).expect("it reads");
    }
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"112=READY\x01") {
        client.read_exact(&mut byte).expect("an answer");
        seen.extend(byte);
    }
    std::thread::spawn(move || {
        client.read_to_end(&mut seen).expect("an orderly end");
        String::from_utf8_lossy(&seen).into_owned()
    })
}

#[test]
fn wide_windows_come_beside_the_others_by_name() {
    let config = "[window]\nwindows = [\"1s\"]\nstep = \"1s\"\n\
                  [gpu]\nenabled = true\nwindows = [\"5m\", \"session\"]\nevery = \"30s\"\n";
    let service = Service::start_with("wide", None, config);
    let client = subscribed(&service.fix, "5m");
    let (_, served, rows) = service.receive(&[]);
    let told = client.join().expect("it reads");
    let day = dataset("sample_day.itch.gz");
    let replay = |windows, step| {
        let options = ["--format", "csv", "--window", windows, "--step", step];
        let replayed = widetape(&[&["replay", &day], &options[..]].concat());
        replayed.exits(0).text().to_owned()
    };
    let (narrow, wide) = (replay("1s", "1s"), replay("5m,session", "30s"));
    let lines = |is_wide: bool| {
        let window = |line: &&str| {
            line.split(',')
                .nth(2)
                .is_some_and(|name| (name != "1s") == is_wide)
        };
        rows.lines().skip(1).filter(window).collect::<Vec<_>>()
    };
    assert!(lines(false) == narrow.lines().skip(1).collect::<Vec<_>>());
    assert!(lines(true) == wide.lines().skip(1).collect::<Vec<_>>());
    let five = wide.lines().filter(|line| line.contains(",5m,")).count();
    assert_eq!(told.matches("\x01282=5m\x01").count(), five);
    assert_eq!(told.matches("\x01282=").count(), five, "no other window");
    let summary = served.err.join("\n");
    let by_gpu = summary.contains("windows by the GPU");
    assert!(by_gpu || !is_required(), "{summary}");
    assert!(
        by_gpu || summary.contains("windows by the CPU instead"),
        "{summary}"
    );
}
