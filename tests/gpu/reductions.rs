//! What a selection tells of every end of a day on the device, in every tier, whole and in shards, against
//! the suite; and what that does to planted faults.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use widetape::columns::Resident;
use widetape::gpu::plan::{Limits, Shape, Tile, tile};
use widetape::gpu::{Error, Gpu, GpuOptions, Shaders, Stage, Tier};
use widetape::market::Duration;
use widetape::window::day::{Picked, Reduction};
use widetape::window::{Measure, Selection, Width};

use super::{drawing, open};
use crate::common::reductions::{Case, adversarial, check, random, resident, selections, suite};
use crate::differential::day_jobs;

fn in_tier(tier: Tier) -> GpuOptions {
    GpuOptions {
        tier: Some(tier),
        ..GpuOptions::default()
    }
}

/// A GPU whose passes are so small that most days are cut into shards, symbols and ends.
fn small(options: &GpuOptions) -> GpuOptions {
    GpuOptions {
        limits: Some(Limits {
            executions: 512,
            windows: 300,
        }),
        ..options.clone()
    }
}

/// Loads the day and asks; where the day does not fit the first GPU, the next.
fn told(gpus: &[Gpu], day: &Resident, asked: &[Reduction]) -> Result<Vec<Vec<Picked>>, Error> {
    let mut outcome = Err(Error::NoAdapter);
    for gpu in gpus {
        outcome = gpu.load(day).and_then(|day| {
            let tell = |reduction| {
                let mut told = Vec::new();
                gpu.reduce(&day, reduction, |picked| told.push(picked))?;
                Ok(told)
            };
            asked.iter().map(tell).collect()
        });
        if !matches!(outcome, Err(Error::TooLarge { .. })) {
            break;
        }
    }
    outcome
}

fn both(options: &GpuOptions) -> Option<[Gpu; 2]> {
    Some([open(&small(options))?.0, open(options)?.0])
}

#[test]
fn every_tier_tells_what_selections_pick() {
    for tier in Tier::EACH {
        let Some(gpu) = open(&in_tier(tier)) else {
            return;
        };
        let gpu = [gpu.0];
        let outcome = suite(&mut |day, asked| told(&gpu, day, asked).expect("the GPU answers"));
        assert_eq!(outcome, Ok(()), "{tier}");
    }
}

#[test]
fn every_tier_joins_what_shards_and_stretches_tell() {
    for tier in Tier::EACH {
        let Some(gpus) = both(&in_tier(tier)) else {
            return;
        };
        let outcome = suite(&mut |day, asked| told(&gpus, day, asked).expect("the GPU answers"));
        assert_eq!(outcome, Ok(()), "{tier}");
    }
}

#[test]
fn every_tier_tells_of_what_is_drawn() {
    for tier in Tier::EACH {
        let Some(gpus) = both(&in_tier(tier)) else {
            return;
        };
        let drawn = TestRunner::new(drawing(15)).run(&day_jobs::cases(), |case| {
            let step = Duration::from_millis(case.step_millis).unwrap();
            let narrow = Duration::from_millis(case.step_millis * 3 / 2 + 1).unwrap();
            let executions = case.executions.iter().filter(|e| e.4 & case.mask != 0);
            let asked = selections().into_iter().map(|selection| Reduction {
                step,
                first: case.grid.first,
                ends: case.grid.ends.min(12),
                widths: vec![Width::Finite(narrow), Width::Session],
                selection,
            });
            let case = Case {
                name: "drawn".to_owned(),
                executions: executions
                    .map(|&(time, l, p, s, _)| (time, l, p, s))
                    .collect(),
                asked: asked.collect(),
            };
            let outcome = check(
                &mut |day, asked| told(&gpus, day, asked).expect("the GPU answers"),
                &case,
            );
            prop_assert_eq!(outcome, Ok(()));
            Ok(())
        });
        assert!(drawn.is_ok(), "{tier}: {}", drawn.unwrap_err());
    }
}

#[test]
fn more_than_the_device_ranks_is_refused() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let executions: Vec<_> = (0..129).map(|locate| (0, locate, 5, 5)).collect();
    let reduction = |count| Reduction {
        step: Duration::HUNDRED_MILLISECONDS,
        first: 1,
        ends: 1,
        widths: vec![Width::Session],
        selection: Selection::Top {
            count,
            by: Measure::Volume,
        },
    };
    let gpu = [gpu.0];
    let told = |executions: &[_], count| {
        let told = told(&gpu, &resident(executions), &[reduction(count)])?;
        Ok(told[0].len())
    };
    assert_eq!(told(&executions, 128), Ok(128));
    let (count, most) = (129, 128);
    assert_eq!(told(&executions, 129), Err(Error::TooMany { count, most }));
    let all = &executions[..128];
    assert_eq!(told(all, 1_000), Ok(128), "there are no more");
}

