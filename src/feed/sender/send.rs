//! The sender and its duty cycle.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::loss::Losses;
use super::options::{SenderOptions, Speed};
use super::pace::{Rate, Schedule};
use super::rerequest_server::{RerequestServer, ServerCounts};
use super::tape::Tape;
use crate::feed::udp;
use crate::market::NANOS_PER_SECOND;
use crate::wire::moldudp64::{Header, PacketBuilder, Pushed};

/// Packets sent in one go, between two looks at the requests.
const BATCH: usize = 32;
/// The longest sleep, so that requests and the stop flag don't wait.
const LONGEST_SLEEP: Duration = Duration::from_micros(200);
/// Waits up to this are spent awake, because sleeping takes longer than asked.
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);

/// What a duty cycle found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Something was done and more may be waiting.
    Busy,
    /// Nothing to send before this time on the caller's clock; requests may come any time.
    IdleUntil(u64),
    /// Everything has been sent and the linger is over.
    Done,
}

/// What a sender has done so far. Lines are A and B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderCounts {
    /// Packets of messages made, each once however many lines there are.
    pub packets: u64,
    /// Messages in them.
    pub messages: u64,
    /// Bytes of them, headers included.
    pub bytes: u64,
    /// Packets of messages sent on each line.
    pub sent: [u64; 2],
    /// Packets of messages lost on purpose on each line.
    pub lost: [u64; 2],
    /// Heartbeats, each once however many lines there are.
    pub heartbeats: u64,
    /// End-of-session packets, each once however many lines there are.
    pub ends: u64,
    /// Sum over the packets of how late their first message left, in nanoseconds; 0 at
    /// [`Speed::Max`], which has no schedule.
    pub late_total_ns: u64,
    /// The latest that a first message left, in nanoseconds.
    pub late_max_ns: u64,
    /// The re-request server.
    pub server: ServerCounts,
}

/// What keeps a sender from sending.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// A socket could not be made ready.
    #[error("{address}: cannot open the socket: {error}")]
    Open {
        /// The group, or the address of the re-request server.
        address: SocketAddrV4,
        /// What the system said.
        error: io::Error,
    },
    /// A packet could not be sent.
    #[error("{group}: cannot send: {error}")]
    Send {
        /// Where it was to go.
        group: SocketAddrV4,
        /// What the system said.
        error: io::Error,
    },
    /// Requests could not be received.
    #[error("cannot receive requests: {0}")]
    Receive(io::Error),
}

/// Where the sender is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Sending,
    Ending { since_ns: u64, sent: u32 },
    Done,
}

/// Sends a tape.
#[derive(Debug)]
pub struct Sender {
    options: SenderOptions,
    tape: Tape,
    lines: Vec<(UdpSocket, SocketAddrV4)>,
    server: Option<RerequestServer>,
    builder: PacketBuilder,
    losses: Losses,
    rate: Rate,
    schedule: Option<Schedule>,
    phase: Phase,
    offset: usize,
    next: u64,
    heartbeat_due_ns: u64,
    counts: SenderCounts,
}

