//! The agent that puts packets in order and turns their messages into columns.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::agent::{Agent, Duty};
use super::chain::file_name;
use super::decoded::Decoded;
use super::normaliser::Normaliser;
use super::pipe::{Inlet, Outlet, Received, Sent};
use super::precedence::Precedence;
use super::recovery::Recovery;
use super::wait::{CALM, WATCHFUL};
use super::{Clock, Error, recorder};
use crate::feed::{Framing, Packet};
use crate::market::Symbol;
use crate::metrics::{Counter, Counters};
use crate::session::{Delivery, Hole, Sequencer};
use crate::wire::binaryfile::Blocks;
use crate::wire::moldudp64::SessionId;

/// Nanoseconds of silence after which a live feed is stale: three heartbeats of MoldUDP64.
const SILENCE_NS: u64 = 3_000_000_000;

/// Age in nanoseconds at which a hole makes the feed stale where nobody is asked for what it lacks.
const HOLE_NS: u64 = 5_000_000;

/// Nanoseconds that the publishers have to tell of a stale feed before missing messages are asked for.
const NOTICE_NS: u64 = 5_000_000;

pub(super) struct Decoder {
    packets: Inlet<Vec<Packet>>,
    batches: Outlet<Box<Decoded>>,
    sequencer: Sequencer,
    recovery: Option<Recovery>,
    normaliser: Normaliser,
    /// The session whose messages are decoded, if they are of one.
    session: Option<SessionId>,
    /// Whether packets say when they were received, on the engine's clock.
    live: bool,
    /// The sequencer's time: of a live feed the engine's, of files the latest that a packet of a capture
    /// has come with, so that what a file gives depends on its bytes alone.
    time_ns: u64,
    /// When packets last came; none have yet if 0.
    heard_ns: u64,
    /// Whether the newest packet of FIX says that a gap is open.
    gap: bool,
    /// Whether a notice that the feed is stale is on its way to the publishers, or with them.
    stale: bool,
    /// How many notices there have been, and when the last was sent.
    notices: u64,
    noticed_ns: u64,
    deliveries: Vec<Delivery>,
    /// Files that the packets come from: an undecodable message of a file stops the engine, one of a
    /// live feed is counted and skipped.
    files: Vec<PathBuf>,
    counters: Arc<Counters>,
    flagged: Arc<Mutex<Vec<Symbol>>>,
    ended: Ended,
    /// Why no more is decoded; what came before is sent first.
    failure: Option<Error>,
    /// Tells the receiver that nothing more is wanted.
    stop: Arc<AtomicBool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    /// What is left is being sent.
    Nearly,
    Yes,
}

