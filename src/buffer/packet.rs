//! A buffer on its way: what it holds, and when and how it came.

use super::Buffer;

/// One unit of input with the time of its arrival.
#[derive(Debug)]
pub struct Packet {
    /// The bytes, shaped as `framing` says.
    pub bytes: Buffer,
    /// Nanoseconds on the clock of the caller that polled its source (live), or since 1970 by the clock
    /// of the capture (0 for other files).
    pub received_ns: u64,
    /// Which line of the feed brought it: 0 is A, 1 is B.
    pub line: u8,
    /// How the bytes are framed.
    pub framing: Framing,
}

impl Packet {
    /// The packet in memory of its own, which is as large as its bytes; its buffer is free again.
    #[must_use]
    pub fn detach(self) -> Self {
        Self {
            bytes: Buffer::detached(&self.bytes),
            ..self
        }
    }
}

/// How a packet's bytes are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A MoldUDP64 downstream packet: 20-byte header, then blocks.
    MoldUdp64,
    /// Whole blocks (`Length u16 | message`) of a BinaryFILE, already in order.
    Blocks {
        /// Offset of the first byte in the uncompressed file.
        offset: u64,
    },
    /// Whole FIX messages, one behind the other, already in order. None at all says that the feed is
    /// alive.
    Fix {
        /// Messages known to be missing before these; 0 if some may be and nobody knows how many.
        lost: Option<u64>,
        /// Whether others wait behind a gap that is still open.
        gap: bool,
    },
}
