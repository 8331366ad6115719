//! Loops of other stages, compiled for each instruction set: not for vectors, which they have no use for,
//! but for the instructions that read big-endian fields and mask in one go where others take two or three.

use pulp::{Arch, WithSimd};

/// What [`dispatch`] is asked to do.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does it. Must be `#[inline(always)]`, and so must what it calls that is to be compiled with it.
    fn work(self) -> Self::Output;
}

/// Does the work as it was compiled for the newest instruction set of this machine. What comes of it is the
/// same on all.
pub fn dispatch<W: Work>(work: W) -> W::Output {
    Arch::new().dispatch(Dispatched(work))
}

struct Dispatched<W>(W);

impl<W: Work> WithSimd for Dispatched<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> W::Output {
        self.0.work()
    }
}
