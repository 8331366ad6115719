//! The socket behind a session: connects, reads, writes, and connects again.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BytesMut};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Socket, Type};

use super::FixFeedOptions;
use super::session::{Session, Times};
use crate::buffer::{Buffer, Pool};
use crate::feed::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::market::NANOS_PER_SECOND;
use crate::wire::fix::{Frame, next_frame};

/// Packet buffers.
const BUFFERS: usize = 64;
/// Packets handed on by one poll at most.
const BATCH: usize = 8;
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Nanoseconds that a connection may take to come up.
const CONNECT_NS: u64 = 5 * NANOS_PER_SECOND;
/// Nanoseconds between two packets that say nothing but that the feed is alive.
const BEAT_NS: u64 = NANOS_PER_SECOND;

#[derive(Debug)]
enum Link {
    /// To be connected at this time.
    Down(u64),
    /// To be up by this time.
    Connecting(TcpStream, u64),
    Up(TcpStream),
}

/// Market data over FIX as a feed: an initiator that logs on, subscribes and connects again when it is
/// cut off. It waits while nobody collects, and so lets the counterparty wait.
#[derive(Debug)]
pub struct FixSource {
    options: Arc<FixFeedOptions>,
    link: Link,
    /// Milliseconds until the next attempt after one that fails.
    backoff_ms: u64,
    session: Session,
    inbox: BytesMut,
    chunk: Vec<u8>,
    pool: Arc<Pool>,
    beat_ns: u64,
    /// Whether the last packet said that messages wait behind a gap.
    gap: bool,
    disconnects: u64,
    garbled: u64,
}

