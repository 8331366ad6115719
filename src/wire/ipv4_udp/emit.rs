//! Datagrams to frames, for writing captures.

use std::net::Ipv4Addr;

use super::{Datagram, IPV4_HEADER, MAX_PAYLOAD, PROTOCOL_UDP, UDP_HEADER, fold, sum};

const TIME_TO_LIVE: u8 = 16;

/// A payload that no single datagram can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payload of {length} bytes does not fit a datagram: 65507 is the most")]
pub struct PayloadTooLong {
    /// Bytes of the payload.
    pub length: usize,
}

/// Appends an Ethernet II frame with the datagram to `out`, tagged with the given VLANs (outermost
/// first). Hardware addresses follow from the IP addresses (RFC 1112 for groups).
///
/// # Errors
/// If the payload is longer than 65,507 bytes; `out` is unchanged then.
pub fn emit_ethernet(
    datagram: &Datagram<'_>,
    vlans: &[u16],
    out: &mut Vec<u8>,
) -> Result<(), PayloadTooLong> {
    check(datagram)?;
    out.extend_from_slice(&hardware_address(*datagram.destination.ip()));
    out.extend_from_slice(&hardware_address(*datagram.source.ip()));
    for (depth, vlan) in vlans.iter().enumerate() {
        let innermost = depth + 1 == vlans.len();
        let tag: u16 = if innermost { 0x8100 } else { 0x88a8 };
        out.extend_from_slice(&tag.to_be_bytes());
        out.extend_from_slice(&(vlan & 0x0fff).to_be_bytes());
    }
    out.extend_from_slice(&0x0800_u16.to_be_bytes());
    emit_ipv4(datagram, out)
}

/// Appends an IPv4 packet with the datagram to `out`, both checksums filled in.
///
/// # Errors
/// If the payload is longer than 65,507 bytes; `out` is unchanged then.
pub fn emit_ipv4(datagram: &Datagram<'_>, out: &mut Vec<u8>) -> Result<(), PayloadTooLong> {
    check(datagram)?;
    let udp_length = UDP_HEADER + datagram.payload.len();
    let ip = out.len();
    out.extend_from_slice(&[0x45, 0]);
    out.extend_from_slice(&((IPV4_HEADER + udp_length) as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0, 0x40, 0, TIME_TO_LIVE, PROTOCOL_UDP, 0, 0]);
    out.extend_from_slice(&datagram.source.ip().octets());
    out.extend_from_slice(&datagram.destination.ip().octets());
    let header_checksum = !fold(sum(&out[ip..]));
    out[ip + 10..ip + 12].copy_from_slice(&header_checksum.to_be_bytes());

    let udp = out.len();
    out.extend_from_slice(&datagram.source.port().to_be_bytes());
    out.extend_from_slice(&datagram.destination.port().to_be_bytes());
    out.extend_from_slice(&(udp_length as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(datagram.payload);
    let pseudo = sum(&out[ip + 12..ip + 20]) + u64::from(PROTOCOL_UDP) + udp_length as u64;
    let checksum = match !fold(pseudo + sum(&out[udp..])) {
        0 => 0xffff,
        checksum => checksum,
    };
    out[udp + 6..udp + 8].copy_from_slice(&checksum.to_be_bytes());
    Ok(())
}

fn check(datagram: &Datagram<'_>) -> Result<(), PayloadTooLong> {
    let length = datagram.payload.len();
    if length > MAX_PAYLOAD {
        return Err(PayloadTooLong { length });
    }
    Ok(())
}

fn hardware_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    if address.is_multicast() {
        [0x01, 0x00, 0x5e, b & 0x7f, c, d]
    } else {
        [0x02, 0x00, a, b, c, d]
    }
}
