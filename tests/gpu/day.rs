//! The grid of a day that stays on the device, in every tier, whole and in shards, against the suite of the
//! day's jobs.

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use widetape::columns::{Resident, TradeSlices};
use widetape::cpu::Scalar;
use widetape::gpu::plan::Limits;
use widetape::gpu::{Error, Gpu, GpuDay, GpuOptions, Shaders, Tier};
use widetape::market::{Duration, Locate};
use widetape::window::day::{Bars, DayKernel, Grid, Totals, Visit};

use super::{drawing, open};
use crate::common::day_jobs::{Buffers, check, suite};
use crate::differential::day_jobs;

/// The oracle, but for the grid, which is that of the day whose bars were asked last.
struct Resides {
    /// Each takes the days that the one before does not hold.
    gpus: Vec<Gpu>,
    /// By which of them, in which steps.
    day: Mutex<Option<(usize, GpuDay, Duration)>>,
}

impl DayKernel for Resides {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn totals(&self, trades: &TradeSlices<'_>, totals: &mut Totals) {
        Scalar.totals(trades, totals);
    }

    fn bars(&self, day: &Resident, step: Duration, bars: &mut Bars) {
        let loaded = self
            .gpus
            .iter()
            .enumerate()
            .find_map(|(index, gpu)| match gpu.load(day) {
                Err(Error::TooLarge { .. }) => None,
                loaded => Some((index, loaded.expect("the GPU takes the day"), step)),
            });
        *self.day.lock().unwrap() = loaded;
        Scalar.bars(day, step, bars);
    }

    fn slide(&self, bars: &Bars, width: u32, windows: &mut Bars) {
        Scalar.slide(bars, width, windows);
    }

    fn grid<V: Visit + Send>(&self, _: &Bars, grid: &Grid, start: impl Fn() -> V + Sync) -> Vec<V> {
        let day = self.day.lock().unwrap();
        let (index, day, step) = day.as_ref().expect("a GPU has taken the day");
        let mut visitor = start();
        let shown = self.gpus[*index].grid(day, *step, grid, &mut visitor);
        shown.expect("the GPU answers");
        vec![visitor]
    }
}

/// A GPU that cuts every day that it can, and one that takes the others whole.
fn resides(options: &GpuOptions) -> Option<Resides> {
    let small = GpuOptions {
        limits: Some(Limits {
            executions: 64,
            windows: 199,
        }),
        ..options.clone()
    };
    Some(Resides {
        gpus: vec![open(&small)?.0, open(options)?.0],
        day: Mutex::default(),
    })
}

#[test]
fn every_tier_passes_the_suite_of_days() {
    for tier in Tier::EACH {
        let options = GpuOptions {
            tier: Some(tier),
            ..GpuOptions::default()
        };
        let Some(gpu) = resides(&options) else {
            return;
        };
        assert_eq!(suite(&gpu), Ok(()), "{tier}");
    }
}

#[test]
fn days_that_fit_are_not_cut() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let whole = Resides {
        gpus: vec![gpu.0],
        day: Mutex::default(),
    };
    assert_eq!(suite(&whole), Ok(()));
}

#[test]
fn every_tier_shows_the_grids_of_what_is_drawn() {
    for tier in Tier::EACH {
        let options = GpuOptions {
            tier: Some(tier),
            ..GpuOptions::default()
        };
        let Some(gpu) = resides(&options) else {
            return;
        };
        let drawn = TestRunner::new(drawing(40)).run(&day_jobs::cases(), |case| {
            prop_assert_eq!(check(&gpu, &case, &mut Buffers::default()), Ok(()));
            Ok(())
        });
        assert!(drawn.is_ok(), "{tier}: {}", drawn.unwrap_err());
    }
}

#[test]
fn a_symbol_that_no_shard_holds_is_named() {
    let options = GpuOptions {
        limits: Some(Limits {
            executions: 2,
            windows: 9,
        }),
        ..GpuOptions::default()
    };
    let Some(gpu) = open(&options) else {
        return;
    };
    let mut day = Resident::default();
    let trades = TradeSlices {
        times: &[1, 2, 3, 4],
        locates: &[5, 7, 7, 7],
        prices: &[1; 4],
        shares: &[1; 4],
        policies: &[],
        mask: 1,
    };
    day.fill(&[trades]).expect("four executions");
    let refused = gpu.0.load(&day).map(|_| ());
    let (locate, most) = (Locate(7), 2);
    assert_eq!(refused, Err(Error::TooLarge { locate, most }));
}

#[test]
fn every_fault_planted_in_the_grid_is_caught() {
    for (fault, right, wrong) in [
        (
            "an execution at the very end is taken in",
            "if times[middle] < words.x {",
            "if times[middle] <= words.x {",
        ),
        (
            "windows are a step too narrow",
            "start = long_subtract(end, width);",
            "start = long_subtract(end, long_subtract(width, long_from(params.step)));",
        ),
        (
            "the rows before a stretch are forgotten",
            "let row = params.first_row + window / params.ends;",
            "let row = window / params.ends;",
        ),
        (
            "symbol and width are swapped",
            "let symbol = row / params.widths;",
            "let symbol = row % params.widths;",
        ),
        (
            "the last execution of a symbol is left out",
            "first_since(end, first, starts[symbol + 1u])",
            "first_since(end, first, max(first + 1u, starts[symbol + 1u]) - 1u)",
        ),
    ] {
        let shaders = Shaders::default().replacing(right, wrong);
        let text =
            |shaders: &Shaders| shaders.module(widetape::gpu::Stage::GridBounds, Tier::Words);
        assert_ne!(text(&shaders), text(&Shaders::default()), "{fault}");
        let options = GpuOptions {
            shaders,
            ..GpuOptions::default()
        };
        let Some(gpu) = resides(&options) else {
            return;
        };
        assert!(suite(&gpu).is_err(), "{fault}: not caught");
    }
}
