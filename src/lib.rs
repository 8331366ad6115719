//! Exact window analytics over the whole universe of symbols of an exchange feed.

pub mod book;
pub mod buffer;
pub mod columns;
pub mod cpu;
pub mod engine;
pub mod feed;
pub mod market;
pub mod metrics;
pub mod publish;
pub mod session;
pub mod window;
pub mod wire;
