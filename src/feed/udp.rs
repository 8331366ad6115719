//! Multicast (or unicast) UDP: one non-blocking socket for each line, received straight into pool
//! buffers.
//!
//! A socket is bound to its group and port, and `IP_MULTICAST_ALL` is off, so no other group's
//! datagrams come in. Several processes may share a group (`SO_REUSEADDR`); a unicast address is
//! bound plainly and belongs to one process. Nothing is lost without a count: datagrams that found
//! the pool empty or the buffer too small in [`UdpCounts`], datagrams that the kernel dropped because
//! nobody polled in [`UdpSource::kernel_drops`].
//!
//! Linux takes many datagrams with one system call, stamps them at their receipt and may merge them,
//! see [`Receive`]; elsewhere one call takes one, and a packet's time is that of its poll. The kernel's
//! count of drops is known on Linux alone.

#[cfg(target_os = "linux")]
mod batch;
mod kernel;
#[cfg(target_os = "linux")]
mod linux;
mod outbox;
mod single;
mod socket;

pub use outbox::Transmit;
pub(super) use outbox::{Outbox, Parts};
pub use socket::multicast_sender;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use socket2::Socket;

use self::single::Single;
use super::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::buffer::{Buffer, Pool};
use crate::memory::Memory;

/// Sockets of one source at most.
pub const MAX_SOCKETS: usize = 16;

/// One line of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpOptions {
    /// Group and port, such as `239.192.0.1:5000`. A unicast address is bound without joining; port
    /// 0 lets the system choose.
    pub group: SocketAddrV4,
    /// Address of the interface that the group is joined on. Default 127.0.0.1.
    #[serde(default = "loopback")]
    pub interface: Ipv4Addr,
    /// Only datagrams of this sender (a source-specific join, RFC 4607). Default: any sender.
    #[serde(default)]
    pub source: Option<Ipv4Addr>,
    /// Bytes asked for the kernel's receive buffer. Default 8 MiB; the system grants at most
    /// `net.core.rmem_max` unless the process has `CAP_NET_ADMIN`, see
    /// [`UdpSource::granted_receive_buffers`].
    #[serde(default = "receive_buffer")]
    pub receive_buffer: usize,
    /// Which line its packets are: 0 is A, 1 is B. Default 0.
    #[serde(default)]
    pub line: u8,
}

impl UdpOptions {
    /// The defaults for a group.
    #[must_use]
    pub fn new(group: SocketAddrV4) -> Self {
        Self {
            group,
            interface: loopback(),
            source: None,
            receive_buffer: receive_buffer(),
            line: 0,
        }
    }
}

fn loopback() -> Ipv4Addr {
    Ipv4Addr::LOCALHOST
}

fn receive_buffer() -> usize {
    8 << 20
}

/// How datagrams are taken from the kernel. What is asked for and cannot be had becomes the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receive {
    /// One datagram a system call; its time is that of the poll.
    Single,
    /// Many a system call (Linux); each has the time of its receipt.
    Batched,
    /// As batched, and the kernel merges consecutive datagrams of one length before it hands them on
    /// (Linux 5.0). A merged one that the kernel drops counts once.
    #[default]
    Merged,
}

impl Receive {
    /// The fastest way that the environment allows (see [`Memory::asked`]).
    fn asked() -> Self {
        match Memory::asked() {
            Memory::Fast => Receive::default(),
            Memory::Plain => Receive::Single,
        }
    }
}

/// What came in through the sockets of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpCounts {
    /// Datagrams taken from the kernel: the sum of the next three.
    pub received: u64,
    /// Datagrams handed on.
    pub delivered: u64,
    /// Datagrams thrown away because the pool was empty.
    pub dropped_pool_empty: u64,
    /// Datagrams thrown away because they were longer than a pool buffer.
    pub dropped_too_long: u64,
    /// Bytes handed on.
    pub bytes: u64,
    /// System calls that took them: `received` over `calls` is what a call brought.
    pub calls: u64,
}

