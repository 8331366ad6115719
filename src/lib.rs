//! Exact window analytics over the whole universe of symbols of an exchange feed.

pub mod book;
pub mod buffer;
pub mod columns;
pub mod market;
pub mod wire;