impl Sender {
    /// Opens the sockets; nothing is sent yet.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub fn new(tape: Tape, options: SenderOptions) -> Result<Self, SenderError> {
        let opened = |address| move |error| SenderError::Open { address, error };
        let mut lines = Vec::new();
        for group in std::iter::once(options.group_a).chain(options.group_b) {
            let socket = udp::multicast_sender(options.interface).map_err(opened(group))?;
            socket
                .set_multicast_ttl_v4(options.ttl)
                .map_err(opened(group))?;
            lines.push((socket, group));
        }
        let server = match options.rerequest {
            Some(address) => {
                Some(RerequestServer::bind(address, &options).map_err(opened(address))?)
            }
            None => None,
        };
        Ok(Self {
            lines,
            server,
            builder: PacketBuilder::new(options.session, options.payload_limit),
            losses: Losses::new(&options.loss),
            rate: Rate::new(options.packets_per_second),
            schedule: None,
            phase: Phase::Sending,
            offset: 0,
            next: 1,
            heartbeat_due_ns: 0,
            counts: SenderCounts::default(),
            options,
            tape,
        })
    }

    /// Where requests are answered, if anywhere.
    #[must_use]
    pub fn rerequest_address(&self) -> Option<SocketAddr> {
        self.server.as_ref()?.address().ok()
    }

    /// What has been done so far.
    #[must_use]
    pub fn counts(&self) -> SenderCounts {
        SenderCounts {
            server: self
                .server
                .as_ref()
                .map(RerequestServer::counts)
                .unwrap_or_default(),
            ..self.counts
        }
    }

    /// Sends until everything is sent and the linger is over, or until `stop` is set; then the
    /// session is left without its end. Calls `progress` about once a second.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        mut progress: impl FnMut(&SenderCounts),
    ) -> Result<SenderCounts, SenderError> {
        let clock = Instant::now();
        let now = || u64::try_from(clock.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut report_ns = NANOS_PER_SECOND;
        while !stop.load(Ordering::Relaxed) {
            let now_ns = now();
            if now_ns >= report_ns {
                report_ns = now_ns + NANOS_PER_SECOND;
                progress(&self.counts());
            }
            match self.duty(now_ns)? {
                Duty::Busy => {}
                Duty::IdleUntil(until_ns) => rest(until_ns.saturating_sub(now())),
                Duty::Done => break,
            }
        }
        Ok(self.counts())
    }

    /// One round: answers requests, sends what is due, at most a batch of each. `now_ns` is a clock
    /// that never goes back; the first call's is the start.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn duty(&mut self, now_ns: u64) -> Result<Duty, SenderError> {
        let served = match &mut self.server {
            Some(server) => server
                .serve(now_ns, &self.tape, self.next)
                .map_err(SenderError::Receive)?,
            None => 0,
        };
        let duty = match self.phase {
            Phase::Sending => self.send_due(now_ns)?,
            Phase::Ending { since_ns, sent } => self.send_end(now_ns, since_ns, sent)?,
            Phase::Done => Duty::Done,
        };
        match duty {
            Duty::IdleUntil(_) if served > 0 => Ok(Duty::Busy),
            duty => Ok(duty),
        }
    }

    fn send_due(&mut self, now_ns: u64) -> Result<Duty, SenderError> {
        let start_ns = now_ns.saturating_add(self.options.start_delay_ns);
        let speed = self.options.speed;
        let mut schedule = self
            .schedule
            .take()
            .unwrap_or_else(|| Schedule::new(speed, start_ns));
        let duty = self.send_scheduled(now_ns, &mut schedule);
        self.schedule = Some(schedule);
        duty
    }

    fn send_scheduled(
        &mut self,
        now_ns: u64,
        schedule: &mut Schedule,
    ) -> Result<Duty, SenderError> {
        for _ in 0..BATCH {
            if self.next > self.tape.count() {
                self.phase = Phase::Ending {
                    since_ns: now_ns,
                    sent: 0,
                };
                return Ok(Duty::Busy);
            }
            let Some((message, _)) = self.tape.message_at(self.offset) else {
                self.phase = Phase::Done;
                return Ok(Duty::Done);
            };
            let due_ns = schedule.due(message);
            let ready_ns = due_ns.max(self.rate.next_ns());
            if ready_ns > now_ns {
                return self.keep_alive(now_ns, ready_ns);
            }
            self.fill(now_ns, schedule);
            self.send_messages(now_ns)?;
            if self.options.speed != Speed::Max {
                let late = now_ns - due_ns;
                self.counts.late_total_ns = self.counts.late_total_ns.saturating_add(late);
                self.counts.late_max_ns = self.counts.late_max_ns.max(late);
            }
        }
        Ok(Duty::Busy)
    }

    /// Fills the packet with the messages that are due, the next one at least.
    fn fill(&mut self, now_ns: u64, schedule: &mut Schedule) {
        self.builder.start(self.next);
        while self.next <= self.tape.count()
            && let Some((message, after)) = self.tape.message_at(self.offset)
            && schedule.due(message) <= now_ns
            && self.builder.push(message) == Pushed::Added
        {
            schedule.passed(message);
            self.offset = after;
            self.next += 1;
        }
    }

    fn send_messages(&mut self, now_ns: u64) -> Result<(), SenderError> {
        let lost = self.losses.next();
        self.counts.packets += 1;
        self.counts.messages += u64::from(self.builder.count());
        let packet = self.builder.packet();
        self.counts.bytes += packet.len() as u64;
        for (line, (socket, group)) in self.lines.iter().enumerate() {
            if lost[line] {
                self.counts.lost[line] += 1;
            } else {
                send(socket, *group, packet)?;
                self.counts.sent[line] += 1;
            }
        }
        self.rate.passed(now_ns);
        self.heartbeat_due_ns = now_ns.saturating_add(self.options.heartbeat_ns);
        Ok(())
    }

    /// Sends a heartbeat if one is due; `ready_ns` is when the next message may leave.
    fn keep_alive(&mut self, now_ns: u64, ready_ns: u64) -> Result<Duty, SenderError> {
        if now_ns >= self.heartbeat_due_ns {
            self.send_header(Header::heartbeat(self.options.session, self.next))?;
            self.counts.heartbeats += 1;
            self.heartbeat_due_ns = now_ns.saturating_add(self.options.heartbeat_ns);
        }
        Ok(Duty::IdleUntil(ready_ns.min(self.heartbeat_due_ns)))
    }

    fn send_end(&mut self, now_ns: u64, since_ns: u64, sent: u32) -> Result<Duty, SenderError> {
        let ends = self.options.end_packets.max(1);
        let spacing = self.options.linger_ns / u64::from(ends);
        let due_ns = since_ns.saturating_add(spacing.saturating_mul(u64::from(sent)));
        if sent < ends {
            if now_ns < due_ns {
                return Ok(Duty::IdleUntil(due_ns));
            }
            self.send_header(Header::end_of_session(self.options.session, self.next))?;
            self.counts.ends += 1;
            let sent = sent + 1;
            self.phase = Phase::Ending { since_ns, sent };
            return Ok(Duty::Busy);
        }
        let over_ns = since_ns.saturating_add(self.options.linger_ns);
        if now_ns < over_ns {
            return Ok(Duty::IdleUntil(over_ns));
        }
        self.phase = Phase::Done;
        Ok(Duty::Done)
    }

    fn send_header(&self, header: Header) -> Result<(), SenderError> {
        for (socket, group) in &self.lines {
            send(socket, *group, &header.to_bytes())?;
        }
        Ok(())
    }
}

fn send(socket: &UdpSocket, group: SocketAddrV4, packet: &[u8]) -> Result<(), SenderError> {
    loop {
        match socket.send_to(packet, group) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SenderError::Send { group, error }),
        }
    }
}

/// Waits up to so many nanoseconds, but never long.
fn rest(nanos: u64) {
    let wait = Duration::from_nanos(nanos);
    if wait > SHORTEST_SLEEP {
        std::thread::sleep((wait - SHORTEST_SLEEP).min(LONGEST_SLEEP));
    } else {
        std::thread::yield_now();
    }
}
