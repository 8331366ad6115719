//! Publishers are told that a feed is stale when messages stay missing or it is silent, and that it
//! is live again, on a simulated clock.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use widetape::engine::{Recovery, RecoveryOptions};
use widetape::feed::{Framing, UdpOptions, UdpSource};
use widetape::market::{Locate, Symbol};
use widetape::{Clock, Engine, Now, Options, Pool, Publisher, Spec, Update};

use crate::common::plumbing::{Scripted, pack, packet, trade};

const MS: u64 = 1_000_000;

/// Notes when it is told what, in milliseconds, and how many updates came before.
#[derive(Clone, Default)]
struct Told {
    now_ns: u64,
    updates: usize,
    notices: Arc<Mutex<Vec<(u64, bool)>>>,
}

impl Publisher for Told {
    fn name(&self) -> String {
        "told".to_owned()
    }

    fn set_clock(&mut self, now: Now) {
        self.now_ns = now.monotonic_ns;
    }

    fn listing(&mut self, _: Locate, _: Symbol) {}

    fn feed_state(&mut self, stale: bool) {
        let mut notices = self.notices.lock().unwrap();
        notices.push((self.now_ns / MS, stale));
    }

    fn publish(&mut self, _: &Update<'_>) -> io::Result<()> {
        self.updates += 1;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Notes at each notice whether the re-request server has been asked for anything by then.
struct Witness {
    server: UdpSocket,
    asked: Arc<Mutex<Vec<bool>>>,
}

impl Publisher for Witness {
    fn name(&self) -> String {
        "witness".to_owned()
    }

    fn listing(&mut self, _: Locate, _: Symbol) {}

    fn feed_state(&mut self, _: bool) {
        let asked = self.server.recv(&mut [0; 64]).is_ok();
        self.asked.lock().unwrap().push(asked);
    }

    fn publish(&mut self, _: &Update<'_>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs packets of a feed that come at these milliseconds, in this order.
fn run(
    order: &[(u64, usize)],
    live: bool,
    publisher: Box<dyn Publisher + Send>,
    recovery: Option<Recovery>,
    seed: Option<u64>,
) {
    let trade = |number| Some(trade(34_200_000 * MS + number * MS, number));
    let messages: Vec<_> = (0..order.len() as u64).map(trade).collect();
    let packets = pack(&messages, || 1);
    let scripted = order.iter().map(|&(at, index)| {
        let bytes = &packets[index];
        (at * MS, packet(bytes, 0, Framing::MoldUdp64))
    });
    let last = order.last().unwrap().0 * MS;
    let end = packet(packets.last().unwrap(), 0, Framing::MoldUdp64);
    let source = Scripted {
        packets: scripted.chain([(last + MS, end)]).collect(),
        at_most: 16,
        live,
    };
    let mut options = Options::new(Spec {
        windows: vec!["1s".parse().expect("a window")],
        ..Spec::default()
    });
    options.sequencer.gap_timeout_ns = 10_000 * MS;
    options.recovery = recovery;
    let engine = Engine::new(Box::new(source), vec![publisher], options).unwrap();
    let now = Arc::new(AtomicU64::new(0));
    let (_, outcome) = engine.run_inline(&Clock::Simulated { now }, seed);
    outcome.unwrap();
}

/// What publishers are told, in milliseconds.
fn told(order: &[(u64, usize)], live: bool) -> Vec<(u64, bool)> {
    let publisher = Told::default();
    let notices = Arc::clone(&publisher.notices);
    run(order, live, Box::new(publisher), None, None);
    Arc::into_inner(notices).unwrap().into_inner().unwrap()
}

#[test]
fn a_hole_that_stays_is_told_and_its_end_too() {
    // Packet 1 comes 40 ms late; packet 4 is overtaken for 2 ms only.
    let order = [(10, 0), (11, 2), (51, 1), (60, 3), (61, 5), (63, 4)];
    let told = told(&order, true);
    assert_eq!(told.len(), 2, "{told:?}");
    let [(began, true), (ended, false)] = told[..] else {
        panic!("{told:?}");
    };
    assert!((16..=19).contains(&began), "5 ms after the hole: {began}");
    assert!((51..=54).contains(&ended), "{ended}");
}

#[test]
fn nothing_is_asked_for_before_all_have_been_told() {
    for seed in 0..100 {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_nonblocking(true).unwrap();
        let SocketAddr::V4(address) = server.local_addr().unwrap() else {
            panic!("asked for a port of IPv4");
        };
        let options = RecoveryOptions {
            server: address,
            ..RecoveryOptions::default()
        };
        // Answers would come here; none do, the hole is filled late by the line itself.
        let line = UdpOptions::new("239.192.77.77:0".parse().unwrap());
        let mut answers = UdpSource::open(&[line], Pool::new(4, 2_048)).unwrap();
        let recovery = Recovery::open(&options, &mut answers).unwrap();
        let asked = Arc::default();
        let witness = Witness {
            server,
            asked: Arc::clone(&asked),
        };
        let order = [(10, 0), (11, 2), (51, 1), (60, 3)];
        run(&order, true, Box::new(witness), recovery, Some(seed));
        let asked = asked.lock().unwrap();
        assert_eq!(*asked, [false, true], "seed {seed}: stale, then live");
    }
}

#[test]
fn silence_is_told_and_its_end_too() {
    let told = told(&[(10, 0), (2_990, 1), (6_100, 2)], true);
    let [(began, true), (ended, false)] = told[..] else {
        panic!("{told:?}");
    };
    assert!((5_990..=5_993).contains(&began), "{began}");
    assert!((6_100..=6_103).contains(&ended), "{ended}");
}

#[test]
fn files_are_never_stale() {
    assert!(told(&[(10, 0), (11, 2), (51, 1), (9_000, 3)], false).is_empty());
}
