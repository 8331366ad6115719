//! How long a packet's news took, as histograms in nanoseconds.

use std::fmt;

use hdrhistogram::Histogram;

/// Values above a minute are recorded as a minute.
const HIGHEST_NS: u64 = 60_000_000_000;
/// Decimal digits that every recorded value keeps.
const DIGITS: u8 = 3;

/// A way whose time is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From a packet's receipt to its executions being in the windows. Every packet that brought
    /// messages counts, also those that waited in a queue or for the packets before them.
    ReceiptToWindow,
    /// From a packet's receipt to the FIX bytes that tell of it being handed to the system: every
    /// packet of a batch that caused an update, when no byte of it waits for a socket any more.
    ReceiptToFix,
}

impl Stage {
    /// Every stage.
    pub const EACH: [Stage; 2] = [Stage::ReceiptToWindow, Stage::ReceiptToFix];

    /// The name in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Stage::ReceiptToWindow => "receipt to window",
            Stage::ReceiptToFix => "receipt to FIX",
        }
    }
}

/// Latency histograms, one for each [`Stage`]; about 0.4 MB, fixed.
#[derive(Clone)]
pub struct Latency {
    stages: [Histogram<u64>; Stage::EACH.len()],
}

/// What one stage took, in nanoseconds with three digits. All 0 when `count` is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// How many times were recorded.
    pub count: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// 90 % took at most this.
    pub p90: u64,
    /// 99 % took at most this.
    pub p99: u64,
    /// 99.9 % took at most this.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl Latency {
    /// Empty histograms, allocated in full.
    #[must_use]
    pub fn new() -> Self {
        let empty =
            Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS).expect("the bounds are constants");
        Self {
            stages: [empty.clone(), empty],
        }
    }

    /// Records one time in nanoseconds. Above a minute it counts as a minute, 0 as 1.
    #[inline]
    pub fn record(&mut self, stage: Stage, ns: u64) {
        self.stages[stage as usize].saturating_record(ns.max(1));
    }

    /// Adds everything that `other` recorded.
    pub fn merge(&mut self, other: &Latency) {
        for (mine, theirs) in self.stages.iter_mut().zip(&other.stages) {
            mine.add(theirs).expect("the bounds are the same constants");
        }
    }

    /// The percentiles of one stage.
    #[must_use]
    pub fn percentiles(&self, stage: Stage) -> Percentiles {
        let recorded = &self.stages[stage as usize];
        if recorded.is_empty() {
            return Percentiles::default();
        }
        Percentiles {
            count: recorded.len(),
            p50: recorded.value_at_quantile(0.5),
            p90: recorded.value_at_quantile(0.9),
            p99: recorded.value_at_quantile(0.99),
            p999: recorded.value_at_quantile(0.999),
            max: recorded.max(),
        }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = Stage::EACH.map(|stage| (stage, self.percentiles(stage)));
        f.debug_map().entries(each).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: u64, expected: u64) -> bool {
        value.abs_diff(expected) * 1_000 <= expected
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut latency = Latency::new();
        for ns in 1..=10_000 {
            latency.record(Stage::ReceiptToWindow, ns * 100);
        }
        let seen = latency.percentiles(Stage::ReceiptToWindow);
        assert_eq!(seen.count, 10_000);
        for (value, expected) in [
            (seen.p50, 500_000),
            (seen.p90, 900_000),
            (seen.p99, 990_000),
            (seen.p999, 999_000),
            (seen.max, 1_000_000),
        ] {
            assert!(near(value, expected), "{value} is not near {expected}");
        }
        assert_eq!(
            latency.percentiles(Stage::ReceiptToFix),
            Percentiles::default()
        );
    }

    #[test]
    fn merging_adds_and_limits_hold() {
        let mut first = Latency::new();
        let mut second = Latency::new();
        first.record(Stage::ReceiptToFix, 0);
        second.record(Stage::ReceiptToFix, u64::MAX);
        second.record(Stage::ReceiptToWindow, 5);
        first.merge(&second);
        let seen = first.percentiles(Stage::ReceiptToFix);
        assert_eq!((seen.count, seen.p50), (2, 1));
        assert!(near(seen.max, HIGHEST_NS), "{}", seen.max);
        assert_eq!(first.percentiles(Stage::ReceiptToWindow).count, 1);
    }
}
