//! The vector path: plain loops inside pulp's dispatch, which compiles them for each instruction set.
//! They are written as [`WithSimd`] rather than as closures: a closure becomes a function of its own,
//! compiled for the oldest machine, unless the compiler happens to inline it.
//!
//! Windows over executions ([`Kernel`]): a notional is the difference of two prefix sums of
//! price·shares. Prefixes are 64 bits and
//! may wrap: their difference is exact as long as the window's own sum is below 2^64, which holds when
//! (largest price) x (largest shares) x (executions) is, over the whole symbol. Where that cannot be
//! shown, prefixes are 128 bits wide. High and low of windows whose bounds only move forwards come
//! from the candidates that no later execution exceeds; when a bound moves back, as at the start of
//! the next width, the queue starts afresh.

mod bars;
mod day;
mod dispatch;
mod extremes;
mod grid;
mod planes;
mod slide;
mod totals;

use pulp::{Arch, WithSimd};

pub use dispatch::{Work, dispatch};

use crate::market::{Notional, Price};
use crate::memory::Memory;
use crate::window::{Bounds, Job, Kernel, Sums};

/// Vectorised loops on one thread, which ask for memory ahead of time where the environment allows.
#[derive(Clone, Copy, Debug)]
pub struct Simd {
    arch: Arch,
    memory: Memory,
}

impl Default for Simd {
    fn default() -> Self {
        Self {
            arch: Arch::default(),
            memory: Memory::asked(),
        }
    }
}

impl Kernel for Simd {
    fn name(&self) -> &'static str {
        "simd"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        let mut workspace = Workspace::default();
        for job in jobs {
            self.evaluate_symbol(job, &mut workspace);
        }
    }
}

/// What is kept from one symbol to the next, for its memory.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    volumes: Vec<u64>,
    notionals: Vec<u64>,
    highs: Candidates,
    lows: Candidates,
}

impl Simd {
    pub(super) fn evaluate_symbol(&self, job: &mut Job<'_>, workspace: &mut Workspace) {
        let (prices, shares) = (job.prices, job.shares);
        let Workspace {
            volumes,
            notionals,
            highs,
            lows,
        } = workspace;
        let (max_price, max_shares) = self.arch.dispatch(Extent(prices, shares));
        let most = u128::from(max_price) * u128::from(max_shares) * prices.len() as u128;
        volumes.clear();
        volumes.push(0);
        volumes.extend(shares.iter().map(|&shares| u64::from(shares)));
        add_up(volumes);
        if u64::try_from(most).is_ok() {
            notionals.clear();
            notionals.resize(prices.len() + 1, 0);
            self.arch
                .dispatch(Multiply(prices, shares, &mut notionals[1..]));
            add_up(notionals);
            sum_windows(job, (highs, lows), volumes, |low, high| {
                u128::from(notionals[high].wrapping_sub(notionals[low]))
            });
        } else {
            let products = prices.iter().zip(shares);
            let notionals: Vec<u128> = std::iter::once(0)
                .chain(products.scan(0, |total, (&price, &shares)| {
                    *total += u128::from(price) * u128::from(shares);
                    Some(*total)
                }))
                .collect();
            sum_windows(job, (highs, lows), volumes, |low, high| {
                notionals[high] - notionals[low]
            });
        }
    }
}

/// The greatest of the prices and of the shares.
struct Extent<'a>(&'a [u32], &'a [u32]);

impl WithSimd for Extent<'_> {
    type Output = (u32, u32);

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> (u32, u32) {
        (greatest(self.0), greatest(self.1))
    }
}

/// Greatest value, 0 of none; a plain loop that vectorises.
#[inline(always)]
fn greatest(values: &[u32]) -> u32 {
    let mut greatest = 0;
    for &value in values {
        greatest = greatest.max(value);
    }
    greatest
}

/// 64-bit products of prices and shares.
struct Multiply<'a>(&'a [u32], &'a [u32], &'a mut [u64]);

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for ((product, &price), &shares) in self.2.iter_mut().zip(self.0).zip(self.1) {
            *product = u64::from(price) * u64::from(shares);
        }
    }
}

/// Makes each value the sum of all up to it, modulo 2^64.
fn add_up(values: &mut [u64]) {
    let mut total = 0_u64;
    for value in values {
        total = total.wrapping_add(*value);
        *value = total;
    }
}

fn sum_windows(
    job: &mut Job<'_>,
    (highs, lows): (&mut Candidates, &mut Candidates),
    volumes: &[u64],
    notional: impl Fn(usize, usize) -> u128,
) {
    highs.clear();
    lows.clear();
    let mut previous = Bounds::default();
    for (bounds, sums) in job.bounds.iter().zip(job.sums.iter_mut()) {
        if bounds.low < previous.low || bounds.high < previous.high {
            highs.clear();
            lows.clear();
        }
        previous = *bounds;
        let (low, high) = (bounds.low as usize, bounds.high as usize);
        if low == high {
            *sums = Sums::default();
            continue;
        }
        *sums = Sums {
            notional: Notional::new(notional(low, high)),
            volume: volumes[high].wrapping_sub(volumes[low]),
            trades: (high - low) as u32,
            open: Price(job.prices[low]),
            high: highs.extreme(job.prices, low, high, |old, new| old <= new),
            low: lows.extreme(job.prices, low, high, |old, new| old >= new),
            close: Price(job.prices[high - 1]),
        };
    }
}

/// Indices of the executions in the window that no later one exceeds, oldest first.
#[derive(Debug, Default)]
struct Candidates {
    indices: std::collections::VecDeque<u32>,
    /// Executions looked at so far.
    seen: usize,
}

impl Candidates {
    fn clear(&mut self) {
        self.indices.clear();
        self.seen = 0;
    }

    /// The extreme price of `low..high`; `beaten(old, new)` orders the prices.
    #[inline]
    fn extreme(
        &mut self,
        prices: &[u32],
        low: usize,
        high: usize,
        beaten: impl Fn(u32, u32) -> bool,
    ) -> Price {
        for index in self.seen.max(low)..high {
            while self
                .indices
                .back()
                .is_some_and(|&old| beaten(prices[old as usize], prices[index]))
            {
                self.indices.pop_back();
            }
            self.indices.push_back(index as u32);
        }
        self.seen = self.seen.max(high);
        while self
            .indices
            .front()
            .is_some_and(|&index| (index as usize) < low)
        {
            self.indices.pop_front();
        }
        Price(
            self.indices
                .front()
                .map_or(0, |&index| prices[index as usize]),
        )
    }
}
