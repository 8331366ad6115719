//! Where packets come from: sockets, captures, files, a synthetic day.
//!
//! A [`Source`] is polled; it never blocks longer than it was told to and never drops without a
//! count. What it hands on is bytes in pool buffers with the time of their arrival; putting them in
//! order is `session`'s business.

pub mod fix;
mod impair;
mod input;
mod itch_file;
mod memory;
mod open;
mod pcap;
mod recognise;
pub mod sender;
mod source;
mod synthetic;
mod udp;

pub use fix::{FixFeedOptions, FixLog, FixSource};
pub use impair::{Impair, ImpairCounts, ImpairError, ImpairOptions};
pub use itch_file::ItchFile;
pub use memory::MemorySource;
pub use open::{FILE_BUFFER_BYTES, open_any};
pub use pcap::{Capture, CaptureCounts};
pub use recognise::FileKind;
pub use source::{FeedCounts, FeedError, Poll, Source};

pub use crate::buffer::{Framing, Packet};
pub use synthetic::{
    ExecutionOptions, Executions, Profile, SyntheticDay, SyntheticError, SyntheticOptions,
    SyntheticSource,
};
pub use udp::{MAX_SOCKETS, Receive, UdpCounts, UdpOptions, UdpSource, multicast_sender};
