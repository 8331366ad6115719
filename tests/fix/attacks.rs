//! Counterparties that mean harm: whatever they do, an honest session gets every value, what is held
//! stays small, and a counter tells.

use std::io::Read;
use std::time::{Duration, Instant};

use widetape::market::{Price, Timestamp};
use widetape::publish::fix::{AcceptorOptions, FixCounts, StoreOptions};

use super::client::{Client, Desk, START_TEXT, framed};

const SYMBOLS: u16 = 500;
const PATIENCE: Duration = Duration::from_secs(20);
/// What all connections together may hold at the most while they are attacked.
const HELD: u64 = 1 << 20;

/// An acceptor with an honest subscriber, who gets a value for each step and says at the end that no
/// value was missing.
struct Attacked {
    desk: Desk,
    honest: Client,
    step: u32,
    most_held: u64,
}

impl Attacked {
    fn new(change: impl FnOnce(&mut AcceptorOptions)) -> Self {
        let mut desk = Desk::new(change);
        desk.list(SYMBOLS);
        let mut honest = desk.log_on("HONEST");
        honest.send(&desk, "V", "262=H|263=1|264=0|267=1|269=9|146=1|55=S7|");
        desk.until(|acceptor| acceptor.counts().requests == 1);
        assert!(honest.next(&mut desk).contains("|35=W|"));
        Self {
            desk,
            honest,
            step: 0,
            most_held: 0,
        }
    }

    /// A duty cycle, and a new value of every symbol, which the honest subscriber must get.
    fn step(&mut self) {
        self.step += 1;
        self.desk.duty();
        self.most_held = self.most_held.max(self.desk.acceptor.counts().bytes_held);
        let price = Price(10_000 + self.step);
        let end = Timestamp(u64::from(self.step) * 1_000_000_000);
        self.desk.publish_each(SYMBOLS, end, price);
        let value = format!("|55=S7|270={}.{:04}00|", price.0 / 10_000, price.0 % 10_000);
        let message = self.honest.next(&mut self.desk);
        assert!(
            message.contains("|35=X|") && message.contains(&value),
            "{message}"
        );
    }

    /// Steps until `done`.
    fn until(&mut self, mut done: impl FnMut(&FixCounts) -> bool) {
        let start = Instant::now();
        while !done(&self.desk.acceptor.counts()) {
            assert!(
                start.elapsed() < PATIENCE,
                "{:?}",
                self.desk.acceptor.counts()
            );
            self.step();
        }
    }

    /// The honest session is as it was, and little was ever held.
    fn end(mut self) -> FixCounts {
        self.step();
        self.honest.send(&self.desk, "1", "112=in order|");
        assert!(self.honest.next(&mut self.desk).contains("|112=in order|"));
        assert!(self.most_held <= HELD, "{} bytes held", self.most_held);
        self.desk.acceptor.counts()
    }
}

/// Takes what has come and forgets it.
fn swallow(client: &mut Client) {
    let mut chunk = vec![0; 1 << 16];
    while client
        .stream
        .read(&mut chunk)
        .is_ok_and(|length| length > 0)
    {}
}

#[test]
fn connections_without_a_logon_make_room_for_those_with_one() {
    let mut attacked = Attacked::new(|options| {
        options.max_sessions = 8;
        options.max_pending_logons = 4;
    });
    let crowd: Vec<Client> = (0..100).map(|_| attacked.desk.connect("X")).collect();
    attacked.until(|counts| counts.connections == 101);
    assert_eq!(attacked.desk.acceptor.connections(), 5);
    let mut late = attacked.desk.log_on("LATE");
    late.send(&attacked.desk, "1", "112=here|");
    assert!(late.next(&mut attacked.desk).contains("|112=here|"));
    drop(crowd);
    let counts = attacked.end();
    assert_eq!((counts.logons_evicted, counts.connections_refused), (97, 0));
}

#[test]
fn a_flood_of_logons_is_closed_and_counted() {
    let mut attacked = Attacked::new(|options| options.target_comp_ids = vec!["HONEST".to_owned()]);
    let logon = format!("35=A|49=STRANGER|56=WIDETAPE|34=1|52={START_TEXT}|98=0|108=30|");
    for number in 1..=300 {
        let mut stranger = attacked.desk.connect("STRANGER");
        stranger.send_bytes(&framed("FIX.4.4", &logon));
        attacked.until(|counts| counts.logons_refused == number);
    }
    let counts = attacked.end();
    assert_eq!((counts.logons, counts.logons_refused), (1, 300));
}

#[test]
fn one_byte_a_second_is_not_enough() {
    let mut attacked = Attacked::new(|_| {});
    let mut slow = attacked.desk.connect("SLOW");
    let logon = format!("35=A|49=SLOW|56=WIDETAPE|34=1|52={START_TEXT}|98=0|108=30|");
    for byte in &framed("FIX.4.4", &logon)[..9] {
        slow.send_bytes(&[*byte]);
        attacked.step();
        attacked.desk.elapsed_ms += 1_000;
    }
    assert_eq!(attacked.desk.acceptor.connections(), 2);
    attacked.desk.elapsed_ms += 1_000;
    attacked.until(|counts| counts.logons_refused == 1);

    let mut drip = attacked.desk.log_on("DRIP");
    drip.send_bytes(b"8=FIX.4.4\x019=60000\x0135=0\x01");
    for _ in 0..72 {
        drip.send_bytes(b"x");
        attacked.desk.elapsed_ms += 1_000;
        // Only the one who drips is silent.
        attacked.honest.send(&attacked.desk, "0", "");
        attacked.step();
    }
    attacked.until(|counts| counts.silent == 1);
    attacked.end();
}

