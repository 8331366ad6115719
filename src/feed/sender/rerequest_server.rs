//! Answers requests for messages that have been sent.
//!
//! One packet answers one request, so it may hold fewer messages than were asked for, and nothing
//! is given out that has not been sent. A request that is wrong, of another session, beyond what has
//! been sent or over the rate is counted and ignored.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};

use super::options::SenderOptions;
use super::tape::Tape;
use crate::market::NANOS_PER_SECOND;
use crate::wire::moldudp64::{PacketBuilder, Pushed, Request, SessionId};

/// Requests looked at in one go.
const BATCH: usize = 16;

/// What a re-request server has seen and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// Datagrams received; each is counted once more below.
    pub requests: u64,
    /// Answered.
    pub answers: u64,
    /// Messages in the answers.
    pub messages: u64,
    /// No request.
    pub malformed: u64,
    /// Of another session.
    pub foreign: u64,
    /// For messages from beyond what has been sent.
    pub beyond: u64,
    /// Too many in one second.
    pub over_rate: u64,
    /// Answers that the system did not take.
    pub failed: u64,
    /// Refusals by receivers of earlier answers, reported by the system when receiving.
    pub refused: u64,
}

/// The socket, and what bounds its use.
#[derive(Debug)]
pub(super) struct RerequestServer {
    socket: UdpSocket,
    session: SessionId,
    builder: PacketBuilder,
    per_second: u32,
    second: u64,
    in_second: u32,
    counts: ServerCounts,
}

impl RerequestServer {
    pub(super) fn bind(address: SocketAddrV4, options: &SenderOptions) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            session: options.session,
            builder: PacketBuilder::new(options.session, options.payload_limit),
            per_second: options.answers_per_second,
            second: 0,
            in_second: 0,
            counts: ServerCounts::default(),
        })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(super) fn counts(&self) -> ServerCounts {
        self.counts
    }

    /// Answers the requests that wait, at most a batch, from the messages below number `next`;
    /// returns how many there were.
    pub(super) fn serve(&mut self, now_ns: u64, tape: &Tape, next: u64) -> io::Result<usize> {
        let mut bytes = [0; 64];
        for served in 0..BATCH {
            match self.socket.recv_from(&mut bytes) {
                Ok((length, asker)) => {
                    self.counts.requests += 1;
                    self.answer(&bytes[..length], asker, now_ns, tape, next);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(served),
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
                        self.counts.refused += 1;
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(BATCH)
    }

    fn answer(&mut self, bytes: &[u8], asker: SocketAddr, now_ns: u64, tape: &Tape, next: u64) {
        let Ok(request) = Request::parse(bytes) else {
            self.counts.malformed += 1;
            return;
        };
        if request.session != self.session {
            self.counts.foreign += 1;
            return;
        }
        let start = tape
            .offset_of(request.first)
            .filter(|_| request.first < next);
        let Some(mut offset) = start else {
            self.counts.beyond += 1;
            return;
        };
        if !self.within_rate(now_ns) {
            self.counts.over_rate += 1;
            return;
        }
        let wanted = (next - request.first).min(u64::from(request.count));
        self.builder.start(request.first);
        while u64::from(self.builder.count()) < wanted
            && let Some((message, after)) = tape.message_at(offset)
            && self.builder.push(message) == Pushed::Added
        {
            offset = after;
        }
        let count = u64::from(self.builder.count());
        match self.socket.send_to(self.builder.packet(), asker) {
            Ok(_) => {
                self.counts.answers += 1;
                self.counts.messages += count;
            }
            Err(_) => self.counts.failed += 1,
        }
    }

    fn within_rate(&mut self, now_ns: u64) -> bool {
        let second = now_ns / NANOS_PER_SECOND;
        if second != self.second {
            self.second = second;
            self.in_second = 0;
        }
        if self.in_second >= self.per_second {
            return false;
        }
        self.in_second += 1;
        true
    }
}
