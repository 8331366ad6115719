//! What the decoder hands to the analyst in one go.

use super::{Quotes, Trades};
use crate::market::{Gap, Locate, Symbol, Timestamp, TradingStatus};

/// Something that must be applied between two executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A locate received its name, once.
    Named {
        /// Stock locate.
        locate: Locate,
        /// Its symbol.
        symbol: Symbol,
        /// Feed time.
        time: Timestamp,
    },
    /// The execution with this number was broken.
    Break {
        /// The number of the execution.
        match_number: u64,
        /// Feed time of the break.
        time: Timestamp,
    },
    /// Messages were lost.
    Gap(Gap),
}

impl Mark {
    /// Ends up to this time are written before the mark is applied.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        match self {
            Mark::Named { time, .. } | Mark::Break { time, .. } => *time,
            Mark::Gap(gap) => gap.after,
        }
    }
}

/// A stretch of the ordered stream as columns.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Executions in feed order.
    pub trades: Trades,
    /// Top-of-book changes in feed order.
    pub quotes: Quotes,
    /// Marks in feed order, each with the number of executions of this batch that come before it.
    pub marks: Vec<(u32, Mark)>,
    /// Changes of symbols' trading states in feed order. No window depends on them.
    pub statuses: Vec<TradingStatus>,
    /// Feed time after the last message of the batch, the running maximum of all times.
    pub now: Timestamp,
    /// Whether any message has set the time yet.
    pub started: bool,
    /// Messages that went into it.
    pub messages: u64,
}

impl Batch {
    /// Appends the executions and marks of the batch that follows; its quotes and trading states are left out.
    pub fn append(&mut self, next: &Batch) {
        let before = self.trades.len() as u32;
        self.trades.extend(&next.trades, 0..next.trades.len());
        let marks = next.marks.iter();
        self.marks
            .extend(marks.map(|&(at, mark)| (before + at, mark)));
        self.now = self.now.max(next.now);
        self.started |= next.started;
        self.messages += next.messages;
    }

    /// Forgets the content and keeps the storage.
    pub fn clear(&mut self) {
        self.trades.clear();
        self.quotes.clear();
        self.marks.clear();
        self.statuses.clear();
        self.messages = 0;
    }
}
