//! The suite that every kernel of the day's jobs must pass: seeded and adversarial days, answers by
//! folding executions.
//!
//! The expected sums are worked out here from the executions alone, and share no code with the crate.

mod cases;

use std::collections::BTreeMap;

use widetape::columns::{Resident, TradeSlices};
use widetape::market::{Duration, Locate, Notional, Price};
use widetape::window::Sums;
use widetape::window::day::{Bars, DayKernel, Grid, GridBlock, Totals, Visit};

use cases::{adversarial, long, random};

/// An execution: time in milliseconds, locate, price, shares, policy bits.
pub(crate) type Execution = (u64, u16, u32, u32, u8);

/// A day and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// In feed order; times never decrease.
    pub(crate) executions: Vec<Execution>,
    pub(crate) mask: u8,
    pub(crate) step_millis: u64,
    pub(crate) grid: Grid,
}

/// What a kernel must not leave standing, and buffers that each case uses again.
#[derive(Default)]
pub(crate) struct Buffers {
    totals: Totals,
    resident: Resident,
    bars: Bars,
    windows: Bars,
}

/// By symbol and step: the executions of a bar.
type Held = BTreeMap<(u16, u64), Vec<(u32, u32)>>;

impl Case {
    fn held(&self) -> Held {
        let mut held = Held::new();
        for &(time, locate, price, shares, policies) in &self.executions {
            if policies & self.mask != 0 {
                let bar = held.entry((locate, time / self.step_millis)).or_default();
                bar.push((price, shares));
            }
        }
        held
    }

    fn symbols(held: &Held) -> Vec<u16> {
        let mut symbols: Vec<u16> = held.keys().map(|key| key.0).collect();
        symbols.dedup();
        symbols
    }
}

fn fold<'a>(executions: impl Iterator<Item = &'a (u32, u32)> + Clone) -> Sums {
    let prices = || executions.clone().map(|execution| execution.0);
    Sums {
        notional: Notional::new(
            executions
                .clone()
                .map(|&(price, shares)| u128::from(price) * u128::from(shares))
                .sum(),
        ),
        volume: executions.clone().map(|e| u64::from(e.1)).sum(),
        trades: executions.clone().count() as u32,
        open: Price(prices().next().unwrap_or(0)),
        high: Price(prices().max().unwrap_or(0)),
        low: Price(prices().min().unwrap_or(0)),
        close: Price(prices().last().unwrap_or(0)),
    }
}

/// The window of `width` steps of a symbol that ends before the step `end`.
fn window(held: &Held, locate: u16, end: u64, width: u32) -> Sums {
    let start = end.saturating_sub(u64::from(width.max(1)));
    let inside = held.range((locate, start)..(locate, end));
    fold(inside.flat_map(|(_, executions)| executions))
}

/// Gathers every window that holds an execution.
#[derive(Default)]
struct Gathered {
    windows: BTreeMap<(u16, usize, u32), Sums>,
    faults: Vec<String>,
}

impl Visit for Gathered {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let lengths = [
            block.notionals.len(),
            block.volumes.len(),
            block.opens.len(),
            block.highs.len(),
            block.lows.len(),
            block.closes.len(),
        ];
        let count = block.trades.len();
        let words = block.notional_highs.len();
        if lengths != [count; 6] || count == 0 || (words != 0 && words != count) {
            self.faults.push(format!("uneven: {block:?}"));
            return;
        }
        for index in 0..count {
            let key = (block.locate.0, block.width, block.first + index as u32);
            let sums = block.sums(index);
            if sums.trades > 0 && self.windows.insert(key, sums).is_some() {
                self.faults.push(format!("{key:?} was shown twice"));
            }
        }
    }
}

fn same<K: Ord + Clone + std::fmt::Debug>(
    what: &str,
    got: &BTreeMap<K, Sums>,
    wanted: &BTreeMap<K, Sums>,
) -> Result<(), String> {
    let keys = got.keys().chain(wanted.keys());
    let differs = keys.clone().find(|key| got.get(key) != wanted.get(key));
    differs.map_or(Ok(()), |key| {
        let (got, wanted) = (got.get(key), wanted.get(key));
        Err(format!(
            "{what} at {key:?}:\n got    {got:?}\n wanted {wanted:?}"
        ))
    })
}

fn rows(bars: &Bars) -> BTreeMap<(u16, u64), Sums> {
    let mut rows = BTreeMap::new();
    for symbol in bars.symbols() {
        for (index, &step) in symbol.steps.iter().enumerate() {
            rows.insert((symbol.locate.0, u64::from(step)), symbol.sums(index));
        }
    }
    rows
}

