//! The jobs over a day, each as its definition reads.

use super::Scalar;
use crate::columns::{Resident, TradeSlices};
use crate::market::{Duration, Locate};
use crate::window::Sums;
use crate::window::day::{Bars, DayKernel, Grid, GridBlock, SymbolBars, Totals, Visit};

impl DayKernel for Scalar {
    fn name(&self) -> &'static str {
        "scalar"
    }

    fn totals(&self, trades: &TradeSlices<'_>, totals: &mut Totals) {
        assert!(trades.is_even(), "slices of different lengths");
        totals.clear();
        for index in 0..trades.len() {
            if trades.counts(index) {
                let total = totals.get_mut(Locate(trades.locates[index]));
                total.push(trades.prices[index], trades.shares[index]);
            }
        }
    }

    fn bars(&self, day: &Resident, step: Duration, bars: &mut Bars) {
        for part in bars.split(day) {
            for locate in part.locates() {
                let trades = day.symbol(locate);
                let mut sums = Sums::default();
                for index in 0..trades.times.len() {
                    let number = trades.times[index] / step.nanos();
                    sums.push(trades.prices[index], trades.shares[index]);
                    let next = trades.times.get(index + 1);
                    if next.is_none_or(|time| time / step.nanos() != number) {
                        part.push(number as u32, &sums);
                        sums = Sums::default();
                    }
                }
                part.close(locate);
            }
        }
    }

    fn slide(&self, bars: &Bars, width: u32, windows: &mut Bars) {
        let parts = windows.split_as(bars).iter_mut();
        for (part, from) in parts.zip(bars.parts()) {
            for symbol in from.symbols() {
                for &step in symbol.steps {
                    let end = u64::from(step) + 1;
                    part.push(step, &window(&symbol, end, width.max(1)));
                }
                part.close(symbol.locate);
            }
        }
    }

    fn grid<V: Visit + Send>(
        &self,
        bars: &Bars,
        grid: &Grid,
        start: impl Fn() -> V + Sync,
    ) -> Vec<V> {
        let mut visitors = Vec::new();
        for part in bars.parts() {
            let mut visitor = start();
            for symbol in part.symbols() {
                for (width, &steps) in grid.widths.iter().enumerate() {
                    let steps = steps.max(1);
                    let sums: Vec<Sums> = (0..grid.ends)
                        .map(|end| window(&symbol, u64::from(grid.first) + u64::from(end), steps))
                        .collect();
                    show(&mut visitor, symbol.locate, width, grid.first, &sums);
                }
            }
            visitors.push(visitor);
        }
        visitors
    }
}

/// The sums of the steps `end - width..end`.
fn window(symbol: &SymbolBars<'_>, end: u64, width: u32) -> Sums {
    let start = end.saturating_sub(u64::from(width));
    let low = symbol.steps.partition_point(|&n| u64::from(n) < start);
    let high = symbol.steps.partition_point(|&n| u64::from(n) < end);
    (low..high).fold(Sums::default(), |sums, bar| sums.then(&symbol.sums(bar)))
}

fn show(visitor: &mut impl Visit, locate: Locate, width: usize, first: u32, sums: &[Sums]) {
    if sums.is_empty() {
        return;
    }
    let words = |field: fn(&Sums) -> u32| -> Vec<u32> { sums.iter().map(field).collect() };
    let longs = |field: fn(&Sums) -> u64| -> Vec<u64> { sums.iter().map(field).collect() };
    visitor.visit(&GridBlock {
        locate,
        width,
        first,
        notionals: &longs(|sums| sums.notional.low()),
        notional_highs: &words(|sums| sums.notional.high()),
        volumes: &longs(|sums| sums.volume),
        trades: &words(|sums| sums.trades),
        opens: &words(|sums| sums.open.0),
        highs: &words(|sums| sums.high.0),
        lows: &words(|sums| sums.low.0),
        closes: &words(|sums| sums.close.0),
    });
}
