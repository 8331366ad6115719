//! Sending: many packets with one system call, and runs of one length as one message that the kernel or
//! the interface cuts.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use socket2::{SockAddr, SockRef};

#[cfg(target_os = "linux")]
use super::linux::{self, BATCH, Run};
use super::multicast_sender;
#[cfg(target_os = "linux")]
use crate::wire::moldudp64::MAX_PAYLOAD;

/// Segments of one message at most: what every kernel takes.
#[cfg(target_os = "linux")]
const MAX_SEGMENTS: usize = 64;

/// How packets are handed to the kernel. What the system refuses becomes the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transmit {
    /// One packet a system call.
    Single,
    /// Many a system call (Linux).
    Batched,
    /// As batched, and consecutive packets of one length, with a last one that may be shorter, pass
    /// the kernel as one (Linux 4.18).
    #[default]
    Segmented,
}

/// A packet as it is sent: its header and what follows, from wherever they lie.
pub(in crate::feed) type Parts<'a> = [IoSlice<'a>; 2];

fn length(packet: &Parts<'_>) -> usize {
    packet.iter().map(|part| part.len()).sum()
}

/// A socket that sends to one place.
#[derive(Debug)]
pub(in crate::feed) struct Outbox {
    socket: UdpSocket,
    group: SocketAddrV4,
    transmit: Transmit,
    calls: u64,
}

impl Outbox {
    /// A socket for `group`, whose multicast leaves by `interface` and takes `ttl` hops.
    pub(in crate::feed) fn open(
        group: SocketAddrV4,
        interface: Ipv4Addr,
        ttl: u32,
        transmit: Transmit,
    ) -> io::Result<Self> {
        let socket = multicast_sender(interface)?;
        socket.set_multicast_ttl_v4(ttl)?;
        Ok(Self {
            socket,
            group,
            transmit,
            calls: 0,
        })
    }

    pub(in crate::feed) fn group(&self) -> SocketAddrV4 {
        self.group
    }

    /// System calls so far that sent something.
    pub(in crate::feed) fn calls(&self) -> u64 {
        self.calls
    }

