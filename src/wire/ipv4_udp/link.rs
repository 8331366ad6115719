//! Link headers: where in a captured frame the IPv4 packet begins.

use super::{FrameError, Header, need, u16_at};

const ETHER_TYPE_IPV4: u16 = 0x0800;
const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
const SLL_HEADER: usize = 16;
const SLL2_HEADER: usize = 20;
const LOOPBACK_HEADER: usize = 4;

/// How the frames of a capture begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// BSD loopback: the address family in 4 bytes of either order.
    Loopback,
    /// Ethernet II.
    Ethernet,
    /// Bare IP.
    RawIp,
    /// Linux "cooked" capture, version 1 (`tcpdump -i any`).
    LinuxSll,
    /// Linux "cooked" capture, version 2.
    LinuxSll2,
}

impl LinkType {
    /// The link type of a code in a capture's header, where it is one that carries IPv4 here.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        match code {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 => Some(Self::RawIp),
            113 => Some(Self::LinuxSll),
            276 => Some(Self::LinuxSll2),
            _ => None,
        }
    }
}

/// Where the IPv4 packet begins.
pub(super) fn network_offset(link: LinkType, frame: &[u8]) -> Result<usize, FrameError> {
    match link {
        LinkType::Ethernet => tagged(frame, 12, ETHERNET_HEADER),
        LinkType::LinuxSll => tagged(frame, 14, SLL_HEADER),
        LinkType::LinuxSll2 => tagged(frame, 0, SLL2_HEADER),
        LinkType::RawIp => {
            need(frame, 1, Header::Link, 0)?;
            match frame[0] >> 4 {
                6 => Err(FrameError::NotIpv4 { ether_type: 0x86dd }),
                _ => Ok(0),
            }
        }
        LinkType::Loopback => {
            need(frame, LOOPBACK_HEADER, Header::Link, 0)?;
            match [frame[0], frame[1], frame[2], frame[3]] {
                [2, 0, 0, 0] | [0, 0, 0, 2] => Ok(LOOPBACK_HEADER),
                _ => Err(FrameError::NotIpv4 { ether_type: 0 }),
            }
        }
    }
}

/// Behind a header of `header` bytes with its ether type at `at`, and behind any VLAN tags.
fn tagged(frame: &[u8], at: usize, header: usize) -> Result<usize, FrameError> {
    need(frame, header, Header::Link, 0)?;
    let mut ether_type = u16_at(frame, at);
    let mut offset = header;
    while matches!(ether_type, 0x8100 | 0x88a8 | 0x9100) {
        need(
            frame.get(offset..).unwrap_or(&[]),
            VLAN_TAG,
            Header::Link,
            offset,
        )?;
        ether_type = u16_at(frame, offset + 2);
        offset += VLAN_TAG;
    }
    match ether_type {
        ETHER_TYPE_IPV4 => Ok(offset),
        _ => Err(FrameError::NotIpv4 { ether_type }),
    }
}
