//! What several tests need.

pub(crate) mod kernels;
pub(crate) mod plumbing;
pub(crate) mod random;
