//! Who computes on the CPU: one reference and two fast paths behind one contract.

mod parallel;
mod scalar;
mod simd;

pub use parallel::Parallel;
pub use scalar::Scalar;
pub use simd::{Simd, Work, dispatch};
