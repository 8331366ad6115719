//! Which kernel computes.

use std::str::FromStr;
use std::sync::{Arc, Mutex};

use super::Mode;
use super::auto::{Auto, Routes};
use super::seek::seek;
use crate::cpu::{Parallel, Scalar, Simd};
use crate::metrics::Counters;
use crate::window::Kernel;

/// What `--backend` may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Whatever is predicted to be faster: the cores, or a GPU that is no software.
    #[default]
    Auto,
    /// The reference: plain loops.
    Scalar,
    /// Vector instructions on one thread.
    Simd,
    /// Vector instructions on every core.
    Parallel,
    /// The GPU, and the cores where it does not answer.
    #[cfg(feature = "gpu")]
    Gpu,
}

impl Backend {
    /// Every backend with its name.
    pub const EACH: &[(&'static str, Backend)] = &[
        ("auto", Backend::Auto),
        ("scalar", Backend::Scalar),
        ("simd", Backend::Simd),
        ("parallel", Backend::Parallel),
        #[cfg(feature = "gpu")]
        ("gpu", Backend::Gpu),
    ];
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Backend::EACH.iter().find(|(name, _)| *name == text);
        known.map(|&(_, backend)| backend).ok_or_else(|| {
            let names: Vec<&str> = Backend::EACH.iter().map(|&(name, _)| name).collect();
            let names = names.join(", ");
            match text {
                "gpu" => format!("this build has no GPU backend; there are {names}"),
                _ => format!("`{text}` is no backend; there are {names}"),
            }
        })
    }
}

/// The first thing that went wrong with a kernel, in words; nothing while all is well.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

impl super::Options {
    /// The kernel, and where it says what goes wrong with it. What it does is added to `counters`, what it
    /// decides to `routes`. Rows that are due as the feed goes on are few at a time: the cores compute them.
    #[cfg_attr(
        not(feature = "gpu"),
        expect(unused_variables, reason = "what runs on a GPU is counted")
    )]
    pub(super) fn kernel(
        &self,
        counters: &Arc<Counters>,
        routes: &Arc<Mutex<Routes>>,
    ) -> (Box<dyn Kernel>, Trouble) {
        let kernel: Box<dyn Kernel> = match self.backend {
            Backend::Scalar => Box::new(Scalar),
            Backend::Simd => Box::new(Simd::default()),
            Backend::Auto if self.mode == Mode::Batch => {
                #[cfg(feature = "gpu")]
                let seek = {
                    let (options, counters) = (self.gpu.clone(), Arc::clone(counters));
                    move || seek(&options, &counters)
                };
                let auto = Auto::new(Box::new(seek), Arc::clone(routes));
                let trouble = auto.trouble();
                return (Box::new(auto), trouble);
            }
            Backend::Auto | Backend::Parallel => Box::new(Parallel::default()),
            #[cfg(feature = "gpu")]
            Backend::Gpu => return super::offload::to_gpu(self.gpu.clone(), counters),
        };
        (kernel, Trouble::default())
    }
}
