//! The jobs over a day on one thread, and the pieces that several threads share out.

use super::{Simd, bars, grid, slide, totals};
use crate::columns::{Resident, TradeSlices};
use crate::market::Duration;
use crate::window::day::{Bars, BarsPart, DayKernel, Grid, Totals, Visit};

impl Simd {
    pub(in crate::cpu) fn bars_part(&self, day: &Resident, step: Duration, part: &mut BarsPart) {
        bars::bars(self.arch, day, step, part);
    }

    pub(in crate::cpu) fn slide_part(&self, from: &BarsPart, width: u32, part: &mut BarsPart) {
        slide::slide(self.arch, from, width.max(1), part);
    }

    pub(in crate::cpu) fn grid_part(&self, part: &BarsPart, grid: &Grid, visitor: &mut impl Visit) {
        grid::grid(self.arch, part, grid, visitor);
    }
}

impl DayKernel for Simd {
    fn name(&self) -> &'static str {
        "simd"
    }

    fn totals(&self, trades: &TradeSlices<'_>, totals: &mut Totals) {
        totals::totals(self.arch, self.memory, trades, totals);
    }

    fn bars(&self, day: &Resident, step: Duration, bars: &mut Bars) {
        for part in bars.split(day) {
            self.bars_part(day, step, part);
        }
    }

    fn slide(&self, bars: &Bars, width: u32, windows: &mut Bars) {
        for (part, from) in windows.split_as(bars).iter_mut().zip(bars.parts()) {
            self.slide_part(from, width, part);
        }
    }

    fn grid<V: Visit + Send>(
        &self,
        bars: &Bars,
        grid: &Grid,
        start: impl Fn() -> V + Sync,
    ) -> Vec<V> {
        let visited = bars.parts().iter().map(|part| {
            let mut visitor = start();
            self.grid_part(part, grid, &mut visitor);
            visitor
        });
        visited.collect()
    }
}
