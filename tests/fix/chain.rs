//! A widetape behind a widetape: single executions and quotes over a real socket give the same rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use widetape::engine::{Clock, Engine, Options, Summary};
use widetape::feed::{FeedError, FixFeedOptions, FixSource, Packet, Poll, Source, open_any};
use widetape::market::{NANOS_PER_MILLI, TradingState, TradingStatus};
use widetape::metrics::Counter;
use widetape::publish::fix::{Acceptor, AcceptorOptions};
use widetape::publish::{Publisher, Shared};
use widetape::window::{Corrections, Row, Spec};
use widetape::{Pool, Symbol};

use crate::common::plumbing::Kept;

/// A source that says nothing until it may.
struct Held {
    source: Box<dyn Source>,
    go: Arc<AtomicBool>,
}

impl Source for Held {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        match self.go.load(Ordering::Relaxed) {
            true => self.source.poll(now_ns, packets),
            false => Ok(Poll::Idle),
        }
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        thread::sleep(timeout);
    }
}

fn spec() -> Spec {
    let windows = ["1s", "1m", "session"];
    Spec {
        windows: windows.map(|name| name.parse().unwrap()).into(),
        corrections: Corrections::All,
        ..Spec::default()
    }
}

fn engine(source: Box<dyn Source>, publisher: impl Publisher + Send + 'static) -> Engine {
    Engine::new(source, vec![Box::new(publisher)], Options::new(spec())).unwrap()
}

fn run(engine: Engine) -> Summary {
    let (summary, outcome) = engine.run(&Clock::machine());
    outcome.unwrap();
    summary
}

/// The final revision of each row.
fn newest(kept: &Shared<Kept>) -> BTreeMap<(u64, Symbol, u8), Row> {
    let rows = &kept.lock().rows;
    let key = |row: &Row| (row.end.0, row.symbol, row.window);
    // Locates are the feed's own.
    let plain = |row: &Row| Row {
        locate: widetape::Locate(0),
        ..*row
    };
    rows.iter().map(|(_, row)| (key(row), plain(row))).collect()
}

/// The trading states in their order, to the millisecond that FIX tells.
fn statuses(kept: &Shared<Kept>) -> Vec<(Symbol, TradingState, [u8; 4], u64)> {
    let all = &kept.lock().statuses;
    let plain = |(symbol, status): &(Symbol, TradingStatus)| {
        let millis = status.time.0 / NANOS_PER_MILLI;
        (*symbol, status.state, status.reason, millis)
    };
    all.iter().map(plain).collect()
}

#[test]
fn rows_behind_a_widetape_are_those_of_the_feed() {
    let day = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/sample_day.itch.gz");
    let open = || open_any(day.as_ref(), Pool::new(16, 256 << 10)).unwrap();
    let direct = Shared::new(Kept::default());
    run(engine(open(), direct.clone()));

    let options = AcceptorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        trades: true,
        max_pending_bytes: 256 << 20,
        linger_ms: 20_000,
        ..AcceptorOptions::default()
    };
    let labels = spec().windows.into_iter().map(|window| window.label);
    let acceptor = Acceptor::bind(options, labels.collect()).unwrap();
    let feed = FixFeedOptions {
        trading_session_id: Some("trades".to_owned()),
        from_start: true,
        ..FixFeedOptions::new(acceptor.local_address().unwrap())
    };
    let acceptor = Shared::new(acceptor);
    let go = Arc::new(AtomicBool::new(false));
    let held = Held {
        source: open(),
        go: Arc::clone(&go),
    };
    let above = engine(Box::new(held), acceptor.clone());
    let chained = Shared::new(Kept::default());
    let source = FixSource::new(feed).unwrap();
    let below = engine(Box::new(source), chained.clone());
    let above = thread::spawn(move || run(above));
    let below = thread::spawn(move || run(below));
    let start = Instant::now();
    while acceptor.lock().counts().requests == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "no subscription");
        thread::sleep(Duration::from_millis(1));
    }
    go.store(true, Ordering::Relaxed);
    let (above, below) = (above.join().unwrap(), below.join().unwrap());
    for counter in [Counter::Trades, Counter::BreaksApplied] {
        assert_eq!(below.counters.get(counter), above.counters.get(counter));
    }
    assert!(above.counters.get(Counter::BreaksApplied) > 0);
    assert_eq!(below.counters.dropped(), 0);
    assert_eq!(below.counters.get(Counter::FixFeedLogons), 1);
    let (wanted, found) = (newest(&direct), newest(&chained));
    for (key, row) in &wanted {
        assert_eq!(found.get(key), Some(row), "{key:?}");
    }
    assert_eq!(found.len(), wanted.len());
    assert!(wanted.len() > 30_000);
    let halts = statuses(&direct);
    assert_eq!(statuses(&chained), halts);
    assert_eq!(halts.len(), 12, "halted, quoted and resumed: {halts:?}");
}