impl Decoder {
    pub(super) fn new(
        (packets, batches): (Inlet<Vec<Packet>>, Outlet<Box<Decoded>>),
        (sequencer, normaliser, live): (Sequencer, Normaliser, bool),
        recovery: Option<Recovery>,
        files: Vec<PathBuf>,
        counters: Arc<Counters>,
        flagged: Arc<Mutex<Vec<Symbol>>>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            packets,
            batches,
            sequencer: match live {
                true => sequencer,
                false => sequencer.holding_copies(),
            },
            recovery,
            normaliser: match live {
                true => normaliser,
                false => normaliser.of_files(),
            },
            session: None,
            live,
            time_ns: 0,
            heard_ns: 0,
            gap: false,
            stale: false,
            notices: 0,
            noticed_ns: 0,
            deliveries: Vec::new(),
            files,
            counters,
            flagged,
            ended: Ended::No,
            failure: None,
            stop,
        }
    }

    /// Decodes what the sequencer has delivered. On an error the batch holds what came before it.
    fn decode(&mut self, batch: &mut Decoded) -> Result<(), Error> {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        let mut outcome = Ok(());
        for delivery in deliveries.drain(..) {
            match delivery {
                Delivery::Messages {
                    packet,
                    start,
                    count,
                    ..
                } => {
                    if self.live {
                        batch.received(packet.received_ns);
                    }
                    let mut blocks = Blocks::new(&packet.bytes[start..]);
                    // The normaliser counts what it cannot decode; the next message follows by its
                    // framed length.
                    let skip = |_, _| Ok::<(), std::convert::Infallible>(());
                    let Ok(()) = self
                        .normaliser
                        .messages(&mut blocks, count.into(), batch, skip);
                }
                Delivery::Blocks { packet } => {
                    outcome = self.decode_ordered(&packet, batch);
                    if outcome.is_err() {
                        break;
                    }
                }
                Delivery::Gap {
                    first_sequence,
                    count,
                } => {
                    self.normaliser.gap(first_sequence, count);
                }
                Delivery::SessionStart { session } => {
                    outcome = self.start_session(session);
                    if outcome.is_err() {
                        break;
                    }
                }
                // What is left of a file is looked at all the same: it may be of another session.
                Delivery::EndOfSession if !self.live => {}
                Delivery::EndOfSession => {
                    self.ended = Ended::Nearly;
                    break;
                }
            }
        }
        deliveries.clear();
        self.deliveries = deliveries;
        outcome
    }

    /// A session of which, or of messages without one, something was decoded keeps the run to itself.
    fn start_session(&mut self, session: SessionId) -> Result<(), Error> {
        if self.normaliser.counts().messages > 0 {
            return Err(Error::OtherSession {
                before: self.session.map_or_else(|| "a file".to_owned(), named),
                after: named(session),
            });
        }
        self.session = Some(session);
        self.normaliser.start_session();
        Ok(())
    }

    fn decode_ordered(&mut self, packet: &Packet, batch: &mut Decoded) -> Result<(), Error> {
        if let Some(session) = self.session {
            return Err(Error::OtherSession {
                before: named(session),
                after: file_name(&self.files, packet.line),
            });
        }
        let start = match packet.framing {
            Framing::Blocks { offset } => offset,
            Framing::Fix { lost, .. } => {
                self.fix(packet, lost, batch);
                return Ok(());
            }
            Framing::MoldUdp64 => return Ok(()),
        };
        let mut messages = Blocks::new(&packet.bytes).without_marks();
        let normaliser = &mut self.normaliser;
        normaliser.messages(&mut messages, usize::MAX, batch, |offset, error| {
            Err(Error::Message {
                file: file_name(&self.files, packet.line),
                offset: start + offset as u64,
                error,
            })
        })
    }

    fn fix(&mut self, packet: &Packet, lost: Option<u64>, batch: &mut Decoded) {
        if let Some(count) = lost {
            self.normaliser.gap(0, count);
        }
        if self.live && !packet.bytes.is_empty() {
            batch.received(packet.received_ns);
        }
        self.normaliser.fix_messages(&packet.bytes, batch);
    }

    fn flush(&mut self, batch: Box<Decoded>) -> Duty {
        if batch.messages == 0 && batch.marks.is_empty() && batch.stale.is_none() {
            self.batches.keep(batch);
            return Duty::Worked;
        }
        match self.batches.send(batch) {
            Sent::Done | Sent::Waiting => Duty::Worked,
            Sent::Closed => Duty::Done,
        }
    }

    fn take_batch(&mut self) -> Box<Decoded> {
        let mut batch = self.batches.take();
        batch.clear();
        batch
    }

    fn finish(&mut self) -> Duty {
        let mut batch = self.take_batch();
        self.sequencer.finish(&mut self.deliveries);
        let outcome = self.decode(&mut batch);
        self.normaliser.finish(&mut batch);
        self.close();
        let duty = self.flush(batch);
        self.record();
        self.failure = outcome.err();
        duty
    }

    fn close(&mut self) {
        self.ended = Ended::Yes;
        self.stop.store(true, Ordering::Relaxed);
        let mut flagged = self.flagged.lock().unwrap_or_else(PoisonError::into_inner);
        flagged.extend(self.normaliser.flagged());
    }

    /// What the feed has become since the publishers were last told: stale, when a hole is so old that
    /// it is asked for, of FIX at once, or nothing comes, or live.
    fn state_change(&mut self, now_ns: u64) -> Option<bool> {
        let silence = now_ns.saturating_sub(self.heard_ns);
        let silent = self.heard_ns > 0 && silence >= SILENCE_NS;
        let delay_ns = self.recovery.as_ref().map_or(HOLE_NS, Recovery::delay_ns);
        let old = |hole: Hole| now_ns.saturating_sub(hole.since_ns) >= delay_ns;
        let stale = silent || self.gap || self.sequencer.holes().any(old);
        if !self.live || stale == self.stale {
            return None;
        }
        self.stale = stale;
        self.notices += 1;
        self.noticed_ns = now_ns;
        Some(stale)
    }

    /// Whether the publishers have handed on every notice, so that subscribers know before anything is
    /// asked for again. A publisher that is held up holds that up for a short time only.
    fn has_told(&self, now_ns: u64) -> bool {
        let told = self.counters.get(Counter::FeedNotices) >= self.notices;
        told || now_ns.saturating_sub(self.noticed_ns) >= NOTICE_NS
    }

    fn record(&self) {
        recorder::normaliser(&self.counters, &self.normaliser.counts());
        recorder::sequencer(&self.counters, &self.sequencer);
        if let Some(recovery) = &self.recovery {
            recorder::recovery(&self.counters, recovery);
        }
    }

    fn receive(&mut self, now_ns: u64) -> Option<Duty> {
        if self.live {
            self.time_ns = now_ns;
        }
        match self.packets.receive() {
            Received::Value(mut packets) => {
                for packet in packets.drain(..) {
                    if !self.live {
                        self.time_ns = self.time_ns.max(packet.received_ns);
                    }
                    if let Framing::Fix { gap, .. } = packet.framing {
                        self.gap = gap;
                    }
                    self.sequencer
                        .packet(packet, self.time_ns, &mut self.deliveries);
                }
                self.packets.give_back(packets);
                self.heard_ns = now_ns.max(1);
                Some(Duty::Worked)
            }
            Received::Empty => Some(Duty::Idle),
            Received::Closed => None,
        }
    }
}

