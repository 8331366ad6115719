//! How late packets left, as counts in classes of about 3 %.

/// Classes of one power of two.
const STEPS: u64 = 32;
/// Powers of two above the first [`STEPS`] values.
const POWERS: u64 = 59;

/// Counts of latenesses in nanoseconds; memory does not grow.
#[derive(Debug)]
pub(super) struct Lateness {
    classes: Box<[u64]>,
    count: u64,
    total_ns: u64,
    max_ns: u64,
}

impl Lateness {
    pub(super) fn new() -> Self {
        Self {
            classes: vec![0; (STEPS * (POWERS + 1)) as usize].into(),
            count: 0,
            total_ns: 0,
            max_ns: 0,
        }
    }

    pub(super) fn record(&mut self, ns: u64) {
        self.classes[class(ns)] += 1;
        self.count += 1;
        self.total_ns = self.total_ns.saturating_add(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    pub(super) fn total_ns(&self) -> u64 {
        self.total_ns
    }

    pub(super) fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// What so many of a thousand are not later than, to 3 % above; 0 before anything is recorded.
    pub(super) fn per_mille(&self, part: u64) -> u64 {
        let wanted = u128::from(self.count) * u128::from(part);
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += u128::from(*count) * 1_000;
            if seen >= wanted && *count > 0 {
                return highest(class as u64).min(self.max_ns);
            }
        }
        self.max_ns
    }
}

/// Values below [`STEPS`] have a class each; above, every power of two has [`STEPS`] classes.
fn class(ns: u64) -> usize {
    let power = u64::from((ns | (STEPS - 1)).ilog2() + 1 - STEPS.ilog2());
    let step = if power == 0 {
        ns
    } else {
        (ns >> (power - 1)) - STEPS
    };
    (power * STEPS + step) as usize
}

/// The highest value of a class.
fn highest(class: u64) -> u64 {
    let (power, step) = (class / STEPS, class % STEPS);
    if power == 0 {
        step
    } else {
        // One less than the next class begins with, which may lie beyond 64 bits.
        (((u128::from(STEPS + step) + 1) << (power - 1)) - 1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_each_other_without_holes() {
        for power in 0..64 {
            for ns in [(1_u64 << power) - 1, 1 << power, (1 << power) + 1] {
                let class = class(ns);
                assert!(highest(class as u64) >= ns, "{ns}");
                assert!(class == 0 || highest(class as u64 - 1) < ns, "{ns}");
            }
        }
        assert_eq!(highest(class(u64::MAX) as u64), u64::MAX);
        assert_eq!(class(u64::MAX) + 1, Lateness::new().classes.len());
    }

    #[test]
    fn quantiles_of_a_known_set() {
        let mut late = Lateness::new();
        assert_eq!((late.per_mille(500), late.max_ns()), (0, 0));
        (1..=1_000).for_each(|us| late.record(us * 1_000));
        let near = |found: u64, wanted: u64| (wanted..=wanted + wanted / 30).contains(&found);
        assert!(
            near(late.per_mille(500), 500_000),
            "{}",
            late.per_mille(500)
        );
        assert!(
            near(late.per_mille(990), 990_000),
            "{}",
            late.per_mille(990)
        );
        assert_eq!(late.per_mille(1_000), 1_000_000);
        assert_eq!((late.max_ns(), late.total_ns()), (1_000_000, 500_500_000));
    }
}
