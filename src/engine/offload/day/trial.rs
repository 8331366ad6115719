//! Questions that a device answers before it is asked others.

use std::ops::Range;

use super::super::standby::{Refusal, mixed};
use super::DayAccelerator;
use crate::columns::{Resident, TradeSlices};
use crate::cpu::Scalar;
use crate::market::{Duration, Locate, NANOS_PER_MILLI};
use crate::window::day::{Bars, DayKernel, Grid, GridBlock, Reduction, Visit, reduce};
use crate::window::{Measure, Selection, Sums, Width};

const EXECUTIONS: u64 = 3_000;
const SYMBOLS: u64 = 300;
const STEP: Duration = Duration::HUNDRED_MILLISECONDS;
const FIRST: u32 = 20;
const ENDS: u32 = 7;

/// Compares a grid and a selection of each kind of a day in two pieces with the oracle's: sums of 64 bits and of 96.
pub(in crate::engine::offload) fn try_out(device: &mut dyn DayAccelerator) -> Result<(), Refusal> {
    for bits in [20, 32] {
        let day = day(bits, 0..EXECUTIONS);
        let [first, rest] = [0..EXECUTIONS / 2, EXECUTIONS / 2..EXECUTIONS];
        let held = device.hold(&self::day(bits, first));
        let held = held.and_then(|()| device.append(&self::day(bits, rest)));
        held.map_err(Refusal::Failed)?;
        let grid = Grid {
            first: FIRST,
            ends: ENDS,
            widths: vec![1, 12],
        };
        let mut shown = Shown::default();
        let done = device.grid(STEP, &grid, &mut shown);
        done.map_err(Refusal::Failed)?;
        let mut bars = Bars::default();
        Scalar.bars(&day, STEP, &mut bars);
        let wanted = Scalar.grid(&bars, &grid, Shown::default);
        if !shown.0.iter().eq(wanted.iter().flat_map(|shown| &shown.0)) {
            return Err(Refusal::Wrong);
        }
        for selection in [
            Selection::Totals,
            Selection::Top {
                count: 9,
                by: Measure::Notional,
            },
            Selection::Deviation {
                short: 0,
                long: 1,
                basis_points: 800,
            },
        ] {
            let reduction = Reduction {
                step: STEP,
                first: FIRST,
                ends: ENDS,
                widths: vec![Width::Finite(STEP), Width::Session],
                selection,
            };
            let (mut told, mut wanted) = (Vec::new(), Vec::new());
            let done = device.reduce(&reduction, &mut |picked| told.push(picked));
            done.map_err(Refusal::Failed)?;
            reduce(&Scalar, &day, &reduction, |picked| wanted.push(picked));
            if told != wanted {
                return Err(Refusal::Wrong);
            }
        }
    }
    Ok(())
}

/// Some executions of a day of prices and shares of so many bits.
fn day(bits: u32, range: Range<u64>) -> Resident {
    let words = |from: u64| -> Vec<u32> {
        let seeds = range.clone().map(|at| from + at);
        seeds
            .map(|seed| mixed(seed) as u32 >> (32 - bits))
            .collect()
    };
    let times: Vec<u64> = range.clone().map(|at| at * NANOS_PER_MILLI).collect();
    let locates: Vec<u16> = range
        .clone()
        .map(|at| (mixed(at) % SYMBOLS) as u16)
        .collect();
    let trades = TradeSlices {
        times: &times,
        locates: &locates,
        prices: &words(1),
        shares: &words(1 << 20),
        policies: &[],
        mask: 1,
    };
    let mut day = Resident::default();
    day.fill(&[trades]).expect("a small day");
    day
}

/// The windows that hold an execution.
#[derive(Default)]
struct Shown(Vec<(Locate, usize, u32, Sums)>);

impl Visit for Shown {
    fn visit(&mut self, block: &GridBlock<'_>) {
        for index in (0..block.trades.len()).filter(|&index| block.trades[index] > 0) {
            let end = block.first + index as u32;
            let sums = block.sums(index);
            self.0.push((block.locate, block.width, end, sums));
        }
    }
}
