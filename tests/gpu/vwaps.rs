//! VWAPs divided on the device, in every tier, whole and in shards: each is looked at as the nearest to the
//! exact rational, and what that does to planted faults.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use widetape::columns::{Resident, TradeSlices};
use widetape::gpu::plan::Limits;
use widetape::gpu::{Error, Gpu, GpuOptions, Shaders, Tier};
use widetape::market::Duration;
use widetape::window::day::Grid;

use super::{drawing, open};

/// Time in milliseconds, locate, price, shares.
type Execution = (u64, u16, u32, u32);

/// By locate, width and end.
type Vwaps = BTreeMap<(u16, usize, u32), Option<u64>>;

const FIRST: u32 = 1;
const ENDS: u32 = 12;
const WIDTHS: [u32; 3] = [1, 4, 20];

fn resident(executions: &[Execution]) -> Resident {
    let times: Vec<u64> = executions.iter().map(|e| e.0 * 1_000_000).collect();
    let mut day = Resident::default();
    day.fill(&[TradeSlices {
        times: &times,
        locates: &executions.iter().map(|e| e.1).collect::<Vec<u16>>(),
        prices: &executions.iter().map(|e| e.2).collect::<Vec<u32>>(),
        shares: &executions.iter().map(|e| e.3).collect::<Vec<u32>>(),
        policies: &[],
        mask: 1,
    }])
    .expect("columns of one length");
    day
}

/// The VWAPs of every window; of the second GPU where the first cannot hold the day.
fn divided(gpus: &[Gpu], executions: &[Execution]) -> Vwaps {
    let day = resident(executions);
    let (step, mut vwaps) = (Duration::from_millis(1).unwrap(), Vwaps::new());
    let grid = Grid {
        first: FIRST,
        ends: ENDS,
        widths: WIDTHS.to_vec(),
    };
    let load = |gpu: &Gpu| match gpu.load(&day) {
        Err(Error::TooLarge { .. }) => None,
        loaded => Some(loaded.expect("the GPU takes the day")),
    };
    let mut holding = gpus.iter().filter_map(|gpu| Some((gpu, load(gpu)?)));
    let (gpu, day) = holding.next().expect("a GPU holds the day");
    let shown = gpu.vwaps(&day, step, &grid, |row| {
        for (end, micros) in (row.first..).zip(row.micros()) {
            let before = vwaps.insert((row.locate.0, row.width, end), micros);
            assert_eq!(before, None, "shown twice");
        }
    });
    shown.expect("the GPU answers");
    vwaps
}

/// What is seen of the windows that were asked, so that a test knows what it has tried.
#[derive(Debug, Default)]
struct Seen {
    ties: usize,
    wide: usize,
    empty: usize,
    windows: usize,
}

/// Whether all are right: no other number is nearer to the rational, and of two as near it is the even one.
fn check(executions: &[Execution], vwaps: &Vwaps, seen: &mut Seen) -> Result<(), String> {
    let mut locates: Vec<u16> = executions.iter().map(|e| e.1).collect();
    locates.sort_unstable();
    locates.dedup();
    let windows = locates.len() * WIDTHS.len() * ENDS as usize;
    if vwaps.len() != windows {
        return Err(format!("{} of {windows} windows", vwaps.len()));
    }
    for (&(locate, width, end), &vwap) in vwaps {
        let start = u64::from(end).saturating_sub(u64::from(WIDTHS[width]));
        let inside = |e: &&Execution| e.1 == locate && (start..u64::from(end)).contains(&e.0);
        let held = executions.iter().filter(inside);
        let (mut notional, mut volume) = (0_u128, 0_u128);
        for &(_, _, price, shares) in held {
            notional += u128::from(price) * u128::from(shares);
            volume += u128::from(shares);
        }
        let is_right = match vwap {
            None => volume == 0,
            Some(vwap) => {
                let off = (100 * notional).abs_diff(u128::from(vwap) * volume);
                seen.ties += usize::from(volume > 0 && 2 * off == volume);
                volume > 0 && (2 * off < volume || (2 * off == volume && vwap % 2 == 0))
            }
        };
        seen.wide += usize::from(notional > u128::from(u64::MAX));
        seen.empty += usize::from(vwap.is_none());
        seen.windows += 1;
        if !is_right {
            return Err(format!("{notional} / {volume}: {vwap:?}"));
        }
    }
    Ok(())
}

