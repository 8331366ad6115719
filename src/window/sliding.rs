//! The streaming path: every window of every symbol kept up to date, execution by execution.
//!
//! Executions are added up by symbol when they arrive, and what has come together of a symbol enters all
//! its windows at the next end as one entry. There, every finite width moves one cursor through the
//! entries, in time order, and takes away what has fallen out. Rows are written for the symbols that
//! something entered or left. Ends at which nothing can change are skipped, so a quiet feed costs nothing.

use std::collections::BTreeMap;

use super::due::DueRows;
use super::entries::{Entries, EntryNumber};
use super::state::{Symbols, Totals};
use super::{Corrections, Gaps, Kernel, Output, Spec};
use crate::columns::{Batch, Mark, Position, TradeLog};
use crate::market::{Directory, Learned, Locate, Symbol, Timestamp, Trade};
use crate::memory::Memory;

/// What the sliding windows have met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlidingCounts {
    /// Rows written for the first time.
    pub rows: u64,
    /// Rows written again because of a break.
    pub corrections: u64,
    /// Executions taken back.
    pub broken: u64,
    /// Breaks of a match number that is not (or no longer) known.
    pub unknown_breaks: u64,
    /// Breaks of an execution that was broken before.
    pub repeated_breaks: u64,
    /// Breaks whose rows were not written again because the execution was too old.
    pub unpublished_breaks: u64,
    /// Locates that were given a second name, which was ignored.
    pub renamed: u64,
}

/// More executions in a day than positions: 2^32 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than 4294967294 executions in one day")]
pub struct LogFull;

/// An execution that was broken, by its position in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    pub(super) at: u64,
    pub(super) order: u32,
}

/// Symbols for which room is made at the start: more than any exchange lists.
pub(crate) const SYMBOLS: usize = 1 << 14;
/// How many executions ahead the state of a symbol is asked for.
const AHEAD: usize = 12;

/// Of how many executions of a day one entry is there at a time.
const ENTRIES_IN: usize = 8;

/// All windows of all symbols.
pub struct Sliding {
    pub(super) spec: Spec,
    pub(super) memory: Memory,
    pub(super) kernel: Box<dyn Kernel>,
    pub(super) log: TradeLog,
    pub(super) gaps: Gaps,
    pub(super) broken: BTreeMap<Position, Broken>,
    pub(super) counts: SlidingCounts,
    /// First end that has not been passed.
    pub(super) next_end: u64,
    pub(super) symbols: Symbols,
    pub(super) directory: Directory,
    pub(super) due_rows: DueRows,
    /// Whether `totals` are in the order of rows: not after a symbol has come or got its name.
    pub(super) is_ranked: bool,
    /// Of all symbols, window by window, in the order of their rows; of symbols that are not ranked yet behind those.
    pub(super) totals: Vec<Totals>,
    /// By locate, where in `totals` its first window is.
    pub(super) firsts: Vec<u32>,
    pub(super) entries: Entries,
    /// The first entry that has not entered the windows.
    pub(super) next_entry: EntryNumber,
    /// For each window, the oldest period inside it at the last emission; 0 for the session.
    pub(super) cursors: Vec<u64>,
    /// For each window, the last time at which an end still holds all that it holds now.
    pub(super) due: Vec<u64>,
    /// The first entry that a finite window holds, or the one that it will be.
    pub(super) oldest: EntryNumber,
    /// One bit for each window that is complete at the emission at hand.
    pub(super) complete: u64,
    pub(super) finite: bool,
    /// The window without a width, if one is asked for.
    pub(super) session: Option<usize>,
    /// Whether an execution may leave a window at the end at which it enters: some width is below the
    /// step.
    pub(super) narrow: bool,
    started: bool,
}

impl Sliding {
    /// Windows without executions. `kernel` computes the values of corrected rows.
    #[must_use]
    pub fn new(spec: Spec, kernel: Box<dyn Kernel>) -> Self {
        let (session, finite) = (spec.session(), spec.widest() > 0);
        let log = TradeLog::new().with_ranges(session.is_some());
        Self {
            cursors: vec![0; spec.windows.len()],
            due: vec![u64::MAX; spec.windows.len()],
            complete: u64::MAX,
            oldest: 1,
            finite,
            session,
            narrow: spec.narrowest() < spec.step.nanos(),
            due_rows: DueRows::new(spec.windows.len()),
            is_ranked: true,
            entries: Entries::new(&spec),
            spec,
            memory: Memory::default(),
            kernel,
            log,
            gaps: Gaps::default(),
            broken: BTreeMap::new(),
            counts: SlidingCounts::default(),
            next_end: 0,
            symbols: Symbols::default(),
            directory: Directory::new(),
            totals: Vec::new(),
            firsts: Vec::new(),
            next_entry: 1,
            started: false,
        }
    }

