//! The session protocol, acceptor's side, as a state machine: messages and time in,
//! bytes out. It knows no sockets and no market data.
//!
//! A call that ends the session returns the [`Cause`]; bytes that it wrote before are still to be
//! sent, then the connection closes. Sequence rules are in `sequence`, the first message in `logon`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::counterparty::Terms;
use super::dictionary::{self, Kind};
use super::outgoing::{Application, Outgoing, Turn, reverse_routing};
use super::reject::{Fault, Reason};
use super::{AcceptorOptions, Key, Numbers, Period};
use crate::wire::fix::{Body, Message, parse_bool, parse_uint, parse_utc, tag};

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// Why a session's connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The first message was no acceptable Logon, or none came in time.
    NoLogon,
    /// The counterparty said goodbye and was answered, or did not answer ours in time.
    LoggedOut,
    /// The counterparty answered our Logout: nothing is left to say.
    Answered,
    /// A Logout named a fault of the counterparty.
    Fault,
    /// Nothing came for 2.4 heartbeat intervals.
    Silent,
    /// The outgoing buffer was full.
    SlowReader,
    /// Not the end: the Logon's password can only be checked later; offer the message again.
    NotYet,
}

/// `Err` ends the session.
pub(super) type Step = Result<(), Cause>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for Logon since this monotonic time.
    Waiting(u64),
    Active,
    /// Our Logout went out at this monotonic time; its answer is awaited.
    Leaving(u64),
    Over,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) options: Arc<AcceptorOptions>,
    /// Where the counterparty calls from.
    pub(super) address: IpAddr,
    /// What holds for it, once it has been admitted.
    pub(super) terms: Terms,
    pub(super) phase: Phase,
    pub(super) outgoing: Outgoing,
    /// MsgSeqNum that the next message must carry.
    pub(super) expected: u64,
    /// HeartBtInt; 0 is none.
    pub(super) heartbeat_ns: u64,
    pub(super) last_received_ns: u64,
    /// Whether a TestRequest is out.
    probed: bool,
    /// Messages beyond a gap, by MsgSeqNum: their fields from MsgType on.
    pub(super) queue: BTreeMap<u64, Box<[u8]>>,
    pub(super) queue_bytes: usize,
    /// Highest number seen beyond the gap for which a ResendRequest is out.
    pub(super) gap: Option<u64>,
    pub(super) body: Body,
}

impl Session {
    pub(super) fn new(options: Arc<AcceptorOptions>, address: IpAddr, now_ns: u64) -> Self {
        let terms = Terms {
            credentials: None,
            reset_on_logon: false,
            clock_tolerance_s: options.clock_tolerance_s,
            schedule: None,
            period: Period::ALWAYS,
        };
        Self {
            outgoing: Outgoing::new(),
            options,
            address,
            terms,
            phase: Phase::Waiting(now_ns),
            expected: 1,
            heartbeat_ns: 0,
            last_received_ns: now_ns,
            probed: false,
            queue: BTreeMap::new(),
            queue_bytes: 0,
            gap: None,
            body: Body::default(),
        }
    }

