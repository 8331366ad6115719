//! The days of the suite.

use widetape::window::day::Grid;

use super::{Case, Execution};
use crate::common::random::Random;

fn case(name: &str, executions: Vec<Execution>) -> Case {
    Case {
        name: name.to_owned(),
        executions,
        mask: 1,
        step_millis: 10,
        grid: Grid {
            first: 0,
            ends: 40,
            widths: vec![1, 2, 3, 7, 64],
        },
    }
}

/// Executions that hurried code gets wrong: edges of blocks, bounds of sums, gaps, extremes.
pub(super) fn adversarial() -> Vec<Case> {
    const MAX: u32 = u32::MAX;
    let one = |count: u64, each: fn(u64) -> Execution| (0..count).map(each).collect::<Vec<_>>();
    let mut cases = vec![
        case("nothing", vec![]),
        case("one", vec![(5, 1, 10, 20, 1)]),
        case("none that counts", vec![(5, 1, 10, 20, 2)]),
        case(
            "least and greatest locate",
            vec![(5, 0, 10, 20, 1), (5, u16::MAX, 11, 21, 1)],
        ),
        case(
            "the greatest of everything",
            one(300, |i| (i, 9, MAX, MAX, 1)),
        ),
        case(
            "zeros",
            vec![(1, 3, 0, 0, 1), (2, 3, 0, 5, 1), (13, 3, 7, 0, 1)],
        ),
        case("volume beyond 40 bits", one(300, |i| (i, 9, 1, MAX, 1))),
        case(
            "notional of 2^64 - 1",
            vec![(1, 2, MAX, MAX, 1), (2, 2, MAX, 1, 1), (3, 2, MAX, 1, 1)],
        ),
        case("notional of 2^64", one(4, |i| (i, 2, 1 << 31, 1 << 31, 1))),
        case(
            "notional of 2^64 in two bars",
            one(4, |i| (i * 5, 2, 1 << 31, 1 << 31, 1)),
        ),
        case("notional of 2^64 beside less", {
            let mut executions = one(400, |i| {
                (i, 2, 1 << 31, if i % 100 == 7 { 1 << 31 } else { 1 }, 1)
            });
            executions.extend(one(100, |i| (400, 3, 5, i as u32, 1)));
            executions
        }),
        case(
            "two symbols in turn",
            one(100, |i| (i * 3, (i % 2) as u16, i as u32, 1, 1)),
        ),
        case(
            "half of them count",
            one(100, |i| (i * 3, 4, i as u32, 1, (i % 2) as u8 + 1)),
        ),
    ];
    for count in [1022, 1023, 1024, 2046, 2047] {
        let name = format!("{count} in one bar and one in the next");
        let mut executions = vec![(5, 8, 40, 2, 1); count];
        executions.extend([(15, 8, 41, 3, 1), (15, 9, 7, 3, 1)]);
        cases.push(case(&name, executions));
        let each = (0..count as u64).map(|i| (i * 10, 8, 900 - i as u32 % 900, 2, 1));
        let mut long = case(&format!("{count} bars"), each.collect());
        long.grid.first = count as u32 - 20;
        cases.push(long);
    }
    cases.extend(long_cases());
    cases
}

