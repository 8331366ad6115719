//! The sample day over two bad lines, inline under a seed: the rows are those of the file.
//!
//! Packets come when the simulated clock says so, through a network that loses, repeats and
//! reorders them on each line by itself. What one line loses the other brings; what both lose is
//! declared lost after the timeout, and exactly the windows that it touches say so.

use std::io::Read;
use std::path::{Path, PathBuf};

use widetape::buffer::Pool;
use widetape::engine::{Clock, Engine, Options, ThreadOptions, Wait};
use widetape::feed::{FeedError, Framing, Impair, ImpairOptions, ItchFile, Packet, Poll, Source};
use widetape::market::{Duration, Timestamp};
use widetape::metrics::Counter;
use widetape::publish::Shared;
use widetape::window::{Corrections, Policy, Row, Spec, Width};
use widetape::wire::binaryfile::Blocks;
use widetape::wire::itch50;

use crate::common::plumbing::{Kept, Scripted, pack, packet};
use crate::common::random::Random;

type Rows = Vec<(Timestamp, Row)>;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/sample_day.itch.gz")
}

fn spec() -> Spec {
    Spec {
        windows: ["10s", "5m", "session"]
            .map(|label| label.parse().unwrap())
            .to_vec(),
        step: Duration::from_millis(10_000).unwrap(),
        policy: Policy::All,
        every_end: false,
        corrections: Corrections::All,
    }
}

/// The packets of the sample day, the end of the session last.
fn packets() -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(sample()).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    let messages: Vec<Option<Vec<u8>>> = Blocks::new(&bytes)
        .filter(|(_, message)| !message.is_empty())
        .map(|(_, message)| Some(message.to_vec()))
        .collect();
    let mut random = Random(3);
    pack(&messages, || 1 + random.below(60) as usize)
}

/// Two lines, each behind a network of its own.
struct Lines {
    a: Impair<Scripted>,
    b: Impair<Scripted>,
}

impl Source for Lines {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let (a, b) = (self.a.poll(now_ns, packets)?, self.b.poll(now_ns, packets)?);
        Ok(match (a, b) {
            (Poll::End, Poll::End) => Poll::End,
            (Poll::Ready, _) | (_, Poll::Ready) => Poll::Ready,
            _ => Poll::Idle,
        })
    }

    fn is_live(&self) -> bool {
        self.a.is_live()
    }
}

/// What happens on the way.
#[derive(Clone, Debug, Default)]
struct Weather {
    seed: u64,
    /// Packets that only one of the lines loses, in percent.
    loss: u64,
    /// Packets that both lines lose.
    holes: Vec<u64>,
    live: bool,
    /// Nanoseconds from packet to packet.
    pace: u64,
}

impl Weather {
    fn lines(&self, packets: &[Vec<u8>]) -> Lines {
        let mut random = Random(self.seed);
        let mut lose = [self.holes.clone(), self.holes.clone()];
        // The end of the session is lost by neither.
        for ordinal in 0..packets.len() as u64 - 1 {
            if random.below(100) < self.loss {
                lose[random.below(2) as usize].push(ordinal);
            }
        }
        let line = |line: u8, lag: u64| {
            let timed = (0..).zip(packets).map(|(ordinal, bytes)| {
                let due = (ordinal * self.pace) + lag;
                (due, packet(bytes, line, Framing::MoldUdp64))
            });
            let source = Scripted {
                packets: timed.collect(),
                at_most: 16,
                live: self.live,
            };
            let options = ImpairOptions {
                seed: self.seed,
                lose: lose[usize::from(line)].clone(),
                duplicate: 0.05,
                reorder: 0.1,
                reorder_depth: 5,
                ..ImpairOptions::default()
            };
            Impair::new(source, options).unwrap()
        };
        Lines {
            a: line(0, 0),
            b: line(1, 3 * self.pace),
        }
    }
}

struct Ran {
    rows: Rows,
    counters: Vec<u64>,
}

impl Ran {
    fn count(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }
}

enum Turns {
    Inline(Option<u64>),
    Threads(ThreadOptions),
}

fn run(source: Box<dyn Source>, turns: &Turns) -> Ran {
    let kept = Shared::new(Kept::default());
    let mut options = Options::new(spec());
    // Room for the whole day, so that turns alone never make a live line drop.
    options.queue = 8_192;
    if let Turns::Threads(threads) = turns {
        options.threads = threads.clone();
    }
    let engine = Engine::new(source, vec![Box::new(kept.clone())], options).unwrap();
    let (summary, outcome) = match *turns {
        Turns::Inline(seed) => engine.run_inline(&Clock::simulated(), seed),
        Turns::Threads(_) => engine.run(&Clock::machine()),
    };
    outcome.unwrap();
    let counters = Counter::EACH.map(|counter| summary.counters.get(counter));
    let rows = std::mem::take(&mut kept.lock().rows);
    Ran {
        rows,
        counters: counters.to_vec(),
    }
}