/// A session as messages about it call it.
fn named(session: SessionId) -> String {
    format!("session {}", session.trim_ascii_end().escape_ascii())
}

impl Agent for Decoder {
    fn name(&self) -> &'static str {
        "decoder"
    }

    fn precedence(&self) -> Precedence {
        Precedence::First
    }

    fn duty(&mut self, clock: &Clock) -> Result<Duty, Error> {
        match self.batches.retry() {
            Sent::Done => {}
            Sent::Waiting => return Ok(Duty::Idle),
            Sent::Closed => return Ok(Duty::Done),
        }
        if self.ended == Ended::Yes {
            return self.failure.take().map_or(Ok(Duty::Done), Err);
        }
        let now_ns = clock.monotonic_ns();
        let Some(duty) = self.receive(now_ns) else {
            return Ok(self.finish());
        };
        self.sequencer.tick(self.time_ns, &mut self.deliveries);
        let stale = self.state_change(now_ns);
        let has_told = self.has_told(now_ns);
        if let Some(recovery) = self.recovery.as_mut().filter(|_| has_told) {
            recovery.request(&self.sequencer, now_ns);
        }
        if self.deliveries.is_empty() && stale.is_none() {
            return Ok(duty);
        }
        let mut batch = self.take_batch();
        batch.stale = stale;
        let outcome = self.decode(&mut batch);
        if outcome.is_err() || self.ended == Ended::Nearly {
            self.normaliser.finish(&mut batch);
            self.close();
        }
        let duty = self.flush(batch);
        self.record();
        self.failure = outcome.err();
        Ok(duty)
    }

    fn patience(&self) -> Duration {
        match self.sequencer.holes().next().is_some() {
            true => WATCHFUL,
            false => CALM,
        }
    }

    fn wait(&mut self, timeout: Duration) {
        if self.batches.is_waiting() {
            self.batches.wait(timeout);
        } else {
            self.packets.wait(timeout);
        }
    }
}
