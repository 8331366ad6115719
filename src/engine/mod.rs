//! The threads and channels that join the stages.
//!
//! Four agents, and a fifth for wide windows: the receiver polls a source, the decoder puts packets in order and turns messages
//! into columns, the analyst (or, for `scan`, the scanner) turns columns into rows, and the publisher
//! hands rows to whoever wants them. The surveyor takes executions from the analyst, keeps the wide windows
//! and hands their rows to the publisher; nobody waits for it. Between them are bounded pipes of batches. [`Engine::run`] puts
//! them on threads, as [`ThreadOptions`] say; [`Engine::run_inline`] lets them take turns on the
//! caller's. All give the same rows.

mod affinity;
mod agent;
mod analyst;
mod auto;
mod backend;
pub mod calibration;
mod chain;
mod clock;
pub mod compare;
mod day;
mod decoded;
mod decoder;
mod error;
mod normaliser;
#[cfg(feature = "gpu")]
mod offload;
mod pipe;
mod precedence;
mod publisher;
mod receiver;
mod recorder;
mod recovery;
mod residents;
mod results;
pub mod route;

mod run;
mod scanner;
mod seek;
mod slabs;
mod stopwatch;
mod survey;
mod threads;
mod wait;

pub use affinity::{Cores, PlacementError, Topology};
pub use agent::beside;
pub use auto::{Auto, Device, Route, Routes, Seek, Sought};
pub use backend::Backend;
pub use chain::Chain;
pub use clock::Clock;
pub use error::Error;
pub use normaliser::{MessageError, Normaliser, NormaliserCounts};
#[cfg(feature = "gpu")]
pub use offload::{
    Accelerator, DayAccelerator, DayOffload, Offload, OpenAccelerator, OpenDayAccelerator,
};
pub use recovery::{Recovery, RecoveryOptions};

pub use run::{Engine, Mode, Options, Summary};
pub use survey::{Survey, Wide};
pub use threads::ThreadOptions;
pub use wait::Wait;
