//! The agent that hands results to every publisher.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::pipe::{Inlet, Received};
use super::results::Results;
use super::{Clock, Error, recorder};
use crate::metrics::{Counters, Latency, Stage};
use crate::publish::Publisher;

pub(super) struct Publishing {
    results: Inlet<Box<Results>>,
    publishers: Vec<Box<dyn Publisher + Send>>,
    counters: Arc<Counters>,
    latency: Arc<Mutex<Latency>>,
    /// Tells the receiver that nothing more is wanted.
    stop: Arc<AtomicBool>,
}

impl Publishing {
    pub(super) fn new(
        results: Inlet<Box<Results>>,
        publishers: Vec<Box<dyn Publisher + Send>>,
        counters: Arc<Counters>,
        latency: Arc<Mutex<Latency>>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            results,
            publishers,
            counters,
            latency,
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

    /// Bytes that have gone out over FIX.
    fn record(&self) -> u64 {
        let mut bytes = 0;
        for counts in self
            .publishers
            .iter()
            .filter_map(|publisher| publisher.fix_counts())
        {
            recorder::fix(&self.counters, &counts);
            bytes += counts.bytes_written;
        }
        bytes
    }

    fn publish(&mut self, results: &Results, clock: &Clock) -> Result<(), Error> {
        let before = self.record();
        self.each(|publisher| results.publish(publisher))?;
        if self.record() > before && results.received_ns > 0 {
            let now = clock.monotonic_ns();
            recorder::latency(&self.latency, Stage::ReceiptToFix, now, results.received_ns);
        }
        Ok(())
    }

    fn cycle(&mut self, clock: &Clock) -> Result<Duty, Error> {
        let now = clock.now();
        let mut worked = false;
        self.each(|publisher| {
            worked |= publisher.duty(now)?;
            Ok(())
        })?;
        match self.results.receive() {
            Received::Value(results) => {
                self.publish(&results, clock)?;
                self.results.give_back(results);
                worked = true;
            }
            Received::Empty => {}
            Received::Closed => {
                self.each(|publisher| publisher.finish())?;
                self.record();
                return Ok(Duty::Done);
            }
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

    fn wait(&mut self, timeout: Duration) {
        self.results.wait(timeout);
    }
}