    /// Whether the counterparty has logged on and has not been told to go.
    pub(super) fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }

    /// Whether no Logon has been accepted yet.
    pub(super) fn awaits_logon(&self) -> bool {
        matches!(self.phase, Phase::Waiting(_))
    }

    /// Takes one message.
    pub(super) fn receive(
        &mut self,
        message: &Message<'_>,
        turn: &mut Turn<'_>,
        application: &mut dyn Application,
    ) -> Step {
        turn.counts.messages_received += 1;
        match self.phase {
            Phase::Waiting(_) => self.log_on(message, turn),
            Phase::Over => Err(Cause::LoggedOut),
            Phase::Active | Phase::Leaving(_) => {
                self.last_received_ns = turn.now.monotonic_ns;
                self.probed = false;
                self.take(message, turn, application)?;
                self.drain(turn, application)
            }
        }
    }

    /// Takes note of bytes that were no message: ignored, except in place of the Logon.
    pub(super) fn garbled(&mut self, turn: &mut Turn<'_>) -> Step {
        turn.counts.garbled += 1;
        match self.phase {
            Phase::Waiting(_) => Err(Cause::NoLogon),
            _ => Ok(()),
        }
    }

    /// Heartbeats, TestRequests and limits that have come due.
    pub(super) fn tick(&mut self, turn: &mut Turn<'_>) -> Step {
        let now = turn.now.monotonic_ns;
        let since = |then: u64| now.saturating_sub(then);
        match self.phase {
            Phase::Waiting(then) if since(then) >= self.options.logon_timeout_ms * 1_000_000 => {
                Err(Cause::NoLogon)
            }
            Phase::Leaving(then) if since(then) >= self.options.linger_ms * 1_000_000 => {
                Err(Cause::LoggedOut)
            }
            Phase::Active if turn.now.utc_ns >= self.terms.period.closes_ns => {
                self.leave("the scheduled session has ended", turn);
                Ok(())
            }
            Phase::Active if self.heartbeat_ns > 0 => self.keep_alive(turn),
            _ => Ok(()),
        }
    }

    fn keep_alive(&mut self, turn: &mut Turn<'_>) -> Step {
        let now = turn.now.monotonic_ns;
        let silence = now.saturating_sub(self.last_received_ns);
        if silence >= self.heartbeat_ns / 5 * 12 {
            turn.counts.silent += 1;
            return Err(Cause::Silent);
        }
        if silence >= self.heartbeat_ns / 5 * 6 && !self.probed {
            self.probed = true;
            self.body.clear();
            self.body.uint(tag::TEST_REQ_ID, self.outgoing.next);
            self.outgoing.send_body(b"1", &mut self.body, turn);
        } else if now.saturating_sub(self.outgoing.last_sent_ns) >= self.heartbeat_ns {
            self.outgoing.send(b"0", &[], 0, turn);
        }
        Ok(())
    }

    /// Sends Logout with `reason` and returns `cause`, for the caller to end the session with.
    pub(super) fn log_out(&mut self, reason: &str, turn: &mut Turn<'_>, cause: Cause) -> Cause {
        self.body.clear();
        if !reason.is_empty() {
            self.body.text(tag::TEXT, reason.as_bytes());
        }
        self.outgoing.send_body(b"5", &mut self.body, turn);
        cause
    }

    /// Sends Logout and waits for the answer.
    pub(super) fn leave(&mut self, reason: &str, turn: &mut Turn<'_>) {
        self.log_out(reason, turn, Cause::LoggedOut);
        self.phase = Phase::Leaving(turn.now.monotonic_ns);
    }

    /// Ends the session and gives its numbers back.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>) {
        if let Some(place) = self.outgoing.place.take() {
            turn.store.release(place, self.numbers());
        }
        self.phase = Phase::Over;
        self.forget_queue();
    }

    /// Lets the store know how far the session has come.
    pub(super) fn progress(&mut self, turn: &mut Turn<'_>) {
        if let Some(place) = self.outgoing.place {
            turn.store.progress(place, self.numbers());
            self.outgoing.reserved = turn.store.reserved(place);
        }
    }

    fn numbers(&self) -> Numbers {
        Numbers {
            expected: self.expected,
            next: self.outgoing.next,
            opened_ns: self.terms.period.opens_ns,
        }
    }

    /// What the session's numbers are kept under.
    pub(super) fn key(&self) -> Key {
        Key {
            version: self.outgoing.version,
            sender: self.outgoing.sender().into(),
            target: self.outgoing.target().into(),
        }
    }

    pub(super) fn forget_queue(&mut self) {
        self.queue.clear();
        self.queue_bytes = 0;
        self.gap = None;
    }

    /// Checks the header of a message of `kind`. The flag says whether the fault ends the session.
    pub(super) fn check_header(
        &self,
        message: &Message<'_>,
        kind: Kind,
        utc_ns: u64,
    ) -> Result<(), (Fault, bool)> {
        let names = [
            (tag::SENDER_COMP_ID, self.outgoing.target()),
            (tag::TARGET_COMP_ID, self.outgoing.sender()),
        ];
        for (tag, name) in names {
            match message.get(tag) {
                None => return Err((Fault::new(Reason::TagMissing, tag), false)),
                Some(found) if found != name => {
                    return Err((Fault::plain(Reason::CompId), true));
                }
                Some(_) => {}
            }
        }
        let sent = time(message, tag::SENDING_TIME)?;
        if sent.abs_diff(utc_ns) > self.terms.clock_tolerance_s * SECOND {
            return Err((Fault::plain(Reason::SendingTime), true));
        }
        let again = message.get(tag::POSS_DUP_FLAG).and_then(parse_bool);
        let needs_first_time = again == Some(true) && kind != Kind::SequenceReset;
        if needs_first_time && time(message, tag::ORIG_SENDING_TIME)? > sent {
            return Err((Fault::plain(Reason::SendingTime), true));
        }
        Ok(())
    }

    /// Checks one message, obeys the sequence rules and acts on it.
    fn take(
        &mut self,
        message: &Message<'_>,
        turn: &mut Turn<'_>,
        application: &mut dyn Application,
    ) -> Step {
        let number = message.get(tag::MSG_SEQ_NUM).and_then(parse_uint);
        let Some(sequence) = number else {
            let reason = "Received message without MsgSeqNum";
            return Err(self.log_out(reason, turn, Cause::Fault));
        };
        let version = self.outgoing.version;
        if message.begin_string() != version.begin_string() {
            return Err(self.log_out("Incorrect BeginString", turn, Cause::Fault));
        }
        let kind = Kind::of(message.msg_type(), version);
        if let Err((fault, ends)) = self.check_header(message, kind, turn.now.utc_ns) {
            self.reject(message, sequence, fault, turn);
            self.consume(sequence);
            return match ends {
                true => Err(self.log_out("", turn, Cause::Fault)),
                false => Ok(()),
            };
        }
        self.in_order(message, kind, sequence, turn, application)
    }

    /// Acts on a message whose number is in order and already consumed.
    pub(super) fn act(
        &mut self,
        message: &Message<'_>,
        kind: Kind,
        sequence: u64,
        turn: &mut Turn<'_>,
        application: &mut dyn Application,
    ) {
        let version = self.outgoing.version;
        let done = match (dictionary::validate(message, kind, version), kind) {
            (_, Kind::Unknown) => Err(Fault::plain(Reason::MsgType)),
            (Err(fault), _) => Err(fault),
            (_, Kind::TestRequest) => {
                self.body.clear();
                let id = message.get(tag::TEST_REQ_ID).unwrap_or_default();
                self.body.text(tag::TEST_REQ_ID, id);
                self.outgoing.send_body(b"0", &mut self.body, turn);
                Ok(())
            }
            (_, Kind::SequenceReset) => self.skip_to(message, sequence),
            (_, Kind::Logon) => Err(Fault::plain(Reason::Other)),
            (_, Kind::MarketDataRequest) if self.phase == Phase::Active => {
                application.request(message, &mut self.outgoing, turn)
            }
            (_, Kind::SecurityListRequest) if self.phase == Phase::Active => {
                application.list(message, &mut self.outgoing, turn);
                Ok(())
            }
            (_, Kind::Unsupported) => {
                self.refuse(message, sequence, turn);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(fault) = done {
            self.reject(message, sequence, fault, turn);
        }
    }

    /// Sends Reject for `message`, but never for one that is a reject itself: of two sides that answer
    /// rejects with rejects neither would come to an end.
    pub(super) fn reject(
        &mut self,
        message: &Message<'_>,
        sequence: u64,
        fault: Fault,
        turn: &mut Turn<'_>,
    ) {
        if matches!(message.msg_type(), b"3" | b"j") {
            return;
        }
        self.body.clear();
        reverse_routing(message, &mut self.body);
        self.body.uint(tag::REF_SEQ_NUM, sequence);
        if let Some(about) = fault.tag {
            self.body.uint(tag::REF_TAG_ID, u64::from(about));
        }
        self.body.text(tag::REF_MSG_TYPE, message.msg_type());
        let reason = fault.reason as u8;
        let last = self.outgoing.version.last_reason();
        if reason <= last || (fault.reason == Reason::Other && last > 11) {
            self.body
                .uint(tag::SESSION_REJECT_REASON, u64::from(reason));
        }
        self.body.text(tag::TEXT, fault.reason.text().as_bytes());
        self.outgoing.send_body(b"3", &mut self.body, turn);
        turn.counts.rejects += 1;
    }

    /// Sends BusinessMessageReject for an application message that is not served.
    fn refuse(&mut self, message: &Message<'_>, sequence: u64, turn: &mut Turn<'_>) {
        self.body.clear();
        reverse_routing(message, &mut self.body);
        self.body.uint(tag::REF_SEQ_NUM, sequence);
        self.body.text(tag::REF_MSG_TYPE, message.msg_type());
        self.body.char(tag::BUSINESS_REJECT_REASON, b'3');
        self.body.text(tag::TEXT, b"Unsupported Message Type");
        self.outgoing.send_body(b"j", &mut self.body, turn);
        turn.counts.rejects += 1;
    }
}

/// The time in field `tag`, or the fault that there is none.
fn time(message: &Message<'_>, tag: u32) -> Result<u64, (Fault, bool)> {
    let value = message
        .get(tag)
        .ok_or((Fault::new(Reason::TagMissing, tag), false))?;
    parse_utc(value).ok_or((Fault::new(Reason::WrongFormat, tag), false))
}
