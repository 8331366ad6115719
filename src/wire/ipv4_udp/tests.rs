use super::*;
use proptest::prelude::*;

/// A frame whose two checksums were computed outside this crate: VLAN 141, 192.0.2.7:40001 to
/// 239.200.1.9:26400, an odd number of payload bytes.
const FRAME: [u8; 57] = [
    0x01, 0x00, 0x5e, 0x48, 0x01, 0x09, 0x02, 0x00, 0xc0, 0x00, 0x02, 0x07, 0x81, 0x00, 0x00, 0x8d,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x27, 0x12, 0x34, 0x40, 0x00, 0x15, 0x11, 0xa0, 0xb9, 0xc0, 0x00,
    0x02, 0x07, 0xef, 0xc8, 0x01, 0x09, 0x9c, 0x41, 0x67, 0x20, 0x00, 0x13, 0xb8, 0xd8, 0x6f, 0x64,
    0x64, 0x20, 0x70, 0x61, 0x79, 0x6c, 0x6f, 0x61, 0x64,
];

fn datagram(payload: &[u8]) -> Datagram<'_> {
    Datagram {
        source: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 4000),
        destination: SocketAddrV4::new(Ipv4Addr::new(239, 192, 0, 1), 5000),
        payload,
    }
}

fn ethernet(payload: &[u8], vlans: &[u16]) -> Vec<u8> {
    let mut frame = Vec::new();
    emit_ethernet(&datagram(payload), vlans, &mut frame).unwrap();
    frame
}

#[test]
fn a_frame_with_a_vlan_tag_is_read() {
    let read = parse(LinkType::Ethernet, &FRAME).unwrap();
    assert_eq!(read.source.to_string(), "192.0.2.7:40001");
    assert_eq!(read.destination.to_string(), "239.200.1.9:26400");
    assert_eq!(read.payload, b"odd payload");
}

#[test]
fn emitted_frames_are_as_others_write_them() {
    let read = parse(LinkType::Ethernet, &FRAME).unwrap();
    let mut frame = Vec::new();
    emit_ethernet(&read, &[141], &mut frame).unwrap();
    assert_eq!(frame.len(), FRAME.len());
    assert_eq!(frame[..18], FRAME[..18], "group address, sender, tag");
    assert_eq!(
        frame[38..],
        FRAME[38..],
        "UDP header with checksum, payload"
    );
    assert_eq!(fold(sum(&frame[18..38])), 0xffff, "header checksum");
}

#[test]
fn every_link_type_leads_to_the_same_datagram() {
    let wanted = datagram(b"hello");
    let mut packet = Vec::new();
    emit_ipv4(&wanted, &mut packet).unwrap();
    let with = |head: &[u8]| [head, &packet].concat();
    let mut sll = vec![0; 16];
    sll[14] = 0x08;
    let mut sll2 = vec![0; 20];
    sll2[0] = 0x08;
    for (code, frame) in [
        (0, with(&[2, 0, 0, 0])),
        (108, with(&[0, 0, 0, 2])),
        (101, packet.clone()),
        (113, with(&sll)),
        (276, with(&sll2)),
        (1, ethernet(b"hello", &[])),
        (1, ethernet(b"hello", &[5])),
        (1, ethernet(b"hello", &[7, 5])),
    ] {
        let link = LinkType::from_code(code).unwrap();
        assert_eq!(parse(link, &frame), Ok(wanted), "link type {code}");
    }
    assert_eq!(LinkType::from_code(127), None);
}

#[test]
fn padding_is_trimmed_and_options_are_skipped() {
    let mut frame = ethernet(b"abc", &[]);
    frame.extend_from_slice(&[0; 15]);
    assert_eq!(parse(LinkType::Ethernet, &frame).unwrap().payload, b"abc");

    let mut packet = Vec::new();
    emit_ipv4(&datagram(b"abc"), &mut packet).unwrap();
    packet[0] = 0x46;
    packet[3] += 4;
    packet.splice(20..20, [1, 1, 1, 0]);
    packet[10..12].fill(0);
    let checksum = !fold(sum(&packet[..24]));
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(parse(LinkType::RawIp, &packet).unwrap().payload, b"abc");
}

#[test]
fn a_frame_cut_anywhere_is_refused() {
    let frame = ethernet(b"abcdef", &[9]);
    for cut in 0..frame.len() {
        let refused = parse(LinkType::Ethernet, &frame[..cut]);
        assert!(
            matches!(refused, Err(FrameError::CutShort { found, needed, .. }) if found < needed),
            "{cut}: {refused:?}"
        );
    }
    assert!(parse(LinkType::Ethernet, &frame).is_ok());
}

#[test]
fn every_single_bit_error_behind_the_link_header_is_seen() {
    let frame = ethernet(b"some payload", &[]);
    for bit in 14 * 8..frame.len() * 8 {
        let mut damaged = frame.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            parse(LinkType::Ethernet, &damaged).is_err(),
            "bit {bit} flipped unnoticed"
        );
    }
}

