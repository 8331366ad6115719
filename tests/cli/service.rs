//! The service and its sender as two processes, over real loopback multicast.

#[cfg(feature = "gpu")]
mod wide;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;

use super::process::{Finished, Running, widetape};
use super::{dataset, folder, text};

/// Bytes of a packet that `send` fills at most, its header of 20 included.
const PACKET_LIMIT: usize = 1_400;

/// A service with lines A and B on groups and ports of its own.
struct Service {
    running: Running,
    groups: [String; 2],
    fix: String,
    rows: PathBuf,
}

impl Service {
    fn start(name: &str, recovery: Option<&str>) -> Self {
        Self::start_with(name, recovery, "")
    }

    /// With more configuration.
    fn start_with(name: &str, recovery: Option<&str>, more: &str) -> Self {
        Self::start_in(&folder(name), recovery, more)
    }

    /// With its configuration and its rows in this folder.
    fn start_in(folder: &Path, recovery: Option<&str>, more: &str) -> Self {
        let (config, rows) = (folder.join("w.toml"), folder.join("rows.csv"));
        // Two octets that another run on this machine hardly has.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let [low, high, ..] = now.map_or(0, |now| now.subsec_micros()).to_le_bytes();
        let mut toml = String::new();
        match recovery {
            Some(server) => toml += &format!("[recovery]\nserver = \"{server}\"\n"),
            None => toml += "[recovery]\ndisabled = true\n",
        }
        for line in 0..2 {
            let third = 128 + high % 32 + 32 * line;
            let group = format!("239.192.{third}.{low}:0");
            toml += &format!("[[feed.lines]]\ngroup = \"{group}\"\nline = {line}\n");
        }
        toml += more;
        fs::write(&config, toml).expect("a configuration");
        let options = [
            "--corrections",
            "all",
            "--format",
            "csv",
            "--fix",
            "127.0.0.1:0",
        ];
        let files = ["run", "--config", text(&config), "--out", text(&rows)];
        let mut running = Running::start(&[&files[..], &options[..]].concat());
        let groups = ["line A: ", "line B: "].map(|beginning| {
            let line = running.line(beginning);
            let address = line[beginning.len()..].split(' ').next();
            address.expect("an address").to_owned()
        });
        let line = running.line("FIX: ");
        let fix = line["FIX: ".len()..].split(',').next();
        Self {
            running,
            groups,
            fix: fix.expect("an address").to_owned(),
            rows,
        }
    }

    /// Sends the sample day; gives what sender and service said, and the rows.
    fn receive(self, options: &[&str]) -> (Finished, Finished, String) {
        let (sent, served, rows) = self.receive_only(options);
        let rows = fs::read_to_string(rows).expect("the rows");
        (sent, served.exits(0), rows)
    }

    /// Sends the sample day; gives what sender and service said, and where the rows are.
    fn receive_only(self, options: &[&str]) -> (Finished, Finished, PathBuf) {
        let day = dataset("sample_day.itch.gz");
        let pace = ["--packets-per-second", "2000"];
        let lines = [
            "send",
            &day,
            "--group",
            &self.groups[0],
            "--group-b",
            &self.groups[1],
        ];
        let sent = widetape(&[&lines[..], &pace[..], options].concat()).exits(0);
        let served = self.running.finish();
        (sent, served, self.rows)
    }
}

/// The number after these words in what a process said.
fn said(done: &Finished, words: &str) -> u64 {
    let all = done.err.join("\n");
    let after = all
        .split_once(words)
        .unwrap_or_else(|| panic!("{words}: {all}"))
        .1;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .unwrap_or_else(|error| panic!("{words}: {error}: {all}"))
}

/// The newest revision of each row, by end, symbol and window.
fn newest(csv: &str) -> BTreeMap<[&str; 3], &str> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let mut columns = line.split(',');
            let key = std::array::from_fn(|_| columns.next().expect("a column"));
            (key, line)
        })
        .collect()
}

#[test]
fn losses_on_both_lines_are_asked_for_again_and_the_rows_are_those_of_the_file() {
    let reserved = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = reserved.local_addr().expect("its address").to_string();
    let service = Service::start("recovered", Some(&server));
    drop(reserved);
    let (sent, served, rows) = service.receive(&["--loss", "5%", "--rerequest", &server]);
    let packets = said(&sent, " messages in ");
    for line in ["sent ", "line A, "] {
        let sent = said(&sent, line);
        assert!(
            sent < packets && sent > packets * 4 / 5,
            "{sent} of {packets}"
        );
    }
    assert!(said(&served, "recovered messages ") > 0);
    assert_eq!(said(&served, "lost messages "), 0);

    let day = dataset("sample_day.itch.gz");
    let replayed = widetape(&["replay", &day, "--format", "csv"]).exits(0);
    let (found, wanted) = (newest(&rows), newest(replayed.text()));
    assert!(wanted.len() > 30_000);
    for (key, wanted) in &wanted {
        assert_eq!(found.get(key), Some(wanted), "{key:?}");
    }
    assert_eq!(found.len(), wanted.len());
}