    /// Sends the packets in their order; waits while the system has no room.
    pub(in crate::feed) fn send(&mut self, packets: &[Parts<'_>]) -> io::Result<()> {
        let mut rest = packets;
        while !rest.is_empty() {
            match self.send_some(rest) {
                Ok(sent) => {
                    self.calls += u64::from(sent > 0);
                    rest = &rest[sent..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One system call; gives how many packets it took, which may be none if it refused the way.
    fn send_some(&mut self, packets: &[Parts<'_>]) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        if self.transmit != Transmit::Single && packets.len() > 1 {
            return self.send_batch(packets);
        }
        let (socket, group) = (SockRef::from(&self.socket), SockAddr::from(self.group));
        socket.send_to_vectored(&packets[0], &group).map(|_| 1)
    }

    #[cfg(target_os = "linux")]
    fn send_batch(&mut self, packets: &[Parts<'_>]) -> io::Result<usize> {
        let mut runs = [Run::default(); BATCH];
        let count = plan(packets, self.transmit, &mut runs);
        let runs = &runs[..count];
        match linux::send(&self.socket, self.group, packets, runs) {
            Ok(sent) => Ok(runs[..sent].iter().map(|run| run.count).sum()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            // An interface without checksums of its own, or packets beyond its MTU: the next way says
            // whether there is more behind it.
            Err(_) if runs[0].count > 1 => {
                self.transmit = Transmit::Batched;
                Ok(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.transmit = Transmit::Single;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

/// Parts the packets into runs; gives their number. What does not fit into `runs` is left.
#[cfg(target_os = "linux")]
fn plan(packets: &[Parts<'_>], transmit: Transmit, runs: &mut [Run; BATCH]) -> usize {
    let mut planned = 0;
    let mut rest = packets;
    for run in runs {
        let Some(segment) = rest.first().map(length) else {
            break;
        };
        let longest = match transmit {
            Transmit::Segmented if segment > 0 => MAX_SEGMENTS.min(MAX_PAYLOAD / segment),
            _ => 1,
        };
        let equal = rest
            .iter()
            .take(longest)
            .take_while(|packet| length(packet) == segment)
            .count()
            .max(1);
        let closes = |packet: &Parts<'_>| (1..segment).contains(&length(packet));
        let closed = equal < longest && rest.get(equal).is_some_and(closes);
        *run = Run {
            count: equal + usize::from(closed),
            segment: segment as u16,
        };
        rest = &rest[run.count..];
        planned += 1;
    }
    planned
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// A packet whose first part has so many bytes.
    fn in_parts(bytes: &[u8], first: usize) -> Parts<'_> {
        let (header, rest) = bytes.split_at(first);
        [IoSlice::new(header), IoSlice::new(rest)]
    }

    /// Packets of each run, and the bytes of its first.
    fn runs(lengths: &[usize], transmit: Transmit) -> Vec<(usize, u16)> {
        let bytes = vec![0; MAX_PAYLOAD];
        let packets: Vec<_> = lengths
            .iter()
            .map(|&n| in_parts(&bytes[..n], n / 3))
            .collect();
        let mut runs = [Run::default(); BATCH];
        let count = plan(&packets, transmit, &mut runs);
        let each = runs[..count].iter();
        each.map(|run| (run.count, run.segment)).collect()
    }

    #[test]
    fn runs_are_of_one_length_with_a_shorter_end() {
        let lengths = [50, 50, 50, 40, 40, 60, 20, 0, 0, 30];
        let wanted = [(4, 50), (1, 40), (2, 60), (1, 0), (1, 0), (1, 30)];
        assert_eq!(runs(&lengths, Transmit::Segmented), wanted);
        let each: Vec<_> = lengths.iter().map(|&n| (1, n as u16)).collect();
        assert_eq!(runs(&lengths, Transmit::Batched), each);
        assert_eq!(runs(&[], Transmit::Segmented), []);
    }

    #[test]
    fn a_refusal_of_segments_is_answered_with_single_packets() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let std::net::SocketAddr::V4(group) = listener.local_addr().unwrap() else {
            unreachable!("it was bound to IPv4");
        };
        listener.set_nonblocking(true).unwrap();
        let mut outbox = Outbox::open(group, Ipv4Addr::LOCALHOST, 0, Transmit::Segmented).unwrap();
        linux::without_checksums(&outbox.socket).unwrap();
        let sent: Vec<_> = (0..100_u8).map(|n| [n; 40]).collect();
        let packets: Vec<_> = sent.iter().map(|bytes| in_parts(bytes, 20)).collect();
        outbox.send(&packets).unwrap();
        assert_eq!((outbox.transmit, outbox.calls), (Transmit::Batched, 2));
        for packet in &sent {
            let mut heard = [0; 50];
            assert_eq!(listener.recv(&mut heard).unwrap(), 40);
            assert_eq!(heard[..40], packet[..]);
        }
        let nowhere = "255.255.255.255:9".parse().unwrap();
        let mut refused =
            Outbox::open(nowhere, Ipv4Addr::LOCALHOST, 0, Transmit::Segmented).unwrap();
        assert!(refused.send(&packets).is_err(), "a broadcast without leave");
    }

    #[test]
    fn runs_are_limited_in_segments_and_bytes() {
        assert_eq!(runs(&[20; 65], Transmit::Segmented), [(64, 20), (1, 20)]);
        assert_eq!(runs(&[20; 70], Transmit::Batched).len(), BATCH);
        let jumbo = runs(&[8_900; 9], Transmit::Segmented);
        assert_eq!(jumbo, [(7, 8_900), (2, 8_900)], "65,507 bytes at most");
        let half = MAX_PAYLOAD / 2;
        assert_eq!(runs(&[half, half, 1], Transmit::Segmented).len(), 2);
        assert_eq!(runs(&[MAX_PAYLOAD, 1], Transmit::Segmented).len(), 2);
    }
}
