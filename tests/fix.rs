//! The FIX acceptor, seen by a counterparty that shares no code with it, and FIX as a feed.

mod attacks;
mod capture;
mod chain;
pub(crate) mod client;
mod conflation;
mod feed;
mod gap;
mod initiator;
mod kill;
mod market_data;
mod resend;
mod scenarios;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod values;