/// Times of the last message before a packet, of its first, of its last, and of the first message
/// after it; and how many it holds. Packets count from 1.
fn packet_of_the_day(number: usize) -> ([u64; 4], u64) {
    let mut day = Vec::new();
    let file = File::open(dataset("sample_day.itch.gz")).expect("the sample day");
    GzDecoder::new(file).read_to_end(&mut day).expect("whole");
    let mut packets: Vec<Vec<u64>> = vec![Vec::new()];
    let mut filled = 20;
    let mut rest = &day[..];
    while let [high, low, message @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if filled + 2 + length > PACKET_LIMIT {
            packets.push(Vec::new());
            filled = 20;
        }
        filled += 2 + length;
        let time = message[5..11]
            .iter()
            .fold(0, |time, byte| time << 8 | u64::from(*byte));
        packets.last_mut().expect("one at least").push(time);
        rest = &message[length..];
    }
    let [before, lost, after] = [2, 1, 0].map(|back| &packets[number - back]);
    let times = [
        before[before.len() - 1],
        lost[0],
        lost[lost.len() - 1],
        after[0],
    ];
    (times, lost.len() as u64)
}

#[test]
fn rows_that_a_hole_touches_are_incomplete_and_no_others() {
    const LOST: usize = 300;
    let ([before, first, last, after], count) = packet_of_the_day(LOST);
    let service = Service::start("hole", None);
    let (_, served, rows) = service.receive(&["--lose-both", &LOST.to_string(), "--no-rerequest"]);
    assert_eq!(said(&served, "gaps               gaps "), 1);
    assert_eq!(said(&served, "lost messages "), count);

    let mut seen = BTreeMap::new();
    for line in rows.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let end: u64 = columns[0].parse().expect("nanoseconds");
        let begin = match columns[2] {
            "1s" => end - 1_000_000_000,
            "1m" => end - 60_000_000_000,
            "session" => 0,
            other => panic!("{other} was not asked for"),
        };
        let complete: bool = columns[11].parse().expect("true or false");
        // A window is [begin, end).
        let surely = begin <= last && end > first;
        let possibly = begin <= after && end > before;
        assert!(complete || possibly, "{line}");
        assert!(!complete || !surely, "{line}");
        *seen.entry((columns[2], complete, end > after)).or_insert(0) += 1;
    }
    for kind in [
        ("1s", true, true),
        ("1m", true, true),
        ("1m", false, true),
        ("session", true, false),
        ("session", false, true),
    ] {
        assert!(seen.contains_key(&kind), "{kind:?} of {seen:?}");
    }
    assert!(!seen.contains_key(&("session", true, true)), "{seen:?}");
}

#[test]
fn sigterm_ends_the_service_with_a_summary_however_its_threads_wait() {
    for (wait, threads) in [
        ("park", 4),
        ("backoff", 2),
        ("yield", 4),
        ("spin", 4),
        ("spin", 1),
    ] {
        let name = format!("sigterm-{wait}-{threads}");
        let engine = format!("[engine]\nwait = \"{wait}\"\nthreads = {threads}\n");
        hung_up_on_and_ended(Service::start_with(&name, None, &engine));
    }
}

fn hung_up_on_and_ended(service: Service) {
    // A first message that is no Logon is hung up on, by an engine that runs.
    let mut client = TcpStream::connect(&service.fix).expect("the acceptor listens");
    let limit = Some(Duration::from_secs(30));
    client.set_read_timeout(limit).expect("a limit");
    let mut message = b"8=FIX.4.4\x019=5\x0135=0\x01".to_vec();
    let sum = message
        .iter()
        .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    message.extend(format!("10={sum:03}\x01").bytes());
    client.write_all(&message).expect("it reads");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("it hangs up");
    assert!(answer.is_empty(), "{}", answer.escape_ascii());

    service.running.signal("TERM");
    let done = service.running.finish().exits(0);
    assert_eq!(said(&done, "messages           "), 0);
    assert!(Path::new(&service.rows).exists());
}

#[test]
fn an_output_that_nobody_reads_holds_nothing_up() {
    let folder = folder("unread");
    let pipe = folder.join("rows.csv");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    // Open for both, it waits for no other side; of 64 KiB it has room for, nothing is taken.
    let unread = File::options().read(true).write(true).open(&pipe);
    let _unread = unread.expect("a pipe");
    let service = Service::start_in(&folder, None, "");
    let (_, served, _) = service.receive_only(&["--no-rerequest"]);
    let served = served.exits(1);
    assert_eq!(said(&served, "lost messages "), 0);
    assert!(said(&served, "publish            rows ") > 30_000);
    let last = served.err.last().expect("a reason");
    assert!(
        last.ends_with("rows.csv: its reader takes no more"),
        "{last}"
    );
}

#[test]
fn the_sample_day_over_multicast_gives_the_golden_answers() {
    let done = widetape(&["--fix", "127.0.0.1:0", "--seconds", "2"]).exits(0);
    let last = done.text().lines().last();
    let wanted = "session VWAPs of 40 symbols equal the golden answers";
    assert_eq!(last, Some(wanted), "{:?}", done.err);
}
