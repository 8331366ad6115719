//! The session protocol, initiator's side, as a state machine: messages and time in, bytes and market
//! data out. It knows no sockets.
//!
//! Numbers go on over connections. Messages beyond a gap wait while the gap is asked for, up to the
//! first of them; what a gap fill stands for may have been market data and is lost. When nothing of the
//! gap comes for a while, when the connection or the run ends and when numbers start again, all that
//! waits is handed on, and what is missing in front of each is lost. A subscription ends with its
//! connection, so whatever came before the next one is lost as well, in unknown number.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;

use super::FixFeedOptions;
use super::taken::Taken;
use crate::market::NANOS_PER_SECOND;
use crate::wire::fix::{Body, Message, parse_uint, tag};

/// Nanoseconds that the counterparty has to answer our Logon.
const LOGON_NS: u64 = 10 * NANOS_PER_SECOND;
/// Nanoseconds until a refused subscription is asked for again.
const ASK_AGAIN_NS: u64 = NANOS_PER_SECOND;

/// Two clocks, in nanoseconds: one that only moves forwards, and UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now_ns: u64,
    pub(super) utc_ns: u64,
}

/// Why a connection is to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The counterparty said goodbye, or its Logon did not come.
    LoggedOut,
    /// It broke the protocol: wrong names, or a number that it has used.
    Fault,
    /// Nothing came for 2.4 heartbeat intervals.
    Silent,
}

/// Totals.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionCounts {
    /// Logons that were answered.
    pub(super) logons: u64,
    /// Messages that are neither the session's nor market data, and repeated ones.
    pub(super) unused: u64,
    /// Messages dropped because too many waited behind a gap; they are asked for again.
    pub(super) overflowed: u64,
    /// Refusals: 35=3, j and Y.
    pub(super) refused: u64,
    /// Gaps asked for.
    pub(super) resends: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Down,
    LoggingOn,
    Up,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) options: Arc<FixFeedOptions>,
    phase: Phase,
    /// MsgSeqNum of our next message, and of theirs.
    pub(super) next: u64,
    pub(super) expected: u64,
    /// Whether the next Logon lets both sides count from 1.
    pub(super) reset: bool,
    /// Whole messages beyond a gap; the Logon among them is empty.
    pub(super) waiting: BTreeMap<u64, Box<[u8]>>,
    pub(super) waiting_bytes: usize,
    /// The gap that is out for a resend ends before this number.
    pub(super) asked: u64,
    /// The first number that is missing, while messages wait for it, and since when it has been the first.
    pub(super) gap: Option<(u64, u64)>,
    /// Since when we wait for a Logon or heard nothing, and since when we said nothing.
    heard_ns: u64,
    pub(super) said_ns: u64,
    probed: bool,
    /// When the subscription is due, if it is not out.
    subscribe_ns: Option<u64>,
    /// Subscriptions so far.
    pub(super) requests: u64,
    /// Whether the counterparty says that its own feed is stale.
    stale: bool,
    /// Whether it says that its feed has ended.
    pub(super) closed: bool,
    pub(super) body: Body,
    pub(super) out: BytesMut,
    pub(super) taken: Taken,
    pub(super) counts: SessionCounts,
}

impl Session {
    pub(super) fn new(options: Arc<FixFeedOptions>) -> Self {
        let mut taken = Taken::default();
        if !options.from_start {
            taken.lose(0);
        }
        Self {
            phase: Phase::Down,
            next: 1,
            expected: 1,
            reset: options.reset_on_logon,
            options,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            asked: 0,
            gap: None,
            heard_ns: 0,
            said_ns: 0,
            probed: false,
            subscribe_ns: None,
            requests: 0,
            stale: false,
            closed: false,
            body: Body::default(),
            out: BytesMut::new(),
            taken,
            counts: SessionCounts::default(),
        }
    }

