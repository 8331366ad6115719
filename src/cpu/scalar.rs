//! The oracle: every window is summed from its executions, one by one. Never optimised.

mod day;

use crate::window::{Job, Kernel, Sums};

/// The reference that every other backend is held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar;

impl Kernel for Scalar {
    fn name(&self) -> &'static str {
        "scalar"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        for job in jobs {
            for (bounds, sums) in job.bounds.iter().zip(job.sums.iter_mut()) {
                *sums = Sums::default();
                for index in bounds.low as usize..bounds.high as usize {
                    sums.push(job.prices[index], job.shares[index]);
                }
            }
        }
    }
}