/// Sockets being listened to.
pub struct UdpSource {
    sockets: Vec<Line>,
    reader: Reader,
    receive: Receive,
}

/// How the sockets are read.
enum Reader {
    Single(Single),
    #[cfg(target_os = "linux")]
    Batch(Box<batch::Batch>),
}

struct Line {
    socket: Socket,
    line: u8,
    bound: SocketAddrV4,
    granted: usize,
    inode: Option<u64>,
    counts: UdpCounts,
    /// Datagrams, or runs of merged ones, that the next receive takes at most.
    #[cfg(target_os = "linux")]
    slots: usize,
    /// Pool buffers to have at hand for it.
    #[cfg(target_os = "linux")]
    ready: usize,
}

impl UdpSource {
    /// Opens one socket for each of `options`, to be read in the way that is fastest here.
    ///
    /// # Errors
    /// [`FeedError::Io`] naming the address and what to do, if one cannot be opened, bound or
    /// joined; or if `options` is empty or longer than [`MAX_SOCKETS`].
    pub fn open(options: &[UdpOptions], pool: Arc<Pool>) -> Result<Self, FeedError> {
        Self::open_to(Receive::asked(), options, pool)
    }

    /// As [`UdpSource::open`], to be read as `receive` says.
    ///
    /// # Errors
    /// As [`UdpSource::open`].
    pub fn open_to(
        receive: Receive,
        options: &[UdpOptions],
        pool: Arc<Pool>,
    ) -> Result<Self, FeedError> {
        if options.is_empty() || options.len() > MAX_SOCKETS {
            return Err(FeedError::Io {
                path: "udp".into(),
                error: io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!(
                        "{} addresses: 1 to {MAX_SOCKETS} are possible",
                        options.len()
                    ),
                ),
            });
        }
        let sockets = options
            .iter()
            .map(|options| socket::open(options, receive))
            .collect::<Result<_, _>>()?;
        let reader = match receive {
            #[cfg(target_os = "linux")]
            Receive::Batched | Receive::Merged => Reader::Batch(Box::new(batch::Batch::new(pool))),
            _ => Reader::Single(Single::new(pool)),
        };
        Ok(Self {
            sockets,
            reader,
            receive,
        })
    }

    /// Listens on one more socket, which is bound already: that of a re-requester, whose answers are
    /// packets of `line`.
    ///
    /// # Errors
    /// [`FeedError::Io`] if the system refuses, or there are [`MAX_SOCKETS`] already.
    pub fn adopt(&mut self, socket: UdpSocket, line: u8) -> Result<(), FeedError> {
        if self.sockets.len() == MAX_SOCKETS {
            return Err(FeedError::Io {
                path: "udp".into(),
                error: io::Error::new(io::ErrorKind::InvalidInput, "too many sockets"),
            });
        }
        self.sockets
            .push(socket::adopt(socket, line, self.receive)?);
        Ok(())
    }

    /// Blocks until a socket has something to read or `timeout` has passed, and says which. A signal
    /// counts as the timeout.
    ///
    /// # Errors
    /// [`FeedError::Io`] if the system refuses.
    pub fn wait_readable(&self, timeout: Duration) -> Result<bool, FeedError> {
        let last = self.sockets.len() - 1;
        let mut waiting: [PollFd<'_>; MAX_SOCKETS] = std::array::from_fn(|index| {
            PollFd::new(&self.sockets[index.min(last)].socket, PollFlags::IN)
        });
        let limit = Timespec::try_from(timeout).unwrap_or(Timespec {
            tv_sec: i64::from(i32::MAX),
            tv_nsec: 0,
        });
        match poll(&mut waiting[..=last], Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(self.sockets[0].failed(error.into())),
        }
    }

    /// What came in, over all sockets.
    #[must_use]
    pub fn socket_counts(&self) -> UdpCounts {
        let mut sum = UdpCounts::default();
        for counts in self.line_counts() {
            sum.received += counts.received;
            sum.delivered += counts.delivered;
            sum.dropped_pool_empty += counts.dropped_pool_empty;
            sum.dropped_too_long += counts.dropped_too_long;
            sum.bytes += counts.bytes;
            sum.calls += counts.calls;
        }
        sum
    }

    /// What came in, socket by socket, in the order of the options.
    pub fn line_counts(&self) -> impl Iterator<Item = UdpCounts> {
        self.sockets.iter().map(|line| line.counts)
    }

    /// Datagrams that the kernel has dropped, over all sockets, since they were opened (each socket's
    /// modulo 2^32; merged ones count once); `None` where the system does not tell.
    #[must_use]
    pub fn kernel_drops(&self) -> Option<u64> {
        #[cfg(target_os = "linux")]
        if let Some(sum) = self.sockets.iter().try_fold(0, |sum, line| {
            Some(sum + u64::from(linux::drops(&line.socket)?))
        }) {
            return Some(sum);
        }
        let table = kernel::table()?;
        self.sockets.iter().try_fold(0, |sum, line| {
            Some(sum + kernel::drops(&table, line.bound, line.inode?)?)
        })
    }

    /// Bytes that the kernel granted as receive buffer, socket by socket. Linux counts its own
    /// bookkeeping in, so this is up to twice what was asked for; less than what was asked for means
    /// that `net.core.rmem_max` is the limit.
    pub fn granted_receive_buffers(&self) -> impl Iterator<Item = usize> {
        self.sockets.iter().map(|line| line.granted)
    }

    /// The least of [`UdpSource::granted_receive_buffers`].
    #[must_use]
    pub fn granted_receive_buffer(&self) -> usize {
        self.granted_receive_buffers().min().unwrap_or(0)
    }

    /// Addresses that the sockets are bound to, in the order of the options.
    pub fn bound_addresses(&self) -> impl Iterator<Item = SocketAddrV4> {
        self.sockets.iter().map(|line| line.bound)
    }
}

