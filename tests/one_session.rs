//! A run holds one session: another one behind it ends the run, and never adds to its rows.

use widetape::engine::{Clock, Engine, Error, Options};
use widetape::feed::Framing;
use widetape::metrics::Counter;
use widetape::publish::Shared;
use widetape::window::Spec;
use widetape::wire::moldudp64::Header;

use crate::common::plumbing::{Kept, SESSION, Scripted, pack, packet, trade};

const OTHER: [u8; 10] = *b"NEXT      ";
const SECOND_NS: u64 = 1_000_000_000;
/// Silence after which another session may follow.
const SILENCE_NS: u64 = 15 * SECOND_NS;

/// The packets of a session with this many trades, its end last.
fn session(session: [u8; 10], trades: u64) -> Vec<Vec<u8>> {
    let messages: Vec<_> = (1..=trades)
        .map(|n| Some(trade(34_200 * SECOND_NS + n, n)))
        .collect();
    let mut packets = pack(&messages, || 1);
    for packet in &mut packets {
        packet[..10].copy_from_slice(&session);
    }
    packets
}

struct Ran {
    outcome: Result<(), Error>,
    /// Trades in the last row.
    trades: Option<u32>,
    complete: bool,
    foreign: u64,
}

/// Runs packets that come at these times, all that are due in one batch.
fn run(packets: Vec<(u64, Vec<u8>)>, live: bool) -> Ran {
    let packets = packets.iter().map(|(due_ns, bytes)| {
        let mut packet = packet(bytes, 0, Framing::MoldUdp64);
        packet.received_ns = *due_ns;
        (if live { *due_ns } else { 0 }, packet)
    });
    let source = Scripted {
        packets: packets.collect(),
        at_most: 64,
        live,
    };
    let kept = Shared::new(Kept::default());
    let spec = Spec {
        windows: vec!["session".parse().unwrap()],
        ..Spec::default()
    };
    let publishers: Vec<Box<dyn widetape::Publisher + Send>> = vec![Box::new(kept.clone())];
    let engine = Engine::new(Box::new(source), publishers, Options::new(spec)).unwrap();
    let (summary, outcome) = engine.run_inline(&Clock::simulated(), None);
    let kept = kept.lock();
    let last = kept.rows.last().map(|(_, row)| row);
    assert!(kept.finished, "publishers say goodbye");
    Ran {
        outcome,
        trades: last.map(|row| row.sums.trades),
        complete: last.is_some_and(|row| row.complete),
        foreign: summary.counters.get(Counter::ForeignSessionPackets),
    }
}

fn at(time_ns: u64, packets: Vec<Vec<u8>>) -> Vec<(u64, Vec<u8>)> {
    packets
        .into_iter()
        .map(|packet| (time_ns, packet))
        .collect()
}

fn without_end(mut packets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    packets.pop();
    packets
}

#[test]
fn a_session_behind_one_that_went_silent_ends_the_run() {
    for live in [true, false] {
        let silent = at(1, without_end(session(SESSION, 5)));
        let next = at(1 + SILENCE_NS, session(OTHER, 3));
        let ran = run([silent, next].concat(), live);
        let error = ran.outcome.unwrap_err();
        assert!(
            matches!(&error, Error::OtherSession { before, after }
                if before == "session DAY" && after == "session NEXT"),
            "{error}"
        );
        assert_eq!((ran.trades, ran.complete), (Some(5), true), "live {live}");
    }
}

#[test]
fn a_session_that_brought_no_message_gives_way() {
    for live in [true, false] {
        let heartbeat = Header::heartbeat(SESSION, 900).to_bytes().to_vec();
        let next = at(1 + SILENCE_NS, session(OTHER, 3));
        let ran = run([at(1, vec![heartbeat]), next].concat(), live);
        ran.outcome.unwrap();
        assert_eq!((ran.trades, ran.complete), (Some(3), true), "live {live}");
    }
}

#[test]
fn what_came_together_with_the_end_is_not_of_the_session() {
    let packets = at(1, [session(SESSION, 5), session(OTHER, 3)].concat());
    let ran = run(packets.clone(), true);
    ran.outcome.unwrap();
    assert_eq!((ran.trades, ran.complete), (Some(5), true));
    let ran = run(packets, false);
    let told = ran.outcome.unwrap_err().to_string();
    assert!(
        told.starts_with("session NEXT follows session DAY"),
        "{told}"
    );
    assert_eq!((ran.trades, ran.foreign), (Some(5), 0));
}

#[test]
fn a_file_is_read_on_behind_the_end_of_its_session() {
    let repeated = session(SESSION, 5).pop().unwrap();
    let again = vec![repeated.clone(), repeated];
    let ran = run(at(1, [session(SESSION, 5), again].concat()), false);
    ran.outcome.unwrap();
    assert_eq!((ran.trades, ran.foreign), (Some(5), 0));
    let more = session(SESSION, 7);
    let ran = run(at(1, [session(SESSION, 5), more].concat()), false);
    ran.outcome.unwrap();
    assert_eq!(
        (ran.trades, ran.foreign),
        (Some(5), 2),
        "6 and 7 are counted"
    );
}
