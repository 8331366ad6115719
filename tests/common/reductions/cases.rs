//! The days of the suite.

use widetape::window::day::Reduction;
use widetape::window::{Measure, Selection, Width};

use super::{Case, Execution, millis};
use crate::common::random::Random;

const MAX: u32 = u32::MAX;

/// Selections of every kind for two windows or more, of which some pick much and some little.
pub(crate) fn selections() -> Vec<Selection> {
    let top = |count| move |(_, by)| Selection::Top { count, by };
    let mut selections = vec![Selection::Totals];
    selections.extend(Measure::EACH.map(top(1)));
    selections.extend(Measure::EACH.map(top(5)));
    selections.push(Selection::Top {
        count: 128,
        by: Measure::Volume,
    });
    for (short, long, basis_points) in [(0, 1, 0), (1, 0, 50), (0, 1, 2_500), (0, 1, MAX)] {
        selections.push(Selection::Deviation {
            short,
            long,
            basis_points,
        });
    }
    selections
}

/// Everything that may be asked of ten ends, once for each of `widths` in milliseconds and the session.
fn asked(step: u64, first: u32, widths: &[u64]) -> Vec<Reduction> {
    let mut all: Vec<Width> = widths.iter().map(|&w| Width::Finite(millis(w))).collect();
    all.push(Width::Session);
    let reduction = |selection| Reduction {
        step: millis(step),
        first,
        ends: 10,
        widths: all.clone(),
        selection,
    };
    selections().into_iter().map(reduction).collect()
}

fn case(name: &str, executions: Vec<Execution>, asked: Vec<Reduction>) -> Case {
    Case {
        name: name.to_owned(),
        executions,
        asked,
    }
}

/// Days that hurried code gets wrong: ties, carries, bounds of sums, emptiness.
pub(crate) fn adversarial() -> Vec<Case> {
    let each = |count: u64, each: fn(u64) -> Execution| (0..count).map(each).collect::<Vec<_>>();
    let mut cases = vec![
        case("nothing", vec![], asked(10, 0, &[10])),
        case("one trade a day", vec![(5, 1, 10, 20)], asked(10, 0, &[10])),
        case(
            "everyone alike, in more lanes than one workgroup has",
            each(1_200, |i| (i / 600, (i % 600) as u16, 100, 7)),
            asked(1, 0, &[1]),
        ),
        case(
            "the greatest come last, in pairs",
            each(600, |i| (3, i as u16, 100 + i as u32 / 2, 1 + i as u32 / 2)),
            asked(2, 0, &[1]),
        ),
        case(
            "one lane has all of the greatest",
            each(700, |i| {
                (
                    3,
                    i as u16,
                    100,
                    if i % 256 == 9 { 90 } else { 1 + (i % 7) as u32 },
                )
            }),
            asked(2, 0, &[1]),
        ),
        case(
            "volumes and notionals around every power of a word",
            each(400, |i| {
                let word = |shift: u64| (1_u64 << shift).min(u64::from(MAX)) as u32;
                (i / 4, (i % 40) as u16, word(i % 33), word(32 - i % 33))
            }),
            asked(10, 1, &[10, 25]),
        ),
        case(
            "the greatest of everything",
            each(2_000, |i| {
                (i / 20, (i % 300) as u16, MAX, MAX - (i % 2) as u32)
            }),
            asked(10, 1, &[33, 10]),
        ),
        case(
            "one symbol with everything",
            each(5_000, |i| {
                (i / 50, 9, 1_000_000 + i as u32 % 977, i as u32 % 90)
            }),
            asked(10, 2, &[1, 10]),
        ),
        case(
            "no shares, and no price",
            vec![
                (1, 3, 0, 0),
                (2, 3, 0, 5),
                (3, 4, 7, 0),
                (11, 3, 7, 2),
                (12, 5, 0, 9),
            ],
            asked(10, 0, &[10]),
        ),
    ];
    cases.extend(far_apart());
    cases.push(around_the_threshold());
    cases.push(huge());
    cases
}

/// Executions and ends with much time between them.
fn far_apart() -> [Case; 2] {
    let executions: Vec<Execution> = (0..90)
        .map(|i| (i, (i % 5) as u16, 10 + i as u32, 3))
        .collect();
    [
        case(
            "only before the windows",
            executions.clone(),
            asked(1_000, 50, &[1_000, 86_400_000]),
        ),
        case(
            "ends far behind every execution",
            executions,
            asked(86_400_000, 40, &[1_000, 86_400_000]),
        ),
    ]
}

/// Symbols whose last price is 50 basis points or a little less from the average of both, in few shares and
/// in so many that all words of the products differ.
fn around_the_threshold() -> Case {
    let mut executions: Vec<Execution> = Vec::new();
    for (time, prices) in [
        (1, [990_000, 990_001, 1_010_000, 1_009_999]),
        (11, [1_000_000; 4]),
    ] {
        for locate in 0..80_u16 {
            let shares = if locate < 8 {
                1
            } else {
                3_000_000_000 + 9_876_543 * u32::from(locate)
            };
            executions.push((time, locate, prices[usize::from(locate) % 4], shares));
        }
    }
    case("around the threshold", executions, asked(10, 1, &[10]))
}

/// A symbol whose cross products need more than 160 bits, beside one that hardly trades.
fn huge() -> Case {
    let mut executions: Vec<Execution> = (0..70_000).map(|i| (i / 7_000, 1, MAX, MAX)).collect();
    executions.push((10, 1, 1, MAX));
    executions.push((10, 2, MAX, 1));
    let mut asked = asked(1, 8, &[2, 3]);
    asked.iter_mut().for_each(|asked| asked.ends = 4);
    case("products beyond 160 bits", executions, asked)
}

/// A case drawn from `seed`.
pub(crate) fn random(seed: u64) -> Case {
    let mut random = Random(seed);
    let count = random.pick(&[0, 1, 30, 300, 3_000]);
    let symbols = random.pick(&[1, 2, 5, 200, 700]);
    let spread = random.pick(&[1, 9, 1 << 16]) / symbols;
    let ranges = [1, 3, 1_000, 1 << 20, 1 << 32];
    let (prices, shares) = (random.pick(&ranges), random.pick(&ranges));
    let mut time = 0;
    let mut executions: Vec<Execution> = Vec::new();
    for _ in 0..count {
        time += random.below(9) / 7 * random.below(60);
        let locate = random.below(symbols).min(random.below(symbols)) * spread.max(1);
        let (price, shares) = (random.below(prices) as u32, random.below(shares) as u32);
        executions.push((time, locate as u16, price, shares));
    }
    let step = random.pick(&[1, 3, 10, 1_000]);
    let first = (time / step).saturating_sub(random.below(20)) as u32;
    let widths = [1 + random.below(500), 1 + random.below(30)];
    let selections = asked(step, first, &widths);
    let asked = selections
        .into_iter()
        .filter(|_| random.one_in(3))
        .collect();
    case(&format!("seed {seed}"), executions, asked)
}
