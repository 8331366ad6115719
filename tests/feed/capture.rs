//! Captures of libpcap, written by hand and real.

use std::net::SocketAddrV4;

use proptest::prelude::*;
use widetape::buffer::Pool;
use widetape::feed::{
    Capture, CaptureCounts, FeedError, FileKind, Framing, Poll, Source, open_any,
};
use widetape::wire::ipv4_udp::{Datagram, emit_ethernet};

use super::files::{Everything, Scratch, packings, pool, read, real};

/// An Ethernet frame with a datagram for a group of 239.192.0.0/16, port 5000.
pub(super) fn frame(group: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let datagram = Datagram {
        source: "10.0.0.1:4000".parse().unwrap(),
        destination: SocketAddrV4::new([239, 192, 0, group].into(), 5000),
        payload,
    };
    emit_ethernet(&datagram, &[], &mut frame).unwrap();
    frame
}

/// How a capture is written.
#[derive(Clone, Copy, Debug)]
struct Style {
    big_endian: bool,
    magic: u32,
    /// Bytes of the record header beyond 16.
    extra: usize,
}

const MICROS: Style = Style {
    big_endian: false,
    magic: 0xa1b2_c3d4,
    extra: 0,
};

impl Style {
    fn u32(self, value: u32) -> [u8; 4] {
        if self.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn header(self, link: u32) -> Vec<u8> {
        let version = if self.big_endian {
            [0, 2, 0, 4]
        } else {
            [2, 0, 4, 0]
        };
        let mut out = self.u32(self.magic).to_vec();
        out.extend_from_slice(&version);
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&self.u32(65_535));
        out.extend_from_slice(&self.u32(link));
        out
    }

    fn record(self, seconds: u32, fraction: u32, frame: &[u8]) -> Vec<u8> {
        let length = self.u32(frame.len() as u32);
        let mut out = Vec::new();
        for field in [self.u32(seconds), self.u32(fraction), length, length] {
            out.extend_from_slice(&field);
        }
        out.resize(16 + self.extra, 0xee);
        out.extend_from_slice(frame);
        out
    }

    fn capture(self, frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = self.header(1);
        for (index, frame) in frames.iter().enumerate() {
            out.extend(self.record(1_700_000_000, index as u32 * 3, frame));
        }
        out
    }
}

/// A capture of `count` datagrams on each of two lines.
pub(super) fn two_lines(count: usize) -> Vec<u8> {
    let pair = [frame(1, b"line A"), frame(2, b"line B")];
    MICROS.capture(&vec![pair; count].concat())
}

pub(super) fn read_capture(
    content: &[u8],
    capacity: usize,
    filter: Option<&str>,
) -> Result<(Everything, CaptureCounts), FeedError> {
    let file = Scratch::new(content);
    let filter = filter.map(|text| text.parse().unwrap());
    let mut capture = Capture::open(file.path(), pool(capacity), filter)?;
    let all = read(ByReference(&mut capture));
    Ok((all, capture.record_counts()))
}

struct ByReference<'a>(&'a mut Capture);

impl Source for ByReference<'_> {
    fn poll(
        &mut self,
        now_ns: u64,
        packets: &mut Vec<widetape::feed::Packet>,
    ) -> Result<Poll, FeedError> {
        self.0.poll(now_ns, packets)
    }

    fn is_live(&self) -> bool {
        self.0.is_live()
    }
}

#[test]
fn every_order_resolution_and_packing_gives_the_same() {
    let frames: Vec<_> = (0..200_u8).map(|n| frame(1, &[n; 30])).collect();
    for (big_endian, magic, extra, unit) in [
        (false, 0xa1b2_c3d4, 0, 1000),
        (true, 0xa1b2_c3d4, 0, 1000),
        (false, 0xa1b2_3c4d, 0, 1),
        (true, 0xa1b2_3c4d, 0, 1),
        (false, 0xa1b2_cd34, 8, 1000),
    ] {
        let style = Style {
            big_endian,
            magic,
            extra,
        };
        for packed in packings(&style.capture(&frames)) {
            let (all, counts) = read_capture(&packed, 2000, None).unwrap();
            assert!(all.errors.is_empty());
            assert_eq!((counts.records, counts.delivered), (200, 200));
            for (n, packet) in all.packets.iter().enumerate() {
                let time_ns = 1_700_000_000_000_000_000 + n as u64 * 3 * unit;
                let wanted = (vec![n as u8; 30], 0, time_ns);
                assert_eq!(*packet, wanted, "{style:?}");
            }
        }
    }
}

