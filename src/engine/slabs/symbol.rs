//! One symbol of a day: its rows, and what the kernel is asked for their sums.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::sheet::{Share, Sheet};
use crate::market::Locate;
use crate::window::bounds::{Break, Held, Planned, Planner};
use crate::window::{Alive, Corrections, Gaps, Spec, Sums, Width};

/// The eligible executions of one symbol.
#[derive(Debug, Default)]
pub(in crate::engine) struct SymbolDay {
    pub(in crate::engine) locate: Locate,
    pub(in crate::engine) times: Vec<u64>,
    pub(in crate::engine) prices: Vec<u32>,
    pub(in crate::engine) shares: Vec<u32>,
    pub(in crate::engine) breaks: Vec<Break>,
    /// Sums of the executions before the slab at hand, and how many they are.
    pub(super) carry: Sums,
    carried: usize,
}

impl SymbolDay {
    /// Without executions.
    pub(in crate::engine) fn new(locate: Locate) -> Self {
        Self {
            locate,
            ..Self::default()
        }
    }

    /// Carries the executions before `time` into the session's sums.
    pub(super) fn carry_to(&mut self, time: u64) {
        while self.times.get(self.carried).is_some_and(|&at| at < time) {
            self.carry
                .push(self.prices[self.carried], self.shares[self.carried]);
            self.carried += 1;
        }
    }

    /// What its windows hold that end at `end`, one after the other.
    pub(super) fn held(&self, spec: &Spec, gaps: &Gaps, end: u64) -> impl Iterator<Item = Held> {
        (0..spec.windows.len()).map(move |window| self.planner(spec, window, gaps).held(end))
    }

    fn planner<'a>(&'a self, spec: &Spec, window: usize, gaps: &'a Gaps) -> Planner<'a> {
        Planner::new(spec, window, gaps, &self.times, &self.breaks)
    }

    /// Puts its rows on the sheet and asks for their sums: at once, or for each state of the breaks. `held` is what
    /// its windows hold, before and then after the slab.
    pub(super) fn ask<'a>(&'a self, held: &mut [Held], sheet: &mut Sheet<'a>) {
        match self.breaks.is_empty() {
            true => self.ask_at_once(held, sheet),
            false => self.ask_by_state(held, sheet),
        }
    }

    /// The session's rows ask for what follows the carry.
    fn ask_at_once<'a>(&'a self, held: &mut [Held], sheet: &mut Sheet<'a>) {
        let carried = self.carried as u32;
        let (mut from, mut to) = (u32::MAX, 0);
        self.plan(held, sheet, |sheet, planned, window| {
            let mut bounds = planned.bounds;
            if sheet.spec.windows[usize::from(window)].width == Width::Session {
                bounds.low = carried.min(bounds.high);
            }
            (from, to) = (from.min(bounds.low), to.max(bounds.high));
            sheet.put(self.locate, &planned, window, bounds);
        });
        if from <= to {
            let held = from as usize..to as usize;
            sheet.ask(Share {
                symbol: self,
                from,
                prices: Cow::Borrowed(&self.prices[held.clone()]),
                shares: Cow::Borrowed(&self.shares[held]),
            });
        }
    }

    fn ask_by_state<'a>(&'a self, held: &mut [Held], sheet: &mut Sheet<'a>) {
        let all = sheet.spec.corrections == Corrections::All;
        let mut by_state = BTreeMap::<u32, Vec<(Planned, u8)>>::new();
        self.plan(held, sheet, |_, planned, window| {
            let applied = if all { u32::MAX } else { planned.applied };
            by_state.entry(applied).or_default().push((planned, window));
        });
        for (applied, planned) in by_state {
            let bounds = planned.iter().map(|(row, _)| row.bounds);
            let from = bounds.clone().map(|bounds| bounds.low).min().unwrap_or(0);
            let to = bounds.map(|bounds| bounds.high).max().unwrap_or(0);
            let alive = Alive::within(from..to, &self.prices, &self.shares, &self.breaks, applied);
            for (row, window) in planned {
                sheet.put(self.locate, &row, window, alive.bounds(row.bounds));
            }
            sheet.ask(Share {
                symbol: self,
                from: 0,
                prices: Cow::Owned(alive.prices),
                shares: Cow::Owned(alive.shares),
            });
        }
    }

    fn plan<'a>(
        &self,
        held: &mut [Held],
        sheet: &mut Sheet<'a>,
        mut show: impl FnMut(&mut Sheet<'a>, Planned, u8),
    ) {
        for (window, held) in held.iter_mut().enumerate() {
            let planner = self.planner(sheet.spec, window, &sheet.day.gaps);
            planner.plan_on(held, sheet.ends, |row| show(sheet, row, window as u8));
        }
    }
}
