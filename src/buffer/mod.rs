//! Where bytes live between threads: a bounded pool of buffers that come back when dropped.
//!
//! A buffer is taken, filled, handed from thread to thread, and returns to its pool on drop, so a
//! running service allocates nothing. When the pool is empty, [`Pool::take`] says so and counts it;
//! the caller decides whether to wait (files) or to drop (live feeds). A [`Stock`] takes many at a
//! time.

mod packet;
mod pool;
mod stock;

pub use packet::{Framing, Packet};
pub use pool::{Buffer, Pool, PoolCounts};
pub use stock::Stock;
