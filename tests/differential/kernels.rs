//! Kernels on drawn executions and windows, shrunk when one of them is wrong.

use proptest::prelude::*;
use widetape::cpu::{Parallel, Scalar, Simd};
use widetape::window::Kernel;

use crate::common::kernels::{Case, case, check};

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        1 => Just(0),
        1 => Just(1),
        1 => Just(u32::MAX),
        4 => 0..2_000_000_u32,
        2 => any::<u32>(),
    ]
}

fn windows(count: u32) -> impl Strategy<Value = Vec<(u32, u32)>> {
    let window = (0..=count, 0..=count).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let anyhow = proptest::collection::vec(window, 0..30);
    (anyhow, any::<bool>()).prop_map(|(mut windows, monotone)| {
        if monotone {
            let mut lows: Vec<u32> = windows.iter().map(|window| window.0).collect();
            let mut highs: Vec<u32> = windows.iter().map(|window| window.1).collect();
            lows.sort_unstable();
            highs.sort_unstable();
            windows = lows.into_iter().zip(highs).collect();
        }
        windows
    })
}

pub(crate) fn cases() -> impl Strategy<Value = Vec<Case>> {
    let one = proptest::collection::vec((value(), value()), 0..80).prop_flat_map(|executions| {
        windows(executions.len() as u32)
            .prop_map(move |windows| case("drawn", &executions, &windows))
    });
    proptest::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kernel_gives_the_sums(cases in cases()) {
        let kernels: [&dyn Kernel; 3] = [&Scalar, &Simd::default(), &Parallel::default()];
        for kernel in kernels {
            prop_assert_eq!(check(kernel, &cases), Ok(()));
        }
    }
}
