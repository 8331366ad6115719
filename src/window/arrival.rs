//! A batch enters the streaming path: its marks and executions in order, the rows of the ends between them.

use super::Output;
use super::sliding::Sliding;
use super::state::Totals;
use crate::columns::{Batch, Mark, Position};
use crate::market::{Learned, Locate, Symbol, Timestamp, Trade};

/// How far a batch has been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what has been applied in part is to be applied again"]
pub enum Applied {
    /// Up to its end.
    Whole,
    /// Up to an end, as the rows up to there are many: to be applied again once they have been taken.
    InPart,
}

/// What has been applied of the batch at hand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Trades that are in the log.
    pub(crate) logged: usize,
    /// Trades that are in the windows.
    pub(crate) trades: usize,
    pub(crate) marks: usize,
}

/// More executions in a day than [`TradeLog::MOST`](crate::columns::TradeLog::MOST).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than 4294967294 executions in one day")]
pub struct LogFull;

/// How many executions ahead the state of a symbol is asked for.
const AHEAD: usize = 12;
/// How many ahead what says where that is.
const FAR_AHEAD: usize = 2 * AHEAD;

impl Sliding {
    /// Applies a batch, or what is left of it, and appends the rows that it brings: once these are 65,536, or all rows
    /// of an end in a table, neither those of another end nor of another break. What has been applied in part is the
    /// next to be applied.
    ///
    /// # Errors
    /// When the day holds more executions than positions.
    pub fn apply(&mut self, batch: &Batch, output: &mut Output) -> Result<Applied, LogFull> {
        self.enough = output.len().saturating_add(self.rows_at_once);
        output.passed = self.passed;
        while let Some(&(before, mark)) = batch.marks.get(self.progress.marks) {
            // One break may write thousands of rows again.
            if self.is_full(output)
                || self.apply_trades(batch, before as usize, output)? == Applied::InPart
                || self.apply_mark(mark, output) == Applied::InPart
            {
                return Ok(Applied::InPart);
            }
            self.progress.marks += 1;
        }
        if self.apply_trades(batch, batch.trades.len(), output)? == Applied::InPart
            || (batch.started && self.reach(batch.now.0, output) == Applied::InPart)
        {
            return Ok(Applied::InPart);
        }
        self.progress = Progress::default();
        self.give_up_old_trades();
        Ok(Applied::Whole)
    }

    /// Applies the trades before `to`.
    fn apply_trades(
        &mut self,
        batch: &Batch,
        to: usize,
        output: &mut Output,
    ) -> Result<Applied, LogFull> {
        let from = self.progress.trades;
        if from == to {
            return Ok(Applied::Whole);
        }
        if self.progress.logged < to {
            let appended = self.log.extend(&batch.trades, self.progress.logged..to);
            appended.ok_or(LogFull)?;
            self.progress.logged = to;
        }
        let locates = &batch.trades.locates.as_slice()[from..to];
        for &locate in locates.iter().take(FAR_AHEAD) {
            self.prefetch_face(locate);
        }
        for &locate in locates.iter().take(AHEAD) {
            self.prefetch(locate);
        }
        let positions = self.log.end() - (to - from) as Position..self.log.end();
        for ((index, position), trade) in positions.enumerate().zip(batch.trades.range(from..to)) {
            if let Some(&locate) = locates.get(index + FAR_AHEAD) {
                self.prefetch_face(locate);
            }
            if let Some(&locate) = locates.get(index + AHEAD) {
                self.prefetch(locate);
            }
            if self.reach(trade.time.0, output) == Applied::InPart {
                self.progress.trades += index;
                return Ok(Applied::InPart);
            }
            self.add(position, &trade);
        }
        self.progress.trades = to;
        Ok(Applied::Whole)
    }

    /// Asks for what says where the state of a symbol is.
    #[inline]
    fn prefetch_face(&self, locate: u16) {
        let locate = usize::from(locate);
        self.memory.prefetch(&self.symbols.faces, locate);
        self.memory.prefetch(&self.firsts, locate);
    }

    /// Asks for what an execution that arrives will need of its symbol.
    #[inline]
    fn prefetch(&self, locate: u16) {
        let locate = usize::from(locate);
        let Some(face) = self.symbols.faces.get(locate) else {
            return;
        };
        if !self.finite {
            self.entries.prefetch_open(face.entry);
            return;
        }
        // Open or not: the next one will be linked to it.
        self.entries.prefetch(face.entry);
        if let Some(candidates) = self.symbols.candidates.get(locate) {
            candidates.prefetch(self.memory);
        }
    }

    fn apply_mark(&mut self, mark: Mark, output: &mut Output) -> Applied {
        let is_reached = matches!(mark, Mark::Gap(_)) && !self.started;
        if !is_reached && self.reach(mark.time().0, output) == Applied::InPart {
            return Applied::InPart;
        }
        match mark {
            Mark::Named {
                locate,
                symbol,
                time,
            } => self.name(locate, symbol, time),
            Mark::Break { match_number, time } => self.take_back(match_number, time.0, output),
            Mark::Gap(gap) => self.gaps.add(&gap),
        }
        Applied::Whole
    }

    fn name(&mut self, locate: Locate, symbol: Symbol, time: Timestamp) {
        if self.directory.learn(locate, symbol, time) == Learned::New {
            self.make_room(locate);
            self.is_ranked = false;
        }
    }

    /// Sees to it that there is a place for the symbol.
    #[inline]
    fn make_room(&mut self, locate: Locate) {
        if self.symbols.len() <= locate.index() {
            let (windows, places) = (
                self.spec.windows.len(),
                self.symbols.len()..locate.index() + 1,
            );
            self.symbols.resize(places.end, self.memory);
            Totals::resize(&mut self.totals, places.end, windows, self.memory);
            self.firsts
                .extend(places.map(|place| (place * windows) as u32));
            self.is_ranked = false;
        }
    }

    fn add(&mut self, position: Position, trade: &Trade) {
        if trade.policies & self.spec.policy.bit() == 0 {
            return;
        }
        self.make_room(trade.locate);
        if !self.entries.is_open(trade.time.0) {
            self.open_period(trade.time.0);
        }
        let face = &mut self.symbols.faces[trade.locate.index()];
        let previous = std::mem::replace(&mut face.position, position);
        face.range = face.range.with(trade.price.0);
        let range = self.session.map(|_| face.range);
        let last = face.entry;
        let entry = self.entries.add(last, position, trade);
        face.entry = entry;
        if entry != last {
            self.prefetch_entering(trade.locate);
        }
        self.log.link(previous, position, range);
        if self.finite {
            let candidates = &mut self.symbols.candidates[trade.locate.index()];
            candidates.consider(entry, trade.price.0, self.oldest);
        }
    }

    /// Opens the period of an execution at `time`: the oldest in windows that hold none.
    #[inline(never)]
    fn open_period(&mut self, time: u64) {
        let period = self.entries.next_period();
        self.entries.open(time);
        for window in 0..self.cursors.len() {
            if self.cursors[window] == period {
                self.due[window] = self.spec.windows[window].width.last_end(time);
            }
        }
    }
}
