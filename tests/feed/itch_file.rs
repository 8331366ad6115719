//! BinaryFILEs: what comes out is what the file holds, whatever its packing and the buffers.

use proptest::prelude::*;
use widetape::buffer::Pool;
use widetape::feed::{FeedError, Framing, ItchFile, Poll, Source};

use super::files::{Everything, Scratch, gzip, packings, pool, read, real, zstd};

/// Types and lengths of ITCH 5.0, written down once more.
pub(super) const LENGTHS: [(u8, usize); 23] = [
    (b'S', 12),
    (b'R', 39),
    (b'H', 25),
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'A', 36),
    (b'F', 40),
    (b'E', 31),
    (b'C', 36),
    (b'X', 23),
    (b'D', 19),
    (b'U', 35),
    (b'P', 44),
    (b'Q', 40),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
    (b'O', 48),
];

/// A file of `count` messages of all types, and the offsets where they end.
pub(super) fn day(count: usize) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for index in 0..count {
        let (kind, length) = LENGTHS[index % LENGTHS.len()];
        bytes.extend_from_slice(&(length as u16).to_be_bytes());
        bytes.push(kind);
        bytes.extend((1..length).map(|at| (at * 31 + index * 7) as u8));
        ends.push(bytes.len());
    }
    (bytes, ends)
}

pub(super) fn read_file(content: &[u8], capacity: usize) -> Result<Everything, FeedError> {
    let file = Scratch::new(content);
    ItchFile::open(file.path(), pool(capacity)).map(read)
}

#[test]
fn plain_gzip_and_zstd_give_the_same() {
    let (bytes, _) = day(30_000);
    for packed in packings(&bytes) {
        let all = read_file(&packed, 256 * 1024).unwrap();
        assert_eq!(all.bytes(), bytes);
        assert!(all.errors.is_empty());
        assert!(all.packets.len() >= 4, "more than one poll's worth");
        assert!(
            all.packets
                .iter()
                .all(|packet| (packet.1, packet.2) == (0, 0))
        );
    }
}

#[test]
fn several_gzip_members_and_zstd_frames_are_one_file() {
    let (bytes, ends) = day(100);
    let (first, second) = bytes.split_at(ends[40] + 7);
    let members = [gzip(first, 6), gzip(second, 1)].concat();
    assert_eq!(read_file(&members, 70_000).unwrap().bytes(), bytes);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    let frames = [&skippable, zstd(first).as_slice(), &zstd(second)].concat();
    assert_eq!(read_file(&frames, 70_000).unwrap().bytes(), bytes);
}

#[test]
fn zeros_behind_a_gzip_member_are_padding() {
    let (bytes, ends) = day(100);
    let (first, second) = bytes.split_at(ends[40] + 7);
    let (first, second) = (gzip(first, 6), gzip(second, 1));
    for zeros in [1, 511, 600_000] {
        let zeros = vec![0; zeros];
        let padded = [&first[..], &zeros, &second, &zeros].concat();
        let all = read_file(&padded, 70_000).unwrap();
        assert!(all.errors.is_empty(), "{:?}", all.errors);
        assert_eq!(all.bytes(), bytes);
    }
    let other = [&first[..], &[0, 0, b'x'], &[0; 20]].concat();
    assert_eq!(read_file(&other, 70_000).unwrap().errors.len(), 1);
}

#[test]
fn a_zstd_stream_with_the_largest_window_is_read() {
    let (bytes, _) = day(100);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder
        .set_parameter(zstd::zstd_safe::CParameter::WindowLog(28))
        .unwrap();
    std::io::Write::write_all(&mut encoder, &bytes).unwrap();
    std::io::Write::flush(&mut encoder).unwrap();
    let mut packed = encoder.finish().unwrap();
    assert_eq!(packed[5] >> 3, 28 - 10, "the window's descriptor");
    packed[5] = (31 - 10) << 3;
    let all = read_file(&packed, 70_000).unwrap();
    assert!(all.errors.is_empty(), "{:?}", all.errors);
    assert_eq!(all.bytes(), bytes);
}

