//! Captures in the pcapng format, written by hand.

use proptest::prelude::*;

use super::capture::{frame, read_capture};
use super::files::packings;

/// Writes blocks in one byte order.
#[derive(Clone, Copy, Debug)]
struct Writer {
    big_endian: bool,
}

const LITTLE: Writer = Writer { big_endian: false };

impl Writer {
    fn bytes<const N: usize>(self, mut little: [u8; N]) -> Vec<u8> {
        if self.big_endian {
            little.reverse();
        }
        little.to_vec()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().wrapping_neg() % 4];
        let length = self.bytes((12 + body.len() as u32 + padding.len() as u32).to_le_bytes());
        let kind = self.bytes(kind.to_le_bytes());
        [&kind, &length, body, &padding, &length].concat()
    }

    fn section(self) -> Vec<u8> {
        let mark = self.bytes(0x1a2b_3c4d_u32.to_le_bytes());
        let version = self.bytes(1_u16.to_le_bytes());
        self.block(
            0x0a0d_0d0a,
            &[&mark, version.as_slice(), &[0, 0], &[0xff; 8]].concat(),
        )
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().wrapping_neg() % 4];
        let head = [
            self.bytes(code.to_le_bytes()),
            self.bytes((value.len() as u16).to_le_bytes()),
        ]
        .concat();
        [&head, value, &padding].concat()
    }

    fn interface(self, link: u16, options: &[u8]) -> Vec<u8> {
        let link = self.bytes(link.to_le_bytes());
        self.block(1, &[&link, [0; 6].as_slice(), options].concat())
    }

    fn packet(self, interface: u32, units: u64, frame: &[u8], options: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for field in [
            interface,
            (units >> 32) as u32,
            units as u32,
            frame.len() as u32,
            frame.len() as u32,
        ] {
            body.extend(self.bytes(field.to_le_bytes()));
        }
        body.extend_from_slice(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(options);
        self.block(6, &body)
    }

    fn old_packet(self, interface: u16, units: u64, frame: &[u8]) -> Vec<u8> {
        let mut body = self.bytes(interface.to_le_bytes());
        body.extend([0xff; 2]);
        let length = frame.len() as u32;
        for field in [(units >> 32) as u32, units as u32, length, length] {
            body.extend(self.bytes(field.to_le_bytes()));
        }
        body.extend_from_slice(frame);
        self.block(2, &body)
    }

    fn simple(self, frame: &[u8]) -> Vec<u8> {
        let length = self.bytes((frame.len() as u32).to_le_bytes());
        self.block(3, &[&length, frame].concat())
    }
}