impl FixSource {
    /// A source that connects when it is first polled.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn new(options: FixFeedOptions) -> Result<Self, String> {
        options.validate()?;
        let options = Arc::new(options);
        Ok(Self {
            link: Link::Down(0),
            backoff_ms: options.reconnect_ms,
            session: Session::new(Arc::clone(&options)),
            inbox: BytesMut::new(),
            chunk: vec![0; CHUNK],
            pool: Pool::new(BUFFERS, options.max_message_bytes + 128),
            beat_ns: 0,
            gap: false,
            disconnects: 0,
            garbled: 0,
            options,
        })
    }

    /// Goes one step on with the connection.
    fn advance(&mut self, times: Times) {
        match &self.link {
            Link::Down(due) if times.now_ns >= *due => match self.connect() {
                Ok(stream) => self.link = Link::Connecting(stream, times.now_ns + CONNECT_NS),
                Err(_) => self.drop_link(times),
            },
            Link::Down(_) => {}
            Link::Connecting(stream, deadline) => match is_connected(stream) {
                Ok(true) => self.begin(times),
                Ok(false) if times.now_ns < *deadline => {}
                Ok(false) | Err(_) => self.drop_link(times),
            },
            Link::Up(_) => {
                if self.exchange(times).is_err() {
                    // Last words, if the socket takes them.
                    let _ = self.write();
                    self.drop_link(times);
                }
            }
        }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let server = self.options.server;
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&server.into()) {
            Ok(()) => Ok(socket.into()),
            Err(error) => {
                let later = rustix::io::Errno::INPROGRESS.raw_os_error();
                let is_later = error.raw_os_error() == Some(later);
                if is_later {
                    Ok(socket.into())
                } else {
                    Err(error)
                }
            }
        }
    }

    /// The connection has come up.
    fn begin(&mut self, times: Times) {
        let link = std::mem::replace(&mut self.link, Link::Down(0));
        if let Link::Connecting(stream, _) = link {
            self.link = Link::Up(stream);
        }
        self.inbox.clear();
        self.session.connected(times);
        if self.write().is_err() {
            self.drop_link(times);
        }
    }

    fn drop_link(&mut self, times: Times) {
        if self.session.is_up() {
            self.backoff_ms = self.options.reconnect_ms;
        }
        self.disconnects += u64::from(matches!(self.link, Link::Up(_)));
        self.session.disconnected(times);
        self.link = Link::Down(times.now_ns + self.backoff_ms * 1_000_000);
        self.backoff_ms = (self.backoff_ms * 2).min(self.options.reconnect_max_ms);
    }

    /// Reads once, lets timers run and writes. An error ends the connection.
    fn exchange(&mut self, times: Times) -> Result<(), ()> {
        let Link::Up(stream) = &mut self.link else {
            return Ok(());
        };
        match stream.read(&mut self.chunk) {
            Ok(0) => return Err(()),
            Ok(length) => {
                self.inbox.extend_from_slice(&self.chunk[..length]);
                self.digest(times)?;
            }
            Err(error) if is_for_later(&error) => {}
            Err(_) => return Err(()),
        }
        self.session.tick(times).map_err(|_| ())?;
        self.write().map_err(|_| ())
    }

    /// Hands every whole message in the inbox to the session.
    fn digest(&mut self, times: Times) -> Result<(), ()> {
        while !self.inbox.is_empty() {
            let used = match next_frame(&self.inbox, self.options.max_message_bytes) {
                Frame::Incomplete => return Ok(()),
                Frame::Garbled { skip, .. } => {
                    self.garbled += skip as u64;
                    skip
                }
                Frame::Message { message, length } => {
                    let bytes = &self.inbox[..length];
                    let done = self.session.receive(&message, bytes, times);
                    done.map_err(|_| ())?;
                    length
                }
            };
            self.inbox.advance(used);
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let Link::Up(stream) = &mut self.link else {
            return Ok(());
        };
        let out = &mut self.session.out;
        while !out.is_empty() {
            match stream.write(out) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => out.advance(length),
                Err(error) if is_for_later(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Moves what the session has taken into packets.
    fn hand_on(&mut self, now_ns: u64, packets: &mut Vec<Packet>) {
        let gap = self.session.has_gap();
        for _ in 0..BATCH {
            if self.session.taken.is_empty() {
                break;
            }
            let Some(mut buffer) = self.pool.take() else {
                return;
            };
            let (length, lost) = self.session.taken.collect(&mut buffer);
            buffer.set_length(length);
            packets.push(packet(buffer, now_ns, Framing::Fix { lost, gap }));
            self.gap = gap;
        }
        let beat = self.session.is_live() && now_ns >= self.beat_ns;
        if beat || gap != self.gap {
            self.beat_ns = now_ns + BEAT_NS;
            self.gap = gap;
            let framing = Framing::Fix { lost: None, gap };
            packets.push(packet(Buffer::detached(&[]), now_ns, framing));
        }
    }
}

fn packet(bytes: Buffer, received_ns: u64, framing: Framing) -> Packet {
    Packet {
        bytes,
        received_ns,
        line: 0,
        framing,
    }
}

fn times(now_ns: u64) -> Times {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let utc_ns = since.map_or(0, |since| since.as_nanos() as u64);
    Times { now_ns, utc_ns }
}

/// Whether a connection that was begun is up.
fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    let mut waiting = [PollFd::new(stream, PollFlags::OUT)];
    let ready = poll(&mut waiting, Some(&Timespec::default()))? > 0;
    match stream.take_error()? {
        Some(error) => Err(error),
        None => Ok(ready),
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Source for FixSource {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let times = times(now_ns);
        // What has been taken goes first: the counterparty waits while nobody collects.
        if self.session.taken.is_empty() && !self.session.closed {
            self.advance(times);
        }
        let before = packets.len();
        self.hand_on(now_ns, packets);
        if packets.len() > before {
            return Ok(Poll::Ready);
        }
        if self.session.closed && self.session.taken.is_empty() {
            self.session.leave(times);
            let _ = self.write();
            return Ok(Poll::End);
        }
        Ok(Poll::Idle)
    }

    fn finish(&mut self, now_ns: u64, packets: &mut Vec<Packet>) {
        self.session.give_up(times(now_ns));
        let mut bytes = vec![0; self.options.max_message_bytes + 128];
        loop {
            let (length, lost) = self.session.taken.collect(&mut bytes);
            if length == 0 && lost.is_none() {
                return;
            }
            let framing = Framing::Fix { lost, gap: false };
            packets.push(packet(Buffer::detached(&bytes[..length]), now_ns, framing));
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    fn waits(&self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Duration) {
        let (stream, flags) = match &self.link {
            Link::Down(_) => return std::thread::sleep(timeout),
            Link::Connecting(stream, _) => (stream, PollFlags::OUT),
            Link::Up(stream) => (stream, PollFlags::IN),
        };
        let limit = Timespec::try_from(timeout).unwrap_or_default();
        let mut waiting = [PollFd::new(stream, flags)];
        // A socket that cannot be waited for fails when it is next read.
        let _ = poll(&mut waiting, Some(&limit));
    }

    fn counts(&self) -> FeedCounts {
        let session = self.session.counts;
        FeedCounts {
            garbled_bytes: self.garbled,
            fix_logons: session.logons,
            fix_disconnects: self.disconnects,
            fix_refusals: session.refused,
            fix_resends: session.resends,
            fix_unused: session.unused + session.overflowed,
            ..FeedCounts::default()
        }
    }
}