#[test]
fn the_longest_block_fits_a_buffer_of_its_length_and_no_smaller_one() {
    let (mut bytes, ends) = day(10);
    bytes.extend_from_slice(&[0xff; 2 + 65_535]);
    bytes.extend_from_slice(&day(3).0);
    for capacity in [65_537, 65_538, 200_000] {
        let all = read_file(&bytes, capacity).unwrap();
        assert_eq!(all.bytes(), bytes);
        assert!(all.errors.is_empty());
    }
    let all = read_file(&bytes, 65_536).unwrap();
    assert_eq!(all.bytes(), bytes[..ends[9]], "everything before it");
    let [FeedError::Format { reason, .. }] = all.errors.as_slice() else {
        panic!("{:?}", all.errors);
    };
    assert!(reason.contains(&format!("byte {}", ends[9])), "{reason}");
    assert!(reason.contains("65537"), "{reason}");
}

#[test]
fn a_file_waits_for_buffers() {
    let (bytes, _) = day(5_000);
    let file = Scratch::new(&bytes);
    let pool = Pool::new(1, 70_000);
    let mut source = ItchFile::open(file.path(), pool.clone()).unwrap();
    assert!(!source.is_live());
    let mut packets = Vec::new();
    assert_eq!(source.poll(9, &mut packets).unwrap(), Poll::Ready);
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].framing, Framing::Blocks { offset: 0 });
    for _ in 0..3 {
        assert_eq!(source.poll(9, &mut packets).unwrap(), Poll::Idle);
    }
    let first = packets.pop().unwrap().bytes.to_vec();
    let rest = {
        let mut rest = Vec::new();
        while source.poll(9, &mut packets).unwrap() == Poll::Ready {
            rest.extend(packets.drain(..).flat_map(|packet| packet.bytes.to_vec()));
        }
        rest
    };
    assert_eq!([first, rest].concat(), bytes);
    assert_eq!(pool.counts().outstanding, 0);
}

#[test]
fn an_end_marker_is_handed_on_as_an_empty_message() {
    let (mut bytes, _) = day(5);
    bytes.extend_from_slice(&[0, 0]);
    let all = read_file(&bytes, 70_000).unwrap();
    assert_eq!(all.bytes(), bytes);
    assert!(all.errors.is_empty());
}

#[test]
fn a_real_day_is_read_whole() {
    let Some(path) = real("itch50-nasdaq-aapl-20200130/aapl_20200130_first10k.itch") else {
        return;
    };
    let content = std::fs::read(&path).unwrap();
    let all = read(ItchFile::open(&path, pool(70_000)).unwrap());
    assert_eq!(all.bytes(), content);
    assert!(all.errors.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn packets_hold_whole_blocks_and_together_the_file(
        count in 1..400_usize,
        capacity in prop_oneof![52..600_usize, 65_537..70_000_usize],
        packing in 0..3_usize,
    ) {
        let (bytes, ends) = day(count);
        let all = read_file(&packings(&bytes)[packing], capacity).unwrap();
        prop_assert!(all.errors.is_empty());
        prop_assert_eq!(all.bytes(), bytes);
        let mut end = 0;
        for (content, _, _) in &all.packets {
            end += content.len();
            prop_assert!(ends.binary_search(&end).is_ok(), "a message straddles packets");
        }
    }

    #[test]
    fn hostile_files_end(
        packing in 0..3_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        capacity in 0..70_000_usize,
    ) {
        let mut content = packings(&day(60).0)[packing].clone();
        for (at, byte) in edits {
            let at = at.index(content.len());
            content[at] = byte;
        }
        content.truncate(cut.index(content.len() + 1));
        if let Ok(all) = read_file(&content, capacity) {
            prop_assert!(all.errors.len() <= 1, "one error at most");
        }
    }
}