impl Line {
    fn packet(&self, bytes: Buffer, received_ns: u64) -> Packet {
        Packet {
            bytes,
            received_ns,
            line: self.line,
            framing: Framing::MoldUdp64,
        }
    }

    /// Counts a datagram of `length` bytes and hands it on.
    fn deliver(
        &mut self,
        bytes: Buffer,
        length: usize,
        received_ns: u64,
        packets: &mut Vec<Packet>,
    ) {
        self.counts.delivered += 1;
        self.counts.bytes += length as u64;
        packets.push(self.packet(bytes, received_ns));
    }

    fn failed(&self, error: io::Error) -> FeedError {
        FeedError::Io {
            path: format!("udp {}", self.bound).into(),
            error,
        }
    }
}

impl Source for UdpSource {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        match &mut self.reader {
            Reader::Single(single) => {
                for line in &mut self.sockets {
                    let polled = single.poll(line, now_ns, packets);
                    polled.map_err(|error| line.failed(error))?;
                }
            }
            #[cfg(target_os = "linux")]
            Reader::Batch(batch) => {
                let clocks = batch::Clocks::read(now_ns);
                for line in &mut self.sockets {
                    let polled = batch.poll(line, clocks, packets);
                    polled.map_err(|error| line.failed(error))?;
                }
            }
        }
        Ok(if packets.len() > before {
            Poll::Ready
        } else {
            Poll::Idle
        })
    }

    fn is_live(&self) -> bool {
        true
    }

    fn wait(&mut self, timeout: Duration) {
        // A socket that cannot be waited for fails at the next poll, which says why.
        let _ = self.wait_readable(timeout);
    }

    fn counts(&self) -> FeedCounts {
        let received = self.socket_counts();
        FeedCounts {
            kernel_drops: self.kernel_drops().unwrap_or(0),
            pool_exhausted: received.dropped_pool_empty,
            oversized: received.dropped_too_long,
            datagrams: received.received,
            receive_calls: received.calls,
            ..FeedCounts::default()
        }
    }
}
