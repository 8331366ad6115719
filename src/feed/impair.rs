//! A bad network on demand: loses, repeats, reorders, delays and damages the packets of any source.
//!
//! What happens to the n-th packet of a line depends on the seed, the line and n alone, never on its
//! content, on the clock or on how packets were batched, so a run can be repeated exactly and two
//! lines fail independently. Only MoldUDP64 packets are touched, and only as a whole; blocks of a
//! file have crossed no network and pass as they are.
//!
//! Packets held back keep their pool buffers. They are let go when their time or turn has come, when
//! the source ends, and when a source that waits (a file) has nothing to give, which may be because
//! its buffers are all here. A repeated packet is a copy in a buffer of its own; this middleware is
//! for tests and rehearsals and may allocate.

use std::time::Duration;

use serde::Deserialize;

use super::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::buffer::Buffer;

/// What to do to packets. Probabilities are from 0 (never, the default) to 1 (always).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImpairOptions {
    /// The same seed gives the same faults. Default 0.
    pub seed: u64,
    /// Probability that a packet is lost.
    pub loss: f64,
    /// Packets to lose for certain on every line, counted from 0 on each line.
    pub lose: Vec<u64>,
    /// Probability that a packet comes twice.
    pub duplicate: f64,
    /// Probability that a packet is overtaken by later ones of its line.
    pub reorder: f64,
    /// How many packets overtake it at most. At least 1 where `reorder` is not 0.
    pub reorder_depth: u64,
    /// Probability that a packet is held for `delay_ns`.
    pub delay: f64,
    /// Nanoseconds on the clock of the caller of [`Source::poll`], added to the time of arrival too.
    pub delay_ns: u64,
    /// Probability that one bit of a packet is flipped.
    pub flip: f64,
    /// Probability that a packet loses its end (from one byte to all).
    pub truncate: f64,
}

/// Options that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImpairError {
    /// A probability outside 0 to 1.
    #[error("impair.{field} = {value}: a probability is from 0 to 1")]
    Probability {
        /// Name of the option.
        field: &'static str,
        /// What it says.
        value: f64,
    },
    /// Reordering by no packets.
    #[error("impair.reorder_depth = 0: at least one packet must overtake where impair.reorder > 0")]
    ReorderDepth,
}

/// What was done to packets. One packet can count under several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpairCounts {
    /// Packets that came from the source.
    pub seen: u64,
    /// Packets handed on: seen, less lost, plus duplicated, less those still held back.
    pub passed: u64,
    /// Packets lost.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicated: u64,
    /// Packets held back for later ones.
    pub reordered: u64,
    /// Packets held back for a time.
    pub delayed: u64,
    /// Packets with a bit flipped.
    pub flipped: u64,
    /// Packets without their end.
    pub truncated: u64,
}

/// A source behind a bad network.
pub struct Impair<S> {
    source: S,
    options: ImpairOptions,
    counts: ImpairCounts,
    /// Packets seen on each line.
    seen: Vec<u64>,
    incoming: Vec<Packet>,
    held: Vec<Held>,
    ended: bool,
}

struct Held {
    packet: Packet,
    until: Until,
}

enum Until {
    /// As many packets of its line have been seen.
    Seen(u64),
    /// The caller's clock shows this.
    Time(u64),
}

/// The kinds of decision, each with random numbers of its own.
#[derive(Clone, Copy)]
enum Draw {
    Lose,
    Duplicate,
    Reorder,
    Depth,
    Delay,
    Flip,
    Bit,
    Truncate,
    Length,
}

impl ImpairOptions {
    /// Whether they make sense.
    ///
    /// # Errors
    /// See [`ImpairError`].
    pub fn check(&self) -> Result<(), ImpairError> {
        let probabilities = [
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("delay", self.delay),
            ("flip", self.flip),
            ("truncate", self.truncate),
        ];
        for (field, value) in probabilities {
            if !(0.0..=1.0).contains(&value) {
                return Err(ImpairError::Probability { field, value });
            }
        }
        if self.reorder > 0.0 && self.reorder_depth == 0 {
            return Err(ImpairError::ReorderDepth);
        }
        Ok(())
    }
}

impl<S: Source> Impair<S> {
    /// Puts the bad network in front of `source`.
    ///
    /// # Errors
    /// See [`ImpairError`].
    pub fn new(source: S, mut options: ImpairOptions) -> Result<Self, ImpairError> {
        options.check()?;
        options.lose.sort_unstable();
        Ok(Self {
            source,
            options,
            counts: ImpairCounts::default(),
            seen: vec![0; 256],
            incoming: Vec::new(),
            held: Vec::new(),
            ended: false,
        })
    }

    /// What was done so far.
    #[must_use]
    pub fn impair_counts(&self) -> ImpairCounts {
        self.counts
    }

