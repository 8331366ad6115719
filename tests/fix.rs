//! The FIX acceptor, seen by a counterparty that shares no code with it.

mod capture;
pub(crate) mod client;
mod conflation;
mod kill;
mod market_data;
mod scenarios;
mod session;
