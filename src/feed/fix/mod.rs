//! Market data over FIX as a feed: logs of messages, and an initiator that subscribes to an acceptor.
//!
//! Every packet holds whole messages whose frames and checksums are right, in order. From the socket
//! inwards: [`FixSource`] owns the connection; a `Session` is the session protocol as a pure state
//! machine; `Taken` is the market data that it has taken, with what is missing between.

mod gap;
mod log;
mod options;
mod outgoing;
mod session;
mod source;
mod taken;

pub use log::FixLog;
pub use options::FixFeedOptions;
pub use source::FixSource;
