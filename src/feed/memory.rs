//! Packets that are in memory already: for embedding and tests.

use std::collections::VecDeque;

use super::{FeedError, Poll, Source};
use crate::buffer::{Buffer, Framing, Packet};

/// Hands on the packets that were pushed into it, in order, and then ends.
#[derive(Debug, Default)]
pub struct MemorySource {
    packets: VecDeque<Packet>,
    offset: u64,
}

impl MemorySource {
    /// Adds whole blocks (`Length u16 | message`), as in a BinaryFILE.
    pub fn push_blocks(&mut self, blocks: &[u8]) {
        let framing = Framing::Blocks {
            offset: self.offset,
        };
        self.offset += blocks.len() as u64;
        self.push(blocks, 0, framing);
    }

    /// Adds a MoldUDP64 packet of a line.
    pub fn push_packet(&mut self, packet: &[u8], line: u8) {
        self.push(packet, line, Framing::MoldUdp64);
    }

    fn push(&mut self, bytes: &[u8], line: u8, framing: Framing) {
        let bytes = Buffer::detached(bytes);
        self.packets.push_back(Packet {
            bytes,
            received_ns: 0,
            line,
            framing,
        });
    }
}

impl Source for MemorySource {
    fn poll(&mut self, _now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        Ok(match self.packets.pop_front() {
            Some(packet) => {
                packets.push(packet);
                Poll::Ready
            }
            None => Poll::End,
        })
    }

    fn is_live(&self) -> bool {
        false
    }
}
