//! Executions appended to a day that stays on the device, in every tier, whole and in shards: the answers
//! are those of a day that was loaded at once.

use widetape::columns::{Resident, TradeSlices};
use widetape::gpu::plan::Limits;
use widetape::gpu::{Error, Gpu, GpuDay, GpuOptions, Shaders, Stage, Tier};
use widetape::market::Locate;
use widetape::window::day::{Picked, Reduction};

use super::open;
use crate::common::reductions::{Case, adversarial, check, random, resident};

/// The executions of `day` at `from..to` nanoseconds.
fn between(day: &Resident, from: u64, to: u64) -> Resident {
    let symbols: Vec<_> = day.locates().map(|locate| day.symbol(locate)).collect();
    let parts = symbols.iter().map(|symbol| {
        let since = |time| symbol.times.partition_point(|&at| at < time);
        since(from)..since(to)
    });
    let parts: Vec<_> = parts.collect();
    let locates: Vec<Vec<u16>> = symbols
        .iter()
        .zip(&parts)
        .map(|(symbol, part)| vec![symbol.locate.0; part.len()])
        .collect();
    let trades: Vec<TradeSlices<'_>> = symbols
        .iter()
        .zip(parts)
        .zip(&locates)
        .map(|((symbol, part), locates)| TradeSlices {
            times: &symbol.times[part.clone()],
            locates,
            prices: &symbol.prices[part.clone()],
            shares: &symbol.shares[part],
            policies: &[],
            mask: 1,
        })
        .collect();
    let mut chunk = Resident::default();
    chunk.fill(&trades).expect("a part of a day");
    chunk
}

/// Loads a day in chunks of about equal times.
fn in_chunks(gpu: &Gpu, day: &Resident, chunks: u64) -> Result<GpuDay, Error> {
    let last = day
        .locates()
        .filter_map(|locate| day.symbol(locate).times.last().copied());
    let length = last.max().unwrap_or(0) / chunks + 1;
    let mut loaded = gpu.load(&between(day, 0, length))?;
    for chunk in 1..chunks {
        gpu.append(
            &mut loaded,
            &between(day, chunk * length, (chunk + 1) * length),
        )?;
    }
    Ok(loaded)
}

/// What the first GPU that takes the day tells of it.
fn told(gpus: &[Gpu], day: &Resident, asked: &[Reduction]) -> Vec<Vec<Picked>> {
    let loaded = gpus.iter().find_map(|gpu| match in_chunks(gpu, day, 3) {
        Err(Error::TooLarge { .. }) => None,
        loaded => Some((gpu, loaded.expect("the GPU takes the day"))),
    });
    let (gpu, day) = loaded.expect("a GPU takes the day");
    let tell = |reduction| {
        let mut told = Vec::new();
        gpu.reduce(&day, reduction, |picked| told.push(picked))
            .expect("the GPU answers");
        told
    };
    asked.iter().map(tell).collect()
}

fn options(tier: Tier, shaders: Shaders) -> [GpuOptions; 2] {
    let whole = GpuOptions {
        tier: Some(tier),
        shaders,
        ..GpuOptions::default()
    };
    let small = GpuOptions {
        limits: Some(Limits {
            executions: 512,
            windows: 3_000,
        }),
        ..whole.clone()
    };
    [small, whole]
}

fn cases() -> Vec<Case> {
    let mut cases = adversarial();
    cases.pop();
    cases.extend((0..12).map(random));
    cases
}

#[test]
fn every_tier_answers_from_chunks_as_from_a_whole_day() {
    for tier in Tier::EACH {
        let opened = options(tier, Shaders::default()).map(|options| open(&options));
        let [Some(small), Some(whole)] = opened else {
            return;
        };
        let gpus = [small.0, whole.0];
        for case in cases() {
            let checked = check(&mut |day, asked| told(&gpus, day, asked), &case);
            assert_eq!(checked, Ok(()), "{tier}");
        }
    }
}

#[test]
fn what_cannot_be_appended_leaves_the_day_as_it_was() {
    let [small, _] = options(Tier::Words, Shaders::default());
    let Some(gpu) = open(&small) else {
        return;
    };
    let case = random(7);
    let day = resident(&case.executions);
    let mut loaded = gpu.0.load(&day).expect("a small day");
    let locate = day.locates().next().expect("a symbol");
    let last = day.symbol(locate).times.last().expect("an execution") / 1_000_000;
    let early = resident(&[(last - 1, locate.0, 1, 1)]);
    let refused = gpu.0.append(&mut loaded, &early);
    assert_eq!(refused, Err(Error::Early { locate }));
    let many: Vec<_> = (0..513).map(|_| (last + 1, locate.0, 1, 1)).collect();
    let most = 512;
    let refused = gpu.0.append(&mut loaded, &resident(&many));
    assert_eq!(refused, Err(Error::TooLarge { locate, most }));
    assert_eq!(gpu.0.append(&mut loaded, &Resident::default()), Ok(()));
    let checked = check(
        &mut |_, asked| {
            let tell = |reduction| {
                let mut told = Vec::new();
                let done = gpu.0.reduce(&loaded, reduction, |picked| told.push(picked));
                done.expect("the GPU answers");
                told
            };
            asked.iter().map(tell).collect()
        },
        &case,
    );
    assert_eq!(checked, Ok(()));
    assert_ne!(locate, Locate(u16::MAX));
}

#[test]
fn every_fault_planted_in_placing_is_caught() {
    for (fault, right, wrong) in [
        (
            "executions are placed from the symbol's place alone",
            "places[symbol] + execution - starts[symbol]",
            "places[symbol]",
        ),
        (
            "the symbol before is taken",
            "return low;",
            "return max(low, 1u) - 1u;",
        ),
        (
            "times stay behind",
            "placed_times[place] = times[execution];",
            "",
        ),
        (
            "prices and shares are swapped",
            "placed_prices[place] = prices[execution];",
            "placed_prices[place] = shares[execution];",
        ),
        (
            "a lane moves fewer than it should",
            "part < VECTOR; part++",
            "part < VECTOR - 1u; part++",
        ),
    ] {
        let shaders = Shaders::default().replacing(right, wrong);
        let text = |shaders: &Shaders| shaders.module(Stage::Place, Tier::Words);
        assert_ne!(text(&shaders), text(&Shaders::default()), "{fault}");
        let [_, options] = options(Tier::Longs, shaders);
        let Some(gpu) = open(&options) else {
            return;
        };
        let gpus = [gpu.0];
        let mut outcomes = cases()
            .into_iter()
            .map(|case| check(&mut |day, asked| told(&gpus, day, asked), &case));
        assert!(
            outcomes.any(|outcome| outcome.is_err()),
            "{fault}: not caught"
        );
    }
}
