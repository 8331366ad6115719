//! Packets to feed a sequencer and a readable form of what it delivers.

use widetape::buffer::Buffer;
use widetape::feed::{Framing, Packet};
use widetape::session::{Delivery, Sequencer, SequencerOptions};
use widetape::wire::moldudp64::{Blocks, Header, PacketBuilder, Pushed};

/// What a consumer sees, message by message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Start([u8; 10]),
    Message(u64, Vec<u8>),
    Lost(u64, u64),
    End,
    Blocks(usize),
}

pub(super) const DAY: [u8; 10] = *b"DAY1      ";
pub(super) const NEXT_DAY: [u8; 10] = *b"DAY2      ";
pub(super) const TIMEOUT: u64 = 100;

/// The content of message `number`: its length differs from its neighbours' and may be 0.
pub(super) fn content(number: u64) -> Vec<u8> {
    vec![number as u8; (number % 5) as usize]
}

pub(super) fn wrap(bytes: &[u8], line: u8) -> Packet {
    Packet {
        bytes: Buffer::detached(bytes),
        received_ns: 0,
        line,
        framing: Framing::MoldUdp64,
    }
}

/// The messages `first .. first + count`.
pub(super) fn data(session: [u8; 10], line: u8, first: u64, count: u64) -> Packet {
    let mut builder = PacketBuilder::new(session, 60_000);
    builder.start(first);
    for number in first..first + count {
        assert_eq!(builder.push(&content(number)), Pushed::Added);
    }
    wrap(builder.packet(), line)
}

pub(super) fn heartbeat(next: u64) -> Packet {
    wrap(&Header::heartbeat(DAY, next).to_bytes(), 0)
}

pub(super) fn end(next: u64) -> Packet {
    wrap(&Header::end_of_session(DAY, next).to_bytes(), 0)
}

pub(super) fn see(deliveries: &mut Vec<Delivery>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for delivery in deliveries.drain(..) {
        match delivery {
            Delivery::SessionStart { session } => seen.push(Seen::Start(session)),
            Delivery::EndOfSession => seen.push(Seen::End),
            Delivery::Gap {
                first_sequence,
                count,
            } => seen.push(Seen::Lost(first_sequence, count)),
            Delivery::Blocks { packet } => seen.push(Seen::Blocks(packet.bytes.len())),
            Delivery::Messages {
                packet,
                start,
                count,
                first_sequence,
            } => {
                let blocks = Blocks::at(&packet.bytes, start, count);
                let numbers = first_sequence..first_sequence + u64::from(count);
                assert!(count > 0);
                let before = seen.len();
                seen.extend(
                    numbers
                        .zip(blocks)
                        .map(|(number, block)| Seen::Message(number, block.data.to_vec())),
                );
                assert_eq!(seen.len() - before, usize::from(count));
            }
        }
    }
    seen
}

pub(super) fn messages(numbers: std::ops::Range<u64>) -> Vec<Seen> {
    numbers
        .map(|number| Seen::Message(number, content(number)))
        .collect()
}

pub(super) fn options() -> SequencerOptions {
    SequencerOptions {
        gap_timeout_ns: TIMEOUT,
        session_timeout_ns: 1_000,
        hold_packets: 3,
        ..SequencerOptions::default()
    }
}

/// A sequencer and what it has just delivered.
pub(super) struct Bench {
    pub(super) sequencer: Sequencer,
    out: Vec<Delivery>,
}

impl Bench {
    pub(super) fn new(options: SequencerOptions) -> Self {
        Self {
            sequencer: Sequencer::new(options),
            out: Vec::new(),
        }
    }

    /// A sequencer that has delivered messages 1 and 2 at time 0.
    pub(super) fn started() -> Self {
        let mut bench = Self::new(options());
        let mut expected = vec![Seen::Start(DAY)];
        expected.extend(messages(1..3));
        assert_eq!(bench.packet(data(DAY, 0, 1, 2), 0), expected);
        bench
    }

    pub(super) fn packet(&mut self, packet: Packet, now_ns: u64) -> Vec<Seen> {
        self.sequencer.packet(packet, now_ns, &mut self.out);
        see(&mut self.out)
    }

    pub(super) fn tick(&mut self, now_ns: u64) -> Vec<Seen> {
        self.sequencer.tick(now_ns, &mut self.out);
        see(&mut self.out)
    }

    pub(super) fn finish(&mut self) -> Vec<Seen> {
        self.sequencer.finish(&mut self.out);
        see(&mut self.out)
    }
}