/// Ties and all but ties, the greatest prices and shares, windows without volume.
fn suite() -> Vec<Vec<Execution>> {
    const MOST: u32 = u32::MAX;
    let halves = (0..ENDS).map(|at| (u64::from(at), 3, at, 200)).collect();
    let near: Vec<Execution> = [(1, 199), (3, 200), (5, 201), (7, 400), (1, 0), (9, 7)]
        .into_iter()
        .zip(0..)
        .map(|((price, shares), at)| (at, 9, price, shares))
        .collect();
    let one_share_among_many = vec![
        (0, 1, 1, 1),
        (1, 1, 0, 199),
        (2, 2, 3, 1),
        (2, 2, 0, 199),
        (4, 2, MOST, MOST),
    ];
    let most = (0..40).map(|at| (at / 4, 7, MOST, MOST)).collect();
    let steep = (0..12)
        .map(|at| (at, 5, MOST >> at, MOST - at as u32))
        .collect();
    let nothing = vec![(0, 4, MOST, 0), (3, 4, 1, 0), (5, 6, 0, MOST), (6, 8, 1, 1)];
    vec![halves, near, one_share_among_many, most, steep, nothing]
}

fn in_tier(tier: Tier) -> GpuOptions {
    GpuOptions {
        tier: Some(tier),
        ..GpuOptions::default()
    }
}

/// A GPU whose passes hold little, and one that takes what it cannot hold.
fn both(options: &GpuOptions) -> Option<[Gpu; 2]> {
    let small = GpuOptions {
        limits: Some(Limits {
            executions: 16,
            windows: 50,
        }),
        ..options.clone()
    };
    Some([open(&small)?.0, open(options)?.0])
}

#[test]
fn every_tier_divides_exactly() {
    for tier in Tier::EACH {
        let Some(gpus) = both(&in_tier(tier)) else {
            return;
        };
        let mut seen = Seen::default();
        for (case, executions) in suite().iter().enumerate() {
            for gpus in [&gpus[..], &gpus[1..]] {
                let outcome = check(executions, &divided(gpus, executions), &mut seen);
                assert_eq!(outcome, Ok(()), "case {case} in tier {tier}");
            }
        }
        assert!(
            seen.ties > 20 && seen.wide > 50 && seen.empty > 50,
            "{seen:?}"
        );
    }
}

#[test]
fn every_tier_divides_what_is_drawn() {
    let price = prop_oneof![0..8_u32, any::<u32>(), Just(u32::MAX)];
    let shares = prop_oneof![
        prop::sample::select(vec![0, 1, 2, 99, 100, 199, 200, 400]),
        any::<u32>(),
        Just(u32::MAX),
    ];
    let executions = prop::collection::vec((0..14_u64, 0..6_u16, price, shares), 1..80);
    for tier in Tier::EACH {
        let Some(gpus) = both(&in_tier(tier)) else {
            return;
        };
        let drawn = TestRunner::new(drawing(40)).run(&executions, |mut executions| {
            executions.sort_by_key(|execution| execution.0);
            let vwaps = divided(&gpus, &executions);
            prop_assert_eq!(check(&executions, &vwaps, &mut Seen::default()), Ok(()));
            Ok(())
        });
        assert!(drawn.is_ok(), "{tier}: {}", drawn.unwrap_err());
    }
}

#[test]
fn every_fault_planted_in_the_division_is_caught() {
    for (fault, right, wrong) in [
        ("ties go up", "(is_tie && (micros.w & 1u) == 1u)", "is_tie"),
        ("ties go down", "(is_tie && (micros.w & 1u) == 1u)", "false"),
        (
            "nothing goes up",
            "let is_up = is_less(upper, lower) ||",
            "let is_up =",
        ),
        (
            "a bit of the ticks is forgotten",
            "divided(notional, volume, 32u)",
            "divided(notional, volume, 31u)",
        ),
        (
            "a bit of the micros is forgotten",
            "divided(hundredfold(ticks.xy), volume, 7u)",
            "divided(hundredfold(ticks.xy), volume, 6u)",
        ),
        (
            "a borrow is dropped",
            "more.z - less.z - borrow",
            "more.z - less.z",
        ),
        (
            "a carry into the third word is dropped",
            "long_add(long_product(a.y, 100u), long_from(long_words(low).y))",
            "long_product(a.y, 100u)",
        ),
        (
            "bits between words are lost",
            "a.y << bits | (a.x >> 1u) >> rest",
            "a.y << bits",
        ),
        (
            "a window without volume is nothing",
            "vec2<u32>(NO_VWAP, NO_VWAP)",
            "vec2<u32>(0u, 0u)",
        ),
    ] {
        let shaders = Shaders::default().replacing(right, wrong);
        let text = |shaders: &Shaders| shaders.module(widetape::gpu::Stage::Vwap, Tier::Words);
        assert_ne!(text(&shaders), text(&Shaders::default()), "{fault}");
        let options = GpuOptions {
            shaders,
            ..GpuOptions::default()
        };
        let Some(gpu) = open(&options) else {
            return;
        };
        let is_right = |executions: &Vec<Execution>| {
            let vwaps = divided(std::slice::from_ref(&gpu.0), executions);
            check(executions, &vwaps, &mut Seen::default()).is_ok()
        };
        assert!(!suite().iter().all(is_right), "{fault}: not caught");
    }
}
