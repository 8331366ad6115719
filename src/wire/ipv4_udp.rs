//! One UDP datagram over IPv4 inside a captured frame, and back.
//!
//! The parser takes a frame as a capture holds it (Ethernet II with any VLAN tags, Linux "cooked"
//! SLL and SLL2, BSD loopback, bare IPv4) and gives the datagram's addresses and payload, borrowed.
//! Padding behind the datagram is left out; fragments are refused, because their payload is not a
//! whole datagram; so is whatever a capture did not keep in full.
//!
//! Checksums. The header checksum must be right unless it is 0, and the UDP checksum unless it is 0
//! or holds the bare pseudo-header sum: a capture on the sending host sees the packet before the
//! network card has filled them in. Anything else is damage, and damaged bytes are not data.
//!
//! Sources: RFC 791, RFC 768, RFC 1071; IEEE 802.1Q; the link types of tcpdump.org.

mod emit;
mod link;

use std::net::{Ipv4Addr, SocketAddrV4};

pub use emit::{PayloadTooLong, emit_ethernet, emit_ipv4};
pub use link::LinkType;

/// Bytes of an IPv4 header without options.
pub const IPV4_HEADER: usize = 20;

/// Bytes of a UDP header.
pub const UDP_HEADER: usize = 8;

/// Bytes of the longest payload of one datagram over IPv4.
pub const MAX_PAYLOAD: usize = 65_535 - IPV4_HEADER - UDP_HEADER;

const PROTOCOL_UDP: u8 = 17;

/// One datagram, borrowed from its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: SocketAddrV4,
    /// Whom it is for: for multicast, the group.
    pub destination: SocketAddrV4,
    /// What it says.
    pub payload: &'a [u8],
}

/// Which header a [`FrameError`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Ethernet, SLL or another link header.
    Link,
    /// IPv4.
    Ipv4,
    /// UDP.
    Udp,
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Link => "link",
            Self::Ipv4 => "IPv4",
            Self::Udp => "UDP",
        })
    }
}

/// Why a frame gives no datagram. Offsets are from the start of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame ends inside a header, or before the end that its length field names: cut by the
    /// capture's snap length, most often.
    #[error("{header} at byte {offset}: {needed} bytes needed, {found} captured")]
    CutShort {
        /// Header or body that is not whole.
        header: Header,
        /// Where it begins.
        offset: usize,
        /// Bytes it takes.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// Another network protocol.
    #[error("not IPv4: ether type {ether_type:#06x}")]
    NotIpv4 {
        /// What the link header says instead; 0 where it has no ether type.
        ether_type: u16,
    },
    /// Another transport protocol.
    #[error("not UDP: IP protocol {protocol}")]
    NotUdp {
        /// What the IPv4 header says instead.
        protocol: u8,
    },
    /// Part of a datagram only.
    #[error("fragment at byte {position} of a datagram (more to come: {more})")]
    Fragment {
        /// Where in the datagram it belongs.
        position: usize,
        /// Whether fragments follow.
        more: bool,
    },
    /// A length field that cannot be.
    #[error("{header} at byte {offset}: length {length} cannot be")]
    Length {
        /// Header of the field.
        header: Header,
        /// Where the header begins.
        offset: usize,
        /// What the field says.
        length: usize,
    },
    /// A version other than 4 behind the IPv4 ether type.
    #[error("IPv4 at byte {offset}: version {version}")]
    Version {
        /// Where the header begins.
        offset: usize,
        /// What the field says.
        version: u8,
    },
    /// The bytes are damaged.
    #[error("{header} at byte {offset}: wrong checksum {stored:#06x}")]
    Checksum {
        /// Header of the field.
        header: Header,
        /// Where the header begins.
        offset: usize,
        /// What the field says.
        stored: u16,
    },
}

