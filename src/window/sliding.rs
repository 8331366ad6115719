//! The streaming path: every window of every symbol kept up to date, execution by execution.
//!
//! Executions are added up by symbol when they arrive, and what has come together of a symbol enters all
//! its windows at the next end as one entry. There, every finite width moves one cursor through the
//! entries, in time order, and takes away what has fallen out. Rows are written for the symbols that
//! something entered or left. Ends at which nothing can change are skipped, so a quiet feed costs nothing.

use super::arrival::{Applied, Progress};
use super::broken::BrokenTrades;
use super::due::DueRows;
use super::emission::Missing;
use super::entries::{Entries, EntryNumber};
use super::state::{Symbols, Totals};
use super::table::Changes;
use super::{Corrections, Gaps, Kernel, Output, Spec};
use crate::columns::{Position, TakenBack, TradeLog};
use crate::market::{Directory, Locate, Symbol, Timestamp, Trade};
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
}

impl SlidingCounts {
    /// Counts a break by what it found; the execution and its position, if it takes one back.
    pub(crate) fn found(&mut self, taken: TakenBack) -> Option<(Position, Trade)> {
        match taken {
            TakenBack::Unknown => self.unknown_breaks += 1,
            TakenBack::Repeated => self.repeated_breaks += 1,
            TakenBack::Now(position, trade) => {
                self.broken += 1;
                return Some((position, trade));
            }
        }
        None
    }
}

/// Symbols for which room is made at the start: more than any exchange lists.
pub(crate) const SYMBOLS: usize = 1 << 14;
/// Of how many executions of a day one entry is there at a time.
const ENTRIES_IN: usize = 8;
/// With so many rows, 4 MiB of them, they are handed on before those of another end or break are written.
const ROWS_AT_ONCE: usize = 1 << 16;
/// All rows of an end are copied if there are fewer: they are in a cache anyway.
const ROWS_IN_TABLE: usize = 1 << 12;

