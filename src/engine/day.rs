//! The columns of a whole input: what the batch path computes over.

use std::collections::HashMap;

use super::slabs::SymbolDay;
use crate::columns::{Batch, Mark, Position, TradeLog};
use crate::market::{Directory, Learned, Locate, Timestamp};
use crate::window::bounds::breaks_of;
use crate::window::{Gaps, LogFull, SlidingCounts, Spec};

/// Everything that an input holds.
#[derive(Debug, Default)]
pub(super) struct Day {
    pub(super) log: TradeLog,
    pub(super) directory: Directory,
    pub(super) gaps: Gaps,
    /// Feed times of the breaks by the position of the execution, and the order in which they came.
    broken: HashMap<Position, u64>,
    breaks: Vec<Position>,
    pub(super) now: Timestamp,
    pub(super) started: bool,
    pub(super) counts: SlidingCounts,
}

impl Day {
    /// Appends a batch.
    pub(super) fn append(&mut self, batch: &Batch) -> Result<(), LogFull> {
        let mut appended = 0;
        for &(before, mark) in &batch.marks {
            self.append_trades(batch, appended, before as usize)?;
            appended = before as usize;
            self.append_mark(mark);
        }
        self.append_trades(batch, appended, batch.trades.len())?;
        self.now = batch.now.max(self.now);
        self.started |= batch.started;
        Ok(())
    }

    fn append_trades(&mut self, batch: &Batch, from: usize, to: usize) -> Result<(), LogFull> {
        let appended = self.log.extend(&batch.trades, from..to);
        appended.map(|_| ()).ok_or(LogFull)
    }

    fn append_mark(&mut self, mark: Mark) {
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
            Mark::Gap(gap) => self.gaps.add(&gap),
            Mark::Break { match_number, time } => match self.log.find(match_number) {
                None => self.counts.unknown_breaks += 1,
                Some(position) if self.broken.contains_key(&position) => {
                    self.counts.repeated_breaks += 1;
                }
                Some(position) => {
                    self.counts.broken += 1;
                    self.broken.insert(position, time.0);
                    self.breaks.push(position);
                }
            },
        }
    }

    /// The executions that `spec` asks for, by symbol.
    pub(super) fn by_symbol(&self, spec: &Spec) -> Vec<SymbolDay> {
        let mask = spec.policy.bit();
        let mut index_of: HashMap<u16, usize> = HashMap::new();
        let mut symbols: Vec<SymbolDay> = Vec::new();
        let mut raw_breaks: HashMap<u16, Vec<(u32, u64)>> = HashMap::new();
        let mut places: HashMap<Position, u32> = HashMap::new();
        for (first, trades) in self.log.stretches() {
            let columns = trades
                .locates
                .as_slice()
                .iter()
                .zip(trades.policies.as_slice());
            for (index, (&locate, &policies)) in columns.enumerate() {
                if policies & mask == 0 {
                    continue;
                }
                let at = *index_of.entry(locate).or_insert_with(|| {
                    symbols.push(SymbolDay {
                        locate: Locate(locate),
                        ..SymbolDay::default()
                    });
                    symbols.len() - 1
                });
                let symbol = &mut symbols[at];
                let position = first + index as Position;
                if self.broken.contains_key(&position) {
                    places.insert(position, symbol.times.len() as u32);
                }
                symbol.times.push(trades.times.as_slice()[index]);
                symbol.prices.push(trades.prices.as_slice()[index]);
                symbol.shares.push(trades.shares.as_slice()[index]);
            }
        }
        for position in &self.breaks {
            if let Some(&place) = places.get(position) {
                let locate = self.log.get(*position).locate.0;
                raw_breaks
                    .entry(locate)
                    .or_default()
                    .push((place, self.broken[position]));
            }
        }
        for (locate, raw) in raw_breaks {
            let symbol = &mut symbols[index_of[&locate]];
            symbol.breaks = breaks_of(&raw, &symbol.times, spec.corrections);
        }
        symbols
    }
}
