//! The pool and its buffers.

use std::collections::VecDeque;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;

/// A bounded set of equally large byte buffers, shared between threads.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<Vec<BytesMut>>,
    size: usize,
    capacity: usize,
    taken: AtomicU64,
    exhausted: AtomicU64,
}

/// What a pool has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Buffers handed out, those of a [`Stock`](super::Stock) that were used or are still in it.
    pub taken: u64,
    /// Requests that found the pool empty.
    pub exhausted: u64,
    /// Buffers that are out now.
    pub outstanding: usize,
}

impl Pool {
    /// A pool of `size` buffers of `capacity` bytes each, all allocated now, and their pages brought in.
    #[must_use]
    pub fn new(size: usize, capacity: usize) -> Arc<Self> {
        let written = |_| {
            let mut buffer = BytesMut::zeroed(capacity);
            // Zeros would be left to the system to bring when they are asked for.
            buffer.fill(black_box(u8::MAX));
            buffer
        };
        Arc::new(Self {
            idle: Mutex::new((0..size).map(written).collect()),
            size,
            capacity,
            taken: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
        })
    }

    /// A buffer whose length is the pool's capacity (its content is whatever its last user left), or
    /// `None`, counted, when all are out.
    #[must_use]
    pub fn take(self: &Arc<Self>) -> Option<Buffer> {
        let bytes = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match bytes {
            Some(bytes) => {
                self.taken.fetch_add(1, Ordering::Relaxed);
                Some(Buffer::lent(bytes, self))
            }
            None => {
                self.exhausted.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Appends up to `count` buffers to `to`, with one lock. Getting fewer is not counted.
    pub(super) fn lend(&self, count: usize, to: &mut VecDeque<BytesMut>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = idle.len().saturating_sub(count);
        self.taken
            .fetch_add((idle.len() - rest) as u64, Ordering::Relaxed);
        to.extend(idle.drain(rest..));
    }

    /// Takes buffers back that [`Pool::lend`] lent and nobody used, with one lock.
    pub(super) fn give_back(&self, unused: impl ExactSizeIterator<Item = BytesMut>) {
        self.taken.fetch_sub(unused.len() as u64, Ordering::Relaxed);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(unused);
    }

    /// Bytes in each buffer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// What the pool has done so far.
    #[must_use]
    pub fn counts(&self) -> PoolCounts {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        PoolCounts {
            taken: self.taken.load(Ordering::Relaxed),
            exhausted: self.exhausted.load(Ordering::Relaxed),
            outstanding: self.size - idle,
        }
    }
}

/// Bytes on loan from a [`Pool`]; dropping them gives them back.
#[derive(Debug)]
pub struct Buffer {
    bytes: BytesMut,
    length: usize,
    pool: Option<Arc<Pool>>,
}

impl Buffer {
    /// A buffer of its own that belongs to no pool, for embedding and tests.
    #[must_use]
    pub fn detached(content: &[u8]) -> Self {
        Self {
            bytes: BytesMut::from(content),
            length: content.len(),
            pool: None,
        }
    }

    /// A buffer of `pool` with all its bytes visible.
    pub(super) fn lent(bytes: BytesMut, pool: &Arc<Pool>) -> Self {
        Self {
            length: bytes.len(),
            bytes,
            pool: Some(Arc::clone(pool)),
        }
    }

    /// Keeps the first `length` bytes visible.
    ///
    /// # Panics
    /// If `length` exceeds the buffer's capacity.
    pub fn set_length(&mut self, length: usize) {
        assert!(
            length <= self.bytes.len(),
            "length beyond the buffer's capacity"
        );
        self.length = length;
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            let bytes = std::mem::take(&mut self.bytes);
            pool.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_return_and_exhaustion_is_counted() {
        let pool = Pool::new(2, 16);
        let first = pool.take().unwrap();
        let mut second = pool.take().unwrap();
        second.set_length(3);
        assert_eq!(second.len(), 3);
        assert!(pool.take().is_none());
        assert_eq!(
            pool.counts(),
            PoolCounts {
                taken: 2,
                exhausted: 1,
                outstanding: 2
            }
        );
        drop(first);
        drop(second);
        assert_eq!(
            pool.take().unwrap().len(),
            16,
            "a returned buffer has its whole length again"
        );
        assert_eq!(pool.counts().outstanding, 0);
    }
}