#[test]
fn a_huge_length_holds_no_more_than_a_message() {
    let mut attacked = Attacked::new(|_| {});
    let mut liar = attacked.desk.log_on("LIAR");
    let before = attacked.desk.acceptor.counts().garbled;
    for length in ["65536", "65537", "999999999", "99999999999999999999"] {
        liar.send_bytes(format!("8=FIX.4.4\x019={length}\x0135=0\x01").as_bytes());
        for _ in 0..40 {
            liar.send_bytes(&[b'x'; 4_096]);
            attacked.step();
        }
    }
    assert!(attacked.most_held < 200_000, "{}", attacked.most_held);
    let counts = attacked.end();
    assert!(counts.garbled >= before + 4, "{counts:?}");
}

#[test]
fn everything_again_in_a_loop_waits_its_turn() {
    let mut attacked = Attacked::new(|options| {
        options.store = StoreOptions {
            messages: 1_000,
            ..StoreOptions::default()
        };
    });
    let mut greedy = attacked.desk.log_on("GREEDY");
    let wish = "262=G|263=1|264=0|267=1|269=9|146=1|55=*|";
    greedy.send(&attacked.desk, "V", wish);
    attacked.until(|counts| counts.requests == 2);
    for _ in 0..50 {
        attacked.step();
        swallow(&mut greedy);
    }
    greedy.send(
        &attacked.desk,
        "V",
        "262=G|263=2|264=0|267=1|269=9|146=1|55=*|",
    );
    attacked.until(|counts| counts.requests == 3);
    swallow(&mut greedy);
    let before = attacked.desk.acceptor.counts();
    for _ in 0..100 {
        greedy.send(&attacked.desk, "2", "7=1|16=0|");
        greedy.send(&attacked.desk, "2", "7=1|16=0|");
        attacked.desk.elapsed_ms += 1;
        attacked.step();
        swallow(&mut greedy);
    }
    let counts = attacked.desk.acceptor.counts();
    let answered = counts.bytes_written - before.bytes_written;
    let (share, turn) = ((32 << 20) / 10, 256 << 10);
    assert!(answered > share / 8, "{answered} bytes in 0.1 s");
    assert!(answered < share + 2 * turn, "{answered} bytes in 0.1 s");
    attacked.end();
}

#[test]
fn ten_thousand_subscriptions_of_one_session() {
    let mut attacked = Attacked::new(|_| {});
    attacked.step();
    let mut greedy = attacked.desk.log_on("GREEDY");
    for number in 0..10_000 {
        let wish = format!("262={number}|263=1|264=0|267=1|269=9|146=1|55=*|");
        greedy.send(&attacked.desk, "V", &wish);
        if number % 50 == 0 {
            swallow(&mut greedy);
            attacked.desk.elapsed_ms += 50;
            attacked.honest.send(&attacked.desk, "0", "");
            attacked.step();
        }
    }
    let start = Instant::now();
    while attacked.desk.acceptor.counts().requests_refused < 10_000 - 16 {
        assert!(
            start.elapsed() < PATIENCE,
            "{:?}",
            attacked.desk.acceptor.counts()
        );
        swallow(&mut greedy);
        attacked.desk.elapsed_ms += 1;
        attacked.step();
    }
    let counts = attacked.end();
    assert_eq!((counts.requests, counts.requests_refused), (17, 9_984));
    assert!(counts.turns_cut > 0);
}

#[test]
fn snapshots_of_everything_in_a_loop_wait_their_turn() {
    let mut attacked = Attacked::new(|_| {});
    attacked.step();
    let mut greedy = attacked.desk.log_on("GREEDY");
    for number in 0..200 {
        let wish = format!(
            "262={number}|263=0|264=0|267=7|269=9|269=B|269=4|269=5|269=7|269=8|269=2|146=1|55=*|"
        );
        greedy.send(&attacked.desk, "V", &wish);
    }
    attacked.step();
    let first = attacked.desk.acceptor.counts();
    for _ in 0..20 {
        swallow(&mut greedy);
        attacked.step();
    }
    let still = attacked.desk.acceptor.counts().requests;
    assert!(first.requests < 20, "{first:?}");
    assert!(
        still <= first.requests + 2,
        "the clock stands still, and so do the answers"
    );
    while attacked.desk.acceptor.counts().requests < 201 {
        swallow(&mut greedy);
        attacked.desk.elapsed_ms += 10;
        attacked.step();
        assert!(attacked.desk.elapsed_ms < 60_000);
    }
    attacked.end();
}

#[test]
fn games_with_numbers_hold_little_and_end() {
    let mut attacked = Attacked::new(|_| {});
    let mut player = attacked.desk.log_on("PLAYER");
    let filler = "x".repeat(2_000);
    for number in 0..2_000_u64 {
        player.next = 1_000_000_000 + (number * 7_919) % 1_000_000;
        player.send(&attacked.desk, "1", &format!("112={filler}|"));
        if number % 20 == 0 {
            attacked.step();
        }
    }
    attacked.until(|counts| counts.queue_dropped > 0);
    for next in [999_999_999_999_999_999_u64, 1, 5] {
        player.send(&attacked.desk, "4", &format!("36={next}|"));
        attacked.step();
    }
    player.next = 3;
    player.send(&attacked.desk, "0", "");
    attacked.until(|counts| counts.rejects == 2);
    while attacked.desk.acceptor.counts().disconnects < 1 {
        attacked.desk.elapsed_ms += 10;
        attacked.step();
        assert!(attacked.desk.elapsed_ms < 20_000);
    }
    let counts = attacked.end();
    assert_eq!(counts.bytes_held, 0);
    assert_eq!(
        counts.resends_requested, 1,
        "one for the gap, whatever came"
    );
}
