//! The suite of all kernels, in every tier, whole and in shards; and what it does to planted faults.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use widetape::gpu::plan::{JobSize, Limits, Pass, passes};
use widetape::gpu::{Error, Gpu, GpuOptions, Shaders, Tier};

use super::{drawing, open};
use crate::common::kernels::{Case, case, check, suite};
use crate::common::random::Random;
use crate::differential::kernels;

/// So little in a pass that most jobs of the suite are cut.
const TINY: Limits = Limits {
    executions: 64,
    windows: 25,
};

fn in_tier(tier: Tier) -> GpuOptions {
    GpuOptions {
        tier: Some(tier),
        ..GpuOptions::default()
    }
}

#[test]
fn every_tier_passes_the_suite() {
    for tier in Tier::EACH {
        let Some(gpu) = open(&in_tier(tier)) else {
            return;
        };
        assert_eq!(gpu.0.tier(), tier);
        assert_eq!(suite(&gpu), Ok(()), "{tier}");
    }
}

#[test]
fn every_tier_passes_the_suite_in_shards() {
    for tier in Tier::EACH {
        let options = GpuOptions {
            limits: Some(TINY),
            ..in_tier(tier)
        };
        let Some(gpu) = open(&options) else {
            return;
        };
        let mut cases = days();
        cases.truncate(4);
        assert_eq!(check(&gpu, &cases), Ok(()), "{tier}");
    }
}

/// Days of few and of many executions.
fn days() -> Vec<Case> {
    let mut random = Random(5);
    let wraps: Vec<(u32, u32)> = (0..400).map(|i| (1 << 31, (1 << 31) - i)).collect();
    // No window reaches 2^64, but the sums of what comes before them do, again and again.
    let narrow: Vec<(u32, u32)> = (0..398).map(|i| (i, i + 3)).collect();
    let mut cases = vec![
        case("prefixes that wrap", &wraps, &narrow),
        case("wider than the day", &wraps[..3], &[(0, 3), (0, 3)]),
        case("one trade a day", &[(7, 8)], &[(0, 0), (0, 1), (1, 1)]),
        case("an empty symbol", &[], &[(0, 0)]),
    ];
    for seed in 0..300 {
        let price = 1 + random.below(1 << 32) as u32 / 2;
        cases.push(case(&format!("thin {seed}"), &[(price, 1)], &[(0, 1)]));
    }
    let everything: Vec<(u32, u32)> = (0..150_000)
        .map(|_| (random.below(1 << 24) as u32, random.below(1 << 12) as u32))
        .collect();
    let mut bounds = vec![(0, 150_000)];
    for _ in 0..60 {
        let low = random.below(150_000) as u32;
        let width = 1 << random.below(18);
        bounds.push((low, (low + width).min(150_000)));
    }
    cases.push(case("one symbol with everything", &everything, &bounds));
    cases
}

#[test]
fn every_tier_sums_days_of_all_shapes() {
    for tier in Tier::EACH {
        let Some(gpu) = open(&in_tier(tier)) else {
            return;
        };
        let cases = days();
        assert_eq!(check(&gpu, &cases), Ok(()), "{tier}: 96 bits");
        assert_eq!(check(&gpu, &cases[..1]), Ok(()), "{tier}: 64 bits");
    }
}

#[test]
fn a_symbol_beyond_the_limits_of_every_device_is_cut() {
    let Some(gpu) = open(&in_tier(Tier::Words)) else {
        return;
    };
    let mut random = Random(8);
    let count = (1 << 23) + 5_000;
    let executions: Vec<(u32, u32)> = (0..count)
        .map(|_| (random.bits() as u32, random.bits() as u32))
        .collect();
    let cut = 1 << 23;
    let bounds = [
        (0, count),
        (cut - 1, cut + 1),
        (0, cut),
        (cut, count),
        (5, cut - 7),
    ];
    let case = case("8 million executions", &executions, &bounds);
    assert_eq!(check(&gpu, &[case]), Ok(()));
}

#[test]
fn every_tier_sums_what_is_drawn() {
    for tier in Tier::EACH {
        let Some(gpu) = open(&in_tier(tier)) else {
            return;
        };
        let drawn = TestRunner::new(drawing(60)).run(&kernels::cases(), |cases| {
            prop_assert_eq!(check(&gpu, &cases), Ok(()));
            Ok(())
        });
        assert!(drawn.is_ok(), "{tier}: {}", drawn.unwrap_err());
    }
}

