//! The vector path on every core: symbols are independent of each other.

use rayon::prelude::*;

use super::Simd;
use crate::window::{Job, Kernel};

/// Hands the symbols out to rayon's threads, each of which computes as [`Simd`] does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parallel {
    simd: Simd,
}

impl Kernel for Parallel {
    fn name(&self) -> &'static str {
        "parallel"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        jobs.par_iter_mut()
            .for_each(|job| self.simd.evaluate(std::slice::from_mut(job)));
    }
}
