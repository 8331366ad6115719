//! Results over FIX 4.4: an acceptor that market data clients log on to.
//!
//! From the socket inwards: [`Acceptor`] owns the listener and the connections and is driven by
//! [`Acceptor::duty`]; a `Session` is the session protocol as a pure state machine (messages and
//! time in, bytes out); a [`Store`] keeps sequence numbers between the connections of one
//! counterparty; a `Market` keeps the newest values, answers market data requests and encodes each
//! update once for all subscriptions. Nothing here reads a clock: a [`Clock`] is passed in.
//!
//! What a subscriber sees, window names included, is told in [`market_data`].

mod acceptor;
mod connection;
mod counts;
mod dictionary;
mod entries;
mod logon;
pub mod market_data;
mod options;
mod outgoing;
mod reject;
mod request;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod script;
mod sequence;
mod session;
mod snapshot;
mod store;
mod subscription;

pub use super::Now as Clock;
pub use acceptor::Acceptor;
pub use counts::FixCounts;
pub use options::{AcceptorOptions, FixError};
pub use store::{Numbers, Store};
