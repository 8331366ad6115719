//! Multicast (or unicast) UDP: one non-blocking socket for each line, received straight into pool
//! buffers.
//!
//! A socket is bound to its group and port, and `IP_MULTICAST_ALL` is off, so no other group's
//! datagrams come in. Several processes may share a group (`SO_REUSEADDR`); a unicast address is
//! bound plainly and belongs to one process. Nothing is lost without a count: datagrams that found
//! the pool empty or the buffer too small in [`UdpCounts`], datagrams that the kernel dropped because
//! nobody polled in [`UdpSource::kernel_drops`].
//!
//! Linux: the kernel's counter is read from `/proc/net/udp`; elsewhere it is `None`.

mod kernel;
mod socket;

pub use socket::multicast_sender;

use std::io::{self, IoSliceMut, Read};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use socket2::Socket;

use super::{FeedCounts, FeedError, Framing, Packet, Poll, Source};
use crate::buffer::{Buffer, Pool};

/// Datagrams taken from one socket by one poll at most, so that no line starves another.
const BATCH: usize = 64;

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
    /// `net.core.rmem_max`, see [`UdpSource::granted_receive_buffers`].
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
}

/// Sockets being listened to.
pub struct UdpSource {
    sockets: Vec<Line>,
    pool: Arc<Pool>,
    /// A buffer taken for a datagram that did not come: the next one goes in here.
    spare: Option<Buffer>,
}

struct Line {
    socket: Socket,
    line: u8,
    bound: SocketAddrV4,
    granted: usize,
    inode: Option<u64>,
    counts: UdpCounts,
}

/// What one read from a socket brought.
enum Received {
    Datagram(Buffer),
    Dropped,
    Nothing,
}

impl UdpSource {
    /// Opens one socket for each of `options`.
    ///
    /// # Errors
    /// [`FeedError::Io`] naming the address and what to do, if one cannot be opened, bound or
    /// joined; or if `options` is empty or longer than [`MAX_SOCKETS`].
    pub fn open(options: &[UdpOptions], pool: Arc<Pool>) -> Result<Self, FeedError> {
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
        let sockets = options.iter().map(socket::open).collect::<Result<_, _>>()?;
        Ok(Self {
            sockets,
            pool,
            spare: None,
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
        self.sockets.push(socket::adopt(socket, line)?);
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
        }
        sum
    }

    /// What came in, socket by socket, in the order of the options.
    pub fn line_counts(&self) -> impl Iterator<Item = UdpCounts> {
        self.sockets.iter().map(|line| line.counts)
    }

    /// Datagrams that the kernel has dropped, over all sockets, since they were opened; `None` where
    /// the system does not tell.
    #[must_use]
    pub fn kernel_drops(&self) -> Option<u64> {
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
    /// Reads one datagram into `spare` or a pool buffer.
    fn receive(&mut self, spare: &mut Option<Buffer>, pool: &Arc<Pool>) -> io::Result<Received> {
        let buffer = spare.take().or_else(|| pool.take());
        let Some(mut buffer) = buffer else {
            return Ok(match read_datagram(&self.socket, &mut [])? {
                None => Received::Nothing,
                Some(_) => {
                    self.counts.received += 1;
                    self.counts.dropped_pool_empty += 1;
                    Received::Dropped
                }
            });
        };
        let read = read_datagram(&self.socket, &mut buffer);
        let length = match read {
            Ok(Some(length)) => length,
            Ok(None) => {
                *spare = Some(buffer);
                return Ok(Received::Nothing);
            }
            Err(error) => {
                *spare = Some(buffer);
                return Err(error);
            }
        };
        self.counts.received += 1;
        if length > buffer.len() {
            self.counts.dropped_too_long += 1;
            *spare = Some(buffer);
            return Ok(Received::Dropped);
        }
        self.counts.delivered += 1;
        self.counts.bytes += length as u64;
        buffer.set_length(length);
        Ok(Received::Datagram(buffer))
    }

    fn failed(&self, error: io::Error) -> FeedError {
        FeedError::Io {
            path: format!("udp {}", self.bound).into(),
            error,
        }
    }
}

/// Bytes of the next datagram, which is in `into`, or more than `into` holds if it is longer; `None`
/// if there is none. One byte behind `into` is read as well to tell the two apart.
fn read_datagram(mut socket: &Socket, into: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        let mut beyond = [0];
        let mut parts = [IoSliceMut::new(into), IoSliceMut::new(&mut beyond)];
        match socket.read_vectored(&mut parts) {
            Ok(length) => return Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

impl Source for UdpSource {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        for line in &mut self.sockets {
            for _ in 0..BATCH {
                match line.receive(&mut self.spare, &self.pool) {
                    Ok(Received::Datagram(bytes)) => packets.push(Packet {
                        bytes,
                        received_ns: now_ns,
                        line: line.line,
                        framing: Framing::MoldUdp64,
                    }),
                    Ok(Received::Dropped) => {}
                    Ok(Received::Nothing) => break,
                    Err(error) => return Err(line.failed(error)),
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
            undecodable: 0,
        }
    }
}