/// Finds the datagram in a captured frame.
///
/// # Errors
/// See [`FrameError`].
pub fn parse(link: LinkType, frame: &[u8]) -> Result<Datagram<'_>, FrameError> {
    let offset = link::network_offset(link, frame)?;
    let packet = frame.get(offset..).unwrap_or(&[]);
    let (header, body) = ipv4(packet, offset)?;
    let udp_offset = offset + header.len();
    let (ports, payload) = udp(header, body, udp_offset)?;
    Ok(Datagram {
        source: SocketAddrV4::new(address(header, 12), ports[0]),
        destination: SocketAddrV4::new(address(header, 16), ports[1]),
        payload,
    })
}

/// Splits a packet into its IPv4 header with options, and its body without padding.
fn ipv4(packet: &[u8], offset: usize) -> Result<(&[u8], &[u8]), FrameError> {
    let at = Header::Ipv4;
    need(packet, IPV4_HEADER, at, offset)?;
    let version = packet[0] >> 4;
    if version != 4 {
        return Err(FrameError::Version { offset, version });
    }
    let header_length = usize::from(packet[0] & 0x0f) * 4;
    if header_length < IPV4_HEADER {
        return Err(FrameError::Length {
            header: at,
            offset,
            length: header_length,
        });
    }
    let total = usize::from(u16_at(packet, 2));
    if total < header_length {
        return Err(FrameError::Length {
            header: at,
            offset,
            length: total,
        });
    }
    need(packet, header_length, at, offset)?;
    let header = &packet[..header_length];
    let stored = u16_at(header, 10);
    if stored != 0 && fold(sum(header)) != 0xffff {
        return Err(FrameError::Checksum {
            header: at,
            offset,
            stored,
        });
    }
    let fragment = u16_at(header, 6);
    if fragment & 0x3fff != 0 {
        return Err(FrameError::Fragment {
            position: usize::from(fragment & 0x1fff) * 8,
            more: fragment & 0x2000 != 0,
        });
    }
    if header[9] != PROTOCOL_UDP {
        return Err(FrameError::NotUdp {
            protocol: header[9],
        });
    }
    need(packet, total, at, offset)?;
    Ok((header, &packet[header_length..total]))
}

/// The ports and the payload of an IPv4 body.
fn udp<'a>(
    ip_header: &[u8],
    body: &'a [u8],
    offset: usize,
) -> Result<([u16; 2], &'a [u8]), FrameError> {
    let at = Header::Udp;
    need(body, UDP_HEADER, at, offset)?;
    let length = usize::from(u16_at(body, 4));
    if length < UDP_HEADER || length > body.len() {
        return Err(FrameError::Length {
            header: at,
            offset,
            length,
        });
    }
    let datagram = &body[..length];
    let stored = u16_at(datagram, 6);
    if stored != 0 {
        let pseudo = sum(&ip_header[12..20]) + u64::from(PROTOCOL_UDP) + length as u64;
        let right = fold(pseudo + sum(datagram)) == 0xffff;
        let left_to_the_card = fold(pseudo) == stored;
        if !right && !left_to_the_card {
            return Err(FrameError::Checksum {
                header: at,
                offset,
                stored,
            });
        }
    }
    let ports = [u16_at(datagram, 0), u16_at(datagram, 2)];
    Ok((ports, &datagram[UDP_HEADER..]))
}

fn need(bytes: &[u8], needed: usize, header: Header, offset: usize) -> Result<(), FrameError> {
    if bytes.len() < needed {
        return Err(FrameError::CutShort {
            header,
            offset,
            needed,
            found: bytes.len(),
        });
    }
    Ok(())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn address(ip_header: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(
        ip_header[at],
        ip_header[at + 1],
        ip_header[at + 2],
        ip_header[at + 3],
    )
}

/// The sum of the 16-bit words, the last one padded with a zero byte, not yet folded.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let whole: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    whole
        + rest
            .first()
            .map_or(0, |last| u64::from(u16::from_be_bytes([*last, 0])))
}

/// Folds a sum into 16 bits with end-around carry (RFC 1071).
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests;
