//! The agent that hands results to every publisher.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::pipe::{Inlet, Received};
use super::results::Results;
use super::stopwatch::Stopwatch;
use super::wait::{CALM, WATCHFUL};
use super::{Clock, Error, recorder};
use crate::metrics::{Counter, Counters, Latency, Stage};
use crate::publish::{Now, Publisher};

/// Nanoseconds between two duties of the publishers that had nothing to do. Each asks the system
/// about every socket, and results that come meanwhile wait for the answers.
const DUTY_EVERY_NS: u64 = 50_000;
/// Receipts kept at most while their bytes wait for a socket; beyond these they are recorded early.
const UNWRITTEN: usize = 65_536;

pub(super) struct Publishing {
    /// What the stream brings, which goes first.
    results: Inlet<Box<Results>>,
    /// Wide rows, if there are any, and some that wait until the stream has nothing: what it sent before
    /// them has then been published.
    wide: Option<Inlet<Box<Results>>>,
    held: Option<Box<Results>>,
    /// Whether the stream brings nothing more.
    is_ended: bool,
    publishers: Vec<Box<dyn Publisher + Send>>,
    counters: Arc<Counters>,
    latency: Stopwatch,
    /// Receipts of packets whose FIX bytes no socket has taken yet.
    unwritten: Vec<u64>,
    /// Bytes that waited for a socket when the publishers were last asked.
    waiting: u64,
    /// When the publishers' next duty is due.
    due_ns: u64,
    /// Tells the receiver that nothing more is wanted.
    stop: Arc<AtomicBool>,
}

impl Publishing {
    pub(super) fn new(
        (results, wide): (Inlet<Box<Results>>, Option<Inlet<Box<Results>>>),
        publishers: Vec<Box<dyn Publisher + Send>>,
        counters: Arc<Counters>,
        latency: &Arc<Mutex<Latency>>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            results,
            wide,
            held: None,
            is_ended: false,
            publishers,
            counters,
            latency: Stopwatch::new(latency),
            unwritten: Vec::new(),
            waiting: 0,
            due_ns: 0,
            stop,
        }
    }

    pub(super) fn add(&mut self, publisher: Box<dyn Publisher + Send>) {
        self.publishers.push(publisher);
    }

    /// Does something with every publisher; the first error is returned when all have had their turn.
    fn each(
        &mut self,
        mut action: impl FnMut(&mut dyn Publisher) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        for publisher in &mut self.publishers {
            let done = action(publisher.as_mut()).map_err(|error| Error::Publish {
                publisher: publisher.name(),
                error,
            });
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Bytes that FIX sessions have been given. Notes how many of these wait for a socket.
    fn record(&mut self) -> u64 {
        let (mut given, mut waiting) = (0, 0);
        for counts in self
            .publishers
            .iter()
            .filter_map(|publisher| publisher.fix_counts())
        {
            recorder::fix(&self.counters, &counts);
            given += counts.bytes_written + counts.bytes_waiting;
            waiting += counts.bytes_waiting;
        }
        self.waiting = waiting;
        given
    }

    fn publish(&mut self, results: &Results, now: Now, clock: &Clock) -> Result<(), Error> {
        let before = self.record();
        self.each(|publisher| {
            publisher.set_clock(now);
            results.publish(publisher)
        })?;
        self.counters
            .add(Counter::FeedNotices, u64::from(results.stale.is_some()));
        if self.record() > before {
            self.unwritten.extend_from_slice(&results.receipts);
            self.written(clock);
        }
        Ok(())
    }

    /// Records the packets whose bytes waited, once no session has any left.
    fn written(&mut self, clock: &Clock) {
        if self.waiting == 0 || self.unwritten.len() > UNWRITTEN {
            let now = clock.monotonic_ns();
            self.latency
                .record(Stage::ReceiptToFix, now, &self.unwritten);
            self.unwritten.clear();
        }
    }

    /// Lets every publisher do what is due. Whether any did something.
    fn duties(&mut self, now: Now, clock: &Clock) -> Result<bool, Error> {
        let mut worked = false;
        self.each(|publisher| {
            worked |= publisher.duty(now)?;
            Ok(())
        })?;
        self.record();
        if !self.unwritten.is_empty() {
            self.written(clock);
        }
        Ok(worked)
    }

    /// The stream has nothing now: publishes the wide rows that were held before that was known, or holds
    /// the next.
    fn cycle_wide(&mut self, now: Now, clock: &Clock) -> Result<bool, Error> {
        let Some(wide) = &mut self.wide else {
            return Ok(false);
        };
        if let Some(results) = self.held.take() {
            self.publish(&results, now, clock)?;
            if let Some(wide) = &mut self.wide {
                wide.give_back(results);
            }
            return Ok(true);
        }
        match wide.receive() {
            Received::Value(results) => self.held = Some(results),
            Received::Empty => return Ok(false),
            Received::Closed => self.wide = None,
        }
        Ok(true)
    }

    fn cycle(&mut self, clock: &Clock) -> Result<Duty, Error> {
        let now = clock.now();
        let mut worked = match self.results.receive() {
            Received::Value(results) => {
                self.publish(&results, now, clock)?;
                self.results.give_back(results);
                true
            }
            Received::Empty => self.cycle_wide(now, clock)?,
            Received::Closed => {
                self.is_ended = true;
                self.cycle_wide(now, clock)?
            }
        };
        if self.is_ended && self.wide.is_none() {
            self.each(|publisher| publisher.finish())?;
            self.record();
            self.written(clock);
            return Ok(Duty::Done);
        }
        if now.monotonic_ns >= self.due_ns {
            let busy = self.duties(now, clock)?;
            self.due_ns = now.monotonic_ns + if busy { 0 } else { DUTY_EVERY_NS };
            worked |= busy;
        }
        Ok(if worked { Duty::Worked } else { Duty::Idle })
    }
}

impl Agent for Publishing {
    fn name(&self) -> &'static str {
        "publisher"
    }

    fn duty(&mut self, clock: &Clock) -> Result<Duty, Error> {
        let cycle = self.cycle(clock);
        if cycle.is_err() {
            // The others still flush and say goodbye; the first error is the one to tell.
            let _ = self.each(|publisher| publisher.finish());
            self.stop.store(true, Ordering::Relaxed);
        }
        cycle
    }

    fn patience(&self) -> Duration {
        match self.waiting > 0 {
            true => WATCHFUL,
            false => CALM,
        }
    }

    fn wait(&mut self, timeout: Duration) {
        match &mut self.wide {
            Some(wide) if self.is_ended => wide.wait(timeout),
            _ => self.results.wait(timeout),
        }
    }
}