/// Faults in the text of the stages: what stands there, and what stands there by mistake.
const FAULTS: [(&str, &str, &str); 16] = [
    (
        "a carry between words is dropped",
        "let carry = u32(low < a.x);",
        "let carry = 0u;",
    ),
    (
        "a borrow between words is dropped",
        "let borrow = u32(a.x < b.x);",
        "let borrow = 0u;",
    ),
    (
        "a carry into 96 bits is dropped",
        "let carry = u32(long_less(notional, a.notional));",
        "let carry = 0u;",
    ),
    (
        "a carry between lanes is dropped",
        "let carry = u32(notional < low);",
        "let carry = 0u;",
    ),
    (
        "a borrow from 96 bits is dropped",
        "let borrow = u32(long_less(notionals[end], notionals[first]));",
        "let borrow = 0u;",
    ),
    (
        "half of a product is lost",
        "let middle = a_low * b_high + (cross & 0xffffu);",
        "let middle = a_low * b_high;",
    ),
    (
        "the first execution is left out",
        "let first = bounds[window].x;",
        "let first = bounds[window].x + 1u;",
    ),
    (
        "the last execution is left out",
        "let end = bounds[window].y;",
        "let end = max(bounds[window].y, 1u) - 1u;",
    ),
    (
        "the last prefix is not written",
        "if index <= params.executions {",
        "if index < params.executions {",
    ),
    (
        "high and low are swapped",
        "extreme.x,\n        extreme.y,",
        "extreme.y,\n        extreme.x,",
    ),
    (
        "open and close are swapped",
        "prices[first],\n        prices[end - 1u],",
        "prices[end - 1u],\n        prices[first],",
    ),
    (
        "the words of a volume are swapped",
        "volume.x,\n        volume.y,",
        "volume.y,\n        volume.x,",
    ),
    (
        "blocks forget those before them",
        "var carried = block_tallies[block];",
        "var carried = tally_zero();",
    ),
    (
        "a tile forgets those before it",
        "carried = tally_add(carried, scanned.total);",
        "",
    ),
    (
        "half of the extremes are not looked at",
        "let far = extremes[row + end_block - (1u << level)];",
        "let far = near;",
    ),
    (
        "the last entry of a level is missing",
        "if block + 2u * apart > params.extreme_blocks {",
        "if block + 2u * apart >= params.extreme_blocks {",
    ),
];

#[test]
fn every_fault_planted_in_a_shader_is_caught() {
    for tier in Tier::EACH {
        let pristine = open(&in_tier(tier));
        if pristine.is_none() {
            return;
        }
        let mut caught = 0;
        for (fault, right, wrong) in FAULTS {
            let shaders = Shaders::default().replacing(right, wrong);
            let stands = |shaders: &Shaders| {
                widetape::gpu::Stage::EACH.map(|stage| shaders.module(stage, tier))
            };
            if stands(&shaders) == stands(&Shaders::default()) {
                continue;
            }
            let options = GpuOptions {
                shaders,
                ..in_tier(tier)
            };
            let gpu = open(&options).expect("the adapter is there");
            let outcome = suite(&gpu).and_then(|()| check(&gpu, &days()));
            assert!(outcome.is_err(), "{tier}: {fault}: not caught");
            caught += 1;
        }
        let planted = match tier {
            Tier::Words => 15,
            Tier::Longs => 12,
            Tier::Subgroups => 13,
        };
        assert_eq!(caught, planted, "{tier}: faults that find a place");
    }
}

/// Forgets the last shard of what does not fit into one.
fn losing_a_shard(jobs: &[JobSize], limits: &Limits) -> Vec<Pass> {
    let mut all = passes(jobs, limits);
    if all.len() > 1 {
        all.pop();
    }
    all
}

/// Forgets the last job of every pass.
fn losing_a_piece(jobs: &[JobSize], limits: &Limits) -> Vec<Pass> {
    let mut all = passes(jobs, limits);
    for pass in all.iter_mut().filter(|pass| pass.pieces.len() > 1) {
        let lost = pass.pieces.pop().expect("there are two");
        pass.executions -= lost.executions.len() as u32;
        pass.windows -= lost.windows.len() as u32;
    }
    all
}

#[test]
fn every_fault_planted_in_a_plan_is_caught() {
    for planner in [losing_a_shard, losing_a_piece] {
        let options = GpuOptions {
            limits: Some(TINY),
            planner,
            ..GpuOptions::default()
        };
        let Some(gpu) = open(&options) else {
            return;
        };
        let cases = &days()[..20];
        assert!(check(&gpu, cases).is_err());
    }
}

#[test]
fn the_nonsense_of_a_device_out_of_order_is_a_wrong_answer_and_nothing_worse() {
    let most = "0xffffffffu,\n        0xffffffffu,";
    let shaders = Shaders::default().replacing("volume.x,\n        volume.y,", most);
    let options = GpuOptions {
        shaders,
        limits: Some(TINY),
        ..GpuOptions::default()
    };
    if let Some(gpu) = open(&options) {
        assert!(check(&gpu, &days()[..1]).is_err());
    }
}

#[test]
fn a_tier_that_fails_the_canary_gives_way_to_the_next() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let dropped = "let carry = u32(notional < low);";
    let canary = Shaders::default().replacing(dropped, "let carry = 0u;");
    let options = GpuOptions {
        canary,
        ..GpuOptions::default()
    };
    let gpu = Gpu::open(&options).expect("a lower tier does");
    assert_eq!(gpu.tier(), Tier::Longs);
    let forced = GpuOptions {
        tier: Some(Tier::Subgroups),
        ..options
    };
    let refused = Gpu::open(&forced).map(|_| ()).unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Canary {
                tier: Tier::Subgroups,
                ..
            }
        ),
        "{refused}"
    );
    // The loop of a canary that runs too few times is what some drivers do to it.
    let short =
        Shaders::default().replacing("index < inputs[0]; index++", "index < 65535u; index += 5u");
    let options = GpuOptions {
        canary: short,
        ..GpuOptions::default()
    };
    let refused = Gpu::open(&options).map(|_| ()).unwrap_err();
    let what = matches!(
        refused,
        Error::Canary {
            what: "a long loop",
            ..
        }
    );
    assert!(what, "{refused}");
}
