//! Buffers taken many at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;

use super::{Buffer, Pool};

/// Buffers of a [`Pool`] set aside for one user, so that a batch costs one lock. Those that are not
/// used go back together, at the latest on drop.
#[derive(Debug)]
pub struct Stock {
    pool: Arc<Pool>,
    idle: VecDeque<BytesMut>,
}

impl Stock {
    /// An empty stock, which holds `most` buffers without allocating.
    #[must_use]
    pub fn new(pool: Arc<Pool>, most: usize) -> Self {
        Self {
            pool,
            idle: VecDeque::with_capacity(most),
        }
    }

    /// Buffers that are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.idle.len()
    }

    /// Whether none is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.idle.is_empty()
    }

    /// Takes buffers from the pool until `count` are here, or it has no more.
    pub fn fill(&mut self, count: usize) {
        let missing = count.saturating_sub(self.idle.len());
        if missing > 0 {
            self.pool.lend(missing, &mut self.idle);
        }
    }

    /// Gives all but the last `count` back.
    pub fn keep(&mut self, count: usize) {
        let surplus = self.idle.len().saturating_sub(count);
        if surplus > 0 {
            self.pool.give_back(self.idle.drain(..surplus));
        }
    }

    /// The whole memory of each buffer, first to last.
    pub fn memory(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.idle.iter_mut().map(|bytes| &mut bytes[..])
    }

    /// The first buffer.
    pub fn take_first(&mut self) -> Option<Buffer> {
        let bytes = self.idle.pop_front()?;
        Some(Buffer::lent(bytes, &self.pool))
    }

    /// The last buffer.
    pub fn take_last(&mut self) -> Option<Buffer> {
        let bytes = self.idle.pop_back()?;
        Some(Buffer::lent(bytes, &self.pool))
    }

    /// Makes the first buffer the last.
    pub fn set_first_aside(&mut self) {
        if !self.idle.is_empty() {
            self.idle.rotate_left(1);
        }
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.keep(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_at_once_comes_back_and_is_counted() {
        let pool = Pool::new(5, 4);
        let mut stock = Stock::new(Arc::clone(&pool), 4);
        stock.fill(3);
        stock.fill(2);
        assert_eq!((stock.len(), pool.counts().outstanding), (3, 3));
        for (place, memory) in (1..).zip(stock.memory()) {
            memory.fill(place);
        }
        stock.set_first_aside();
        let last = stock.take_last().unwrap();
        let first = stock.take_first().unwrap();
        assert_eq!((&first[..], &last[..]), (&[2; 4][..], &[1; 4][..]));
        stock.fill(9);
        assert_eq!((stock.len(), pool.counts().outstanding), (3, 5));
        assert_eq!(pool.counts().taken, 5);
        stock.keep(1);
        assert_eq!((stock.len(), pool.counts().outstanding), (1, 3));
        drop((first, stock));
        assert_eq!(pool.counts().outstanding, 1);
        drop(last);
        assert_eq!(pool.counts().outstanding, 0);
    }
}
