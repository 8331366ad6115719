//! The analyst's end of the pipe to the surveyor, at which nobody waits.

use std::sync::Arc;

use super::super::pipe::{Outlet, Sent};
use crate::columns::{Batch, Mark};
use crate::market::Duration;
use crate::metrics::{Counter, Counters};

/// Gathers batches and sends them on when an end has passed. What the pipe has no room for goes on being
/// gathered.
pub(in crate::engine) struct Forward {
    outlet: Outlet<Box<Batch>>,
    /// Nothing if nobody takes it any more.
    gathered: Option<Box<Batch>>,
    /// Nanoseconds from end to end.
    every: u64,
    /// Steps that had passed when the last batch was sent.
    passed: u64,
    /// Whether a break is among what has been gathered: rows are to be corrected.
    is_urgent: bool,
    /// Most executions that have been gathered.
    most: u64,
    counters: Arc<Counters>,
}

impl Forward {
    pub(in crate::engine) fn new(
        outlet: Outlet<Box<Batch>>,
        every: Duration,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            outlet,
            gathered: Some(Box::default()),
            every: every.nanos(),
            passed: 0,
            is_urgent: false,
            most: 0,
            counters,
        }
    }

    /// Takes over the executions and marks of a batch.
    pub(in crate::engine) fn gather(&mut self, batch: &Batch) {
        let Some(gathered) = &mut self.gathered else {
            return;
        };
        gathered.append(batch);
        let is_break = |(_, mark): &(u32, Mark)| matches!(mark, Mark::Break { .. });
        self.is_urgent |= batch.marks.iter().any(is_break);
        let executions = gathered.trades.len() as u64;
        if executions > self.most {
            self.most = executions;
            self.counters.set(Counter::WideGathered, executions);
        }
    }

    /// Sends what has been gathered if an end has passed and there is room.
    pub(in crate::engine) fn offer(&mut self) {
        let now = self.gathered.as_ref().map_or(0, |gathered| gathered.now.0);
        if now / self.every == self.passed && !self.is_urgent {
            return;
        }
        let Some(gathered) = self.gathered.take() else {
            return;
        };
        match self.outlet.send(gathered) {
            Sent::Done => {
                let mut next = self.outlet.take();
                next.clear();
                self.gathered = Some(next);
                self.passed = now / self.every;
                self.is_urgent = false;
            }
            Sent::Waiting => self.gathered = self.outlet.give_up(),
            Sent::Closed => {}
        }
    }

    /// Sends the rest; whether it is on its way. Must be called until it is.
    pub(in crate::engine) fn finish(&mut self) -> bool {
        let sent = match self.gathered.take() {
            Some(rest) => self.outlet.send(rest),
            None => self.outlet.retry(),
        };
        sent != Sent::Waiting
    }

    /// Waits until the rest is on its way, or the time is over.
    pub(in crate::engine) fn wait(&mut self, timeout: std::time::Duration) {
        self.outlet.wait(timeout);
    }
}