    /// The number drawn for a decision about a packet.
    fn draw(&self, packet: (u8, u64), draw: Draw) -> u64 {
        let (line, ordinal) = packet;
        let stream = mix(self.options.seed ^ (u64::from(line) << 8 | draw as u64));
        mix(stream.wrapping_add(mix(ordinal)))
    }

    fn happens(&self, packet: (u8, u64), draw: Draw, probability: f64) -> bool {
        let unit = (self.draw(packet, draw) >> 11) as f64 / (1_u64 << 53) as f64;
        unit < probability
    }

    /// One packet through the bad network.
    fn pass(&mut self, mut packet: Packet, now_ns: u64, packets: &mut Vec<Packet>) {
        self.counts.seen += 1;
        if packet.framing != Framing::MoldUdp64 {
            self.emit(packet, packets);
            return;
        }
        let seen = &mut self.seen[usize::from(packet.line)];
        let id = (packet.line, *seen);
        *seen += 1;
        let lost = self.options.lose.binary_search(&id.1).is_ok()
            || self.happens(id, Draw::Lose, self.options.loss);
        if lost {
            self.counts.lost += 1;
        } else {
            self.damage(&mut packet, id);
            if self.happens(id, Draw::Duplicate, self.options.duplicate) {
                self.counts.duplicated += 1;
                let copy = Packet {
                    bytes: Buffer::detached(&packet.bytes),
                    ..packet
                };
                self.emit(copy, packets);
            }
            self.hold_or_emit(packet, id, now_ns, packets);
        }
        self.release(packets, |held| {
            held.packet.line == id.0 && matches!(held.until, Until::Seen(turn) if turn <= id.1)
        });
    }

    fn damage(&mut self, packet: &mut Packet, id: (u8, u64)) {
        let length = packet.bytes.len() as u64;
        if length == 0 {
            return;
        }
        if self.happens(id, Draw::Flip, self.options.flip) {
            self.counts.flipped += 1;
            let bit = self.draw(id, Draw::Bit) % (length * 8);
            packet.bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
        if self.happens(id, Draw::Truncate, self.options.truncate) {
            self.counts.truncated += 1;
            let shorter = self.draw(id, Draw::Length) % length;
            packet.bytes.set_length(shorter as usize);
        }
    }

    fn hold_or_emit(
        &mut self,
        mut packet: Packet,
        id: (u8, u64),
        now_ns: u64,
        packets: &mut Vec<Packet>,
    ) {
        let until = if self.happens(id, Draw::Delay, self.options.delay) {
            self.counts.delayed += 1;
            packet.received_ns = packet.received_ns.saturating_add(self.options.delay_ns);
            Until::Time(now_ns.saturating_add(self.options.delay_ns))
        } else if self.happens(id, Draw::Reorder, self.options.reorder) {
            self.counts.reordered += 1;
            let overtakers = 1 + self.draw(id, Draw::Depth) % self.options.reorder_depth;
            Until::Seen(id.1.saturating_add(overtakers))
        } else {
            self.emit(packet, packets);
            return;
        };
        self.held.push(Held { packet, until });
    }

    /// Lets held packets go, in the order in which they came.
    fn release(&mut self, packets: &mut Vec<Packet>, mut due: impl FnMut(&Held) -> bool) {
        for held in self.held.extract_if(.., |held| due(held)) {
            self.counts.passed += 1;
            packets.push(held.packet);
        }
    }

    fn emit(&mut self, packet: Packet, packets: &mut Vec<Packet>) {
        self.counts.passed += 1;
        packets.push(packet);
    }
}

impl<S: Source> Source for Impair<S> {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        self.release(
            packets,
            |held| matches!(held.until, Until::Time(due) if due <= now_ns),
        );
        let mut incoming = std::mem::take(&mut self.incoming);
        let polled = if self.ended {
            Ok(Poll::End)
        } else {
            self.source.poll(now_ns, &mut incoming)
        };
        for packet in incoming.drain(..) {
            self.pass(packet, now_ns, packets);
        }
        self.incoming = incoming;
        let polled = polled?;
        self.ended = polled == Poll::End;
        if self.ended || (polled == Poll::Idle && !self.source.is_live()) {
            self.release(packets, |_| true);
        }
        Ok(match polled {
            _ if packets.len() > before => Poll::Ready,
            Poll::End => Poll::End,
            Poll::Ready | Poll::Idle => Poll::Idle,
        })
    }

    fn is_live(&self) -> bool {
        self.source.is_live()
    }

    fn wait(&mut self, timeout: Duration) {
        self.source.wait(timeout);
    }

    fn counts(&self) -> FeedCounts {
        let counts = self.source.counts();
        FeedCounts {
            impaired: counts.impaired + self.counts.lost,
            ..counts
        }
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters neighbours.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
