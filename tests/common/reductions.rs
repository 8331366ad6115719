//! The suite that everything must pass which tells what a selection picks of the ends of a day.
//!
//! The expected windows are worked out here from the executions alone: windows by folding, ranks by
//! counting who is ahead, deviations in digits of 32 bits.

mod cases;

use std::collections::BTreeMap;

use widetape::columns::{Resident, TradeSlices};
use widetape::market::{Duration, Locate, Notional, Price};
use widetape::window::day::{Picked, Reduction};
use widetape::window::{Measure, Selection, Sums, Width};

#[cfg(feature = "gpu")]
pub(crate) use cases::selections;
pub(crate) use cases::{adversarial, random};

/// An execution: time in milliseconds, locate, price, shares.
pub(crate) type Execution = (u64, u16, u32, u32);

/// A day and what is asked of it, several times.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// In feed order; times never decrease.
    pub(crate) executions: Vec<Execution>,
    pub(crate) asked: Vec<Reduction>,
}

/// What answers everything that is asked of a day.
pub(crate) type Tells<'a> = dyn FnMut(&Resident, &[Reduction]) -> Vec<Vec<Picked>> + 'a;

/// The whole number `a`, times the whole number `b`, in digits of 32 bits, the low ones first.
fn product(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut digits = vec![0_u32; a.len() + b.len()];
    for (i, &a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, &b) in b.iter().enumerate() {
            let sum = u64::from(a) * u64::from(b) + u64::from(digits[i + j]) + carry;
            digits[i + j] = sum as u32;
            carry = sum >> 32;
        }
        digits[i + b.len()] = carry as u32;
    }
    digits
}

fn digits(value: u128) -> Vec<u32> {
    (0..4).map(|digit| (value >> (32 * digit)) as u32).collect()
}

fn difference(more: &[u32], less: &[u32]) -> Vec<u32> {
    let mut borrow = 0;
    let digit = |(&more, &less): (&u32, &u32)| {
        let digit = i64::from(more) - i64::from(less) - borrow;
        borrow = i64::from(digit < 0);
        digit as u32
    };
    more.iter().zip(less).map(digit).collect()
}

fn strays(short: &Sums, long: &Sums, basis_points: u32) -> bool {
    if short.volume == 0 || long.volume == 0 || long.notional.get() == 0 {
        return false;
    }
    let a = product(&digits(short.notional.get()), &digits(long.volume.into()));
    let b = product(&digits(long.notional.get()), &digits(short.volume.into()));
    let is_more = a.iter().rev().ge(b.iter().rev());
    let apart = if is_more {
        difference(&a, &b)
    } else {
        difference(&b, &a)
    };
    let (apart, all) = (product(&apart, &[10_000]), product(&b, &[basis_points]));
    apart.iter().rev().ge(all.iter().rev())
}

fn measure(by: Measure, sums: &Sums) -> u128 {
    match by {
        Measure::Volume => sums.volume.into(),
        Measure::Notional => sums.notional.get(),
        Measure::Trades => sums.trades.into(),
        Measure::Range => (sums.high.0 - sums.low.0).into(),
    }
}

/// The windows of one end by (locate, window).
type Held = BTreeMap<(u16, u8), Sums>;

fn held(executions: &[Execution], asked: &Reduction, end: u64) -> Held {
    let mut held = Held::new();
    let step = asked.step.nanos() / 1_000_000;
    for (window, width) in asked.widths.iter().enumerate() {
        let start = match width {
            Width::Session => 0,
            Width::Finite(width) => (end * step).saturating_sub(width.nanos() / 1_000_000),
        };
        let from = executions.partition_point(|execution| execution.0 < start);
        let to = executions.partition_point(|execution| execution.0 < end * step);
        for &(_, locate, price, shares) in executions.get(from..to).unwrap_or_default() {
            let sums = held.entry((locate, window as u8)).or_insert(Sums {
                open: Price(price),
                low: Price(price),
                ..Sums::default()
            });
            sums.notional += Notional::from(u64::from(price) * u64::from(shares));
            sums.volume += u64::from(shares);
            sums.trades += 1;
            sums.high = sums.high.max(Price(price));
            sums.low = sums.low.min(Price(price));
            sums.close = Price(price);
        }
    }
    held
}

