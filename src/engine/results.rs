//! What the analyst hands to the publishers in one go.

use crate::columns::{Batch, Mark, Quotes};
use crate::market::{Locate, Symbol, Timestamp, Top, TradingStatus};
use crate::publish::{Publisher, TapeEvent, Update};
use crate::window::{Output, Rows};

/// Rows, newest tops of book and new symbols.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) listings: Vec<(Locate, Symbol)>,
    /// Changes of trading states.
    pub(super) statuses: Vec<(Symbol, TradingStatus)>,
    pub(super) output: Output,
    pub(super) tops: Vec<(Locate, Symbol, Top)>,
    /// Executions and breaks, for publishers that want them.
    pub(super) tape: Vec<TapeEvent>,
    /// Feed time after all of them; nothing if they say nothing of it.
    pub(super) now: Option<Timestamp>,
    /// When each packet of the batch behind them was received, in nanoseconds; none for files.
    pub(super) receipts: Vec<u64>,
    /// What the feed has become, if it has: stale or live.
    pub(super) stale: Option<bool>,
}

impl Results {
    /// With room for so many rows, and for a table of so many lines, their pages there already.
    pub(super) fn with_room(rows: usize, lines: usize) -> Self {
        let mut results = Self::default();
        results.output.reserve(rows, lines);
        results
    }

    pub(super) fn clear(&mut self) {
        self.listings.clear();
        self.statuses.clear();
        self.output.clear();
        self.tops.clear();
        self.tape.clear();
        self.receipts.clear();
        self.stale = None;
        self.now = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        let silent = self.listings.is_empty() && self.output.updates.is_empty();
        let quiet = self.statuses.is_empty() && self.stale.is_none();
        silent && quiet && self.tops.is_empty() && self.tape.is_empty()
    }

    /// Takes over the names among `marks`.
    pub(super) fn learn(&mut self, marks: &[(u32, Mark)]) {
        self.listings
            .extend(marks.iter().filter_map(|(_, mark)| match *mark {
                Mark::Named { locate, symbol, .. } => Some((locate, symbol)),
                _ => None,
            }));
    }

    /// Takes over the changes of trading states.
    pub(super) fn note(&mut self, statuses: &[TradingStatus], label: impl Fn(Locate) -> Symbol) {
        let named = statuses
            .iter()
            .map(|status| (label(status.locate), *status));
        self.statuses.extend(named);
    }

    /// Takes over the executions and breaks of `batch`, in their order.
    pub(super) fn record(&mut self, batch: &Batch, label: impl Fn(Locate) -> Symbol) {
        let mut marks = batch.marks.iter().peekable();
        for index in 0..=batch.trades.len() {
            while let Some((_, mark)) = marks.next_if(|(before, _)| *before as usize <= index) {
                if let Mark::Break { match_number, time } = *mark {
                    self.tape.push(TapeEvent::Break { match_number, time });
                }
            }
            if index < batch.trades.len() {
                let trade = batch.trades.get(index);
                let symbol = label(trade.locate);
                self.tape.push(TapeEvent::Trade { trade, symbol });
            }
        }
    }

    /// Hands everything to `publisher`: the feed's state, names, trading states, executions, then updates
    /// in order, the tops with the last.
    pub(super) fn publish(&self, publisher: &mut dyn Publisher) -> std::io::Result<()> {
        if let Some(stale) = self.stale {
            publisher.feed_state(stale);
        }
        for &(locate, symbol) in &self.listings {
            publisher.listing(locate, symbol);
        }
        if !self.statuses.is_empty() {
            publisher.trading_statuses(&self.statuses);
        }
        if publisher.wants_trades()
            && let Some(now) = self.now
        {
            publisher.trades(now, &self.tape)?;
        }
        let last = self.output.updates.len().saturating_sub(1);
        for (index, (time, rows)) in self.output.each().enumerate() {
            let tops = if index == last { &self.tops[..] } else { &[] };
            publisher.publish(&Update { time, rows, tops })?;
        }
        if self.output.updates.is_empty() && !self.tops.is_empty() {
            let time = self.output.passed;
            publisher.publish(&Update {
                time,
                rows: Rows::NONE,
                tops: &self.tops,
            })?;
        }
        Ok(())
    }
}

/// The tops of book that changed since they were last published.
#[derive(Debug, Default)]
pub(super) struct TopsKeeper {
    newest: Vec<Top>,
    is_changed: Vec<bool>,
    changed: Vec<Locate>,
    passed: Timestamp,
}

impl TopsKeeper {
    pub(super) fn update(&mut self, quotes: &Quotes) {
        for index in 0..quotes.len() {
            let (locate, top) = quotes.get(index);
            if self.newest.len() <= locate.index() {
                self.newest.resize(locate.index() + 1, Top::default());
                self.is_changed.resize(locate.index() + 1, false);
            }
            self.newest[locate.index()] = top;
            if !std::mem::replace(&mut self.is_changed[locate.index()], true) {
                self.changed.push(locate);
            }
        }
    }

    /// Whether an end has been passed since this was last asked.
    pub(super) fn passes(&mut self, end: Timestamp) -> bool {
        let passed = self.passed;
        self.passed = passed.max(end);
        end > passed
    }

    pub(super) fn drain(
        &mut self,
        tops: &mut Vec<(Locate, Symbol, Top)>,
        label: impl Fn(Locate) -> Symbol,
    ) {
        for locate in self.changed.drain(..) {
            self.is_changed[locate.index()] = false;
            tops.push((locate, label(locate), self.newest[locate.index()]));
        }
    }
}
