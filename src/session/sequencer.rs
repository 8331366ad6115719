//! Each message once, in order, or declared lost.
//!
//! Numbers below `expected` are delivered or declared lost; those from `expected` to the frontier
//! are held or in a hole; so without holes `expected` is the frontier and a packet that starts there
//! is handed on at once. A packet that brings anything wanted is used, whatever line it came by:
//! from its first new message if it starts late, held if it starts early.
//!
//! A hole is declared lost when it is `gap_timeout_ns` old (not a nanosecond earlier), after the
//! packet in hand has had its chance to fill it; or when too many packets are held, and then no
//! further than the packet in hand. Heartbeats and ends carry the next number, so they open holes
//! too. An end is delivered once everything that is known to exist has been delivered or declared.
//!
//! Sessions: a packet of another session is foreign, counted and dropped, until the current session
//! has ended or has been silent for `session_timeout_ns`; then that packet begins the next session,
//! at number 1. The session before the current one never comes back, so that its stragglers cannot
//! undo a change.

use super::arbiter::{Arbiter, LineRace};
use super::counts::{RETRANSMISSION, SequencerCounts};
use super::held::{Held, Waiting};
use super::holes::{Hole, Holes};
use super::options::{Join, SequencerOptions};
use crate::buffer::{Framing, Packet};
use crate::wire::moldudp64::{self, Blocks, HEADER_LENGTH, Kind, SessionId};

/// Queue entries allocated at the start, however large the bound is.
const RESERVED: usize = 4096;

/// Holes remembered beyond those that held packets divide: announcements that come faster than
/// anything they announce make one each. One more joins the last, and is declared with it.
const ANNOUNCED_HOLES: usize = 256;

/// What leaves the sequencer, in order.
#[derive(Debug)]
pub enum Delivery {
    /// `count` consecutive messages.
    Messages {
        /// The packet that holds them.
        packet: Packet,
        /// Offset in the packet of the length prefix of the first of them.
        start: usize,
        /// How many blocks to use, at least 1.
        count: u16,
        /// Number of the first of them.
        first_sequence: u64,
    },
    /// Blocks of a file or messages of FIX, which are in order: passed through.
    Blocks {
        /// The packet.
        packet: Packet,
    },
    /// Messages that will not be delivered.
    Gap {
        /// Number of the first lost message.
        first_sequence: u64,
        /// How many, at least 1.
        count: u64,
    },
    /// What follows belongs to this session; its messages start at number 1.
    SessionStart {
        /// The session.
        session: SessionId,
    },
    /// The session is over and complete but for the gaps declared.
    EndOfSession,
}

/// How far the end of the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Unknown,
    Announced,
    Delivered,
}

/// Puts the packets of all lines in order.
#[derive(Debug)]
pub struct Sequencer {
    options: SequencerOptions,
    session: Option<SessionId>,
    previous: Option<SessionId>,
    heard_ns: u64,
    expected: u64,
    holes: Holes,
    held: Waiting,
    end: End,
    arbiter: Arbiter,
    counts: SequencerCounts,
    /// Whether packets are held in memory of their own.
    copies: bool,
}

impl Sequencer {
    /// A sequencer that has heard nothing yet. All the memory it needs for a hold of up to 4,096
    /// packets is allocated here.
    #[must_use]
    pub fn new(options: SequencerOptions) -> Self {
        let reserved = options.hold_packets.min(RESERVED);
        Self {
            holes: Holes::new(
                options.hold_packets.saturating_add(ANNOUNCED_HOLES),
                2 * reserved + ANNOUNCED_HOLES + 1,
            ),
            held: Waiting::new(reserved),
            options,
            session: None,
            previous: None,
            heard_ns: 0,
            expected: 1,
            end: End::Unknown,
            arbiter: Arbiter::default(),
            counts: SequencerCounts::default(),
            copies: false,
        }
    }

    /// The sequencer, holding copies of packets and not their buffers: for a source that waits for buffers,
    /// a file, which would otherwise wait for what is behind them.
    #[must_use]
    pub fn holding_copies(self) -> Self {
        Self {
            copies: true,
            ..self
        }
    }

