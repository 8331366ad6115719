//! The batch analyst: gathers the columns of the whole input, then computes all rows at once.

use std::sync::Arc;
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::day::Day;
use super::decoded::Decoded;
use super::pipe::{Inlet, Outlet, Received, Sent};
use super::residents::Reducer;
use super::results::Results;
use super::slabs::Slabs;
use super::{Clock, Error, recorder};
use crate::metrics::Counters;
use crate::window::{Kernel, Spec, Wanted};

pub(super) struct Scanner {
    batches: Inlet<Box<Decoded>>,
    results: Outlet<Box<Results>>,
    spec: Spec,
    wanted: Option<Wanted>,
    reducer: Option<Box<dyn Reducer>>,
    kernel: Box<dyn Kernel>,
    counters: Arc<Counters>,
    phase: Phase,
}

enum Phase {
    Gathering {
        day: Box<Day>,
        listings: Box<Results>,
    },
    Computing(Box<Slabs>),
    Done,
}

impl Scanner {
    pub(super) fn new(
        batches: Inlet<Box<Decoded>>,
        results: Outlet<Box<Results>>,
        (spec, wanted): (Spec, Option<Wanted>),
        (kernel, reducer): (Box<dyn Kernel>, Option<Box<dyn Reducer>>),
        counters: Arc<Counters>,
    ) -> Self {
        let phase = Phase::Gathering {
            day: Box::default(),
            listings: Box::default(),
        };
        Self {
            batches,
            results,
            spec,
            wanted,
            reducer,
            kernel,
            counters,
            phase,
        }
    }

    fn gather(&mut self) -> Result<Duty, Error> {
        let Phase::Gathering { day, listings } = &mut self.phase else {
            return Ok(Duty::Done);
        };
        match self.batches.receive() {
            Received::Empty => Ok(Duty::Idle),
            Received::Value(batch) => {
                listings.learn(&batch.marks);
                day.append(&batch)?;
                self.batches.give_back(batch);
                Ok(Duty::Worked)
            }
            Received::Closed => {
                let (day, listings) = (std::mem::take(day), std::mem::take(listings));
                self.phase = Phase::Computing(Box::new(Slabs::new(
                    *day,
                    self.spec.clone(),
                    self.wanted.take(),
                    self.reducer.take(),
                )));
                Ok(self.send(listings))
            }
        }
    }

    fn compute(&mut self) -> Duty {
        let Phase::Computing(slabs) = &mut self.phase else {
            return Duty::Done;
        };
        let mut results = self.results.take();
        results.clear();
        let more = slabs.next(self.kernel.as_ref(), &mut results.output);
        recorder::sliding(&self.counters, &slabs.counts());
        if !more {
            self.phase = Phase::Done;
            return Duty::Worked;
        }
        self.send(results)
    }

    fn send(&mut self, results: Box<Results>) -> Duty {
        match self.results.send(results) {
            Sent::Done | Sent::Waiting => Duty::Worked,
            Sent::Closed => Duty::Done,
        }
    }
}

impl Agent for Scanner {
    fn name(&self) -> &'static str {
        "scanner"
    }

    fn duty(&mut self, _clock: &Clock) -> Result<Duty, Error> {
        match self.results.retry() {
            Sent::Done => {}
            Sent::Waiting => return Ok(Duty::Idle),
            Sent::Closed => return Ok(Duty::Done),
        }
        match self.phase {
            Phase::Gathering { .. } => self.gather(),
            Phase::Computing(_) => Ok(self.compute()),
            Phase::Done => Ok(Duty::Done),
        }
    }

    fn wait(&mut self, timeout: Duration) {
        if self.results.is_waiting() {
            self.results.wait(timeout);
        } else {
            self.batches.wait(timeout);
        }
    }
}