/// All windows of all symbols.
pub struct Sliding {
    pub(super) spec: Spec,
    pub(super) memory: Memory,
    pub(super) kernel: Box<dyn Kernel>,
    pub(super) log: TradeLog,
    pub(super) gaps: Gaps,
    pub(super) broken: BrokenTrades,
    pub(super) counts: SlidingCounts,
    /// First end that has not been passed.
    pub(super) next_end: u64,
    /// The newest that has; 0 if none has.
    pub(super) passed: Timestamp,
    pub(super) symbols: Symbols,
    pub(super) directory: Directory,
    /// Rows that are due at the next end; where all are asked for, those that have changed, also if they are rows no more.
    pub(super) due_rows: DueRows,
    /// Rows whose high, and whose low, are to be looked up at the end at hand.
    pub(super) missing: [Missing; 2],
    /// Which of the totals are rows and have changed, where all rows are asked for.
    pub(super) changes: Changes,
    /// From how many rows on all rows of an end are shown as a table.
    pub(super) rows_in_table: usize,
    /// Whether `totals` are in the order of rows: not after a symbol has come or got its name.
    pub(super) is_ranked: bool,
    /// Of all symbols, window by window, in the order of their rows; of symbols that are not ranked yet behind those.
    pub(super) totals: Vec<Totals>,
    /// Room for the order before, while symbols are ranked.
    pub(super) unranked: Vec<Totals>,
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
    /// How many rows are enough for one call.
    pub(super) rows_at_once: usize,
    /// With how many rows in the output no further end is passed, and no further break applied.
    pub(super) enough: usize,
    pub(super) progress: Progress,
    /// The first end that had not been passed when old trades were last given up.
    gave_up_at: u64,
    pub(super) started: bool,
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
            missing: [Missing::NONE; 2],
            changes: Changes::new(),
            rows_in_table: ROWS_IN_TABLE,
            is_ranked: true,
            entries: Entries::new(&spec),
            spec,
            memory: Memory::default(),
            kernel,
            log,
            gaps: Gaps::default(),
            broken: BrokenTrades::default(),
            counts: SlidingCounts::default(),
            next_end: 0,
            passed: Timestamp(0),
            symbols: Symbols::default(),
            directory: Directory::new(),
            totals: Vec::new(),
            unranked: Vec::new(),
            firsts: Vec::new(),
            next_entry: 1,
            rows_at_once: ROWS_AT_ONCE,
            enough: ROWS_AT_ONCE,
            progress: Progress::default(),
            gave_up_at: 0,
            started: false,
        }
    }

    /// The windows with another way to ask for memory, and room for so many executions from the start, and for
    /// the symbols of an exchange if it is any. They must not have met one.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory, room: usize) -> Self {
        if room > 0 {
            self.symbols.reserve(SYMBOLS, memory);
            // Writing brings the pages in now, not name by name.
            for totals in [&mut self.totals, &mut self.unranked] {
                Totals::resize(totals, SYMBOLS, self.spec.windows.len(), memory);
                totals.clear();
            }
            self.firsts.reserve(SYMBOLS);
        }
        let entries = if self.finite { room / ENTRIES_IN } else { 0 };
        Self {
            memory,
            log: self.log.with_room(room),
            entries: self.entries.with_memory(memory, entries),
            ..self
        }
    }

    /// The windows with another number of rows, at least 1, with which no further end is passed, and no further
    /// break applied, in one call.
    #[must_use]
    pub fn with_rows_at_once(self, rows_at_once: usize) -> Self {
        Self {
            rows_at_once,
            ..self
        }
    }

    /// The windows with another number of rows from which on all rows of an end are shown as a table that is kept, and
    /// not copied.
    #[must_use]
    pub fn with_rows_in_table(self, rows_in_table: usize) -> Self {
        Self {
            rows_in_table,
            ..self
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

    /// Writes the rows of all ends up to `now`, or of some of them: then it is to be called again once they have
    /// been taken. Not before a batch has been applied to its end.
    pub fn advance(&mut self, now: u64, output: &mut Output) -> Applied {
        self.enough = output.len().saturating_add(self.rows_at_once);
        let applied = self.reach(now, output);
        self.give_up_old_trades();
        applied
    }

    #[inline]
    pub(super) fn reach(&mut self, now: u64, output: &mut Output) -> Applied {
        if !self.started {
            self.started = true;
            self.next_end = super::spec::first_end(now, self.spec.step.nanos());
        }
        if now < self.next_end {
            return Applied::Whole;
        }
        self.pass_ends(now, output)
    }

    /// Whether there are enough rows for one call: a table shows one end.
    pub(super) fn is_full(&self, output: &Output) -> bool {
        output.shows_table() || output.len() >= self.enough
    }

    fn pass_ends(&mut self, now: u64, output: &mut Output) -> Applied {
        let step = self.spec.step.nanos();
        let last = now / step * step;
        loop {
            let end = self.next_interesting_end();
            if end > last {
                break;
            }
            if self.is_full(output) {
                return Applied::InPart;
            }
            self.emit(end, output);
            self.set_passed(end, output);
        }
        self.set_passed(last, output);
        Applied::Whole
    }

    /// All ends up to `last` have been passed.
    fn set_passed(&mut self, last: u64, output: &mut Output) {
        self.next_end = last.saturating_add(self.spec.step.nanos());
        self.passed = Timestamp(last);
        output.passed = self.passed;
    }

    /// The input has ended: writes the rows of its last step.
    pub fn finish(&mut self, output: &mut Output) {
        if std::mem::take(&mut self.started) {
            let end = self.next_end;
            if self.next_interesting_end() == end {
                self.emit(end, output);
            }
            self.set_passed(end, output);
        }
    }

    /// Gives up trades that neither a window nor a correction can need, where an end has been passed. All that are in
    /// the log must be in the windows.
    pub(super) fn give_up_old_trades(&mut self) {
        if std::mem::replace(&mut self.gave_up_at, self.next_end) == self.next_end {
            return;
        }
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
        self.broken.drop_before(self.log.first());
    }
}
