//! The jobs over a day on drawn executions, shrunk when a kernel is wrong, and the suite on each.

use proptest::prelude::*;
use widetape::cpu::{Parallel, Scalar, Simd};
use widetape::window::day::Grid;

use crate::common::day_jobs::{Buffers, Case, Execution, check, suite};

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        1 => Just(0),
        1 => Just(1),
        2 => Just(u32::MAX),
        4 => 0..2_000_000_u32,
        2 => any::<u32>(),
    ]
}

fn executions() -> impl Strategy<Value = Vec<Execution>> {
    let symbol = prop_oneof![3 => Just(5_u16), 2 => 0..4_u16, 1 => any::<u16>()];
    let wait = prop_oneof![3 => Just(0_u64), 3 => 0..30_u64, 1 => 0..5_000_u64];
    let policies = prop_oneof![3 => Just(1_u8), 1 => any::<u8>()];
    let one = (wait, symbol, value(), value(), policies);
    proptest::collection::vec(one, 0..120).prop_map(|mut executions| {
        let mut time = 0;
        for execution in &mut executions {
            time += execution.0;
            execution.0 = time;
        }
        executions
    })
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let widths = proptest::collection::vec(prop_oneof![0..6_u32, 0..300_u32], 0..4);
    let asked = (
        1..40_u64,
        widths,
        any::<prop::sample::Index>(),
        0..50_u32,
        1..4_u8,
    );
    (executions(), asked).prop_map(|(executions, (step_millis, widths, first, ends, mask))| {
        let last = executions.last().map_or(0, |execution| execution.0) / step_millis;
        Case {
            name: "drawn".to_owned(),
            executions,
            mask,
            step_millis,
            grid: Grid {
                first: first.index(last as usize + 10) as u32,
                ends,
                widths,
            },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kernel_does_the_jobs(case in cases()) {
        let mut buffers = Buffers::default();
        prop_assert_eq!(check(&Scalar, &case, &mut buffers), Ok(()));
        prop_assert_eq!(check(&Simd::default(), &case, &mut buffers), Ok(()));
        prop_assert_eq!(check(&Parallel::default(), &case, &mut buffers), Ok(()));
    }
}

#[test]
fn every_kernel_passes_the_suite() {
    suite(&Scalar).unwrap();
    suite(&Simd::default()).unwrap();
    suite(&Parallel::default()).unwrap();
}