    /// Takes a packet that is in hand at `now_ns` and appends what can be delivered, the holes that
    /// are too old by now included.
    pub fn packet(&mut self, packet: Packet, now_ns: u64, out: &mut Vec<Delivery>) {
        if packet.framing != Framing::MoldUdp64 {
            self.counts.blocks += 1;
            out.push(Delivery::Blocks { packet });
            return;
        }
        self.counts.line_mut(packet.line).packets += 1;
        match moldudp64::parse(&packet.bytes) {
            Err(error) => self.counts.malformed.record(error),
            Ok(downstream) => {
                let (kind, first) = (downstream.kind(), downstream.sequence());
                let next = downstream.next_sequence();
                if !self.admit(downstream.session(), first, now_ns, out) {
                    self.counts.foreign += 1;
                } else if kind == Kind::Messages {
                    self.messages(packet, first, next, now_ns, out);
                } else {
                    self.announcement(kind, next, now_ns);
                }
            }
        }
        self.tick(now_ns, out);
    }

    /// Lets time pass: appends the gaps of the holes that are too old at `now_ns` and what was held
    /// behind them.
    pub fn tick(&mut self, now_ns: u64, out: &mut Vec<Delivery>) {
        while let Some(hole) = self.holes.first()
            && now_ns.saturating_sub(hole.since_ns) >= self.options.gap_timeout_ns
        {
            self.give_up(u64::MAX, out);
        }
        self.try_end(out);
    }

    /// The input has ended: declares every hole and delivers what is held.
    pub fn finish(&mut self, out: &mut Vec<Delivery>) {
        while self.holes.first().is_some() {
            self.give_up(u64::MAX, out);
        }
        self.try_end(out);
    }

