//! One client's socket: bytes in, frames to the session, bytes out, and an orderly end.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::backlog::Backlog;
use super::market_data::{Desk, Market};
use super::outgoing::{Outgoing, Turn};
use super::session::{Cause, SECOND, Session};
use super::socket::{Socket, is_for_later};
use super::subscription::Subscriber;
use super::{AcceptorOptions, Clock, FixCounts, Store};
use crate::market::Timestamp;
use crate::wire::fix::{Frame, UtcText, next_frame};

/// Reads from one socket in one duty cycle.
const READS_PER_TURN: usize = 4;
/// Messages of one counterparty that are acted on in one duty cycle.
const MESSAGES_PER_TURN: usize = 64;
/// Bytes of answers that one counterparty can ask for in a second. A turn that took more than its share
/// is followed by a rest, so that requests for everything in a loop leave the thread to the others.
const ANSWER_BYTES_PER_S: u64 = 32 << 20;

/// What all connections share, lent to one of them for a call.
pub(super) struct Shared<'a> {
    pub(super) now: Clock,
    pub(super) time: UtcText,
    pub(super) market: &'a mut Market,
    pub(super) store: &'a mut Store,
    pub(super) counts: &'a mut FixCounts,
    pub(super) next_check_ns: &'a mut u64,
    /// Steps of TLS handshakes that are left in this duty cycle.
    pub(super) handshakes: usize,
    /// Where sockets are read into.
    pub(super) chunk: &'a mut [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The session is over; what it wrote is still to go out, and what comes in is thrown away, so
    /// that the system does not reset the connection under the last bytes.
    Closing {
        deadline_ns: u64,
        flushed: bool,
    },
    Closed,
}

#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    options: Arc<AcceptorOptions>,
    inbox: BytesMut,
    outbox: BytesMut,
    session: Session,
    subscriber: Subscriber,
    backlog: Backlog,
    /// Bytes written and waiting when the turn began.
    began: u64,
    /// Monotonic time before which nothing more of the counterparty's is acted on.
    rests_until_ns: u64,
    /// Whether messages wait in the inbox: for a later turn, or a Logon for its password to be checked.
    /// Nothing is read meanwhile, so that the inbox stays small.
    deferred: bool,
    state: State,
}

