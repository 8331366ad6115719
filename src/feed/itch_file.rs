//! A day of ITCH 5.0 from a BinaryFILE, plain or packed by gzip or zstd.
//!
//! The file is read straight into pool buffers; each packet holds as many whole blocks as fit one,
//! so a message never straddles packets and only the beginning of a message that did not fit is
//! copied. Buffers of 65,537 bytes or more hold any message; smaller ones work as long as every
//! message of the file fits, and a message that does not is an error that says so.
//!
//! At an end that is not the end of a message, everything whole is handed on first, then one error,
//! then [`Poll::End`]. A gzip or zstd stream that ends early is an end like any other: `found` is
//! then what it still gave of the next message, possibly nothing. An end marker (a block of length
//! 0) is handed on as the empty message that it is.
//!
//! When the pool is empty a poll says [`Poll::Idle`]; nothing is lost, the file waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::input::{Fault, Input};
use super::{FeedError, Framing, Packet, Poll, Source, recognise};
use crate::buffer::{Buffer, Pool};
use crate::wire::binaryfile;

/// Packets handed on by one poll at most.
const BATCH: usize = 4;

/// A BinaryFILE being read.
pub struct ItchFile {
    input: Input,
    pool: Arc<Pool>,
    /// The beginning of a block that did not fit the last packet.
    carry: Vec<u8>,
    /// Offset of the next block in the uncompressed file.
    offset: u64,
    state: State,
}

enum State {
    Reading,
    /// To be reported by the next poll that has no packets.
    Failed(FeedError),
    Ended,
}

impl ItchFile {
    /// Opens a file and looks at its first messages.
    ///
    /// # Errors
    /// [`FeedError::Io`] if it cannot be read, [`FeedError::Format`] if it is empty or does not look
    /// like ITCH 5.0.
    pub fn open(path: &Path, pool: Arc<Pool>) -> Result<Self, FeedError> {
        Self::begin(Input::open(path)?, pool)
    }

    pub(super) fn begin(mut input: Input, pool: Arc<Pool>) -> Result<Self, FeedError> {
        let refused = recognise::not_itch(input.look_ahead(recognise::HEAD));
        if let Some(reason) = refused {
            return Err(input.refuse(reason));
        }
        Ok(Self {
            input,
            pool,
            carry: Vec::with_capacity(binaryfile::MAX_BLOCK),
            offset: 0,
            state: State::Reading,
        })
    }

    /// Fills one buffer; gives a packet unless not a single block is whole.
    fn next_packet(&mut self, mut buffer: Buffer) -> Option<Packet> {
        let carried = self.carry.len();
        buffer[..carried].copy_from_slice(&self.carry);
        self.carry.clear();
        let filled = carried + self.input.fill(&mut buffer[carried..]);
        let whole = binaryfile::whole(&buffer[..filled]);
        let offset = self.offset;
        self.offset += whole as u64;
        let rest = &buffer[whole..filled];
        if filled < buffer.len() {
            self.state = ending(&mut self.input, self.offset, rest);
        } else if whole == 0 {
            self.state = State::Failed(FeedError::Format {
                path: self.input.path().to_owned(),
                reason: format!(
                    "the message at byte {offset} takes {} bytes, but a buffer holds {}: use buffers \
                     of at least {} bytes",
                    binaryfile::needed(rest),
                    buffer.len(),
                    binaryfile::MAX_BLOCK,
                ),
            });
        } else {
            self.carry.extend_from_slice(rest);
        }
        if whole == 0 {
            return None;
        }
        buffer.set_length(whole);
        Some(Packet {
            bytes: buffer,
            received_ns: 0,
            line: 0,
            framing: Framing::Blocks { offset },
        })
    }
}

/// What follows the last whole block when no more bytes come.
fn ending(input: &mut Input, offset: u64, rest: &[u8]) -> State {
    let cut_short = matches!(input.fault(), Some(Fault::CutShort));
    if let Some(error) = input.take_error() {
        State::Failed(error)
    } else if cut_short || !rest.is_empty() {
        State::Failed(FeedError::Truncated {
            path: input.path().to_owned(),
            offset,
            needed: binaryfile::needed(rest) as u64,
            found: rest.len() as u64,
        })
    } else {
        State::Ended
    }
}

impl Source for ItchFile {
    fn poll(&mut self, _now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        while matches!(self.state, State::Reading) && packets.len() - before < BATCH {
            let Some(buffer) = self.pool.take() else {
                return Ok(if packets.len() > before {
                    Poll::Ready
                } else {
                    Poll::Idle
                });
            };
            packets.extend(self.next_packet(buffer));
        }
        if packets.len() > before {
            return Ok(Poll::Ready);
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Failed(error) => Err(error),
            State::Ended | State::Reading => Ok(Poll::End),
        }
    }

    fn is_live(&self) -> bool {
        false
    }

    fn wait(&mut self, timeout: Duration) {
        self.pool.wait(timeout);
    }
}
