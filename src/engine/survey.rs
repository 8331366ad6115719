//! The wide windows: rows at a cadence of their own, whose sums a device is asked for.
//!
//! The rows are those of [`Sliding`](crate::window::Sliding) with the same request, in the same order. It
//! keeps every window up to date execution by execution; here the planner says which rows an end brings,
//! and the sums of all of them are asked for at once. Later executions do no harm to an end that is asked
//! late, so one request answers all ends of a batch. Symbols with broken executions, and everything where
//! no device answers, are summed by the cores.

mod agent;
mod correction;
mod forward;
#[cfg(feature = "gpu")]
mod request;
mod symbol;
mod wide;

use crate::columns::{Batch, Mark, Position, TradeLog};
use crate::cpu::Parallel;
use crate::market::{Directory, Locate, Timestamp, Trade};
use crate::window::{
    Applied, Bounds, Gaps, Kernel, LogFull, Output, Progress, Row, SlidingCounts, Spec, Sums,
    first_end,
};

pub(super) use agent::Surveyor;
pub(super) use forward::Forward;
#[cfg(feature = "gpu")]
pub(super) use request::{Request, Summing};
pub(super) use symbol::SymbolColumns;
pub use wide::Wide;

/// With so many rows they are handed on before those of further ends or another break are planned.
const ROWS_AT_ONCE: usize = 1 << 16;

/// A window whose sums are asked for. None of its executions was broken when its row was planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    #[cfg_attr(
        not(feature = "gpu"),
        expect(dead_code, reason = "the cores sum by symbol")
    )]
    pub(super) end: u64,
    pub(super) locate: Locate,
    pub(super) window: u8,
    pub(super) bounds: Bounds,
    /// Place of its row in the output.
    row: usize,
}

/// All wide windows of all symbols.
pub struct Survey {
    spec: Spec,
    log: TradeLog,
    directory: Directory,
    gaps: Gaps,
    symbols: Vec<SymbolColumns>,
    /// No end before this brings a row.
    earliest: u64,
    /// First end that has not been passed.
    next_end: u64,
    started: bool,
    progress: Progress,
    /// How many rows are enough for one call.
    rows_at_once: usize,
    /// With how many rows in the output no further ends are passed, and no further break applied.
    enough: usize,
    asked: Vec<Asked>,
    sums: Vec<Sums>,
    due: Vec<(Row, Option<Bounds>)>,
    #[cfg(feature = "gpu")]
    device: Option<Box<dyn Summing>>,
    cpu: Parallel,
    counts: SlidingCounts,
}