    /// The messages that are missing now, in order, the oldest first.
    pub fn holes(&self) -> impl Iterator<Item = Hole> + '_ {
        self.holes.iter()
    }

    /// The session being followed, once a packet of it has come.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The number of the next message to deliver or declare.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// Packets held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// What has been seen and done so far.
    #[must_use]
    pub fn counts(&self) -> &SequencerCounts {
        &self.counts
    }

    /// How lines A and B fare against each other.
    #[must_use]
    pub fn races(&self) -> [LineRace; 2] {
        self.arbiter.races()
    }

    /// Whether a packet of `session` is to be used; begins the session if it is its turn.
    #[inline]
    fn admit(
        &mut self,
        session: SessionId,
        first: u64,
        now_ns: u64,
        out: &mut Vec<Delivery>,
    ) -> bool {
        if self.session != Some(session) {
            if self.options.session.is_some_and(|only| only != session)
                || self.previous == Some(session)
            {
                return false;
            }
            if self.session.is_some() {
                // It fills no hole of this session, so those that are too old need not wait for it.
                self.tick(now_ns, out);
                let silence = now_ns.saturating_sub(self.heard_ns);
                if self.end != End::Delivered && silence < self.options.session_timeout_ns {
                    return false;
                }
                self.finish(out);
            }
            self.begin(session, first, out);
        }
        self.heard_ns = now_ns;
        true
    }

    fn begin(&mut self, session: SessionId, first: u64, out: &mut Vec<Delivery>) {
        let joining = self.session.is_none() && self.options.join == Join::FirstSeen;
        self.previous = self.session.replace(session);
        self.end = End::Unknown;
        self.expected = 1;
        self.holes.restart(1);
        self.arbiter.restart();
        self.counts.sessions += 1;
        out.push(Delivery::SessionStart { session });
        if joining && first > 1 {
            self.declare(1, first, out);
            self.expected = first;
            self.holes.restart(first);
        }
    }

    fn announcement(&mut self, kind: Kind, next: u64, now_ns: u64) {
        match kind {
            Kind::EndOfSession => self.counts.ends += 1,
            _ => self.counts.heartbeats += 1,
        }
        if self.end == End::Delivered {
            return;
        }
        if kind == Kind::EndOfSession {
            self.end = End::Announced;
        }
        self.holes.reveal(next, now_ns);
    }

    #[inline]
    fn messages(
        &mut self,
        packet: Packet,
        first: u64,
        next: u64,
        now_ns: u64,
        out: &mut Vec<Delivery>,
    ) {
        let (line, received_ns) = (packet.line, packet.received_ns);
        let in_order = first == self.expected && first == self.holes.frontier();
        let fresh = if self.end == End::Delivered && next > self.expected {
            self.counts.after_end += 1;
            return;
        } else if in_order {
            if line == RETRANSMISSION {
                self.counts.recovered_messages += next - first;
            }
            self.holes.advance(next);
            self.deliver(packet, first, next, out);
            true
        } else {
            self.out_of_order(packet, first, next, now_ns, out)
        };
        let counts = self.counts.line_mut(line);
        if fresh {
            counts.used += 1;
        } else {
            counts.duplicates += 1;
        }
        self.arbiter.observe(line, first, received_ns, fresh);
    }

    /// Delivers, holds or drops a packet; says whether it brought anything wanted.
    fn out_of_order(
        &mut self,
        packet: Packet,
        first: u64,
        next: u64,
        now_ns: u64,
        out: &mut Vec<Delivery>,
    ) -> bool {
        if next <= self.expected || !self.holes.wants(first, next) {
            return false;
        }
        self.holes.reveal(first, now_ns);
        while first > self.expected && self.held.len() >= self.options.hold_packets {
            self.counts.forced_gaps += 1;
            self.give_up(first, out);
        }
        let filled = self.holes.fill(first, next);
        if packet.line == RETRANSMISSION {
            self.counts.recovered_messages += filled;
        }
        if first <= self.expected {
            self.deliver(packet, first, next, out);
            self.release(out);
        } else {
            self.held.insert(Held {
                packet: if self.copies { packet.detach() } else { packet },
                first,
                next,
            });
            let held = self.held.len() as u64;
            self.counts.held_high_water = self.counts.held_high_water.max(held);
        }
        true
    }

    /// Delivers what a packet with the messages `first .. next` has from `expected` on.
    #[inline]
    fn deliver(&mut self, packet: Packet, first: u64, next: u64, out: &mut Vec<Delivery>) {
        let mut blocks = Blocks::at(&packet.bytes, HEADER_LENGTH, u16::MAX);
        for _ in first..self.expected {
            blocks.next();
        }
        let start = blocks.offset();
        let first_sequence = self.expected;
        let count = next - first_sequence;
        self.counts.messages += count;
        self.expected = next;
        out.push(Delivery::Messages {
            packet,
            start,
            count: u16::try_from(count).unwrap_or(u16::MAX),
            first_sequence,
        });
    }

    /// Delivers the held packets whose turn has come.
    fn release(&mut self, out: &mut Vec<Delivery>) {
        while let Some(held) = self.held.pop_due(self.expected) {
            if held.next > self.expected {
                self.deliver(held.packet, held.first, held.next, out);
            } else {
                self.counts.superseded += 1;
            }
        }
    }

    /// Declares the first hole, up to `limit`, and delivers what was held behind it.
    fn give_up(&mut self, limit: u64, out: &mut Vec<Delivery>) {
        if let Some((first, next)) = self.holes.give_up(limit) {
            self.declare(first, next, out);
            self.expected = next;
            self.release(out);
        }
    }

    fn declare(&mut self, first: u64, next: u64, out: &mut Vec<Delivery>) {
        let count = next - first;
        self.counts.gaps += 1;
        self.counts.lost_messages = self.counts.lost_messages.saturating_add(count);
        out.push(Delivery::Gap {
            first_sequence: first,
            count,
        });
    }

    #[inline]
    fn try_end(&mut self, out: &mut Vec<Delivery>) {
        if self.end == End::Announced && self.holes.first().is_none() {
            self.end = End::Delivered;
            out.push(Delivery::EndOfSession);
        }
    }
}