#[test]
fn checksums_left_to_the_card_pass_and_others_do_not() {
    let frame = ethernet(b"offload", &[]);
    let read = |frame: &[u8]| parse(LinkType::Ethernet, frame).map(|read| read.payload.len());
    let mut absent = frame.clone();
    absent[24..26].fill(0);
    absent[40..42].fill(0);
    assert_eq!(read(&absent), Ok(7));
    let pseudo = fold(sum(&frame[26..34]) + 17 + 15);
    let mut partial = frame.clone();
    partial[40..42].copy_from_slice(&pseudo.to_be_bytes());
    assert_eq!(read(&partial), Ok(7));
    partial[41] ^= 1;
    assert!(matches!(
        read(&partial),
        Err(FrameError::Checksum {
            header: Header::Udp,
            offset: 34,
            ..
        })
    ));
}

#[test]
fn other_protocols_fragments_and_impossible_lengths_are_named() {
    let change = |edit: &dyn Fn(&mut [u8])| {
        let mut packet = Vec::new();
        emit_ipv4(&datagram(b"abc"), &mut packet).unwrap();
        packet[10..12].fill(0);
        edit(&mut packet);
        parse(LinkType::RawIp, &packet).unwrap_err()
    };
    assert_eq!(change(&|p| p[9] = 6), FrameError::NotUdp { protocol: 6 });
    let fragment = |position, more| FrameError::Fragment { position, more };
    assert_eq!(change(&|p| p[6] = 0x20), fragment(0, true));
    assert_eq!(change(&|p| p[7] = 0x02), fragment(16, false));
    let length = |header, offset, length| FrameError::Length {
        header,
        offset,
        length,
    };
    assert_eq!(change(&|p| p[0] = 0x44), length(Header::Ipv4, 0, 16));
    assert_eq!(change(&|p| p[3] = 19), length(Header::Ipv4, 0, 19));
    assert_eq!(change(&|p| p[25] = 7), length(Header::Udp, 20, 7));
    assert_eq!(change(&|p| p[25] = 12), length(Header::Udp, 20, 12));
    assert_eq!(
        change(&|p| p[0] = 0x55),
        FrameError::Version {
            offset: 0,
            version: 5
        }
    );
    assert_eq!(
        change(&|p| p[0] = 0x65),
        FrameError::NotIpv4 { ether_type: 0x86dd }
    );
    let mut arp = ethernet(b"abc", &[]);
    arp[13] = 0x06;
    assert_eq!(
        parse(LinkType::Ethernet, &arp),
        Err(FrameError::NotIpv4 { ether_type: 0x0806 })
    );
}

#[test]
fn the_longest_payload_fits_and_one_more_byte_does_not() {
    let longest = vec![3; MAX_PAYLOAD];
    let frame = ethernet(&longest, &[]);
    assert_eq!(parse(LinkType::Ethernet, &frame).unwrap().payload, longest);
    let mut out = Vec::new();
    let too_long = vec![3; MAX_PAYLOAD + 1];
    assert_eq!(
        emit_ethernet(&datagram(&too_long), &[], &mut out),
        Err(PayloadTooLong { length: 65_508 })
    );
    assert!(out.is_empty());
}

proptest! {
    #[test]
    fn hostile_frames_never_panic_and_give_only_their_own_bytes(
        code in prop::sample::select(vec![0_u32, 1, 101, 113, 276]),
        real in any::<bool>(),
        noise in prop::collection::vec(any::<u8>(), 0..150),
        edits in prop::collection::vec((0..FRAME.len(), any::<u8>()), 0..4),
        cut in 0..=FRAME.len(),
    ) {
        let mut frame = if real { FRAME[..cut].to_vec() } else { noise };
        for (at, byte) in edits {
            if let Some(slot) = frame.get_mut(at) {
                *slot = byte;
            }
        }
        let link = LinkType::from_code(code).unwrap();
        if let Ok(read) = parse(link, &frame) {
            prop_assert!(read.payload.len() + IPV4_HEADER + UDP_HEADER <= frame.len());
        }
    }

    #[test]
    fn what_is_emitted_is_read_back(
        source in any::<(u32, u16)>(),
        destination in any::<(u32, u16)>(),
        payload in prop::collection::vec(any::<u8>(), 0..80),
        vlans in prop::collection::vec(0..4096_u16, 0..3),
    ) {
        let datagram = Datagram {
            source: SocketAddrV4::new(source.0.into(), source.1),
            destination: SocketAddrV4::new(destination.0.into(), destination.1),
            payload: &payload,
        };
        let mut frame = Vec::new();
        emit_ethernet(&datagram, &vlans, &mut frame).unwrap();
        prop_assert_eq!(parse(LinkType::Ethernet, &frame), Ok(datagram));
    }
}
