//! Which kernel computes.

use std::str::FromStr;

use crate::cpu::{Parallel, Scalar, Simd};
use crate::window::Kernel;

/// What `--backend` may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The fastest that this machine has.
    #[default]
    Auto,
    /// The reference: plain loops.
    Scalar,
    /// Vector instructions on one thread.
    Simd,
    /// Vector instructions on every core.
    Parallel,
}

impl Backend {
    /// Every backend with its name.
    pub const EACH: [(&'static str, Backend); 4] = [
        ("auto", Backend::Auto),
        ("scalar", Backend::Scalar),
        ("simd", Backend::Simd),
        ("parallel", Backend::Parallel),
    ];

    /// The kernel.
    #[must_use]
    pub fn kernel(self) -> Box<dyn Kernel> {
        match self {
            Backend::Scalar => Box::new(Scalar),
            Backend::Simd => Box::new(Simd::default()),
            Backend::Auto | Backend::Parallel => Box::new(Parallel::default()),
        }
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Backend::EACH.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, backend)| backend).ok_or_else(|| match text {
            "gpu" => "this build has no GPU backend; use auto, scalar, simd or parallel".to_owned(),
            _ => format!("`{text}` is no backend; there are auto, scalar, simd and parallel"),
        })
    }
}
