//! What several tests need.

pub(crate) mod day_jobs;
#[cfg(feature = "gpu")]
pub(crate) mod host_day;
pub(crate) mod kernels;
pub(crate) mod plumbing;
pub(crate) mod random;
pub(crate) mod reductions;
