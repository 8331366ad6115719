//! The suite that every kernel must pass: seeded and adversarial windows, answers by folding.
//!
//! The expected sums are worked out here, field by field, and share no code with the crate.

use widetape::market::{Notional, Price};
use widetape::window::{Bounds, Job, Kernel, Sums};

use super::random::Random;

/// The executions of one symbol and the windows asked of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) prices: Vec<u32>,
    pub(crate) shares: Vec<u32>,
    pub(crate) bounds: Vec<Bounds>,
}

/// What a kernel must not leave standing.
fn leftover() -> Sums {
    Sums {
        notional: Notional::new(1 << 95 | 77),
        volume: u64::MAX - 5,
        trades: 3,
        open: Price(9),
        high: Price(u32::MAX),
        low: Price(0),
        close: Price(11),
    }
}

/// The sums of one window, each field for itself.
pub(crate) fn expected(case: &Case, bounds: Bounds) -> Sums {
    let inside = bounds.low as usize..bounds.high as usize;
    let (prices, shares) = (&case.prices[inside.clone()], &case.shares[inside]);
    let ticks = |price: Option<&u32>| Price(price.copied().unwrap_or(0));
    Sums {
        notional: Notional::new(
            std::iter::zip(prices, shares)
                .map(|(&price, &shares)| u128::from(price) * u128::from(shares))
                .sum(),
        ),
        volume: shares.iter().map(|&shares| u64::from(shares)).sum(),
        trades: prices.len() as u32,
        open: ticks(prices.first()),
        high: ticks(prices.iter().max()),
        low: ticks(prices.iter().min()),
        close: ticks(prices.last()),
    }
}