    /// Whether we are logged on and the counterparty's feed is live.
    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Up && !self.stale
    }

    /// Whether we are logged on.
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// A connection is there: logs on.
    pub(super) fn connected(&mut self, times: Times) {
        self.phase = Phase::LoggingOn;
        self.heard_ns = times.now_ns;
        self.probed = false;
        if self.reset {
            (self.next, self.expected) = (1, 1);
        }
        self.log_on(times);
    }

    /// The connection is gone.
    pub(super) fn disconnected(&mut self, times: Times) {
        self.give_up(times);
        // A Logon that is not answered may mean that the counterparty counts otherwise.
        self.reset |= self.phase == Phase::LoggingOn && self.options.reset_on_logon;
        self.phase = Phase::Down;
        self.out.clear();
        self.subscribe_ns = None;
        // Nothing is missed behind the end of the feed.
        if self.requests > 0 && !self.closed {
            self.taken.lose(0);
        }
    }

    /// Takes one message, whose bytes are `bytes`.
    pub(super) fn receive(
        &mut self,
        message: &Message<'_>,
        bytes: &[u8],
        times: Times,
    ) -> Result<(), Broken> {
        self.heard_ns = times.now_ns;
        self.probed = false;
        let is = |tag, name: &str| message.get(tag) == Some(name.as_bytes());
        let known = message.begin_string() == self.options.version.begin_string()
            && is(tag::SENDER_COMP_ID, &self.options.target_comp_id)
            && is(tag::TARGET_COMP_ID, &self.options.sender_comp_id);
        let number = message.get(tag::MSG_SEQ_NUM).and_then(parse_uint);
        let Some(number) = number.filter(|_| known) else {
            self.leave(times);
            return Err(Broken::Fault);
        };
        let flag = |tag| message.get(tag) == Some(b"Y");
        match message.msg_type() {
            b"5" => {
                self.leave(times);
                return Err(Broken::LoggedOut);
            }
            b"A" => self.logged_on(flag(tag::RESET_SEQ_NUM_FLAG), number, times)?,
            _ if self.phase != Phase::Up => return Err(Broken::Fault),
            b"2" => self.answer_resend(message, times),
            b"4" if !flag(tag::GAP_FILL_FLAG) => {
                self.skip_to(message);
                self.drain(times);
                return Ok(());
            }
            _ => {}
        }
        if number < self.expected {
            return self.repeated(flag(tag::POSS_DUP_FLAG), times);
        }
        if number > self.expected {
            self.wait(number, message, bytes);
            self.ask(times);
            return Ok(());
        }
        self.expected += 1;
        self.act(message, bytes, times);
        self.drain(times);
        Ok(())
    }

    fn logged_on(&mut self, reset: bool, number: u64, times: Times) -> Result<(), Broken> {
        if reset && number == 1 {
            self.give_up(times);
            self.expected = 1;
            if !self.reset || self.phase == Phase::Up {
                self.next = 2;
                self.taken.lose(0);
            }
        }
        if number < self.expected {
            self.reset = self.options.reset_on_logon;
            return Err(Broken::Fault);
        }
        self.counts.logons += 1;
        self.reset = false;
        self.phase = Phase::Up;
        self.subscribe_ns = Some(times.now_ns);
        Ok(())
    }

    /// A number that has been used: right where it says so.
    fn repeated(&mut self, says_so: bool, times: Times) -> Result<(), Broken> {
        if says_so {
            self.counts.unused += 1;
            return Ok(());
        }
        self.reset = self.options.reset_on_logon;
        self.leave(times);
        Err(Broken::Fault)
    }

    /// Acts on a message whose turn it is.
    pub(super) fn act(&mut self, message: &Message<'_>, bytes: &[u8], times: Times) {
        match message.msg_type() {
            b"W" | b"X" | b"f" => self.taken.push(bytes),
            b"h" => {
                let status = message.get(tag::TRAD_SES_STATUS);
                self.stale = status == Some(b"0");
                self.closed |= status == Some(b"3");
                self.taken.push(bytes);
            }
            b"1" => self.answer_test(message, times),
            b"4" => self.skip_to(message),
            b"Y" => {
                // What is asked for may be listed later; what it does until then is missed.
                self.counts.refused += 1;
                self.taken.lose(0);
                self.subscribe_ns = Some(times.now_ns + ASK_AGAIN_NS);
            }
            b"3" | b"j" => self.counts.refused += 1,
            b"0" | b"2" | b"A" => {}
            _ => self.counts.unused += 1,
        }
    }

    /// Heartbeats, TestRequests, the subscription, and limits that have come due.
    pub(super) fn tick(&mut self, times: Times) -> Result<(), Broken> {
        let silence = times.now_ns.saturating_sub(self.heard_ns);
        let interval = self.options.heartbeat_s * NANOS_PER_SECOND;
        match self.phase {
            Phase::Down => return Ok(()),
            Phase::LoggingOn if silence >= LOGON_NS => return Err(Broken::LoggedOut),
            Phase::LoggingOn => return Ok(()),
            Phase::Up if silence >= interval / 5 * 12 => return Err(Broken::Silent),
            Phase::Up => {}
        }
        self.age(times);
        if self.subscribe_ns.is_some_and(|due| times.now_ns >= due) {
            self.subscribe_ns = None;
            self.subscribe(times);
        }
        if silence >= interval / 5 * 6 && !self.probed {
            self.probed = true;
            self.test(times);
        } else if times.now_ns.saturating_sub(self.said_ns) >= interval {
            self.body.clear();
            self.send(b"0", times);
        }
        Ok(())
    }
}