#[test]
fn lines_are_numbered_as_they_appear_and_filters_pick() {
    let frames: Vec<_> = [7, 9, 7, 8].map(|group| frame(group, &[group])).to_vec();
    let content = MICROS.capture(&frames);
    let lines = |filter| {
        let (all, counts) = read_capture(&content, 2000, filter).unwrap();
        assert_eq!(counts.delivered + counts.filtered, 4);
        let found: Vec<_> = all.packets.iter().map(|p| (p.0[0], p.1)).collect();
        found
    };
    assert_eq!(lines(None), [(7, 0), (9, 1), (7, 0), (8, 2)]);
    assert_eq!(lines(Some("239.192.0.9:5000")), [(9, 0)]);
    assert_eq!(
        lines(Some("0.0.0.0:5000")),
        [(7, 0), (9, 1), (7, 0), (8, 2)]
    );
    assert_eq!(lines(Some("239.192.0.7:0")), [(7, 0), (7, 0)]);
    assert_eq!(lines(Some("239.192.0.7:5001")), []);
}

#[test]
fn what_is_left_out_is_counted_by_reason() {
    let good = frame(1, b"good");
    let changed = |at: usize, bytes: &[u8]| {
        let mut frame = good.clone();
        frame[24..26].fill(0);
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    let frames = vec![
        good.clone(),
        changed(12, &[0x08, 0x06]),
        changed(23, &[6]),
        changed(20, &[0x20, 0]),
        good[..good.len() - 1].to_vec(),
        changed(42, b"b"),
        changed(38, &[0, 3]),
        frame(1, &[0; 101]),
        frame(2, &[0; 100]),
    ];
    let content = MICROS.capture(&frames);
    let (all, counts) = read_capture(&content, 100, Some("0.0.0.0:5000")).unwrap();
    let wanted = CaptureCounts {
        records: 9,
        delivered: 2,
        other_protocols: 2,
        fragments: 1,
        cut_short: 1,
        bad_checksums: 1,
        malformed: 1,
        too_large: 1,
        ..CaptureCounts::default()
    };
    assert_eq!(counts, wanted);
    assert_eq!(all.packets[1], (vec![0; 100], 1, 1_700_000_000_000_024_000));
}

#[test]
fn more_destinations_than_lines_share_the_last() {
    let mut frames: Vec<_> = (0..=255).map(|group| frame(group, b"x")).collect();
    let mut other_port = frame(0, b"x");
    other_port[36] ^= 1;
    other_port[40..42].fill(0);
    frames.push(other_port);
    frames.push(frame(255, b"x"));
    let (all, counts) = read_capture(&MICROS.capture(&frames), 100, None).unwrap();
    assert_eq!(counts.delivered, 258);
    let lines: Vec<u8> = all.packets[253..].iter().map(|packet| packet.1).collect();
    assert_eq!(lines, [253, 254, 254, 254, 254]);
}

#[test]
fn a_capture_cut_at_any_byte_gives_what_is_whole_and_says_where() {
    let frames: Vec<_> = (0..3).map(|n| frame(1, &vec![n; n as usize])).collect();
    let content = MICROS.capture(&frames);
    let mut ends = vec![24];
    for frame in &frames {
        ends.push(ends[ends.len() - 1] + 16 + frame.len());
    }
    for cut in 4..=content.len() {
        let read = read_capture(&content[..cut], 100, None);
        let Some(whole) = ends.iter().rposition(|end| *end <= cut) else {
            let truncated = matches!(
                read,
                Err(FeedError::Truncated { offset: 0, needed: 24, found, .. }) if found == cut as u64
            );
            assert!(truncated, "cut at {cut}");
            continue;
        };
        let (all, counts) = read.unwrap();
        assert_eq!(counts.delivered, whole as u64);
        let found = cut - ends[whole];
        let needed = if found < 16 {
            16
        } else {
            ends[whole + 1] - ends[whole]
        };
        let wanted = (found > 0).then_some((ends[whole] as u64, needed as u64, found as u64));
        assert_eq!(all.truncated(), wanted, "cut at {cut}");
    }
}

#[test]
fn a_capture_waits_for_buffers_without_counting_twice() {
    let frames: Vec<_> = (0..5).map(|n| frame(1, &[n])).collect();
    let file = Scratch::new(&MICROS.capture(&frames));
    let pool = Pool::new(2, 100);
    let mut source = Capture::open(file.path(), pool.clone(), None).unwrap();
    let mut packets = Vec::new();
    let mut seen = Vec::new();
    for wanted in [2, 2, 1] {
        assert_eq!(source.poll(0, &mut packets).unwrap(), Poll::Ready);
        assert_eq!(packets.len(), wanted);
        if wanted == 2 {
            assert_eq!(source.poll(0, &mut packets).unwrap(), Poll::Idle);
        }
        assert!(packets.iter().all(|p| p.framing == Framing::MoldUdp64));
        seen.extend(packets.drain(..).map(|packet| packet.bytes[0]));
    }
    assert_eq!(source.poll(0, &mut packets).unwrap(), Poll::End);
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(source.record_counts().records, 5);
    assert_eq!(pool.counts().outstanding, 0);
}

#[test]
fn impossible_records_and_links_are_refused_with_their_place() {
    let mut content = MICROS.capture(&[frame(1, b"a")]);
    let at = content.len();
    content.extend(MICROS.record(0, 0, &[]));
    content[at + 8..at + 12].copy_from_slice(&0x4000_0000_u32.to_le_bytes());
    let (all, counts) = read_capture(&content, 100, None).unwrap();
    assert_eq!(counts.delivered, 1);
    let text = all.errors[0].to_string();
    assert!(text.contains(&format!("byte {at}")), "{text}");
    assert!(text.contains("1073741824"), "{text}");

    let wireless = read_capture(&MICROS.header(127), 100, None).unwrap_err();
    assert!(wireless.to_string().contains("link type 127"), "{wireless}");
    assert!(read_capture(&MICROS.header(0x3000_0001), 100, None).is_ok());
    let no_capture = read_capture(b"hello", 100, None).unwrap_err();
    assert!(no_capture.to_string().contains("not a packet capture"));
}

#[test]
fn a_real_capture_gives_its_hundred_packets() {
    let Some(path) = real("moldudp64-nasdaq-pcap/nasdaq_totalview_20230822_100pkts.pcap") else {
        return;
    };
    assert_eq!(FileKind::detect(&path).unwrap(), FileKind::Pcap);
    let all = read(open_any(&path, pool(2000)).unwrap());
    assert!(all.errors.is_empty());
    assert_eq!(all.packets.len(), 100);
    let mut next = 14_757_701;
    let mut last_ns = 0;
    for (bytes, line, received_ns) in &all.packets {
        assert_eq!(&bytes[..10], b"000010059B");
        assert_eq!(u64::from_be_bytes(bytes[10..18].try_into().unwrap()), next);
        next += u64::from(u16::from_be_bytes([bytes[18], bytes[19]]));
        assert_eq!(*line, 0);
        assert!(*received_ns >= last_ns);
        last_ns = *received_ns;
    }
    assert_eq!(next - 14_757_701, 269);
    assert_eq!(all.packets[0].2 / 86_400_000_000_000, 19_591, "2023-08-22");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn hostile_captures_end(
        edits in prop::collection::vec((0..200_usize, any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        packing in 0..3_usize,
    ) {
        let frames: Vec<_> = (0..3).map(|n| frame(n, &[n; 20])).collect();
        let mut content = MICROS.capture(&frames);
        for (at, byte) in edits {
            if let Some(slot) = content.get_mut(at) {
                *slot = byte;
            }
        }
        content.truncate(cut.index(content.len() + 1));
        if let Ok((all, counts)) = read_capture(&packings(&content)[packing], 100, None) {
            prop_assert!(all.errors.len() <= 1);
            prop_assert_eq!(all.packets.len() as u64, counts.delivered);
            let CaptureCounts {
                records,
                delivered,
                other_protocols,
                fragments,
                cut_short,
                bad_checksums,
                malformed,
                unknown_links,
                filtered,
                too_large,
            } = counts;
            let left_out = other_protocols + fragments + cut_short + bad_checksums + malformed;
            let unwanted = unknown_links + filtered + too_large;
            prop_assert_eq!(records, delivered + left_out + unwanted);
        }
    }
}