impl Connection {
    /// Wraps a socket that was just accepted from `address`.
    pub(super) fn new(
        socket: Socket,
        address: IpAddr,
        options: &Arc<AcceptorOptions>,
        now: Clock,
    ) -> Self {
        Self {
            socket,
            options: Arc::clone(options),
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            session: Session::new(Arc::clone(options), address, now.monotonic_ns),
            subscriber: Subscriber::default(),
            backlog: Backlog::default(),
            began: 0,
            rests_until_ns: 0,
            deferred: false,
            state: State::Open,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether no Logon has been accepted yet.
    pub(super) fn awaits_logon(&self) -> bool {
        self.state == State::Open && self.session.awaits_logon()
    }

    /// Bytes received that are held: in the inbox, and beyond a gap.
    pub(super) fn held(&self) -> u64 {
        (self.inbox.len() + self.session.queue_bytes) as u64
    }

    /// Whether a counterparty is logged on.
    pub(super) fn is_active(&self) -> bool {
        self.state == State::Open && self.session.is_active()
    }

    pub(super) fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// Bytes that the system has not taken yet.
    pub(super) fn waiting(&self) -> u64 {
        self.outbox.len() as u64
    }

    /// Reads, runs timers and writes. Returns how many messages and stretches of bytes it handled.
    pub(super) fn run(&mut self, shared: &mut Shared<'_>) -> usize {
        let mut work = 0;
        self.began = shared.counts.bytes_written + self.waiting();
        let rests = self.state == State::Open && shared.now.monotonic_ns < self.rests_until_ns;
        if !rests && self.state == State::Open {
            work += self.resume(shared);
        }
        for _ in 0..READS_PER_TURN {
            if rests || self.is_held_up() {
                break;
            }
            let (chunk, handshakes) = (&mut *shared.chunk, &mut shared.handshakes);
            match self.socket.read(chunk, handshakes, shared.counts) {
                Ok(0) => {
                    self.close(shared);
                    return work + 1;
                }
                Ok(length) => {
                    work += 1;
                    if self.state == State::Open {
                        self.inbox.extend_from_slice(&shared.chunk[..length]);
                        if !self.deferred {
                            work += self.digest(shared);
                        }
                    }
                    if length < shared.chunk.len() {
                        break;
                    }
                }
                Err(error) if is_for_later(&error) => break,
                Err(_) => {
                    self.close(shared);
                    return work + 1;
                }
            }
        }
        if self.state == State::Open {
            let ended = self.with_turn(shared, |session, turn, _| session.tick(turn));
            self.settle(ended, shared);
        }
        self.with_turn(shared, |session, turn, _| session.progress(turn));
        work + self.flush(shared) + self.catch_up(shared)
    }

    /// Lets the desk tell a session that has subscribed to something.
    pub(super) fn tell(
        &mut self,
        shared: &mut Shared<'_>,
        say: impl FnOnce(&mut Desk<'_>, &mut Outgoing, &mut Turn<'_>),
    ) {
        if self.subscriber.subscriptions.is_empty() || !self.is_active() {
            return;
        }
        self.with_turn(shared, |session, turn, desk| {
            say(desk, &mut session.outgoing, turn);
        });
        self.settle(Ok(()), shared);
        self.flush(shared);
    }

    /// Sends the newest values of symbols that had to wait, now that the socket takes bytes.
    fn catch_up(&mut self, shared: &mut Shared<'_>) -> usize {
        let has_room = self.outbox.len() <= self.options.conflate_bytes / 2;
        if !has_room || !self.subscriber.is_behind() || !self.is_active() {
            return 0;
        }
        self.with_turn(shared, |session, turn, desk| {
            desk.catch_up(&mut session.outgoing, turn);
        });
        self.flush(shared)
    }

    /// Says that the feed has ended, to those who have subscribed to single executions.
    pub(super) fn tell_end(&mut self, time: Timestamp, shared: &mut Shared<'_>) {
        if self.is_active() {
            self.with_turn(shared, |session, turn, desk| {
                desk.tell_end(time, &mut session.outgoing, turn);
            });
        }
    }

    /// Says goodbye to a counterparty that is logged on; closes towards anybody else.
    pub(super) fn leave(&mut self, reason: &str, shared: &mut Shared<'_>) {
        if self.is_active() {
            self.with_turn(shared, |session, turn, _| session.leave(reason, turn));
        } else if self.state == State::Open {
            self.settle(Err(Cause::NoLogon), shared);
        }
        self.flush(shared);
    }

    /// Closes the socket and gives the session's numbers back.
    pub(super) fn close(&mut self, shared: &mut Shared<'_>) {
        self.with_turn(shared, |session, turn, _| session.end(turn));
        self.subscriber = Subscriber::default();
        self.state = State::Closed;
    }

    /// Goes on with what an earlier turn has left.
    fn resume(&mut self, shared: &mut Shared<'_>) -> usize {
        let resent = self.with_turn(shared, |session, turn, _| session.outgoing.go_on(turn));
        self.rest(resent, shared);
        if self.session.queue_bytes > 0 {
            let ended = self.with_turn(shared, |session, turn, desk| session.drain(turn, desk));
            self.settle(ended, shared);
            if self.is_turn_over(false, shared) {
                return 1;
            }
        }
        match self.state == State::Open && self.deferred {
            true => self.digest(shared),
            false => usize::from(resent > 0),
        }
    }

    /// Acts on nothing more of the counterparty's before `bytes` of answers are within its share.
    fn rest(&mut self, bytes: u64, shared: &Shared<'_>) {
        let rest_ns = bytes.saturating_mul(SECOND) / ANSWER_BYTES_PER_S;
        let until_ns = shared.now.monotonic_ns.saturating_add(rest_ns);
        self.rests_until_ns = self.rests_until_ns.max(until_ns);
    }

    /// Ends the turn after `enough` messages or long answers; these cost a rest.
    fn is_turn_over(&mut self, enough: bool, shared: &mut Shared<'_>) -> bool {
        let spent = self.with_turn(shared, |_, turn, _| turn.is_spent().then(|| turn.spent()));
        if spent.is_none() && !enough {
            return false;
        }
        self.rest(spent.unwrap_or(0), shared);
        self.deferred = true;
        shared.counts.turns_cut += 1;
        true
    }

    /// Whether nothing is to be read before the messages that wait have been acted on. A caller whose
    /// Logon waits is listened to a little longer, to notice when it has gone.
    fn is_held_up(&self) -> bool {
        let has_room = self.inbox.len() < self.options.max_message_bytes;
        self.deferred && self.state == State::Open && !(self.awaits_logon() && has_room)
    }

    /// Hands the whole messages in the inbox to the session, as far as its turn goes.
    fn digest(&mut self, shared: &mut Shared<'_>) -> usize {
        let mut used = 0;
        let mut work = 0;
        self.deferred = false;
        let inbox = std::mem::take(&mut self.inbox);
        while self.state == State::Open && used < inbox.len() {
            let kept = used;
            let ended = match next_frame(&inbox[used..], self.options.max_message_bytes) {
                Frame::Incomplete => break,
                Frame::Garbled { skip, .. } => {
                    used += skip;
                    self.with_turn(shared, |session, turn, _| session.garbled(turn))
                }
                Frame::Message { message, length } => {
                    used += length;
                    self.with_turn(shared, |session, turn, desk| {
                        session.receive(&message, turn, desk)
                    })
                }
            };
            if ended == Err(Cause::NotYet) {
                used = kept;
                shared.counts.messages_received -= 1;
                self.deferred = true;
                break;
            }
            work += 1;
            self.settle(ended, shared);
            if self.is_turn_over(work == MESSAGES_PER_TURN, shared) {
                break;
            }
        }
        self.inbox = inbox;
        self.inbox.advance(used);
        work
    }

    /// Begins to close if the session has ended or its reader is too slow.
    fn settle(&mut self, ended: Result<(), Cause>, shared: &mut Shared<'_>) {
        let mut ended = ended.err();
        let (waiting, now_ns) = (self.outbox.len(), shared.now.monotonic_ns);
        let slowness = self.backlog.slowness(waiting, now_ns, &self.options);
        if let Some(reason) = slowness.filter(|_| ended.is_none()) {
            ended = Some(self.with_turn(shared, |session, turn, _| {
                session.log_out(&reason, turn, Cause::SlowReader)
            }));
        }
        let Some(cause) = ended else { return };
        match cause {
            Cause::NoLogon => shared.counts.logons_refused += 1,
            Cause::SlowReader => shared.counts.slow_readers += 1,
            Cause::LoggedOut | Cause::Answered | Cause::Fault | Cause::Silent | Cause::NotYet => {}
        }
        self.with_turn(shared, |session, turn, _| session.end(turn));
        self.subscriber = Subscriber::default();
        if self.outbox.is_empty() && matches!(cause, Cause::NoLogon | Cause::Answered) {
            self.socket.finish();
            self.state = State::Closed;
            return;
        }
        let linger_ns = self.options.linger_ms * 1_000_000;
        self.state = State::Closing {
            deadline_ns: shared.now.monotonic_ns.saturating_add(linger_ns),
            flushed: false,
        };
    }

    /// Writes what the socket takes; ends a connection that is closing when its time has come.
    fn flush(&mut self, shared: &mut Shared<'_>) -> usize {
        let mut work = 0;
        if self.state != State::Closed {
            shared.store.commit();
            let before = self.outbox.len();
            let done = self.socket.write_some(&mut self.outbox, shared.counts);
            self.backlog.take(before - self.outbox.len());
            self.backlog
                .watch(self.outbox.len(), shared.now.monotonic_ns);
            match done {
                Ok(writes) => work = writes,
                Err(_) => {
                    self.close(shared);
                    return 1;
                }
            }
        }
        if let State::Closing {
            deadline_ns,
            flushed,
        } = &mut self.state
        {
            if self.outbox.is_empty() && self.socket.is_flushed() && !*flushed {
                *flushed = true;
                self.socket.finish();
            }
            if shared.now.monotonic_ns >= *deadline_ns {
                self.state = State::Closed;
            }
        }
        work
    }

    fn with_turn<T>(
        &mut self,
        shared: &mut Shared<'_>,
        act: impl FnOnce(&mut Session, &mut Turn<'_>, &mut Desk<'_>) -> T,
    ) -> T {
        let mut turn = Turn {
            now: shared.now,
            time: shared.time,
            out: &mut self.outbox,
            began: self.began,
            limit: self.options.max_pending_bytes,
            conflate: self.options.conflate_bytes,
            store: &mut *shared.store,
            next_check_ns: &mut *shared.next_check_ns,
            counts: &mut *shared.counts,
        };
        let (socket, backlog) = (&mut self.socket, &mut self.backlog);
        let mut desk = Desk {
            market: &mut *shared.market,
            subscriber: &mut self.subscriber,
            max_subscriptions: self.options.max_subscriptions,
            drain: &mut |out, counts| {
                let before = out.len();
                let _ = socket.write_some(out, counts);
                backlog.take(before - out.len());
            },
        };
        act(&mut self.session, &mut turn, &mut desk)
    }
}
