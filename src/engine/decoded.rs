//! What the decoder hands to the analyst: columns, and when their packets came.

use std::ops::{Deref, DerefMut};

use crate::columns::Batch;

/// A batch with the receipt of every packet in it; it reads as its batch.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    batch: Batch,
    /// Nanoseconds on the receiver's clock, one for each packet that brought messages; none for
    /// files. All of them, and not the oldest alone, so that packets that waited together all count.
    pub(super) receipts: Vec<u64>,
    /// What the feed has become, if it has: stale or live.
    pub(super) stale: Option<bool>,
}

impl Decoded {
    /// Forgets the content and keeps the storage.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.receipts.clear();
        self.stale = None;
    }

    /// Notes a packet. Held packets may be older than those that they waited for.
    pub(super) fn received(&mut self, received_ns: u64) {
        self.receipts.push(received_ns);
    }
}

impl Deref for Decoded {
    type Target = Batch;

    fn deref(&self) -> &Batch {
        &self.batch
    }
}

impl DerefMut for Decoded {
    fn deref_mut(&mut self) -> &mut Batch {
        &mut self.batch
    }
}
