//! The columns of a whole input: what the batch path computes over.

use std::collections::{BTreeMap, HashMap};

use super::slabs::SymbolDay;
use crate::columns::{Batch, Mark, Position, TakenBack, TradeLog};
use crate::market::{Directory, Locate, Timestamp};
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
                self.directory.learn(locate, symbol, time);
            }
            Mark::Gap(gap) => self.gaps.add(&gap),
            Mark::Break { match_number, time } => {
                let taken = match self.log.find(match_number) {
                    None => TakenBack::Unknown,
                    Some(position) if self.broken.contains_key(&position) => TakenBack::Repeated,
                    Some(position) => TakenBack::Now(position, self.log.get(position)),
                };
                if let Some((position, _)) = self.counts.found(taken) {
                    self.broken.insert(position, time.0);
                    self.breaks.push(position);
                }
            }
        }
    }

    /// The executions that `spec` asks for, by symbol.
    pub(super) fn by_symbol(&self, spec: &Spec) -> Vec<SymbolDay> {
        let mask = spec.policy.bit();
        let mut index_of: Vec<Option<usize>> = Vec::new();
        let mut symbols: Vec<SymbolDay> = Vec::new();
        let mut places: HashMap<Position, u32> = HashMap::new();
        let mut broken = self.breaks.clone();
        broken.sort_unstable();
        let mut broken = broken.into_iter().peekable();
        for (first, trades) in self.log.stretches() {
            let columns = trades
                .locates
                .as_slice()
                .iter()
                .zip(trades.policies.as_slice());
            for (index, (&locate, &policies)) in columns.enumerate() {
                let position = first + index as Position;
                let is_broken = broken.next_if_eq(&position).is_some();
                if policies & mask == 0 {
                    continue;
                }
                let locate = Locate(locate);
                if index_of.len() <= locate.index() {
                    index_of.resize(locate.index() + 1, None);
                }
                let at = *index_of[locate.index()].get_or_insert_with(|| {
                    symbols.push(SymbolDay::new(locate));
                    symbols.len() - 1
                });
                let symbol = &mut symbols[at];
                if is_broken {
                    places.insert(position, symbol.times.len() as u32);
                }
                symbol.times.push(trades.times.as_slice()[index]);
                symbol.prices.push(trades.prices.as_slice()[index]);
                symbol.shares.push(trades.shares.as_slice()[index]);
            }
        }
        let mut raw_breaks: BTreeMap<Locate, Vec<(u32, u64)>> = BTreeMap::new();
        for position in &self.breaks {
            if let Some(&place) = places.get(position) {
                let raw = raw_breaks.entry(self.log.get(*position).locate);
                raw.or_default().push((place, self.broken[position]));
            }
        }
        for symbol in &mut symbols {
            if let Some(raw) = raw_breaks.get(&symbol.locate) {
                symbol.breaks = breaks_of(raw, &symbol.times, spec.corrections);
            }
        }
        symbols
    }
}
