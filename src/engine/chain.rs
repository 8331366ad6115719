//! Several files as one input, one after the other.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::feed::{FeedCounts, FeedError, Packet, Poll, Source};

/// Sources that are read to their ends in turn. The line of their packets is the index of their
/// file, so that a fault names the file it is in.
pub struct Chain {
    sources: std::vec::IntoIter<Box<dyn Source>>,
    current: Option<Box<dyn Source>>,
    index: u8,
    /// Truncated files met so far; the files behind them are read all the same.
    truncated: Arc<Mutex<Vec<FeedError>>>,
    past: FeedCounts,
}

impl Chain {
    /// Files beyond this number share the last index.
    pub const MAX_FILES: usize = 255;

    /// A chain of opened files.
    #[must_use]
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let mut sources = sources.into_iter();
        let current = sources.next();
        let truncated = Arc::default();
        Self {
            sources,
            current,
            index: 0,
            truncated,
            past: FeedCounts::default(),
        }
    }

    /// The truncated files, to be looked at when the engine has stopped.
    #[must_use]
    pub fn truncated(&self) -> Arc<Mutex<Vec<FeedError>>> {
        Arc::clone(&self.truncated)
    }
}

impl Source for Chain {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let Some(current) = &mut self.current else {
            return Ok(Poll::End);
        };
        let before = packets.len();
        let polled = current.poll(now_ns, packets);
        for packet in &mut packets[before..] {
            if packet.framing != crate::feed::Framing::MoldUdp64 {
                packet.line = self.index;
            }
        }
        match polled {
            Err(error @ FeedError::Truncated { .. }) => {
                self.truncated
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(error);
            }
            Ok(Poll::End) => {}
            other => return other,
        }
        self.past = self.past.plus(&current.counts());
        self.current = self.sources.next();
        self.index = self.index.saturating_add(1);
        Ok(if self.current.is_some() {
            Poll::Ready
        } else {
            Poll::End
        })
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        if let Some(current) = &mut self.current {
            current.wait(timeout);
        }
    }

    fn counts(&self) -> FeedCounts {
        match &self.current {
            Some(current) => self.past.plus(&current.counts()),
            None => self.past,
        }
    }
}

/// Names of files, as errors show them.
pub(super) fn file_name(files: &[PathBuf], line: u8) -> String {
    let index = usize::from(line).min(files.len().saturating_sub(1));
    files
        .get(index)
        .map_or_else(|| "input".to_owned(), |path| path.display().to_string())
}
