//! Packets from messages.

use super::header::{HEADER_LENGTH, Header, SessionId};

/// Bytes of a packet, its header included, that pass an Ethernet link with room to spare.
pub const DEFAULT_PAYLOAD_LIMIT: usize = 1_400;
/// The most bytes that a UDP datagram over IPv4 carries.
pub const MAX_PAYLOAD: usize = 65_507;
/// The longest message that fits a datagram alone.
pub const MAX_MESSAGE: usize = MAX_PAYLOAD - HEADER_LENGTH - 2;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the packet.
    Added,
    /// It would exceed the limit: send this packet and push the message to the next one.
    Full,
    /// It is longer than [`MAX_MESSAGE`] and fits no packet.
    TooLong,
}

/// Fills one packet after another into memory that is reused.
#[derive(Clone, Debug)]
pub struct PacketBuilder {
    bytes: Vec<u8>,
    header: Header,
    limit: usize,
}

impl PacketBuilder {
    /// A builder of packets of at most `payload_limit` bytes, header included. A message that
    /// exceeds the limit alone still gets a packet, of its own.
    #[must_use]
    pub fn new(session: SessionId, payload_limit: usize) -> Self {
        let limit = payload_limit.min(MAX_PAYLOAD);
        let mut builder = Self {
            bytes: Vec::with_capacity(limit.max(HEADER_LENGTH)),
            header: Header::heartbeat(session, 1),
            limit,
        };
        builder.start(1);
        builder
    }

    /// Empties the packet; the next message pushed has number `sequence`.
    pub fn start(&mut self, sequence: u64) {
        self.header.sequence = sequence;
        self.header.count = 0;
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.header.to_bytes());
    }

    /// Appends a message, if it fits.
    pub fn push(&mut self, message: &[u8]) -> Pushed {
        let length = match u16::try_from(message.len()) {
            Ok(length) if message.len() <= MAX_MESSAGE => length,
            _ => return Pushed::TooLong,
        };
        if self.header.count > 0 && self.bytes.len() + 2 + message.len() > self.limit {
            return Pushed::Full;
        }
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(message);
        self.header.count += 1;
        Pushed::Added
    }

    /// Messages in the packet.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.header.count
    }

    /// The packet; without a message it is a heartbeat.
    pub fn packet(&mut self) -> &[u8] {
        self.bytes[..HEADER_LENGTH].copy_from_slice(&self.header.to_bytes());
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, parse};
    use super::*;

    #[test]
    fn a_packet_takes_what_fits_to_the_byte() {
        let mut builder = PacketBuilder::new(*b"S         ", 20 + 5 + 7);
        builder.start(9);
        assert_eq!(builder.push(b"abc"), Pushed::Added);
        assert_eq!(builder.push(b"abcdef"), Pushed::Full);
        assert_eq!(builder.push(b"abcde"), Pushed::Added);
        assert_eq!(builder.push(b""), Pushed::Full);
        let packet = parse(builder.packet()).unwrap();
        assert_eq!((packet.sequence(), packet.count()), (9, 2));
        let messages: Vec<_> = packet.blocks().map(|block| block.data).collect();
        assert_eq!(messages, [b"abc".as_slice(), b"abcde"]);
        builder.start(11);
        let empty = parse(builder.packet()).unwrap();
        assert_eq!((empty.kind(), empty.sequence()), (Kind::Heartbeat, 11));
    }

    #[test]
    fn a_long_message_travels_alone_up_to_the_datagram() {
        let mut builder = PacketBuilder::new([b'S'; 10], 0);
        assert_eq!(builder.push(&vec![0; MAX_MESSAGE + 1]), Pushed::TooLong);
        assert_eq!(builder.push(&vec![0; 65_536]), Pushed::TooLong);
        assert_eq!(builder.push(&vec![0; MAX_MESSAGE]), Pushed::Added);
        assert_eq!(builder.packet().len(), MAX_PAYLOAD);
        assert_eq!(builder.push(b""), Pushed::Full);
        assert_eq!(parse(builder.packet()).unwrap().count(), 1);
    }
}
