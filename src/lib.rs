//! Exact window analytics over the whole universe of symbols of an exchange feed.

pub mod buffer;
pub mod market;
pub mod wire;
