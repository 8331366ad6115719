//! The other end of a feed: a day of messages sent as MoldUDP64, with its re-request server.
//!
//! [`Sender`] sends the messages of a [`Tape`] to group A, and to group B if there is one, through
//! real sockets, as fast as it can, at a multiple of the pace of their timestamps or at an even rate;
//! heartbeats while there is nothing to send, end-of-session packets at the end; and meanwhile answers
//! re-requests with what it has sent. One thread does all of it: call [`Sender::run`], or
//! [`Sender::duty`] in a loop of one's own.

mod counts;
mod late;
mod loss;
mod options;
mod pace;
mod rerequest_server;
mod send;
mod tape;

pub use super::udp::Transmit;
pub use counts::SenderCounts;
pub use options::{Loss, SenderOptions, Speed, SpeedError};
pub use rerequest_server::ServerCounts;
pub use send::{Duty, Sender, SenderError};
pub use tape::{Tape, TapeError};