fn picked(held: &Held, selection: Selection) -> Held {
    match selection {
        Selection::Totals => {
            let mut totals = Held::new();
            for (&(_, window), sums) in held {
                let total = totals.entry((0, window)).or_default();
                total.notional += sums.notional;
                total.volume += sums.volume;
                total.trades += sums.trades;
            }
            totals
        }
        Selection::Top { count, by } => {
            let ahead = |key: &(u16, u8), sums: &Sums| {
                let rivals = held.iter().filter(|(rival, other)| {
                    let (mine, theirs) = (measure(by, sums), measure(by, other));
                    rival.1 == key.1 && (theirs > mine || (theirs == mine && rival.0 < key.0))
                });
                rivals.count()
            };
            let first = held.iter().filter(|(key, sums)| ahead(key, sums) < count);
            first.map(|(&key, &sums)| (key, sums)).collect()
        }
        Selection::Deviation {
            short,
            long,
            basis_points,
        } => {
            let window = |locate, window| held.get(&(locate, window));
            let is_far = |locate| match (window(locate, short), window(locate, long)) {
                (Some(short), Some(long)) => strays(short, long, basis_points),
                _ => false,
            };
            let far = held.iter().filter(|((locate, window), _)| {
                (*window == short || *window == long) && is_far(*locate)
            });
            far.map(|(&key, &sums)| (key, sums)).collect()
        }
    }
}

/// The executions as a day.
pub(crate) fn resident(executions: &[Execution]) -> Resident {
    let column = |field: fn(&Execution) -> u32| executions.iter().map(field).collect::<Vec<u32>>();
    let times: Vec<u64> = executions
        .iter()
        .map(|e| e.0 * 1_000_000 + e.0 % 999)
        .collect();
    let locates: Vec<u16> = executions.iter().map(|e| e.1).collect();
    let mut day = Resident::default();
    day.fill(&[TradeSlices {
        times: &times,
        locates: &locates,
        prices: &column(|e| e.2),
        shares: &column(|e| e.3),
        policies: &[],
        mask: 1,
    }])
    .expect("a day");
    day
}

/// Asks for everything of a case and compares every answer.
pub(crate) fn check(tells: &mut Tells<'_>, case: &Case) -> Result<(), String> {
    let day = resident(&case.executions);
    let all = tells(&day, &case.asked);
    if all.len() != case.asked.len() {
        return Err(format!("{}: {} answers", case.name, all.len()));
    }
    for (asked, told) in case.asked.iter().zip(all) {
        let mut wanted = Vec::new();
        for end in asked.first..asked.first + asked.ends {
            let held = held(&case.executions, asked, end.into());
            wanted.extend(picked(&held, asked.selection).into_iter().map(
                |((locate, window), sums)| Picked {
                    end,
                    locate: Locate(locate),
                    window,
                    sums,
                },
            ));
        }
        if told != wanted {
            let differs = (0..).find(|&index| told.get(index) != wanted.get(index));
            let index = differs.unwrap_or(0);
            return Err(format!(
                "{}, {asked:?}, at {index}:\n got    {:?}\n wanted {:?}",
                case.name,
                told.get(index),
                wanted.get(index)
            ));
        }
    }
    Ok(())
}

/// Every case: what must be passed.
pub(crate) fn suite(tells: &mut Tells<'_>) -> Result<(), String> {
    for case in adversarial() {
        check(tells, &case)?;
    }
    for seed in 0..40 {
        check(tells, &random(seed))?;
    }
    Ok(())
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis).expect("up to a day")
}
