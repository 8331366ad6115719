//! A synthetic day as a source of packets.

use std::sync::Arc;
use std::time::Duration;

use crate::buffer::Pool;
use crate::feed::{FeedError, Framing, Packet, Poll, Source};

use super::day::SyntheticDay;

/// Hands on a [`SyntheticDay`] as packets of whole blocks, one packet a poll.
#[derive(Debug)]
pub struct SyntheticSource {
    day: SyntheticDay,
    pool: Arc<Pool>,
    staged: Vec<u8>,
    offset: u64,
}

impl SyntheticSource {
    /// `day`, in buffers of `pool`, which must hold at least [`SyntheticDay::MAX_BLOCK_BYTES`];
    /// with smaller buffers there is never a packet.
    #[must_use]
    pub fn new(day: SyntheticDay, pool: Arc<Pool>) -> Self {
        Self {
            day,
            staged: Vec::with_capacity(pool.capacity()),
            pool,
            offset: 0,
        }
    }
}

impl Source for SyntheticSource {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let Some(room) = self
            .pool
            .capacity()
            .checked_sub(SyntheticDay::MAX_BLOCK_BYTES)
        else {
            return Ok(Poll::End);
        };
        let Some(mut bytes) = self.pool.take() else {
            return Ok(Poll::Idle);
        };
        self.staged.clear();
        while self.staged.len() <= room && self.day.next_block(&mut self.staged) {}
        if self.staged.is_empty() {
            return Ok(Poll::End);
        }
        bytes[..self.staged.len()].copy_from_slice(&self.staged);
        bytes.set_length(self.staged.len());
        packets.push(Packet {
            bytes,
            received_ns: now_ns,
            line: 0,
            framing: Framing::Blocks {
                offset: self.offset,
            },
        });
        self.offset += self.staged.len() as u64;
        Ok(Poll::Ready)
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        self.pool.wait(timeout);
    }
}
