//! A file of FIX messages, one behind the other or a line each.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::buffer::Pool;
use crate::feed::input::{Fault, Input};
use crate::feed::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::wire::fix::{Frame, next_frame};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// A log being read. Bytes that are in no message are counted and left out; line ends between messages
/// are not counted. A message that the file ends in is an error behind all others, then comes the end.
pub struct FixLog {
    input: Input,
    pool: Arc<Pool>,
    /// Bytes read, of which `used` have been handed on.
    bytes: Vec<u8>,
    used: usize,
    ended: bool,
    garbled: u64,
}

impl FixLog {
    /// Opens a log. A message that is longer than a buffer of `pool` is garbled.
    ///
    /// # Errors
    /// [`FeedError::Io`] if it cannot be read.
    pub fn open(path: &Path, pool: Arc<Pool>) -> Result<Self, FeedError> {
        Ok(Self::begin(Input::open(path)?, pool))
    }

    pub(in crate::feed) fn begin(input: Input, pool: Arc<Pool>) -> Self {
        Self {
            input,
            pool,
            bytes: Vec::new(),
            used: 0,
            ended: false,
            garbled: 0,
        }
    }

    /// Reads on; false at the end of the file.
    fn read(&mut self) -> bool {
        self.bytes.drain(..self.used);
        self.used = 0;
        let before = self.bytes.len();
        self.bytes.resize(before + PIECE, 0);
        let filled = self.input.fill(&mut self.bytes[before..]);
        self.bytes.truncate(before + filled);
        filled == PIECE
    }

    /// Moves whole messages into `buffer` until it is full or no whole one is left. Returns how many
    /// bytes it holds.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        loop {
            let rest = &self.bytes[self.used..];
            match next_frame(rest, buffer.len() - buffer.len().min(64)) {
                Frame::Message { length, .. } if filled + length > buffer.len() => return filled,
                Frame::Message { length, .. } => {
                    buffer[filled..filled + length].copy_from_slice(&rest[..length]);
                    filled += length;
                    self.used += length;
                }
                Frame::Garbled { skip, .. } if !rest.is_empty() => {
                    let is_text = |byte: &&u8| !matches!(byte, b'\r' | b'\n');
                    self.garbled += rest[..skip].iter().filter(is_text).count() as u64;
                    self.used += skip;
                }
                _ => return filled,
            }
        }
    }

    /// What the end of the file leaves.
    fn end(&mut self) -> Result<Poll, FeedError> {
        let rest = self.bytes.len() - self.used;
        let cut_short = rest > 0 || matches!(self.input.fault(), Some(Fault::CutShort));
        self.used = self.bytes.len();
        if let Some(error) = self.input.take_error() {
            return Err(error);
        }
        if !cut_short {
            return Ok(Poll::End);
        }
        Err(FeedError::Truncated {
            path: self.input.path().to_owned(),
            offset: self.input.position() - rest as u64,
            needed: rest as u64 + 1,
            found: rest as u64,
        })
    }
}

impl Source for FixLog {
    fn poll(&mut self, _now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let Some(mut buffer) = self.pool.take() else {
            return Ok(Poll::Idle);
        };
        let mut filled = self.fill(&mut buffer);
        while filled == 0 && !self.ended {
            self.ended = !self.read();
            filled = self.fill(&mut buffer);
        }
        if filled == 0 {
            return self.end();
        }
        buffer.set_length(filled);
        packets.push(Packet {
            bytes: buffer,
            received_ns: 0,
            line: 0,
            framing: Framing::Fix {
                lost: None,
                gap: false,
            },
        });
        Ok(Poll::Ready)
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        self.pool.wait(timeout);
    }

    fn counts(&self) -> FeedCounts {
        FeedCounts {
            garbled_bytes: self.garbled,
            ..FeedCounts::default()
        }
    }
}
