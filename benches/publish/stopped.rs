//! What one stopped reader of a hundred costs the others: thread CPU time of a step, at whose end the
//! bytes of every reader are with the system, beside that of a hundred that all read.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use widetape::publish::fix::{Acceptor, AcceptorOptions};
use widetape::publish::{Publisher, Update};
use widetape::window::Row;

use super::sessions::{clock, row, subscribe};
use crate::cpu_time;

const SESSIONS: usize = 100;
const SYMBOLS: u16 = 1_000;

struct Desk {
    acceptor: Acceptor,
    readers: Vec<TcpStream>,
    stopped: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Desk {
    /// A hundred sessions; the first stops reading if `stops`.
    fn new(stops: bool, rows: &[Row]) -> Self {
        let options = AcceptorOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            max_sessions: SESSIONS,
            max_pending_ms: 3_600_000,
            ..AcceptorOptions::default()
        };
        let mut acceptor = Acceptor::bind(options, vec!["1s".to_owned()]).expect("a free port");
        for row in rows {
            acceptor.listing(row.locate, row.symbol);
        }
        let mut readers = Vec::new();
        for number in 0..SESSIONS {
            readers.push(subscribe(&acceptor, number));
            while acceptor.counts().requests <= number as u64 {
                acceptor.duty(clock());
            }
        }
        let mut desk = Self {
            acceptor,
            stopped: stops.then(|| readers.remove(0)),
            readers,
            buffer: vec![0; 1 << 20],
        };
        while stops && desk.acceptor.counts().conflated == 0 {
            desk.step(rows);
        }
        desk
    }

    /// Thread CPU time of one step to all; then all read.
    fn step(&mut self, rows: &[Row]) -> Duration {
        let start = cpu_time::now();
        self.acceptor.set_clock(clock());
        let update = Update {
            time: rows[0].end,
            rows: rows.into(),
            tops: &[],
        };
        self.acceptor.publish(&update).expect("sockets");
        self.acceptor.duty(clock());
        let took = cpu_time::now() - start;
        for stream in &mut self.readers {
            let mut bytes = 0;
            loop {
                match stream.read(&mut self.buffer) {
                    Ok(length) => bytes += length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(bytes > usize::from(SYMBOLS) * 50, "{bytes} bytes of a step");
        }
        took
    }
}

pub(crate) fn bench(test: bool) {
    let rows: Vec<Row> = (0..SYMBOLS).map(row).collect();
    let mut desks = [false, true].map(|stops| Desk::new(stops, &rows));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..if test { 10 } else { 2_000 } {
        for (desk, times) in desks.iter_mut().zip(&mut times) {
            times.push(desk.step(&rows));
        }
    }
    let [all, beside] = times.map(|mut times| {
        times.sort_unstable();
        [times.len() / 2, times.len() * 99 / 100].map(|place| times[place].as_secs_f64() * 1e6)
    });
    let counts = desks[1].acceptor.counts();
    assert!(desks[1].stopped.is_some() && counts.conflated > 0 && counts.slow_readers == 0);
    println!("slow reader: a step of {SYMBOLS} symbols to {SESSIONS} sessions, thread CPU (us)");
    println!("all read           p50 {:.0}  p99 {:.0}", all[0], all[1]);
    println!(
        "one has stopped    p50 {:.0}  p99 {:.0}",
        beside[0], beside[1]
    );
    println!("ratio of the p99   {:.2} (bar 1.2)", beside[1] / all[1]);
}