impl Survey {
    /// Windows without executions, which the cores sum.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            log: TradeLog::new(),
            directory: Directory::new(),
            gaps: Gaps::default(),
            symbols: Vec::new(),
            earliest: u64::MAX,
            next_end: 0,
            started: false,
            progress: Progress::default(),
            rows_at_once: ROWS_AT_ONCE,
            enough: ROWS_AT_ONCE,
            asked: Vec::new(),
            sums: Vec::new(),
            due: Vec::new(),
            #[cfg(feature = "gpu")]
            device: None,
            cpu: Parallel::default(),
            counts: SlidingCounts::default(),
        }
    }

    /// The same, with somebody who is asked first.
    #[cfg(feature = "gpu")]
    pub(super) fn asking(self, device: Box<dyn Summing>) -> Self {
        Self {
            device: Some(device),
            ..self
        }
    }

    /// The windows with another number of rows, at least 1, that are enough for one call.
    #[must_use]
    pub fn with_rows_at_once(self, rows_at_once: usize) -> Self {
        Self {
            rows_at_once,
            ..self
        }
    }

    /// Opens the device, so that no end waits for that.
    pub(super) fn prepare(&mut self) {
        #[cfg(feature = "gpu")]
        if let Some(device) = &mut self.device {
            device.prepare();
        }
    }

    /// What has been met so far.
    #[must_use]
    pub fn counts(&self) -> SlidingCounts {
        self.counts
    }

    /// Applies a batch, or what is left of it, and appends the rows that it brings: once these are 65,536, neither
    /// those of another end nor of another break. What has been applied in part is the next to be applied.
    ///
    /// # Errors
    /// When the day holds more executions than positions.
    pub fn apply(&mut self, batch: &Batch, output: &mut Output) -> Result<Applied, LogFull> {
        self.enough = output.rows.len().saturating_add(self.rows_at_once);
        let applied = self.apply_rest(batch, output)?;
        if applied == Applied::Whole {
            self.progress = Progress::default();
        }
        self.settle(output);
        Ok(applied)
    }

    fn apply_rest(&mut self, batch: &Batch, output: &mut Output) -> Result<Applied, LogFull> {
        while let Some(&(before, mark)) = batch.marks.get(self.progress.marks) {
            if self.is_full(output)
                || self.append(batch, before as usize, output)? == Applied::InPart
                || self.apply_mark(mark, output) == Applied::InPart
            {
                return Ok(Applied::InPart);
            }
            self.progress.marks += 1;
        }
        if self.append(batch, batch.trades.len(), output)? == Applied::InPart {
            return Ok(Applied::InPart);
        }
        match batch.started {
            true => Ok(self.advance(batch.now.0, output)),
            false => Ok(Applied::Whole),
        }
    }

    /// The input has ended: writes the rows of its last step.
    pub fn finish(&mut self, output: &mut Output) {
        if std::mem::take(&mut self.started) {
            self.enough = usize::MAX;
            let _whole = self.pass_ends(self.next_end, output);
        }
        self.settle(output);
    }

    fn is_full(&self, output: &Output) -> bool {
        output.rows.len() >= self.enough
    }

    /// Appends the executions before `to`.
    fn append(
        &mut self,
        batch: &Batch,
        to: usize,
        output: &mut Output,
    ) -> Result<Applied, LogFull> {
        if self.progress.logged < to {
            let appended = self.log.extend(&batch.trades, self.progress.logged..to);
            appended.ok_or(LogFull)?;
            self.progress.logged = to;
        }
        let left = self.progress.trades..to;
        let first = self.log.end() - left.len() as Position;
        for (index, position) in left.zip(first..) {
            let trade = batch.trades.get(index);
            if self.advance(trade.time.0, output) == Applied::InPart {
                return Ok(Applied::InPart);
            }
            self.add(position, &trade);
            self.progress.trades = index + 1;
        }
        Ok(Applied::Whole)
    }

    fn add(&mut self, position: Position, trade: &Trade) {
        if trade.policies & self.spec.policy.bit() == 0 {
            return;
        }
        if self.symbols.len() <= trade.locate.index() {
            self.symbols
                .resize_with(trade.locate.index() + 1, SymbolColumns::default);
        }
        let symbol = &mut self.symbols[trade.locate.index()];
        symbol.push(position, trade, self.spec.step.nanos());
        self.earliest = self.earliest.min(symbol.due);
    }

    fn apply_mark(&mut self, mark: Mark, output: &mut Output) -> Applied {
        let is_reached = matches!(mark, Mark::Gap(_)) && !self.started;
        if !is_reached && self.advance(mark.time().0, output) == Applied::InPart {
            return Applied::InPart;
        }
        match mark {
            Mark::Named {
                locate,
                symbol,
                time,
            } => {
                self.directory.learn(locate, symbol, time);
            }
            Mark::Break { match_number, time } => self.take_back(match_number, time.0, output),
            Mark::Gap(gap) => {
                self.gaps.add(&gap);
                let traded = self.symbols.iter_mut().filter(|symbol| !symbol.is_empty());
                traded.for_each(|symbol| symbol.due = 0);
                self.earliest = 0;
            }
        }
        Applied::Whole
    }

    /// Plans the rows of all ends up to `now`, or of some of them.
    fn advance(&mut self, now: u64, output: &mut Output) -> Applied {
        let step = self.spec.step.nanos();
        if !self.started {
            self.started = true;
            self.next_end = first_end(now, step);
        }
        if now < self.next_end {
            return Applied::Whole;
        }
        self.pass_ends(now, output)
    }

    fn pass_ends(&mut self, now: u64, output: &mut Output) -> Applied {
        let step = self.spec.step.nanos();
        let last = now / step * step;
        // An end brings at most a row for each window of each symbol.
        let lines = self.symbols.len() * self.spec.windows.len();
        while self.earliest <= last {
            if self.is_full(output) {
                return Applied::InPart;
            }
            let room = self.enough - output.rows.len();
            let more = (room / lines.max(1)).saturating_sub(1) as u64;
            let first = self.next_end.max(self.earliest);
            let to = last.min(first.saturating_add(more.saturating_mul(step)));
            self.plan(first - step, to, output);
            self.next_end = to.saturating_add(step);
            output.passed = Timestamp(to);
        }
        self.next_end = last.saturating_add(step);
        output.passed = Timestamp(last);
        Applied::Whole
    }

    /// Appends the rows of ends in `after < end <= last`; their sums are asked for, or computed where
    /// executions have been broken.
    fn plan(&mut self, after: u64, last: u64, output: &mut Output) {
        let mut due = std::mem::take(&mut self.due);
        self.earliest = u64::MAX;
        for (locate, symbol) in (0..=u16::MAX).zip(&mut self.symbols) {
            if symbol.due <= last {
                let from = due.len();
                symbol.plan(&self.spec, &self.gaps, (after, last), |row, window| {
                    let end = Timestamp(row.end);
                    let row = (
                        Row {
                            end,
                            locate: Locate(locate),
                            symbol: self.directory.label_at(Locate(locate), end),
                            window,
                            sums: Sums::default(),
                            complete: row.complete,
                            revision: row.revision,
                        },
                        Some(row.bounds),
                    );
                    due.push(row);
                });
                if symbol.is_broken() {
                    fill_in(symbol, &self.cpu, &mut due[from..]);
                }
            }
            self.earliest = self.earliest.min(symbol.due);
        }
        due.sort_unstable_by_key(|(row, _)| (row.end, row.symbol, row.locate, row.window));
        self.counts.rows += due.len() as u64;
        for rows in due.chunk_by(|(row, _), (next, _)| row.end == next.end) {
            for &(row, bounds) in rows {
                let asked = bounds.map(|bounds| Asked {
                    end: row.end.0,
                    locate: row.locate,
                    window: row.window,
                    bounds,
                    row: output.rows.len(),
                });
                self.asked.extend(asked);
                output.rows.push(row);
            }
            output.close(rows[0].0.end.0);
        }
        due.clear();
        self.due = due;
    }

    /// Whether a device has answered what is asked.
    #[cfg(feature = "gpu")]
    fn ask_device(&mut self) -> bool {
        let request = Request {
            spec: &self.spec,
            log: &self.log,
            symbols: &self.symbols,
            asked: &self.asked,
        };
        let device = self.device.as_mut();
        device.is_some_and(|device| device.sum(&request, &mut self.sums))
    }

    #[cfg(not(feature = "gpu"))]
    #[expect(clippy::unused_self, reason = "with a GPU the survey asks it")]
    fn ask_device(&self) -> bool {
        false
    }

    /// Writes the sums that have been asked for.
    fn settle(&mut self, output: &mut Output) {
        if self.asked.is_empty() {
            return;
        }
        self.sums.clear();
        self.sums.resize(self.asked.len(), Sums::default());
        if !self.ask_device() {
            symbol::sum(
                &self.spec,
                &mut self.symbols,
                &self.asked,
                &self.cpu,
                &mut self.sums,
            );
        }
        for (asked, sums) in self.asked.drain(..).zip(&self.sums) {
            output.rows[asked.row].sums = *sums;
        }
    }
}

/// Sums the rows of a symbol with broken executions; nobody else is to be asked.
fn fill_in(symbol: &SymbolColumns, cpu: &dyn Kernel, due: &mut [(Row, Option<Bounds>)]) {
    let bounds: Vec<Bounds> = due
        .iter_mut()
        .filter_map(|(_, bounds)| bounds.take())
        .collect();
    let sums = symbol.sums_of_unbroken(cpu, &bounds);
    for ((row, _), sums) in due.iter_mut().zip(sums) {
        row.sums = sums;
    }
}