fn long_cases() -> Vec<Case> {
    let hot: Vec<Execution> = (0..40_000_u64)
        .map(|i| {
            (
                i / 100,
                if i % 7 == 0 { 70 } else { 71 },
                900 + i as u32 % 77,
                1 + i as u32 % 50,
                1,
            )
        })
        .collect();
    let wide: Vec<Execution> = (0..40_000_u64)
        .map(|i| {
            (
                i / 100,
                70 + (i / 20_000) as u16,
                u32::MAX - i as u32 % 3,
                if i % 9_000 == 0 { u32::MAX } else { 5 },
                1,
            )
        })
        .collect();
    let far = [
        3, 4, 10_000, 90_000, 90_001, 8_000_000, 8_000_063, 20_000_000,
    ];
    let far = far
        .iter()
        .map(|&step| (step * 10, 6, step as u32, 1, 1))
        .collect();
    let mut apart = case("far apart", far);
    (apart.grid.first, apart.grid.widths) = (89_990, vec![1, 5, 80_000]);
    let mut across = case(
        "blocks of ends",
        (0..90_u64)
            .map(|i| (i * i * 10, 6, 5000 - i as u32, 1, 1))
            .collect(),
    );
    (across.grid.first, across.grid.ends) = (1, 8_200);
    across.grid.widths = vec![5000, 3, 1, 100];
    let mut before = case(
        "before the day",
        vec![(0, 6, 5, 1, 1), (12, 6, 4, 1, 1), (39, 6, 9, 1, 1)],
    );
    (before.grid.first, before.grid.widths) = (0, vec![0, 1, 4, u32::MAX]);
    let mut silent = case("no ends", vec![(0, 6, 5, 1, 1)]);
    (silent.grid.ends, silent.grid.widths) = (0, vec![]);
    vec![
        case("hot symbols", hot),
        case("sometimes wide", wide),
        apart,
        across,
        before,
        silent,
    ]
}

/// A case drawn from `seed`.
/// Few executions on a long grid, some of them together and most far apart: what is carried from block to
/// block of ends, and what is not because windows were empty between.
pub(super) fn long(seed: u64) -> Case {
    let mut random = Random(seed);
    let apart = random.pick(&[20, 300, 3_000, 12_000]);
    let ranges = [3, 1_000, 1 << 32];
    let (prices, shares) = (random.pick(&ranges), random.pick(&ranges));
    let mut time = 0;
    let executions = (0..60).map(|_| {
        time += 10
            * if random.one_in(2) {
                random.below(apart)
            } else {
                random.below(3)
            };
        let symbol = 5 + random.below(2) as u16;
        (
            time,
            symbol,
            random.below(prices) as u32,
            random.below(shares) as u32,
            1,
        )
    });
    let executions: Vec<Execution> = executions.collect();
    let widest = random.pick(&[1, 40, 700, 6_000]);
    let widths = (0..4).map(|_| 1 + random.below(widest) as u32).collect();
    Case {
        name: format!("long, seed {seed}"),
        grid: Grid {
            first: random.below(20) as u32,
            ends: 8_000 + random.below(10_000) as u32,
            widths,
        },
        ..case("", executions)
    }
}

pub(super) fn random(seed: u64) -> Case {
    let mut random = Random(seed);
    let count = random.pick(&[0, 1, 30, 300, 3_000]);
    let symbols = random.pick(&[1, 2, 5, 200]);
    let spread = random.pick(&[1, 9, 1 << 16]) / symbols;
    let most = random.pick(&[1, 20, 300, 5_000]);
    let ranges = [1, 3, 1_000, 1 << 20, 1 << 32];
    let (prices, shares) = (random.pick(&ranges), random.pick(&ranges));
    let policies = random.pick(&[1, 3]);
    let mut time = 0;
    let mut locate = 0;
    let executions = (0..count).map(|_| {
        time += if random.one_in(3) {
            random.below(most)
        } else {
            0
        };
        if random.below(4) > 0 {
            // Runs of one symbol happen, and some symbols are hotter than others.
            locate = random.below(symbols).min(random.below(symbols)) * spread.max(1);
        }
        (
            time,
            locate as u16,
            random.below(prices) as u32,
            random.below(shares) as u32,
            1 + random.below(policies) as u8,
        )
    });
    let executions: Vec<Execution> = executions.collect();
    let step_millis = random.pick(&[1, 3, 10, 1_000]);
    let steps = (time / step_millis) as u32;
    let count = 1 + random.below(4);
    let widths = (0..count).map(|_| 1 + (random.below(1 << 9) >> random.below(9)) as u32);
    let widths = widths.collect();
    Case {
        name: format!("seed {seed}"),
        executions,
        mask: 1,
        step_millis,
        grid: Grid {
            first: steps.saturating_sub(random.below(30) as u32),
            ends: random.below(60) as u32,
            widths,
        },
    }
}
