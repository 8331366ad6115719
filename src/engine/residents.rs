//! Symbols of the batch path whose rows are selected where their executions stay.
//!
//! These are the symbols without broken executions and with one label all day. The others are few, and
//! their rows are computed one by one; the selection is then made among the rows of both.

use std::sync::Arc;

use super::backend::Trouble;
use super::day::Day;
use super::slabs::SymbolDay;
#[cfg(feature = "gpu")]
use super::{Backend, DayOffload, Mode};
use crate::columns::{Resident, TradeSlices};
use crate::market::{Locate, Symbol, Timestamp};
use crate::metrics::Counters;
use crate::window::day::{Picked, Reduction};
use crate::window::{Row, Selection, Spec, Wanted, first_end};

/// Tells what a selection picks of the ends of the day that it holds.
pub(super) trait Reducer: Send {
    /// Takes a day in place of the one before.
    fn hold(&mut self, day: Resident);

    /// What [`crate::window::day::reduce`] tells.
    fn reduce(&mut self, reduction: &Reduction) -> Vec<Picked>;
}

/// A day that a reducer holds. Its locates are ranks: symbols in the order of their rows.
pub(super) struct Residents {
    reducer: Box<dyn Reducer>,
    symbols: Vec<(Symbol, Locate)>,
    selection: Selection,
}

impl Residents {
    /// Hands the symbols that are fit for it to `reducer`, and leaves the others in `symbols`.
    pub(super) fn new(
        mut reducer: Box<dyn Reducer>,
        day: &Day,
        (spec, wanted): (&Spec, &Wanted),
        symbols: &mut Vec<SymbolDay>,
    ) -> Self {
        let mut labels: Vec<Option<Symbol>> = Vec::new();
        let mut ranked: Vec<(Symbol, Locate, usize)> = Vec::new();
        for (index, symbol) in symbols.iter().enumerate() {
            let label = label(day, spec, symbol);
            let label = label.filter(|_| symbol.breaks.is_empty());
            labels.push(label);
            if let Some(label) = label.filter(|&label| wanted.concerns(label)) {
                ranked.push((label, symbol.locate, index));
            }
        }
        ranked.sort_unstable();
        let locates: Vec<Vec<u16>> = (0..)
            .zip(&ranked)
            .map(|(rank, &(_, _, index))| vec![rank; symbols[index].times.len()])
            .collect();
        let trades: Vec<TradeSlices<'_>> = ranked
            .iter()
            .zip(&locates)
            .map(|(&(_, _, index), locates)| TradeSlices {
                times: &symbols[index].times,
                locates,
                prices: &symbols[index].prices,
                shares: &symbols[index].shares,
                policies: &[],
                mask: 1,
            })
            .collect();
        let mut resident = Resident::default();
        if resident.fill(&trades).is_err() {
            // What cannot be resident is computed row by row.
            ranked.clear();
            labels.fill(None);
        }
        let mut labels = labels.into_iter();
        symbols.retain(|_| labels.next().flatten().is_none());
        reducer.hold(resident);
        Self {
            reducer,
            symbols: ranked
                .into_iter()
                .map(|(label, locate, _)| (label, locate))
                .collect(),
            selection: wanted.selection,
        }
    }

    /// Rows that an end has at most.
    pub(super) fn rows_an_end(&self, windows: usize) -> usize {
        match self.selection {
            Selection::Totals => windows,
            Selection::Top { count, .. } => count.min(self.symbols.len()) * windows,
            Selection::Deviation { .. } => 2 * self.symbols.len(),
        }
    }

    /// Appends the rows that are selected among these symbols, of ends in `after < end <= to`. Both are
    /// multiples of the step.
    pub(super) fn select(
        &mut self,
        day: &Day,
        spec: &Spec,
        (after, to): (u64, u64),
        rows: &mut Vec<Row>,
    ) {
        if self.symbols.is_empty() {
            return;
        }
        let step = spec.step.nanos();
        let told = self.reducer.reduce(&Reduction {
            step: spec.step,
            first: (after / step + 1) as u32,
            ends: ((to - after) / step) as u32,
            widths: spec.windows.iter().map(|window| window.width).collect(),
            selection: self.selection,
        });
        rows.extend(told.into_iter().map(|picked| {
            let end = u64::from(picked.end) * step;
            let (symbol, locate) = match self.selection {
                Selection::Totals => (Symbol::ALL, Locate(0)),
                _ => self.symbols[picked.locate.index()],
            };
            let width = spec.windows[usize::from(picked.window)].width;
            Row {
                end: Timestamp(end),
                locate,
                symbol,
                window: picked.window,
                sums: picked.sums,
                complete: day.gaps.complete(end, width),
                revision: 0,
            }
        }));
    }
}

/// The label of a symbol in all of its rows; `None` where it is named after the first of them.
fn label(day: &Day, spec: &Spec, symbol: &SymbolDay) -> Option<Symbol> {
    let step = spec.step.nanos();
    let first = symbol.times.first()?;
    let end = first_end(*first, step);
    match day.directory.get(symbol.locate) {
        Some(named) if named.since.0 >= end => None,
        _ => Some(day.directory.label_at(symbol.locate, Timestamp(end))),
    }
}

impl super::Options {
    /// What tells selections of ends, where there is a device for it. What goes wrong with it is added to
    /// `counters` and said in `trouble`.
    #[cfg_attr(
        not(feature = "gpu"),
        expect(unused_variables, reason = "only a GPU keeps days")
    )]
    pub(super) fn reducer(
        &self,
        counters: &Arc<Counters>,
        trouble: &Trouble,
    ) -> Option<Box<dyn Reducer>> {
        #[cfg(feature = "gpu")]
        if self.mode == Mode::Batch
            && self.backend == Backend::Gpu
            && self.spec.every_end
            && let Some(wanted) = &self.wanted
            && DayOffload::tells(wanted.selection)
        {
            let (options, trouble) = (self.gpu.clone(), Arc::clone(trouble));
            let offload = DayOffload::to_gpu(options, counters, trouble);
            return Some(Box::new(offload));
        }
        None
    }
}
