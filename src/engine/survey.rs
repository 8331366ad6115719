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
use crate::market::{Directory, Learned, Locate, Timestamp, Trade};
use crate::window::{Bounds, Gaps, Kernel, LogFull, Output, Row, SlidingCounts, Spec, Sums};

pub(super) use agent::Surveyor;
pub(super) use forward::Forward;
#[cfg(feature = "gpu")]
pub(super) use request::{Request, Summing};
pub(super) use symbol::SymbolColumns;
pub use wide::Wide;

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

    /// Applies a batch and appends the rows that it brings.
    ///
    /// # Errors
    /// When the day holds more executions than positions.
    pub fn apply(&mut self, batch: &Batch, output: &mut Output) -> Result<(), LogFull> {
        let mut applied = 0;
        for &(before, mark) in &batch.marks {
            self.append(batch, applied..before as usize, output)?;
            applied = before as usize;
            self.apply_mark(mark, output);
        }
        self.append(batch, applied..batch.trades.len(), output)?;
        if batch.started {
            self.advance(batch.now.0, output);
        }
        self.settle(output);
        Ok(())
    }

    /// The input has ended: writes the rows of its last step.
    pub fn finish(&mut self, output: &mut Output) {
        if std::mem::take(&mut self.started) {
            self.pass_ends(self.next_end, output);
        }
        self.settle(output);
    }

    fn append(
        &mut self,
        batch: &Batch,
        range: std::ops::Range<usize>,
        output: &mut Output,
    ) -> Result<(), LogFull> {
        if range.is_empty() {
            return Ok(());
        }
        let first = self.log.extend(&batch.trades, range.clone());
        for (index, position) in range.zip(first.ok_or(LogFull)?..) {
            let trade = batch.trades.get(index);
            self.advance(trade.time.0, output);
            self.add(position, &trade);
        }
        Ok(())
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

    fn apply_mark(&mut self, mark: Mark, output: &mut Output) {
        if !matches!(mark, Mark::Gap(_)) || self.started {
            self.advance(mark.time().0, output);
        }
        match mark {
            Mark::Named {
                locate,
                symbol,
                time,
            } => {
                if self.directory.learn(locate, symbol, time) == Learned::Conflict {
                    self.counts.renamed += 1;
                }
            }
            Mark::Break { match_number, time } => self.take_back(match_number, time.0, output),
            Mark::Gap(gap) => {
                self.gaps.add(&gap);
                let traded = self.symbols.iter_mut().filter(|symbol| !symbol.is_empty());
                traded.for_each(|symbol| symbol.due = 0);
                self.earliest = 0;
            }
        }
    }

    /// Plans the rows of all ends up to `now`.
    fn advance(&mut self, now: u64, output: &mut Output) {
        let step = self.spec.step.nanos();
        if !self.started {
            self.started = true;
            self.next_end = (now / step).saturating_add(1).saturating_mul(step);
        }
        if now >= self.next_end {
            self.pass_ends(now, output);
        }
    }

    fn pass_ends(&mut self, now: u64, output: &mut Output) {
        let step = self.spec.step.nanos();
        let last = now / step * step;
        if self.earliest <= last {
            self.plan(self.next_end - step, last, output);
        }
        self.next_end = last.saturating_add(step);
        output.passed = Timestamp(last);
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
