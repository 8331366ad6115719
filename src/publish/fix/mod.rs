//! Results over FIX 4.2, 4.4 and FIXT.1.1 with 5.0 SP2: an acceptor that market data clients log on
//! to.
//!
//! From the socket inwards: [`Acceptor`] owns the listener and the connections and is driven by
//! [`Acceptor::duty`]; a `Session` is the session protocol as a pure state machine (messages and
//! time in, bytes out); a [`Store`] keeps sequence numbers between the connections of one
//! counterparty; a `Market` keeps the newest values, answers market data requests and encodes each
//! update once for all subscriptions. Nothing here reads a clock: a [`Clock`] is passed in.
//!
//! What a subscriber sees, window names included, is told in [`market_data`].

mod acceptor;
mod addresses;
mod backlog;
mod conflate;
mod connection;
mod counterparty;
mod counts;
mod credentials;
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
mod schedule;
#[cfg(test)]
mod script;
mod securities;
mod selection;
mod sequence;
mod session;
mod snapshot;
mod socket;
mod status;
mod store;
mod subscription;
mod tape;
#[cfg(feature = "tls")]
mod tls;
mod version;

pub use super::Now as Clock;
pub use acceptor::Acceptor;
pub use addresses::AddressRange;
pub use counterparty::Counterparty;
pub use counts::FixCounts;
pub use credentials::{Credentials, PasswordHash};
pub use options::{AcceptorOptions, FixError, TlsOptions};
pub use schedule::{Period, Schedule};
pub use store::{Key, Numbers, Place, Store, StoreError, StoreOptions};
pub use version::Version;
