//! An agent's latencies: recorded without a lock, handed over when the agent is dropped.

use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics::{Latency, Stage};

#[derive(Debug)]
pub(super) struct Stopwatch {
    taken: Latency,
    total: Arc<Mutex<Latency>>,
}

impl Stopwatch {
    pub(super) fn new(total: &Arc<Mutex<Latency>>) -> Self {
        Self {
            taken: Latency::new(),
            total: Arc::clone(total),
        }
    }

    /// Records for each packet the time from its receipt to now.
    pub(super) fn record(&mut self, stage: Stage, now_ns: u64, receipts: &[u64]) {
        for receipt in receipts {
            self.taken.record(stage, now_ns.saturating_sub(*receipt));
        }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.merge(&self.taken);
    }
}
