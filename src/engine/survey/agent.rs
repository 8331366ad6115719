//! The agent that keeps the wide windows.

use std::sync::Arc;
use std::time::Duration;

use super::super::agent::{Agent, Duty};
use super::super::backend::Trouble;
use super::super::pipe::{Inlet, Outlet, Received, Sent, pipe};
use super::super::precedence::Precedence;
use super::super::results::Results;
use super::super::{Clock, Error, Options, recorder};
use super::{Forward, Survey};
use crate::columns::Batch;
use crate::metrics::Counters;
use crate::window::{Applied, Output};

/// Rows that the publishers are handed at a time, so that those of the stream do not wait long behind them.
const ROWS: usize = 256;

/// Batches and pieces of results that the surveyor's pipes hold.
const QUEUE: usize = 4;

/// The surveyor, and the ends of its pipes.
#[derive(Default)]
pub(in crate::engine) struct Joined {
    pub(in crate::engine) surveyor: Option<Surveyor>,
    pub(in crate::engine) forward: Option<Forward>,
    pub(in crate::engine) results: Option<Inlet<Box<Results>>>,
}

impl Options {
    /// The agent of the wide windows, if there are any. What goes wrong with its GPU is said in `trouble`.
    #[cfg_attr(
        not(feature = "gpu"),
        expect(unused_variables, reason = "the cores alone sum, which does not fail")
    )]
    pub(in crate::engine) fn surveyor(
        &self,
        counters: &Arc<Counters>,
        trouble: &Trouble,
    ) -> Joined {
        let Some(wide) = &self.wide else {
            return Joined::default();
        };
        let (batches_in, batches_out) = pipe(QUEUE);
        let (results_in, results_out) = pipe(QUEUE);
        let survey = Survey::new(wide.spec(&self.spec));
        #[cfg(feature = "gpu")]
        let survey = survey.by_gpu(self.gpu.clone(), counters, Arc::clone(trouble));
        let surveyor = Surveyor::new(
            (batches_out, results_in),
            survey,
            self.spec.windows.len() as u8,
            Arc::clone(counters),
        );
        Joined {
            surveyor: Some(surveyor),
            forward: Some(Forward::new(batches_in, wide.every, Arc::clone(counters))),
            results: Some(results_out),
        }
    }
}

pub(in crate::engine) struct Surveyor {
    batches: Inlet<Box<Batch>>,
    results: Outlet<Box<Results>>,
    survey: Survey,
    /// Windows that publishers see before these.
    offset: u8,
    /// A batch that has been applied in part.
    rest: Option<Box<Batch>>,
    /// Rows of the last batch, and how many updates and rows of it have been sent.
    output: Output,
    updates_sent: usize,
    rows_sent: usize,
    counters: Arc<Counters>,
    is_prepared: bool,
    ended: bool,
}

impl Surveyor {
    fn new(
        (batches, results): (Inlet<Box<Batch>>, Outlet<Box<Results>>),
        survey: Survey,
        offset: u8,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            batches,
            results,
            survey,
            offset,
            rest: None,
            output: Output::default(),
            updates_sent: 0,
            rows_sent: 0,
            counters,
            is_prepared: false,
            ended: false,
        }
    }

    /// Keeps another survey of the same windows.
    #[cfg(feature = "gpu")]
    pub(in crate::engine) fn with(self, change: impl FnOnce(Survey) -> Survey) -> Self {
        Self {
            survey: change(self.survey),
            ..self
        }
    }

    /// Sends the next rows; `None` if all have been sent.
    fn send(&mut self) -> Option<Duty> {
        let &(time, to) = self.output.updates.get(self.updates_sent)?;
        let upto = to.min(self.rows_sent + ROWS);
        let mut results = self.results.take();
        results.clear();
        let rows = &mut results.output.rows;
        rows.extend_from_slice(&self.output.rows[self.rows_sent..upto]);
        rows.iter_mut().for_each(|row| row.window += self.offset);
        results.output.updates.push((time, upto - self.rows_sent));
        self.rows_sent = upto;
        self.updates_sent += usize::from(upto == to);
        Some(match self.results.send(results) {
            Sent::Done | Sent::Waiting => Duty::Worked,
            Sent::Closed => Duty::Done,
        })
    }

    fn start(&mut self) {
        self.output.clear();
        (self.updates_sent, self.rows_sent) = (0, 0);
    }
}

impl Agent for Surveyor {
    fn name(&self) -> &'static str {
        "surveyor"
    }

    fn precedence(&self) -> Precedence {
        Precedence::Last
    }

    fn duty(&mut self, _clock: &Clock) -> Result<Duty, Error> {
        if !self.is_prepared {
            self.survey.prepare();
            self.is_prepared = true;
        }
        match self.results.retry() {
            Sent::Done => {}
            Sent::Waiting => return Ok(Duty::Idle),
            Sent::Closed => return Ok(Duty::Done),
        }
        if let Some(duty) = self.send() {
            return Ok(duty);
        }
        if self.ended {
            return Ok(Duty::Done);
        }
        self.start();
        let received = match self.rest.take() {
            Some(rest) => Received::Value(rest),
            None => self.batches.receive(),
        };
        match received {
            Received::Value(batch) => match self.survey.apply(&batch, &mut self.output)? {
                Applied::Whole => self.batches.give_back(batch),
                Applied::InPart => self.rest = Some(batch),
            },
            Received::Empty => return Ok(Duty::Idle),
            Received::Closed => {
                self.survey.finish(&mut self.output);
                self.ended = true;
            }
        }
        recorder::survey(&self.counters, &self.survey.counts());
        Ok(Duty::Worked)
    }

    fn wait(&mut self, timeout: Duration) {
        if self.results.is_waiting() {
            self.results.wait(timeout);
        } else {
            self.batches.wait(timeout);
        }
    }
}
