//! What a selection tells of every end, by the kernels of the CPU, against the suite.

use widetape::columns::Resident;
use widetape::cpu::{Parallel, Scalar, Simd};
use widetape::window::Kernel;
use widetape::window::day::{Picked, Reduction, reduce};

use crate::common::reductions::suite;

pub(crate) fn told_by(
    kernel: &dyn Kernel,
) -> impl FnMut(&Resident, &[Reduction]) -> Vec<Vec<Picked>> + '_ {
    |day, asked| {
        let told = |reduction| {
            let mut told = Vec::new();
            reduce(kernel, day, reduction, |picked| told.push(picked));
            told
        };
        asked.iter().map(told).collect()
    }
}

#[test]
fn every_kernel_tells_what_selections_pick() {
    suite(&mut told_by(&Scalar)).unwrap();
    suite(&mut told_by(&Simd::default())).unwrap();
    suite(&mut told_by(&Parallel::default())).unwrap();
}

#[test]
fn what_is_told_wrongly_is_seen() {
    type Fault = fn(&mut Vec<Picked>);
    let faults: [Fault; 5] = [
        |told| {
            told.pop();
        },
        |told| told.reverse(),
        |told| {
            told.iter_mut()
                .for_each(|picked| picked.sums.volume ^= 1 << 33)
        },
        |told| told.iter_mut().for_each(|picked| picked.end += 1),
        |told| {
            told.iter_mut()
                .for_each(|picked| picked.sums.open = picked.sums.close)
        },
    ];
    for fault in faults {
        let mut tells = told_by(&Scalar);
        let outcome = suite(&mut |day, asked| {
            let mut told = tells(day, asked);
            told.iter_mut().for_each(fault);
            told
        });
        assert!(outcome.is_err());
    }
}
