//! The agent that polls a source and hands packets on, in batches.
//!
//! A file waits when the pipe is full; a live feed cannot, so its packets are dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::pipe::{Outlet, Sent};
use super::precedence::Precedence;
use super::{Clock, Error, recorder};
use crate::feed::{Packet, Poll, Source};
use crate::metrics::{Counter, Counters};

/// Nanoseconds between two looks at the source's own counters, which may ask the system: a hundred
/// microseconds in which nothing is received, so a quiet moment is waited for first.
const COUNT_EVERY_NS: u64 = 1_000_000_000;
/// How often they are looked at where there is no quiet moment.
const COUNT_SURELY_NS: u64 = 10 * COUNT_EVERY_NS;

pub(super) struct Receiver {
    source: Box<dyn Source>,
    packets: Outlet<Vec<Packet>>,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
    /// Nothing more is polled; what waits is still to be sent.
    ended: bool,
    /// Why nothing more is polled; what was received before is sent first.
    failure: Option<Error>,
    /// When the source's own counters were last looked at.
    counted_ns: u64,
}

impl Receiver {
    pub(super) fn new(
        source: Box<dyn Source>,
        packets: Outlet<Vec<Packet>>,
        counters: Arc<Counters>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            source,
            packets,
            counters,
            stop,
            ended: false,
            failure: None,
            counted_ns: 0,
        }
    }

    fn send(&mut self, batch: Vec<Packet>) -> Duty {
        let of_one_line =
            |one: &Packet, next: &Packet| recorder::packets_of(one) == recorder::packets_of(next);
        for run in batch.chunk_by(of_one_line) {
            let counter = recorder::packets_of(&run[0]);
            self.counters.add(counter, run.len() as u64);
        }
        match self.packets.send(batch) {
            Sent::Done => Duty::Worked,
            Sent::Closed => Duty::Done,
            Sent::Waiting if !self.source.waits() => {
                let dropped = self.packets.give_up().map_or(0, |batch| batch.len() as u64);
                self.counters.add(Counter::QueueFull, dropped);
                Duty::Worked
            }
            Sent::Waiting => Duty::Idle,
        }
    }
}

impl Agent for Receiver {
    fn name(&self) -> &'static str {
        "receiver"
    }

    fn precedence(&self) -> Precedence {
        Precedence::First
    }

    fn duty(&mut self, clock: &Clock) -> Result<Duty, Error> {
        match self.packets.retry() {
            Sent::Done => {}
            Sent::Waiting => return Ok(Duty::Idle),
            Sent::Closed => return Ok(Duty::Done),
        }
        let mut batch = self.packets.take();
        batch.clear();
        let now_ns = clock.monotonic_ns();
        if self.ended || self.stop.load(Ordering::Relaxed) {
            self.source.finish(now_ns, &mut batch);
            if !batch.is_empty() {
                return Ok(self.send(batch));
            }
            recorder::feed(&self.counters, &self.source.counts());
            return self.failure.take().map_or(Ok(Duty::Done), Err);
        }
        let polled = self.source.poll(now_ns, &mut batch);
        self.ended = !matches!(polled, Ok(Poll::Ready | Poll::Idle));
        let sent = if batch.is_empty() {
            Duty::Idle
        } else {
            self.send(batch)
        };
        let since_ns = now_ns.saturating_sub(self.counted_ns);
        if since_ns >= COUNT_SURELY_NS || (since_ns >= COUNT_EVERY_NS && sent == Duty::Idle) {
            self.counted_ns = now_ns;
            recorder::feed(&self.counters, &self.source.counts());
        }
        self.failure = polled.err().map(Error::Feed);
        Ok(if self.ended { Duty::Worked } else { sent })
    }

    fn wait(&mut self, timeout: Duration) {
        if self.packets.is_waiting() {
            self.packets.wait(timeout);
        } else {
            self.source.wait(timeout);
        }
    }
}