    /// The windows with another way to ask for memory, and room for so many executions from the start, and for
    /// the symbols of an exchange if it is any. They must not have met one.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory, room: usize) -> Self {
        if room > 0 {
            self.symbols.reserve(SYMBOLS);
            // Writing brings the pages in now, not name by name.
            self.totals
                .resize(SYMBOLS * self.spec.windows.len(), Totals::EMPTY);
            self.totals.clear();
            self.firsts.reserve(SYMBOLS);
        }
        let entries = if self.finite { room / ENTRIES_IN } else { 0 };
        Self {
            memory,
            log: self.log.with_room(room),
            entries: self.entries.with_room(entries),
            ..self
        }
    }

    /// Applies a batch and appends the rows that it brings.
    ///
    /// # Errors
    /// When the day holds more executions than positions.
    pub fn apply(&mut self, batch: &Batch, output: &mut Output) -> Result<(), LogFull> {
        let mut applied = 0;
        for &(before, mark) in &batch.marks {
            self.apply_trades(batch, applied, before as usize, output)?;
            applied = before as usize;
            self.apply_mark(mark, output);
        }
        self.apply_trades(batch, applied, batch.trades.len(), output)?;
        if batch.started {
            self.advance(batch.now.0, output);
        }
        Ok(())
    }

    fn apply_trades(
        &mut self,
        batch: &Batch,
        from: usize,
        to: usize,
        output: &mut Output,
    ) -> Result<(), LogFull> {
        if from == to {
            return Ok(());
        }
        let first = self.log.extend(&batch.trades, from..to).ok_or(LogFull)?;
        let locates = &batch.trades.locates.as_slice()[from..to];
        for &locate in locates.iter().take(AHEAD) {
            self.prefetch(locate);
        }
        let positions = first..self.log.end();
        for ((index, position), trade) in positions.enumerate().zip(batch.trades.range(from..to)) {
            if let Some(&locate) = locates.get(index + AHEAD) {
                self.prefetch(locate);
            }
            self.advance(trade.time.0, output);
            self.add(position, &trade);
        }
        Ok(())
    }

    /// Asks for what an execution that arrives will need of its symbol.
    #[inline]
    fn prefetch(&self, locate: u16) {
        let locate = usize::from(locate);
        let Some(face) = self.symbols.faces.get(locate) else {
            return;
        };
        self.entries.prefetch(face.entry, self.memory);
        if self.finite
            && let Some(candidates) = self.symbols.candidates.get(locate)
        {
            candidates.prefetch(self.memory);
        }
    }

    fn apply_mark(&mut self, mark: Mark, output: &mut Output) {
        if !matches!(mark, Mark::Gap(_)) || self.started {
            self.advance(mark.time().0, output);
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
    }

    fn name(&mut self, locate: Locate, symbol: Symbol, time: Timestamp) {
        match self.directory.learn(locate, symbol, time) {
            Learned::New => {
                self.make_room(locate);
                self.is_ranked = false;
            }
            Learned::Known => {}
            Learned::Conflict => self.counts.renamed += 1,
        }
    }

    /// Label of a symbol now.
    #[must_use]
    pub fn label(&self, locate: Locate) -> Symbol {
        let named = self.directory.get(locate);
        named.map_or_else(|| Symbol::unnamed(locate), |named| named.symbol)
    }

    /// Label of a symbol in the rows of `end`.
    pub(super) fn label_at(&self, locate: Locate, end: u64) -> Symbol {
        self.directory.label_at(locate, Timestamp(end))
    }

    /// What has been met so far.
    #[must_use]
    pub fn counts(&self) -> SlidingCounts {
        self.counts
    }

    /// The request that is being answered.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Sees to it that there is a place for the symbol.
    #[inline]
    fn make_room(&mut self, locate: Locate) {
        if self.symbols.len() <= locate.index() {
            let (windows, places) = (
                self.spec.windows.len(),
                self.symbols.len()..locate.index() + 1,
            );
            self.symbols.resize(places.end);
            self.totals.resize(places.end * windows, Totals::EMPTY);
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
        if entry != last && self.finite {
            // At the end of an hour of the session alone that would have left the cache again.
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
                self.due[window] = self.leaves_after(window, time);
            }
        }
    }

    /// Writes the rows of all ends up to `now`.
    #[inline]
    pub fn advance(&mut self, now: u64, output: &mut Output) {
        if !self.started {
            self.started = true;
            self.next_end = super::spec::first_end(now, self.spec.step.nanos());
        }
        if now >= self.next_end {
            self.pass_ends(now, output);
        }
    }

    fn pass_ends(&mut self, now: u64, output: &mut Output) {
        let step = self.spec.step.nanos();
        let last = now / step * step;
        loop {
            let end = self.next_interesting_end();
            if end > last {
                break;
            }
            self.emit(end, output);
            self.next_end = end + step;
        }
        self.next_end = last.saturating_add(step);
        output.passed = Timestamp(last);
        self.give_up_old_trades();
    }

    /// The input has ended: writes the rows of its last step.
    pub fn finish(&mut self, output: &mut Output) {
        if std::mem::take(&mut self.started) {
            self.pass_ends(self.next_end, output);
        }
    }

    /// Gives up trades that neither a window nor a correction can need.
    fn give_up_old_trades(&mut self) {
        let keep = match self.spec.corrections {
            _ if self.session.is_some() => return,
            Corrections::All => return,
            Corrections::Off => self.oldest_position(),
            Corrections::Within(age) => {
                let reach = age.nanos() + self.spec.widest() + 2 * self.spec.step.nanos();
                let kept = self
                    .log
                    .first_at_or_after(self.next_end.saturating_sub(reach));
                kept.min(self.oldest_position())
            }
        };
        self.drop_before(keep);
    }

    /// Where the oldest execution is, or was, that a finite window holds or will.
    fn oldest_position(&self) -> Position {
        let position = self.entries.position_of(self.oldest_period());
        position.unwrap_or(self.log.end())
    }

    fn drop_before(&mut self, position: Position) {
        self.log.drop_before(position);
        let first = self.log.first();
        while self
            .broken
            .first_key_value()
            .is_some_and(|(&oldest, _)| oldest < first)
        {
            self.broken.pop_first();
        }
    }
}
