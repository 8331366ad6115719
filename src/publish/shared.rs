//! A publisher that can still be looked at while the engine owns it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fix::FixCounts;
use super::{Now, Publisher, TapeEvent, Update};
use crate::market::{Locate, Symbol, Timestamp, TradingStatus};

/// A handle on a publisher; clones share it.
#[derive(Debug, Default)]
pub struct Shared<P>(Arc<Mutex<P>>);

impl<P> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Shared<P> {
    /// A handle on `publisher`.
    #[must_use]
    pub fn new(publisher: P) -> Self {
        Self(Arc::new(Mutex::new(publisher)))
    }

    /// The publisher itself. The engine waits while the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, P> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Publisher> Publisher for Shared<P> {
    fn name(&self) -> String {
        self.lock().name()
    }

    fn wants_tops(&self) -> bool {
        self.lock().wants_tops()
    }

    fn wants_trades(&self) -> bool {
        self.lock().wants_trades()
    }

    fn trades(&mut self, time: Timestamp, events: &[TapeEvent]) -> io::Result<()> {
        self.lock().trades(time, events)
    }

    fn fix_counts(&self) -> Option<FixCounts> {
        self.lock().fix_counts()
    }

    fn duty(&mut self, now: Now) -> io::Result<bool> {
        self.lock().duty(now)
    }

    fn set_clock(&mut self, now: Now) {
        self.lock().set_clock(now);
    }

    fn listing(&mut self, locate: Locate, symbol: Symbol) {
        self.lock().listing(locate, symbol);
    }

    fn feed_state(&mut self, stale: bool) {
        self.lock().feed_state(stale);
    }

    fn trading_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        self.lock().trading_statuses(changes);
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.lock().publish(update)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lock().finish()
    }
}