/// Faults in the text of the stages: what stands there, and what stands there by mistake.
const FAULTS: [(&str, &str, &str); 20] = [
    (
        "a lane looks at one symbol",
        "for (var symbol = place_of(invocation); symbol < params.symbols; symbol += LANES) {",
        "for (var symbol = place_of(invocation); symbol < min(params.symbols, LANES); symbol += LANES) {",
    ),
    (
        "the last symbol is left out of totals",
        "for (var symbol = place_of(invocation); symbol < params.symbols;",
        "for (var symbol = place_of(invocation); symbol + 1u < params.symbols;",
    ),
    (
        "bits 64 to 95 are left out of totals",
        "Tally(notional, volume, answer.notional_high)",
        "Tally(notional, volume, 0u)",
    ),
    (
        "trades are counted once a lane",
        "trades += answer.trades;",
        "trades = answer.trades;",
    ),
    (
        "the words of a volume are swapped",
        "volume.x,\n            volume.y,",
        "volume.y,\n            volume.x,",
    ),
    (
        "of equal ones the last is ahead",
        "return a.symbol < b.symbol;",
        "return a.symbol > b.symbol;",
    ),
    (
        "low words are not compared",
        "return a.low > b.low;",
        "return a.symbol < b.symbol;",
    ),
    (
        "middle words are not compared",
        "return a.middle > b.middle;",
        "return a.low > b.low;",
    ),
    (
        "a lane wins once",
        "own = best_of(lane, place, winner);",
        "own = Candidate(0u, 0u, 0u, NOBODY);",
    ),
    (
        "a lane wins again with the same symbol",
        "let is_behind = last.symbol == NOBODY || is_ahead(last, candidate);",
        "let is_behind = true;",
    ),
    (
        "half of the lanes put nobody forward",
        "if lane < half {",
        "if lane < half && half < 128u {",
    ),
    (
        "empty windows are ranked",
        "if answer.trades > 0u && is_behind",
        "if is_behind",
    ),
    (
        "volume is taken for notional",
        "if params.measure == BY_NOTIONAL {",
        "if params.measure == BY_VOLUME {",
    ),
    (
        "range is the high",
        "answer.high - answer.low, symbol",
        "answer.high, symbol",
    ),
    (
        "a carry between words of a product is dropped",
        "words[j + 3u] = carry;",
        "words[j + 3u] = 0u;",
    ),
    (
        "a borrow between words is dropped",
        "words[i] = word - taken[i] - borrow;",
        "words[i] = word - taken[i];",
    ),
    (
        "the threshold itself does not count",
        "return !is_less(times(apart, 10000u), times(b, params.basis_points));",
        "return is_less(times(b, params.basis_points), times(apart, 10000u));",
    ),
    (
        "VWAPs below the long one never stray",
        "apart = difference(b, a);",
        "apart = Words(0u, 0u, 0u, 0u, 0u, 0u);",
    ),
    ("ends overlap", "place = counts[end];", "place = 0u;"),
    (
        "tiles of symbols overlap",
        "place += long_words(scanned.total.volume).x;",
        "",
    ),
];

#[test]
fn every_fault_planted_in_a_reduction_is_caught() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    for (index, (fault, right, wrong)) in FAULTS.into_iter().enumerate() {
        // Every fault meets a tier, and every tier faults of each stage.
        let tier = Tier::EACH[index % 3];
        let shaders = Shaders::default().replacing(right, wrong);
        let text = |shaders: &Shaders| Stage::EACH.map(|stage| shaders.module(stage, tier));
        assert_ne!(text(&shaders), text(&Shaders::default()), "{fault}");
        let options = GpuOptions {
            shaders,
            ..in_tier(tier)
        };
        let gpu = [open(&options).expect("the adapter is there").0];
        let outcome = suite(&mut |day, asked| told(&gpu, day, asked).unwrap_or_default());
        assert!(outcome.is_err(), "{tier}: {fault}: not caught");
    }
}

#[test]
fn the_nonsense_of_a_device_is_an_error() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    for (right, wrong) in [
        ("counts[end] = place;", "counts[end] = 0xfffffff0u;"),
        (
            "picks[at] = Pick(symbol,",
            "picks[at] = Pick(symbol + 70000u,",
        ),
        (
            "pick = Pick(winner.symbol,",
            "pick = Pick(winner.symbol + 70000u,",
        ),
        ("long_words(counts.volume).x,", "0xffffffffu,"),
    ] {
        let options = GpuOptions {
            shaders: Shaders::default().replacing(right, wrong),
            ..GpuOptions::default()
        };
        let gpu = [open(&options).expect("the adapter is there").0];
        let mut errors = Vec::new();
        for case in adversarial().iter().chain(&[random(2), random(3)]) {
            let day = resident(&case.executions);
            errors.extend(told(&gpu, &day, &case.asked).err());
        }
        assert!(!errors.is_empty(), "{wrong}");
        assert!(
            errors.iter().all(|error| *error == Error::Nonsense),
            "{errors:?}"
        );
    }
}

#[test]
fn tiles_stay_within_all_limits() {
    for binding in [1 << 16, 128 << 20, (2 << 30) - 1] {
        let limits = Limits::new(binding);
        for (symbols, widths, ends) in [
            (0, 1, 0),
            (1, 1, 57_600),
            (20_000, 8, 57_600),
            (65_536, 64, 10),
            (300, 64, 23_400),
        ] {
            let whole = Tile {
                symbols,
                widths,
                ends,
                count: 128,
            };
            let tile = tile(whole, &limits);
            assert!(tile.symbols > 0 && tile.ends > 0, "{tile:?}");
            assert!(tile.windows() <= limits.windows, "{tile:?}");
            // Loops and workgroups are asserted.
            let shape = Shape::new(limits.executions, 0).telling(tile);
            for plane in widetape::gpu::Plane::EACH {
                assert!(shape.bytes(plane) <= binding, "{plane:?} of {tile:?}");
            }
        }
    }
}
