//! The pool and its buffers.

use std::collections::VecDeque;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;

/// A bounded set of equally large byte buffers, shared between threads.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<Idle>,
    returned: Condvar,
    size: usize,
    capacity: usize,
    taken: AtomicU64,
    exhausted: AtomicU64,
}

/// Buffers that nobody has.
#[derive(Debug)]
struct Idle {
    buffers: Vec<BytesMut>,
    /// Whether anybody is told when buffers come back.
    is_awaited: bool,
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
            idle: Mutex::new(Idle {
                buffers: (0..size).map(written).collect(),
                is_awaited: false,
            }),
            returned: Condvar::new(),
            size,
            capacity,
            taken: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
        })
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer whose length is the pool's capacity (its content is whatever its last user left), or
    /// `None`, counted, when all are out.
    #[must_use]
    pub fn take(self: &Arc<Self>) -> Option<Buffer> {
        let bytes = self.idle().buffers.pop();
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
        let idle = &mut self.idle().buffers;
        let rest = idle.len().saturating_sub(count);
        self.taken
            .fetch_add((idle.len() - rest) as u64, Ordering::Relaxed);
        to.extend(idle.drain(rest..));
    }

    /// Takes buffers back that [`Pool::lend`] lent and nobody used, with one lock.
    pub(super) fn give_back(&self, unused: impl ExactSizeIterator<Item = BytesMut>) {
        self.taken.fetch_sub(unused.len() as u64, Ordering::Relaxed);
        self.put(unused);
    }

    fn put(&self, buffers: impl IntoIterator<Item = BytesMut>) {
        let mut idle = self.idle();
        idle.buffers.extend(buffers);
        // Telling asks the system, which only who waits is worth.
        if idle.is_awaited && self.is_half(&idle) {
            idle.is_awaited = false;
            drop(idle);
            self.returned.notify_all();
        }
    }

    fn is_half(&self, idle: &Idle) -> bool {
        2 * idle.buffers.len() >= self.size
    }

    /// Waits until half of the buffers are there, at most so long: who went on with each that comes back would be woken
    /// for each.
    pub fn wait(&self, timeout: Duration) {
        let is_missing = |idle: &mut Idle| {
            idle.is_awaited = !self.is_half(idle);
            idle.is_awaited
        };
        // Whoever panicked left the buffers that are there.
        drop(
            self.returned
                .wait_timeout_while(self.idle(), timeout, is_missing),
        );
    }

    /// Bytes in each buffer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// What the pool has done so far.
    #[must_use]
    pub fn counts(&self) -> PoolCounts {
        PoolCounts {
            taken: self.taken.load(Ordering::Relaxed),
            exhausted: self.exhausted.load(Ordering::Relaxed),
            outstanding: self.size - self.idle().buffers.len(),
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
            pool.put([std::mem::take(&mut self.bytes)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Longer than any test may take.
    const LONG: Duration = Duration::from_secs(60);

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

    #[test]
    fn who_waits_is_told_when_half_of_the_buffers_are_back() {
        let pool = Pool::new(4, 16);
        let mut taken: Vec<_> = (0..4).map_while(|_| pool.take()).collect();
        pool.wait(Duration::from_millis(1));
        assert_eq!(
            pool.counts().outstanding,
            4,
            "not told, but not held up either"
        );
        taken.pop();
        let waiting = Arc::clone(&pool);
        let waiter = std::thread::spawn(move || {
            let start = Instant::now();
            waiting.wait(LONG);
            (start.elapsed(), waiting.counts().outstanding)
        });
        while !pool.idle().is_awaited && !waiter.is_finished() {
            std::thread::yield_now();
        }
        taken.pop();
        let (waited, outstanding) = waiter.join().unwrap();
        assert!(waited < LONG);
        assert_eq!(outstanding, 2);
    }
}