/// Asks `kernel` for all jobs of a case and compares every answer.
pub(crate) fn check(
    kernel: &impl DayKernel,
    case: &Case,
    buffers: &mut Buffers,
) -> Result<(), String> {
    check_jobs(kernel, case, buffers)
        .map_err(|fault| format!("{}, {}, {fault}", DayKernel::name(kernel), case.name))
}

fn check_jobs(kernel: &impl DayKernel, case: &Case, buffers: &mut Buffers) -> Result<(), String> {
    let held = case.held();
    let column =
        |field: fn(&Execution) -> u32| -> Vec<u32> { case.executions.iter().map(field).collect() };
    let times: Vec<u64> = case.executions.iter().map(|e| e.0 * 1_000_000).collect();
    let locates: Vec<u16> = case.executions.iter().map(|e| e.1).collect();
    let policies: Vec<u8> = case.executions.iter().map(|e| e.4).collect();
    let (prices, shares) = (column(|e| e.2), column(|e| e.3));
    let all_count = policies.iter().all(|bits| bits & case.mask != 0);
    let trades = TradeSlices {
        times: &times,
        locates: &locates,
        prices: &prices,
        shares: &shares,
        policies: if all_count { &[] } else { &policies },
        mask: case.mask,
    };
    check_totals(kernel, &trades, &held, &mut buffers.totals)?;

    let stretches: Vec<TradeSlices<'_>> = trades.chunks(1000).collect();
    buffers
        .resident
        .fill(&stretches)
        .map_err(|e| e.to_string())?;
    let step = Duration::from_millis(case.step_millis).ok_or("a step")?;
    kernel.bars(&buffers.resident, step, &mut buffers.bars);
    let wanted = held.iter().map(|(&key, bar)| (key, fold(bar.iter())));
    same("bar", &rows(&buffers.bars), &wanted.collect())?;

    for &width in &case.grid.widths {
        kernel.slide(&buffers.bars, width, &mut buffers.windows);
        let sliding = |&(locate, step): &(u16, u64)| {
            let sums = window(&held, locate, step + 1, width);
            ((locate, step), sums)
        };
        let wanted = held.keys().map(sliding).collect();
        same(
            &format!("sliding {width}"),
            &rows(&buffers.windows),
            &wanted,
        )?;
    }
    check_grid(kernel, case, &held, &buffers.bars)
}

fn check_totals(
    kernel: &impl DayKernel,
    trades: &TradeSlices<'_>,
    held: &Held,
    totals: &mut Totals,
) -> Result<(), String> {
    totals.get_mut(Locate(7)).push(u32::MAX, 3);
    kernel.totals(trades, totals);
    let got = totals.iter().map(|(locate, total)| {
        let sums = Sums {
            notional: Notional::new(total.notional),
            volume: total.volume,
            trades: total.trades as u32,
            ..Sums::default()
        };
        (locate.0, sums)
    });
    let wanted = Case::symbols(held).into_iter().map(|locate| {
        let whole = held.range((locate, 0)..=(locate, u64::MAX));
        let sums = fold(whole.flat_map(|(_, executions)| executions));
        let sums = Sums {
            open: Price(0),
            high: Price(0),
            low: Price(0),
            close: Price(0),
            ..sums
        };
        (locate, sums)
    });
    same("total", &got.collect(), &wanted.collect())
}

fn check_grid(
    kernel: &impl DayKernel,
    case: &Case,
    held: &Held,
    bars: &Bars,
) -> Result<(), String> {
    let mut gathered = Gathered::default();
    for visitor in kernel.grid(bars, &case.grid, Gathered::default) {
        gathered.windows.extend(visitor.windows);
        gathered.faults.extend(visitor.faults);
    }
    if let Some(fault) = gathered.faults.first() {
        return Err(fault.clone());
    }
    let mut wanted = BTreeMap::new();
    for locate in Case::symbols(held) {
        for (index, &width) in case.grid.widths.iter().enumerate() {
            for end in case.grid.first..case.grid.first + case.grid.ends {
                let sums = window(held, locate, u64::from(end), width);
                if sums.trades > 0 {
                    wanted.insert((locate, index, end), sums);
                }
            }
        }
    }
    same("grid", &gathered.windows, &wanted)
}

/// Every case, one after the other in the same buffers: what a kernel must pass.
pub(crate) fn suite(kernel: &impl DayKernel) -> Result<(), String> {
    let mut buffers = Buffers::default();
    for case in adversarial() {
        check(kernel, &case, &mut buffers)?;
    }
    for seed in 0..60 {
        check(kernel, &random(seed), &mut buffers)?;
    }
    for seed in 0..30 {
        check(kernel, &long(seed), &mut buffers)?;
    }
    Ok(())
}
