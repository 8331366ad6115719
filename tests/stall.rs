//! A stall shows in the percentiles: packets count from when they came, not from when somebody
//! looked, and all that waited count.
//!
//! The clock is simulated and the agents take turns, so every time is exact. A feed goes on at one
//! packet a millisecond while something stands still for half a second: of 10,000 packets, 500 wait,
//! 400 ms and more for one in a hundred.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use widetape::buffer::Buffer;
use widetape::feed::{FeedError, Framing, Packet, Poll, Source};
use widetape::market::{Locate, Symbol};
use widetape::metrics::{Percentiles, Stage};
use widetape::publish::fix::FixCounts;
use widetape::{Clock, Engine, Now, Options, Publisher, Spec, Update};

use crate::common::plumbing::{pack, trade};

const PACKETS: u64 = 10_000;
const MS: u64 = 1_000_000;
const STALL: u64 = 500 * MS;
/// Time that shuffled turns alone may let pass before a packet's agents have had theirs.
const A_FEW: u64 = 5 * MS;
/// When it begins, in the middle of the feed.
const STALL_AT: u64 = PACKETS / 2 * MS;

/// Where time stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stalls {
    Nothing,
    Receiver,
    Publisher,
    /// The reader of a FIX session: bytes wait, agents do not.
    Reader,
}

/// What a packet's receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    /// When it came, as a kernel stamps it.
    Arrival,
    /// When the receiver took it: a measure of service, blind to what waits outside.
    Poll,
}

/// One packet a millisecond, whether or not anybody polls.
struct Paced {
    packets: VecDeque<(u64, Vec<u8>)>,
    stamp: Stamp,
    stall: Option<Arc<AtomicU64>>,
}

impl Source for Paced {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        if now_ns >= STALL_AT
            && let Some(clock) = self.stall.take()
        {
            clock.fetch_add(STALL, Ordering::Relaxed);
            return Ok(Poll::Idle);
        }
        for _ in 0..16 {
            let Some((due, bytes)) = self.packets.pop_front_if(|(due, _)| *due <= now_ns) else {
                break;
            };
            packets.push(Packet {
                bytes: Buffer::detached(&bytes),
                received_ns: if self.stamp == Stamp::Arrival {
                    due
                } else {
                    now_ns
                },
                line: 0,
                framing: Framing::MoldUdp64,
            });
        }
        Ok(match (packets.is_empty(), self.packets.is_empty()) {
            (false, _) => Poll::Ready,
            (true, true) => Poll::End,
            (true, false) => Poll::Idle,
        })
    }

    fn is_live(&self) -> bool {
        true
    }
}

/// A FIX session of one byte an update.
struct Wire {
    clock: Arc<AtomicU64>,
    stalls: Stalls,
    counts: FixCounts,
}

impl Wire {
    fn is_blocked(&self, now_ns: u64) -> bool {
        self.stalls == Stalls::Reader && (STALL_AT..STALL_AT + STALL).contains(&now_ns)
    }
}

impl Publisher for Wire {
    fn name(&self) -> String {
        "wire".to_owned()
    }

    fn fix_counts(&self) -> Option<FixCounts> {
        Some(self.counts)
    }

    fn duty(&mut self, now: Now) -> io::Result<bool> {
        let waiting = self.counts.bytes_waiting;
        if waiting == 0 || self.is_blocked(now.monotonic_ns) {
            return Ok(false);
        }
        self.counts.bytes_written += waiting;
        self.counts.bytes_waiting = 0;
        Ok(true)
    }

    fn listing(&mut self, _: Locate, _: Symbol) {}

    fn publish(&mut self, _: &Update<'_>) -> io::Result<()> {
        let now_ns = self.clock.load(Ordering::Relaxed);
        if self.stalls == Stalls::Publisher && now_ns >= STALL_AT {
            self.stalls = Stalls::Nothing;
            self.clock.fetch_add(STALL, Ordering::Relaxed);
        }
        match self.is_blocked(now_ns) {
            true => self.counts.bytes_waiting += 1,
            false => self.counts.bytes_written += 1,
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A trade in each packet, a millisecond of feed time apart, so that each causes an update.
fn packets() -> VecDeque<(u64, Vec<u8>)> {
    let trade = |number| Some(trade(34_200_000 * MS + number * MS + MS / 2, number));
    let messages: Vec<_> = (0..PACKETS).map(trade).collect();
    let packets = pack(&messages, || 1).into_iter();
    (1..).map(|number| number * MS).zip(packets).collect()
}

/// What the engine measured to the windows and to FIX.
fn measure(stalls: Stalls, stamp: Stamp, seed: Option<u64>) -> [Percentiles; 2] {
    let now = Arc::new(AtomicU64::new(0));
    let source = Paced {
        packets: packets(),
        stamp,
        stall: (stalls == Stalls::Receiver).then(|| Arc::clone(&now)),
    };
    let wire = Wire {
        clock: Arc::clone(&now),
        stalls,
        counts: FixCounts::default(),
    };
    let spec = Spec {
        windows: vec!["1s".parse().expect("a window")],
        step: "1ms".parse().expect("a step"),
        ..Spec::default()
    };
    let mut options = Options::new(spec);
    options.queue = 8_192;
    let engine = Engine::new(Box::new(source), vec![Box::new(wire)], options).expect("a request");
    let (summary, outcome) = engine.run_inline(&Clock::Simulated { now }, seed);
    outcome.expect("a whole day");
    Stage::EACH.map(|stage| summary.latency.percentiles(stage))
}

#[test]
fn every_packet_is_measured_and_none_is_slow_without_a_stall() {
    for seed in [None, Some(1)] {
        let [window, fix] = measure(Stalls::Nothing, Stamp::Arrival, seed);
        assert_eq!(window.count, PACKETS);
        assert_eq!(fix.count, PACKETS - 1, "nothing comes before the first");
        assert!(
            window.max <= A_FEW && fix.max <= A_FEW,
            "{window:?} {fix:?}"
        );
    }
}

#[test]
fn a_stall_shows_in_p99_and_a_measure_of_service_would_not_show_it() {
    for stalls in [Stalls::Receiver, Stalls::Publisher] {
        for seed in [None, Some(1), Some(2)] {
            let context = format!("{stalls:?} {seed:?}");
            let [window, fix] = measure(stalls, Stamp::Arrival, seed);
            assert_eq!(window.count, PACKETS, "{context}");
            assert_eq!(fix.count, PACKETS - 1, "{context}");
            for seen in [window, fix] {
                assert!(
                    seen.p99 > 390 * MS && seen.p99 < 410 * MS,
                    "{context} {seen:?}"
                );
                assert!(seen.max > 495 * MS, "{context} {seen:?}");
                assert!(seen.p50 <= A_FEW && seen.p90 <= A_FEW, "{context} {seen:?}");
            }
            let [window, fix] = measure(stalls, Stamp::Poll, seed);
            for seen in [window, fix] {
                assert!(seen.count >= PACKETS - 1, "{context}");
                assert!(seen.p999 <= A_FEW, "{context} {seen:?}");
            }
        }
    }
}

#[test]
fn bytes_that_wait_for_a_reader_are_not_written_yet() {
    let [window, fix] = measure(Stalls::Reader, Stamp::Arrival, None);
    assert!(window.max <= A_FEW, "{window:?}");
    assert_eq!(fix.count, PACKETS - 1);
    assert!(fix.p99 > 390 * MS && fix.p99 < 410 * MS, "{fix:?}");
    assert!(fix.p90 <= A_FEW, "{fix:?}");
}