/// Blocks of every kind, and the offsets where they end.
fn mixed(writer: Writer) -> (Vec<u8>, Vec<usize>) {
    let nanos = writer.option(9, &[9]);
    let comment = writer.option(1, b"a comment");
    let end = writer.option(0, &[]);
    let blocks = [
        writer.section(),
        writer.interface(1, &[]),
        writer.interface(1, &[nanos.clone(), end.clone()].concat()),
        writer.interface(127, &[]),
        writer.packet(0, 1_000_000, &frame(1, b"micro"), &[]),
        writer.block(0x0bad, &[7; 333]),
        writer.packet(
            1,
            1_000_000_123,
            &frame(2, b"nano"),
            &[comment, end].concat(),
        ),
        writer.block(5, &[0; 12]),
        writer.packet(2, 2_000_000, &frame(2, b"wireless"), &[]),
        writer.simple(&frame(1, b"simple")),
    ];
    let mut ends = Vec::new();
    let mut bytes = Vec::new();
    for block in blocks {
        bytes.extend(block);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

#[test]
fn blocks_of_either_order_and_packing_are_read() {
    for big_endian in [false, true] {
        let (content, _) = mixed(Writer { big_endian });
        for packed in packings(&content) {
            let (all, counts) = read_capture(&packed, 100, None).unwrap();
            assert!(all.errors.is_empty(), "{:?}", all.errors);
            let wanted = [
                (b"micro".to_vec(), 0, 1_000_000_000),
                (b"nano".to_vec(), 1, 1_000_000_123),
                (b"simple".to_vec(), 0, 2_000_000_000),
            ];
            assert_eq!(all.packets, wanted);
            assert_eq!((counts.records, counts.unknown_links), (4, 1));
        }
    }
}

#[test]
fn packets_of_the_old_kind_are_read_and_checked() {
    for big_endian in [false, true] {
        let writer = Writer { big_endian };
        let start = [
            writer.section(),
            writer.interface(127, &[]),
            writer.interface(1, &[]),
        ]
        .concat();
        let time_us = 1_700_000_000_000_000;
        let packet = writer.old_packet(1, time_us, &frame(1, b"old"));
        let (all, _) = read_capture(&[&start[..], &packet].concat(), 100, None).unwrap();
        assert!(all.errors.is_empty(), "{:?}", all.errors);
        assert_eq!(all.packets, [(b"old".to_vec(), 0, time_us * 1000)]);
        for (changed, told) in [
            (9, "no block describes"),
            (20, "contradict"),
            (21, "contradict"),
            (packet.len() - 2, "contradict"),
        ] {
            let mut packet = packet.clone();
            packet[changed] ^= 0x40;
            packet[changed - 1] ^= 0x40;
            let (all, _) = read_capture(&[&start[..], &packet].concat(), 100, None).unwrap();
            let text = all.errors[0].to_string();
            assert!(text.contains(told), "{changed}: {text}");
        }
        let short = writer.block(2, &[0; 16]);
        let (all, _) = read_capture(&[&start[..], &short].concat(), 100, None).unwrap();
        assert!(all.errors[0].to_string().contains("contradict"));
    }
}

#[test]
fn resolutions_and_offsets_of_interfaces_are_obeyed() {
    for big_endian in [false, true] {
        let writer = Writer { big_endian };
        let interface = |resolution: u8, offset: i64| {
            let options = [
                writer.option(9, &[resolution]),
                writer.option(14, &writer.bytes(offset.to_le_bytes())),
            ];
            writer.interface(1, &options.concat())
        };
        let content = [
            writer.section(),
            interface(0x80 | 10, 100),
            interface(0, -4),
            interface(19, 100),
            writer.packet(0, 512, &frame(1, b"first"), &[]),
            writer.packet(1, 105, &frame(1, b"seconds"), &[]),
            writer.packet(2, 10_000_000_000_000_000_000, &frame(1, b"tiny"), &[]),
            writer.packet(1, 0, &frame(1, b"before 1970"), &[]),
        ]
        .concat();
        let (all, _) = read_capture(&content, 100, None).unwrap();
        let times: Vec<u64> = all.packets.iter().map(|packet| packet.2).collect();
        assert_eq!(
            times,
            [100_500_000_000, 101_000_000_000, 101_000_000_000, 0],
            "none is before 1970"
        );
    }
    for impossible in [20, 0x80 | 65] {
        let options = LITTLE.option(9, &[impossible]);
        let content = [LITTLE.section(), LITTLE.interface(1, &options)].concat();
        let (all, _) = read_capture(&content, 100, None).unwrap();
        assert!(all.errors[0].to_string().contains("resolution"));
    }
}

#[test]
fn a_second_section_may_have_another_order_and_other_interfaces() {
    let big = Writer { big_endian: true };
    let content = [
        mixed(LITTLE).0,
        mixed(big).0,
        LITTLE.section(),
        LITTLE.packet(0, 0, &frame(1, b"x"), &[]),
    ]
    .concat();
    let (all, counts) = read_capture(&content, 100, None).unwrap();
    assert_eq!(counts.delivered, 6);
    let text = all.errors[0].to_string();
    assert!(text.contains("no block describes"), "{text}");
    let place = 2 * mixed(LITTLE).0.len() + LITTLE.section().len();
    assert!(text.contains(&format!("byte {place}")), "{text}");
}

#[test]
fn a_capture_cut_at_any_byte_gives_what_is_whole_and_says_where() {
    let (content, ends) = mixed(LITTLE);
    let packets_after = [0, 0, 0, 0, 1, 1, 2, 2, 2, 3];
    for cut in 4..=content.len() {
        let (all, counts) = read_capture(&content[..cut], 100, None).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let start = if whole == 0 { 0 } else { ends[whole - 1] };
        let wanted = if whole == 0 {
            0
        } else {
            packets_after[whole - 1]
        };
        assert_eq!(counts.delivered, wanted, "cut at {cut}");
        let found = cut - start;
        let needed = if found < 12 { 12 } else { ends[whole] - start };
        let error = (found > 0).then_some((start as u64, needed as u64, found as u64));
        assert_eq!(all.truncated(), error, "cut at {cut}");
    }
}

#[test]
fn impossible_blocks_are_refused_with_their_place() {
    let start = LITTLE.section();
    let place = format!("byte {}", start.len());
    for length in [0_u32, 8, 13, 1 << 30] {
        let mut content = start.clone();
        content.extend(LITTLE.interface(1, &[]));
        content[start.len() + 4..start.len() + 8].copy_from_slice(&length.to_le_bytes());
        let (all, _) = read_capture(&content, 100, None).unwrap();
        let text = all.errors[0].to_string();
        assert!(text.contains(&place), "{text}");
        assert!(text.contains(&length.to_string()), "{text}");
    }
    let mut content = start.clone();
    content.extend(LITTLE.interface(1, &[]));
    let last = content.len() - 1;
    content[last] ^= 1;
    let (all, _) = read_capture(&content, 100, None).unwrap();
    assert!(all.errors[0].to_string().contains("contradict"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_captures_end(
        big_endian in any::<bool>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut content, _) = mixed(Writer { big_endian });
        for (at, byte) in edits {
            let at = at.index(content.len());
            content[at] = byte;
        }
        content.truncate(cut.index(content.len() + 1));
        if let Ok((all, counts)) = read_capture(&content, 100, None) {
            prop_assert!(all.errors.len() <= 1);
            prop_assert_eq!(all.packets.len() as u64, counts.delivered);
        }
    }
}
