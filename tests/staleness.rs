//! Publishers are told that a feed is stale when messages stay missing or it is silent, and that it
//! is live again, on a simulated clock.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use widetape::feed::Framing;
use widetape::market::{Locate, Symbol};
use widetape::{Clock, Engine, Now, Options, Publisher, Spec, Update};

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

/// What publishers are told when the packets of a feed come at these milliseconds, in this order.
fn told(order: &[(u64, usize)], live: bool) -> Vec<(u64, bool)> {
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
    let publisher = Told::default();
    let notices = Arc::clone(&publisher.notices);
    let mut options = Options::new(Spec {
        windows: vec!["1s".parse().expect("a window")],
        ..Spec::default()
    });
    options.sequencer.gap_timeout_ns = 10_000 * MS;
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![Box::new(publisher)];
    let engine = Engine::new(Box::new(source), publishers, options).unwrap();
    let now = Arc::new(AtomicU64::new(0));
    let (_, outcome) = engine.run_inline(&Clock::Simulated { now }, None);
    outcome.unwrap();
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
