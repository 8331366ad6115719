//! The sender and its duty cycle.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, SocketAddrV4};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::counts::SenderCounts;
use super::late::Lateness;
use super::loss::Losses;
use super::options::{SenderOptions, Speed};
use super::pace::{Rate, Schedule};
use super::rerequest_server::RerequestServer;
use super::tape::Tape;
use crate::feed::udp::{Outbox, Parts};
use crate::market::NANOS_PER_SECOND;
use crate::wire::moldudp64::{HEADER_LENGTH, Header, MAX_PAYLOAD};

/// Packets sent in one go, between two looks at the requests.
const BATCH: usize = 64;
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

/// A packet to be sent: its header, and where its messages are on the tape, which has them framed as a
/// packet does.
#[derive(Clone, Debug, Default)]
struct Outgoing {
    header: [u8; HEADER_LENGTH],
    messages: Range<usize>,
}

/// Sends a tape.
#[derive(Debug)]
pub struct Sender {
    options: SenderOptions,
    tape: Tape,
    lines: Vec<Outbox>,
    server: Option<RerequestServer>,
    /// The packets of one batch.
    packets: Vec<Outgoing>,
    /// Which of them are lost on which line.
    lost: [[bool; 2]; BATCH],
    losses: Losses,
    rate: Rate,
    schedule: Option<Schedule>,
    phase: Phase,
    offset: usize,
    next: u64,
    heartbeat_due_ns: u64,
    late: Lateness,
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
            let line = Outbox::open(group, options.interface, options.ttl, options.transmit);
            lines.push(line.map_err(opened(group))?);
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
            packets: vec![Outgoing::default(); BATCH],
            lost: [[false; 2]; BATCH],
            losses: Losses::new(&options.loss),
            rate: Rate::new(options.packets_per_second),
            schedule: None,
            phase: Phase::Sending,
            offset: 0,
            next: 1,
            heartbeat_due_ns: 0,
            late: Lateness::new(),
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
            late_total_ns: self.late.total_ns(),
            late_p50_ns: self.late.per_mille(500),
            late_p99_ns: self.late.per_mille(990),
            late_max_ns: self.late.max_ns(),
            send_calls: self.lines.iter().map(Outbox::calls).sum(),
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
        let mut ready = 0;
        let mut duty = Duty::Busy;
        let mut idle_until = None;
        while ready < BATCH {
            if self.next > self.tape.count() {
                self.phase = Phase::Ending {
                    since_ns: now_ns,
                    sent: 0,
                };
                break;
            }
            let Some((message, _)) = self.tape.message_at(self.offset) else {
                self.phase = Phase::Done;
                duty = Duty::Done;
                break;
            };
            let due_ns = schedule.due(message);
            let ready_ns = due_ns.max(self.rate.next_ns());
            if ready_ns > now_ns {
                idle_until = Some(ready_ns);
                break;
            }
            self.fill(ready, now_ns, schedule);
            ready += 1;
            if self.options.speed != Speed::Max {
                self.late.record(now_ns.saturating_sub(due_ns));
            }
        }
        self.send_messages(ready)?;
        match idle_until {
            Some(ready_ns) => self.keep_alive(now_ns, ready_ns),
            None => Ok(duty),
        }
    }

    /// Fills packet `at` of the batch with the messages that are due, the next one at least.
    fn fill(&mut self, at: usize, now_ns: u64, schedule: &mut Schedule) {
        let room = self.options.payload_limit.min(MAX_PAYLOAD);
        let begin = self.offset;
        let most = begin + room.saturating_sub(HEADER_LENGTH);
        let left = self.tape.count() + 1 - self.next;
        let (mut count, mut end) = (0, begin);
        let mut horizon = None;
        while count < left
            && let Some((message, after)) = self.tape.message_at(end)
            // One that is too long for the limit travels alone.
            && (after <= most || count == 0)
            && horizon.is_none_or(|horizon| schedule.reached(horizon, message))
        {
            schedule.passed(message);
            horizon.get_or_insert_with(|| schedule.horizon(now_ns));
            (count, end) = (count + 1, after);
        }
        let header = Header {
            // A packet has 65,507 bytes at most and a message takes 2, so this fits.
            count: count as u16,
            ..Header::heartbeat(self.options.session, self.next)
        };
        self.packets[at] = Outgoing {
            header: header.to_bytes(),
            messages: begin..end,
        };
        (self.offset, self.next) = (end, self.next + count);
        self.counts.packets += 1;
        self.counts.messages += count;
        self.counts.bytes += (HEADER_LENGTH + end - begin) as u64;
        self.lost[at] = self.losses.next();
        self.rate.passed(now_ns);
        self.heartbeat_due_ns = now_ns.saturating_add(self.options.heartbeat_ns);
    }

    /// Sends the first `count` packets of the batch on each line, but for those that are lost there.
    fn send_messages(&mut self, count: usize) -> Result<(), SenderError> {
        for (line, outbox) in self.lines.iter_mut().enumerate() {
            let mut kept = [[IoSlice::new(&[]); 2]; BATCH];
            let mut sent = 0;
            for (packet, lost) in self.packets[..count].iter().zip(&self.lost) {
                if lost[line] {
                    self.counts.lost[line] += 1;
                } else {
                    let messages = self.tape.framed(packet.messages.clone());
                    kept[sent] = [IoSlice::new(&packet.header), IoSlice::new(messages)];
                    sent += 1;
                }
            }
            send(outbox, &kept[..sent])?;
            self.counts.sent[line] += sent as u64;
        }
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

    fn send_header(&mut self, header: Header) -> Result<(), SenderError> {
        for outbox in &mut self.lines {
            let bytes = header.to_bytes();
            send(outbox, &[[IoSlice::new(&bytes), IoSlice::new(&[])]])?;
        }
        Ok(())
    }
}

fn send(outbox: &mut Outbox, packets: &[Parts<'_>]) -> Result<(), SenderError> {
    let group = outbox.group();
    outbox
        .send(packets)
        .map_err(|error| SenderError::Send { group, error })
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
