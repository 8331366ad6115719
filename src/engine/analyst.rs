//! The agent that keeps the windows: columns in, rows out as they become due.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::decoded::Decoded;
use super::pipe::{Inlet, Outlet, Received, Sent};
use super::precedence::Precedence;
use super::results::{Results, TopsKeeper};
use super::stopwatch::Stopwatch;
use super::survey::Forward;
use super::{Clock, Error, recorder};
use crate::metrics::{Counters, Latency, Stage};
use crate::window::{Applied, Sliding};

pub(super) struct Analyst {
    batches: Inlet<Box<Decoded>>,
    results: Outlet<Box<Results>>,
    sliding: Sliding,
    tops: TopsKeeper,
    /// Whether any publisher wants single executions.
    wants_trades: bool,
    /// Who keeps the wide windows, if anybody does.
    forward: Option<Forward>,
    counters: Arc<Counters>,
    latency: Stopwatch,
    /// A batch that has been applied in part.
    rest: Option<Box<Decoded>>,
    ended: bool,
}

impl Analyst {
    pub(super) fn new(
        (batches, results, forward): (Inlet<Box<Decoded>>, Outlet<Box<Results>>, Option<Forward>),
        sliding: Sliding,
        wants_trades: bool,
        counters: Arc<Counters>,
        latency: &Arc<Mutex<Latency>>,
    ) -> Self {
        Self {
            batches,
            results,
            sliding,
            tops: TopsKeeper::default(),
            wants_trades,
            forward,
            counters,
            latency: Stopwatch::new(latency),
            rest: None,
            ended: false,
        }
    }

    /// Results to fill.
    fn fresh(&mut self) -> Box<Results> {
        let mut results = self.results.take();
        results.clear();
        results
    }

    /// Applies a batch, as far as its rows are not too many to be sent at once.
    fn apply(
        &mut self,
        mut batch: Box<Decoded>,
        mut results: Box<Results>,
        clock: &Clock,
    ) -> Result<Duty, Error> {
        match self.sliding.apply(&batch, &mut results.output)? {
            Applied::Whole => {
                self.complete(&mut batch, &mut results, clock);
                self.batches.give_back(batch);
            }
            Applied::InPart => self.rest = Some(batch),
        }
        Ok(self.send(results))
    }

    /// What a batch brings beside rows comes with the last of these: its names are known then.
    fn complete(&mut self, batch: &mut Decoded, results: &mut Results, clock: &Clock) {
        results.now = Some(batch.now);
        results.note(&batch.statuses, |locate| self.sliding.label(locate));
        if self.wants_trades {
            results.record(batch, |locate| self.sliding.label(locate));
        }
        self.tops.update(&batch.quotes);
        if self.tops.passes(results.output.passed) {
            self.tops
                .drain(&mut results.tops, |locate| self.sliding.label(locate));
        }
        std::mem::swap(&mut results.receipts, &mut batch.receipts);
        if !results.receipts.is_empty() {
            let now = clock.monotonic_ns();
            self.latency
                .record(Stage::ReceiptToWindow, now, &results.receipts);
        }
        if let Some(forward) = &mut self.forward {
            forward.gather(batch);
        }
    }

    fn send(&mut self, results: Box<Results>) -> Duty {
        if results.is_empty() {
            // Nothing for the publishers; the storage is used for the next batch.
            self.results.keep(results);
            return Duty::Worked;
        }
        match self.results.send(results) {
            Sent::Done | Sent::Waiting => Duty::Worked,
            Sent::Closed => Duty::Done,
        }
    }

    fn finish(&mut self) -> Duty {
        let mut results = self.fresh();
        self.sliding.finish(&mut results.output);
        self.tops
            .drain(&mut results.tops, |locate| self.sliding.label(locate));
        self.ended = true;
        self.send(results)
    }
}

impl Agent for Analyst {
    fn name(&self) -> &'static str {
        "analyst"
    }

    fn precedence(&self) -> Precedence {
        Precedence::First
    }

    fn duty(&mut self, clock: &Clock) -> Result<Duty, Error> {
        match self.results.retry() {
            Sent::Done => {}
            Sent::Waiting => return Ok(Duty::Idle),
            Sent::Closed => return Ok(Duty::Done),
        }
        if self.ended {
            let is_sent = self.forward.as_mut().is_none_or(Forward::finish);
            return Ok(if is_sent { Duty::Done } else { Duty::Idle });
        }
        if let Some(forward) = &mut self.forward {
            // All rows of the stream have been sent: publishers meet names and narrow rows before wide ones.
            forward.offer();
        }
        let duty = if let Some(rest) = self.rest.take() {
            let results = self.fresh();
            self.apply(rest, results, clock)?
        } else {
            match self.batches.receive() {
                Received::Value(batch) => {
                    let mut results = self.fresh();
                    results.learn(&batch.marks);
                    results.stale = batch.stale;
                    self.apply(batch, results, clock)?
                }
                Received::Empty => return Ok(Duty::Idle),
                Received::Closed => self.finish(),
            }
        };
        recorder::sliding(&self.counters, &self.sliding.counts());
        Ok(duty)
    }

    fn wait(&mut self, timeout: Duration) {
        if self.results.is_waiting() {
            self.results.wait(timeout);
        } else if let (true, Some(forward)) = (self.ended, &mut self.forward) {
            forward.wait(timeout);
        } else {
            self.batches.wait(timeout);
        }
    }
}
