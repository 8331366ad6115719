//! BinaryFILEs that end where they should not.

use widetape::feed::{FeedError, ItchFile};

use super::files::{gzip, pool, read, real, zstd};
use super::itch_file::{day, read_file};

/// What must come of the first `cut` bytes of a file: bytes of whole messages, and the error.
fn expected(bytes: &[u8], ends: &[usize], cut: usize) -> (usize, Option<(u64, u64, u64)>) {
    let whole = ends
        .iter()
        .copied()
        .filter(|end| *end <= cut)
        .max()
        .unwrap_or(0);
    let found = cut - whole;
    let needed = match found {
        0 => return (whole, None),
        1 => 2,
        _ => 2 + u64::from(bytes[whole]) * 256 + u64::from(bytes[whole + 1]),
    };
    (whole, Some((whole as u64, needed, found as u64)))
}

#[test]
fn a_file_cut_at_any_byte_gives_what_is_whole_and_says_where() {
    let (bytes, ends) = day(24);
    for capacity in [52, 70_000] {
        for cut in 1..=bytes.len() {
            let all = read_file(&bytes[..cut], capacity).unwrap();
            let (whole, error) = expected(&bytes, &ends, cut);
            assert_eq!(all.bytes(), bytes[..whole], "cut at {cut}");
            assert_eq!(all.truncated(), error, "cut at {cut}");
        }
    }
}

#[test]
fn a_gzip_stream_cut_at_any_byte_gives_all_it_still_holds() {
    const HEADER: usize = 10;
    const BLOCK_HEADER: usize = 5;
    const TRAILER: usize = 8;
    let (bytes, ends) = day(24);
    let packed = gzip(&bytes, 0);
    assert_eq!(
        packed.len(),
        HEADER + BLOCK_HEADER + bytes.len() + TRAILER,
        "stored, so that the test knows what a cut leaves"
    );
    for cut in 0..packed.len() {
        let held = cut.saturating_sub(HEADER + BLOCK_HEADER).min(bytes.len());
        let all = match read_file(&packed[..cut], 70_000) {
            Ok(all) => all,
            Err(FeedError::Format { .. }) if held == 0 => continue,
            Err(error) => panic!("cut at {cut}: {error}"),
        };
        let (whole, error) = expected(&bytes, &ends, held);
        assert_eq!(all.bytes(), bytes[..whole], "cut at {cut}");
        let at_a_border = Some((whole as u64, 2, 0));
        assert_eq!(all.truncated(), error.or(at_a_border), "cut at {cut}");
    }
}

#[test]
fn a_zstd_stream_cut_anywhere_gives_a_beginning_and_one_error() {
    let (bytes, ends) = day(12_000);
    let packed = zstd(&bytes);
    let mut most = 0;
    let cuts = (1..20).map(|part| packed.len() * part / 20);
    for cut in cuts.chain([packed.len() - 1]) {
        let Ok(all) = read_file(&packed[..cut], 70_000) else {
            continue;
        };
        let given = all.bytes();
        assert!(given == bytes[..given.len()]);
        let (offset, _, _) = all.truncated().expect("an error");
        assert_eq!(offset, given.len() as u64);
        assert!(given.is_empty() || ends.binary_search(&given.len()).is_ok());
        most = most.max(given.len());
    }
    assert!(
        most > 128 * 1024,
        "whole zstd blocks before the cut were given"
    );
}

#[test]
fn damage_is_reported_behind_what_was_read() {
    let (bytes, _) = day(200);
    let mut wrong_sum = gzip(&bytes, 6);
    let at = wrong_sum.len() - 5;
    wrong_sum[at] ^= 1;
    let mut garbage_behind = gzip(&bytes, 6);
    garbage_behind.extend_from_slice(b"not another member");
    let mut wrong_zstd = zstd(&bytes);
    wrong_zstd.extend_from_slice(b"not another frame");
    for content in [wrong_sum, garbage_behind, wrong_zstd] {
        let all = read_file(&content, 70_000).unwrap();
        assert_eq!(all.bytes(), bytes);
        let [FeedError::Format { reason, .. }] = all.errors.as_slice() else {
            panic!("{:?}", all.errors);
        };
        let place = format!("behind {} uncompressed bytes", bytes.len());
        assert!(reason.contains(&place), "{reason}");
        assert!(!reason.contains('\n'));
    }
}

#[test]
fn damage_inside_a_gzip_stream_costs_at_most_one_piece() {
    const PIECE: usize = 16 * 1024;
    let (bytes, _) = day(10_000);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut packed = gzip(first, 6);
    let border = packed.len();
    packed.extend(gzip(second, 6));
    // The reserved block type 3, first thing in the second member.
    packed[border + 10] = 0x07;
    let all = read_file(&packed, 256 * 1024).unwrap();
    let given = all.bytes();
    assert!(given == bytes[..given.len()]);
    assert!(given.len() + PIECE >= first.len());
    assert!(matches!(all.errors.as_slice(), [FeedError::Format { .. }]));
}

#[test]
fn real_heads_end_inside_a_message() {
    for (name, whole, error) in [
        (
            "itch50-nasdaq-heads/20190130_head_4096bytes_TRUNCATED.itch",
            101,
            (4_081, 41, 15),
        ),
        (
            "itch50-nasdaq-heads/20190130_head_1MiB_TRUNCATED.itch.gz",
            35_581,
            (1_048_574, 28, 2),
        ),
    ] {
        let Some(path) = real(name) else { return };
        let all = read(ItchFile::open(&path, pool(70_000)).unwrap());
        let bytes = all.bytes();
        let mut at = 0;
        let mut count = 0;
        while at < bytes.len() {
            at += 2 + usize::from(bytes[at]) * 256 + usize::from(bytes[at + 1]);
            count += 1;
        }
        assert_eq!((count, at), (whole, bytes.len()), "{name}");
        assert_eq!(all.truncated(), Some(error), "{name}");
    }
}