fn replayed() -> Rows {
    let pool = Pool::new(8, 1 << 17);
    let file = ItchFile::open(&sample(), pool).unwrap();
    run(Box::new(file), &Turns::Inline(None)).rows
}

fn assert_same(rows: &Rows, expected: &Rows, context: &str) {
    let differs = std::iter::zip(rows, expected).position(|(one, other)| one != other);
    assert_eq!(differs, None, "{context}");
    assert_eq!(rows.len(), expected.len(), "{context}");
}

#[test]
fn bad_lines_and_any_turns_give_the_rows_of_the_file() {
    let (packets, expected) = (packets(), replayed());
    assert!(expected.len() > 10_000, "{}", expected.len());
    assert!(expected.iter().any(|(_, row)| row.revision > 0));
    for seed in 0..6 {
        let weather = Weather {
            seed,
            loss: 10 * seed,
            live: seed % 2 == 0,
            pace: 50_000 * (seed % 3),
            ..Weather::default()
        };
        let turns = Turns::Inline((seed > 0).then_some(seed));
        let ran = run(Box::new(weather.lines(&packets)), &turns);
        let context = format!("{weather:?}");
        assert_same(&ran.rows, &expected, &context);
        assert_eq!(ran.count(Counter::QueueFull), 0, "{context}");
        assert_eq!(ran.count(Counter::LostMessages), 0, "{context}");
        assert!(ran.count(Counter::DuplicatePackets) > 100, "{context}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let packets = packets();
    let weather = Weather {
        seed: 9,
        loss: 30,
        holes: vec![200, 201],
        live: true,
        pace: 100_000,
    };
    let run = || run(Box::new(weather.lines(&packets)), &Turns::Inline(Some(77)));
    let (first, second) = (run(), run());
    assert_same(&first.rows, &second.rows, "again");
    assert_eq!(first.counters, second.counters);
}

#[test]
fn threads_give_the_rows_of_the_file_however_they_wait() {
    let weather = Weather {
        seed: 4,
        loss: 20,
        ..Weather::default()
    };
    let (packets, expected) = (packets(), replayed());
    for count in [4, 2, 1] {
        for (name, wait) in Wait::EACH {
            let threads = ThreadOptions {
                count,
                wait,
                ..ThreadOptions::default()
            };
            let ran = run(Box::new(weather.lines(&packets)), &Turns::Threads(threads));
            let context = format!("{count} threads that {name}");
            assert_same(&ran.rows, &expected, &context);
            assert_eq!(ran.count(Counter::LostMessages), 0, "{context}");
        }
    }
}

/// First and last time of the messages of each packet, and how many there are.
fn spans(packets: &[Vec<u8>]) -> Vec<(u64, u64, u64)> {
    let messages = packets[..packets.len() - 1].iter().map(|packet| {
        let times = Blocks::new(&packet[20..])
            .map(|(_, message)| itch50::parse(message).unwrap().header().timestamp.0);
        let times: Vec<u64> = times.collect();
        (times[0], times[times.len() - 1], times.len() as u64)
    });
    messages.collect()
}

#[test]
fn what_both_lines_lose_shows_in_exactly_the_windows_that_it_touches() {
    let packets = packets();
    let spans = spans(&packets);
    let middle = spans.len() as u64 / 2;
    let holes = vec![middle, middle + 40, middle + 41, spans.len() as u64 - 1];
    let lost: u64 = holes.iter().map(|&hole| spans[hole as usize].2).sum();
    // The time before the hole, and after it; the last one has nothing behind it.
    let (before, after) = (
        |hole: u64| spans[hole as usize - 1].1,
        |hole: u64| spans.get(hole as usize + 1).map_or(u64::MAX, |span| span.0),
    );
    let touched = [
        (before(middle), after(middle)),
        (before(middle + 40), after(middle + 41)),
        (before(spans.len() as u64 - 1), u64::MAX),
    ];
    for seed in [1, 2, 3] {
        let weather = Weather {
            seed,
            holes: holes.clone(),
            loss: 15,
            live: seed == 1,
            // The clock moves 1 ms at a time: the timeouts of 100 ms pass while packets still come.
            pace: 500_000,
        };
        let ran = run(
            Box::new(weather.lines(&packets)),
            &Turns::Inline(Some(seed)),
        );
        assert_eq!(ran.count(Counter::LostMessages), lost);
        assert_eq!(ran.count(Counter::Gaps), 3);
        let mut by_window = [[0; 2]; 3];
        for (_, row) in &ran.rows {
            let end = row.end.0;
            let start = match spec().windows[usize::from(row.window)].width {
                Width::Finite(width) => end.saturating_sub(width.nanos()),
                Width::Session => 0,
            };
            let overlaps = |&(first, last): &(u64, u64)| first < end && last >= start;
            let complete = !touched.iter().any(overlaps);
            assert_eq!(row.complete, complete, "{row:?}");
            by_window[usize::from(row.window)][usize::from(complete)] += 1;
        }
        assert!(
            by_window.iter().flatten().all(|&rows| rows > 0),
            "{by_window:?}"
        );
    }
}