/// Asks `kernel` for all cases at once and compares every answer.
pub(crate) fn check(kernel: &dyn Kernel, cases: &[Case]) -> Result<(), String> {
    let mut answers: Vec<Vec<Sums>> = cases
        .iter()
        .map(|case| vec![leftover(); case.bounds.len()])
        .collect();
    let mut jobs: Vec<Job<'_>> = cases
        .iter()
        .zip(&mut answers)
        .map(|(case, sums)| Job {
            prices: &case.prices,
            shares: &case.shares,
            bounds: &case.bounds,
            sums,
        })
        .collect();
    kernel.evaluate(&mut jobs);
    drop(jobs);
    for (case, sums) in cases.iter().zip(answers) {
        for (index, (&bounds, got)) in case.bounds.iter().zip(sums).enumerate() {
            let wanted = expected(case, bounds);
            if got != wanted {
                let (kernel, case) = (kernel.name(), &case.name);
                return Err(format!(
                    "{kernel}, {case}, window {index} {bounds:?}:\n got    {got:?}\n wanted {wanted:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Every case, one by one and all together: what a kernel must pass.
pub(crate) fn suite(kernel: &dyn Kernel) -> Result<(), String> {
    let mut cases = adversarial();
    for seed in 0..200 {
        cases.push(random(seed));
    }
    cases.push(long());
    for case in &cases {
        check(kernel, std::slice::from_ref(case))?;
    }
    check(kernel, &cases)?;
    check(kernel, &[])
}

/// A case whose windows are `bounds` as (low, high).
pub(crate) fn case(name: &str, executions: &[(u32, u32)], bounds: &[(u32, u32)]) -> Case {
    let (prices, shares) = executions.iter().copied().unzip();
    let bounds = bounds
        .iter()
        .map(|&(low, high)| Bounds { low, high })
        .collect();
    Case {
        name: name.to_owned(),
        prices,
        shares,
        bounds,
    }
}

/// Every window that `count` executions have, in an order in which bounds move back often.
fn every_window(count: u32) -> Vec<(u32, u32)> {
    let windows = (0..=count).flat_map(|low| (low..=count).map(move |high| (low, high)));
    let mut windows: Vec<(u32, u32)> = windows.collect();
    windows.sort_by_key(|&(low, high)| high - low);
    windows
}

fn adversarial() -> Vec<Case> {
    const MAX: u32 = u32::MAX;
    let at = |price, shares, count: usize| vec![(price, shares); count];
    // 15 products of these two come to 2^64 - 1, the last sum that 64 bits hold.
    let just_fits = at(1_722_007_169, 714_156_689, 15);
    let rising: Vec<(u32, u32)> = (1..=20).map(|i| (i * 10, i)).collect();
    let falling: Vec<(u32, u32)> = rising.iter().rev().copied().collect();
    let zigzag: Vec<(u32, u32)> = (0..20)
        .map(|i| (if i % 2 == 0 { 100 + i } else { 900 - i }, 1 + i % 3))
        .collect();
    let mut cases = vec![
        case("nothing", &[], &[]),
        case("no executions", &[], &[(0, 0), (0, 0)]),
        case("no windows", &[(5, 6)], &[]),
        case(
            "one execution",
            &[(5, 6)],
            &[(0, 1), (1, 1), (0, 0), (0, 1)],
        ),
        case(
            "one execution of the greatest",
            &[(MAX, MAX)],
            &every_window(1),
        ),
        case("free of charge", &[(0, 7), (0, 9)], &every_window(2)),
        case("no shares", &[(7, 0), (9, 0)], &every_window(2)),
        case("rising", &rising, &every_window(20)),
        case("falling", &falling, &every_window(20)),
        case("zigzag", &zigzag, &every_window(20)),
        case("one price", &at(42, 1, 12), &every_window(12)),
    ];
    let limits = [
        ("volume up to 2^32 - 1", at(1, 1 << 30, 3)),
        ("volume from 2^32", at(1, 1 << 30, 4)),
        (
            "notional around 2^32",
            vec![(1 << 16, 65_535), (1 << 16, 1)],
        ),
        (
            "notional around 2^53",
            vec![(1 << 27, 1 << 26), (1, 1), (1, 1)],
        ),
        ("notional of 2^64 - 1", just_fits),
        ("notional of 2^64", at(1 << 31, 1 << 31, 4)),
        ("notional beyond 2^64", at(MAX, MAX, 40)),
        (
            "greatest beside least",
            vec![(MAX, MAX), (0, 0), (1, 1), (MAX, 1), (1, MAX)],
        ),
    ];
    for (name, executions) in limits {
        cases.push(case(
            name,
            &executions,
            &every_window(executions.len() as u32),
        ));
    }
    // The first four come to 2^63 + 2^32 - 1, the others to what is missing to 2^64: the carry out of the
    // low words is what takes the high ones over.
    let half = (1 << 31, 1 << 31);
    let less = ((1 << 31) - 1, (1 << 31) - 1);
    let zero = (0, 0);
    let carries = [half, half, (MAX, 1), zero, half, less, zero, zero, zero];
    cases.push(case("words that carry", &carries, &every_window(9)));
    let many = at(MAX, MAX, 70_000);
    let ends = [(0, 70_000), (1, 70_000), (0, 69_999), (35_000, 35_001)];
    cases.push(case("the greatest sum of many", &many, &ends));
    cases
}

/// More executions than any backend looks at in one piece, and windows of all widths over them, some of
/// whose sums come near 2^64.
fn long() -> Case {
    let mut random = Random(11);
    let count = 9_000;
    let executions: Vec<(u32, u32)> = (0..count)
        .map(|_| (random.below(1 << 31) as u32, random.below(1 << 20) as u32))
        .collect();
    let mut bounds = vec![(0, count), (4_095, 4_097), (0, 4_096), (4_096, 8_192)];
    for _ in 0..100 {
        let width = 1 << random.below(13);
        let low = random.below(u64::from(count)) as u32;
        bounds.push((low, (low + width).min(count)));
    }
    case("long", &executions, &bounds)
}

/// A case drawn from `seed`.
pub(crate) fn random(seed: u64) -> Case {
    let mut random = Random(seed);
    let longest = random.pick(&[1, 2, 9, 65, 300]);
    let count = random.below(longest + 1);
    let ranges = [1, 3, 1_000, 1 << 20, 1 << 32];
    let (price_range, share_range) = (random.pick(&ranges), random.pick(&ranges));
    let executions: Vec<(u32, u32)> = (0..count)
        .map(|_| {
            let edge = random.pick(&[0, 1, u32::MAX]);
            let price = random.below(price_range) as u32;
            let shares = random.below(share_range) as u32;
            match random.below(16) {
                0 => (edge, shares),
                1 => (price, edge),
                _ => (price, shares),
            }
        })
        .collect();
    let mut bounds: Vec<(u32, u32)> = Vec::new();
    for _ in 0..1 + random.below(3) {
        let forwards = random.below(4) > 0;
        let (mut low, mut high) = (0, 0);
        for _ in 0..random.below(40) {
            if forwards {
                let stride = 1 + random.below(8);
                high = (high + random.below(stride)).min(count);
                low = (low + random.below(stride)).min(high);
            } else {
                high = random.below(count + 1);
                low = random.below(high + 1);
            }
            bounds.push((low as u32, high as u32));
        }
    }
    case(&format!("seed {seed}"), &executions, &bounds)
}
