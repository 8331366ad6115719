//! One client's socket: bytes in, frames to the session, bytes out, and an orderly end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::market_data::{Desk, Market};
use super::outgoing::Turn;
use super::session::{Cause, Session};
use super::subscription::Subscriber;
use super::{AcceptorOptions, Clock, FixCounts, Store};
use crate::market::Timestamp;
use crate::wire::fix::{Frame, UtcText, next_frame};

/// Reads from one socket in one duty cycle.
const READS_PER_TURN: usize = 4;

/// What all connections share, lent to one of them for a call.
pub(super) struct Shared<'a> {
    pub(super) now: Clock,
    pub(super) time: UtcText,
    pub(super) market: &'a mut Market,
    pub(super) store: &'a mut Store,
    pub(super) counts: &'a mut FixCounts,
    pub(super) next_check_ns: &'a mut u64,
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
    stream: TcpStream,
    options: Arc<AcceptorOptions>,
    inbox: BytesMut,
    outbox: BytesMut,
    session: Session,
    subscriber: Subscriber,
    /// Bytes that the system has taken.
    written: u64,
    /// All bytes that there were at a time, while some of them wait, and that monotonic time.
    waiting_since: Option<(u64, u64)>,
    /// Whether a Logon in the inbox waits for its password to be checked.
    deferred: bool,
    state: State,
}

impl Connection {
    /// Wraps a socket that was just accepted from `address`.
    pub(super) fn new(
        stream: TcpStream,
        address: IpAddr,
        options: &Arc<AcceptorOptions>,
        now: Clock,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            options: Arc::clone(options),
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            session: Session::new(Arc::clone(options), address, now.monotonic_ns),
            subscriber: Subscriber::default(),
            written: 0,
            waiting_since: None,
            deferred: false,
            state: State::Open,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
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
        for _ in 0..READS_PER_TURN {
            match self.stream.read(shared.chunk) {
                Ok(0) => {
                    self.close(shared);
                    return work + 1;
                }
                Ok(length) => {
                    work += 1;
                    if self.state == State::Open {
                        self.inbox.extend_from_slice(&shared.chunk[..length]);
                        work += self.digest(shared);
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
        if self.state == State::Open && self.deferred {
            work += self.digest(shared);
        }
        if self.state == State::Open {
            let ended = self.with_turn(shared, |session, turn, _| session.tick(turn));
            self.settle(ended, shared);
        }
        self.with_turn(shared, |session, turn, _| session.progress(turn));
        work + self.flush(shared) + self.catch_up(shared)
    }

    /// Sends the update that the market holds encoded.
    pub(super) fn publish(&mut self, shared: &mut Shared<'_>) {
        if self.subscriber.subscriptions.is_empty() || !self.is_active() {
            return;
        }
        self.with_turn(shared, |session, turn, desk| {
            desk.spread(&mut session.outgoing, turn);
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

    /// Says in which state the feed is, to those who have subscribed to something.
    pub(super) fn tell_state(&mut self, shared: &mut Shared<'_>) {
        if self.subscriber.subscriptions.is_empty() || !self.is_active() {
            return;
        }
        self.with_turn(shared, |session, turn, desk| {
            desk.tell_state(&mut session.outgoing, turn);
        });
        self.settle(Ok(()), shared);
        self.flush(shared);
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
        self.subscriber.subscriptions.clear();
        self.state = State::Closed;
    }

    /// Hands every whole message in the inbox to the session.
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
        }
        self.inbox = inbox;
        self.inbox.advance(used);
        work
    }

    /// Begins to close if the session has ended or its reader is too slow.
    fn settle(&mut self, ended: Result<(), Cause>, shared: &mut Shared<'_>) {
        let mut ended = ended.err();
        if let Some(reason) = self.slowness(shared).filter(|_| ended.is_none()) {
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
        self.subscriber.subscriptions.clear();
        if self.outbox.is_empty() && matches!(cause, Cause::NoLogon | Cause::Answered) {
            self.state = State::Closed;
            return;
        }
        let linger_ns = self.options.linger_ms * 1_000_000;
        self.state = State::Closing {
            deadline_ns: shared.now.monotonic_ns.saturating_add(linger_ns),
            flushed: false,
        };
    }

    /// Why the reader is too slow, if it is.
    fn slowness(&self, shared: &Shared<'_>) -> Option<String> {
        let (bytes, millis) = (self.options.max_pending_bytes, self.options.max_pending_ms);
        if self.outbox.len() > bytes {
            return Some(format!(
                "reader too slow: more than {bytes} bytes are waiting"
            ));
        }
        let (_, since_ns) = self.waiting_since?;
        let age_ns = shared.now.monotonic_ns.saturating_sub(since_ns);
        (age_ns > millis * 1_000_000)
            .then(|| format!("reader too slow: bytes have waited for more than {millis} ms"))
    }

    /// Notes since when bytes have been waiting.
    fn watch(&mut self, now_ns: u64) {
        let written = self.written;
        if self.waiting_since.is_some_and(|(all, _)| written >= all) {
            self.waiting_since = None;
        }
        if self.waiting_since.is_none() && !self.outbox.is_empty() {
            self.waiting_since = Some((written + self.outbox.len() as u64, now_ns));
        }
    }

    /// Writes what the socket takes; ends a connection that is closing when its time has come.
    fn flush(&mut self, shared: &mut Shared<'_>) -> usize {
        let mut work = 0;
        if self.state != State::Closed {
            shared.store.commit();
            let before = self.outbox.len();
            let done = write_some(&self.stream, &mut self.outbox, shared.counts);
            self.written += (before - self.outbox.len()) as u64;
            self.watch(shared.now.monotonic_ns);
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
            if self.outbox.is_empty() && !*flushed {
                *flushed = true;
                let _ = self.stream.shutdown(Shutdown::Write);
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
            limit: self.options.max_pending_bytes,
            conflate: self.options.conflate_bytes,
            store: &mut *shared.store,
            next_check_ns: &mut *shared.next_check_ns,
            counts: &mut *shared.counts,
        };
        let (stream, written) = (&self.stream, &mut self.written);
        let mut desk = Desk {
            market: &mut *shared.market,
            subscriber: &mut self.subscriber,
            max_subscriptions: self.options.max_subscriptions,
            drain: &mut |out, counts| {
                let before = out.len();
                let _ = write_some(stream, out, counts);
                *written += (before - out.len()) as u64;
            },
        };
        act(&mut self.session, &mut turn, &mut desk)
    }
}

/// Writes what the socket takes of `out`. Returns how often it took something.
fn write_some(
    mut stream: &TcpStream,
    out: &mut BytesMut,
    counts: &mut FixCounts,
) -> io::Result<usize> {
    let mut writes = 0;
    while !out.is_empty() {
        match stream.write(out) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(length) => {
                out.advance(length);
                counts.bytes_written += length as u64;
                writes += 1;
            }
            Err(error) if is_for_later(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(writes)
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
