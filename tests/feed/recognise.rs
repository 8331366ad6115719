//! Files that are not what was asked for are refused in one line that says what to do.

use std::path::Path;

use widetape::feed::{FeedError, FileKind, ItchFile, open_any};

use super::files::{Scratch, gzip, packings, pool, read, real, zstd};
use super::itch_file::day;

fn refusal(path: &Path) -> String {
    match ItchFile::open(path, pool(70_000)).err() {
        Some(error @ FeedError::Format { .. }) => {
            let text = error.to_string();
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(text.starts_with(&*path.to_string_lossy()), "{text}");
            text
        }
        Some(error) => panic!("{error:?}"),
        None => panic!("{} was not refused", path.display()),
    }
}

#[test]
fn what_is_behind_an_end_marker_says_nothing() {
    let (mut few, _) = day(30);
    few.extend([0; 64]);
    let scratch = Scratch::new(&few);
    assert!(ItchFile::open(scratch.path(), pool(70_000)).is_ok());
}

#[test]
fn look_alikes_are_named() {
    let aggregated = [0, 10, b'S', 0, 0, 9, 1, 2, 3, 4, 5, b'O'];
    let no_lengths = [0, 0, b'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'O'];
    let unknown = [0, 3, b'?', 1, 2, 0, 3, b'?', 1, 2];
    for (content, wanted) in [
        (b"".as_slice(), "empty"),
        (b"34200.004241176,1,16113575,18,5853300,1\n", "34200.0"),
        (b"symbol\tprice\nAAPL\t1", "symbol price"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xfd7zXZ\0\0\x04", "xz -d"),
        (b"BZh91AY&SY", "bzip2 -d"),
        (b"PK\x03\x04\x14\0\0\0", "unzip"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "capture"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "capture"),
        (&aggregated, "type S, has 10 bytes where ITCH 5.0 has 12"),
        (&no_lengths, "length before the first message is 0"),
        (&unknown, "00 03 3f 01 02"),
        (b"\xff", "ff"),
        (b"\x00\x0b", "00 0b"),
        (b"\x00\x0cA", "00 0c 41"),
    ] {
        for packed in packings(content) {
            if content.is_empty() && packed.is_empty() {
                continue;
            }
            let text = refusal(Scratch::new(&packed).path());
            assert!(text.contains(wanted), "{text}");
        }
    }
    assert!(refusal(Scratch::new(&gzip(&gzip(b"a", 6), 6)).path()).contains("gzip once more"));
    assert!(refusal(Scratch::new(&zstd(&zstd(b"a"))).path()).contains("zstd once more"));
    assert!(refusal(Scratch::new(b"").path()).contains("empty"));
    assert!(refusal(Scratch::new(&gzip(&day(9).0, 6)[..11]).path()).contains("cut short"));
}

#[test]
fn the_beginning_of_a_first_message_is_enough() {
    for content in [b"\0".as_slice(), b"\x00\x0c", b"\x00\x0cS", b"\x00\x27R\0"] {
        let file = Scratch::new(content);
        let all = read(ItchFile::open(file.path(), pool(70_000)).unwrap());
        let (offset, _, found) = all.truncated().unwrap();
        assert_eq!((offset, found), (0, content.len() as u64));
    }
}

#[test]
fn half_of_the_first_messages_decide() {
    let itch = |right: usize, wrong: usize| {
        let mut bytes = day(right).0;
        for _ in 0..wrong {
            bytes.extend_from_slice(&[0, 2, b'S', 0]);
        }
        bytes
    };
    let opens = |bytes: &[u8]| ItchFile::open(Scratch::new(bytes).path(), pool(70_000)).is_ok();
    assert!(opens(&itch(20, 20)));
    assert!(!opens(&itch(20, 21)));
    assert!(
        opens(&itch(50, 500)),
        "only the first hundred are looked at"
    );
    assert!(!opens(&itch(49, 500)));
}

#[test]
fn what_cannot_be_read_is_an_io_error_with_its_path() {
    for path in ["no/such/file", env!("CARGO_TARGET_TMPDIR")] {
        let errors = [
            ItchFile::open(path.as_ref(), pool(70_000)).err(),
            open_any(path.as_ref(), pool(70_000)).err(),
            FileKind::detect(path.as_ref()).err(),
        ];
        for error in errors {
            assert!(matches!(error, Some(FeedError::Io { .. })), "{error:?}");
            assert!(error.unwrap().to_string().starts_with(path));
        }
    }
}

#[test]
fn kinds_are_told_behind_any_packing() {
    let pcap = [0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4];
    let ng = [0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d];
    for (content, wanted) in [
        (day(3).0.as_slice(), FileKind::BinaryFile),
        (&pcap, FileKind::Pcap),
        (&ng, FileKind::PcapNg),
        (b"anything else", FileKind::Unknown),
    ] {
        for packed in packings(content) {
            let file = Scratch::new(&packed);
            assert_eq!(FileKind::detect(file.path()).unwrap(), wanted);
        }
    }
    let (bytes, _) = day(300);
    for packed in packings(&bytes) {
        let file = Scratch::new(&packed);
        let all = read(open_any(file.path(), pool(70_000)).unwrap());
        assert_eq!(all.bytes(), bytes);
    }
}

#[test]
fn real_files_of_other_products_are_refused() {
    for (name, wanted) in [
        ("itch-negative/RITCH_ex20101224.TEST_ITCH_50.gz", "is 0"),
        (
            "itch-negative/karan_rtl_sim_SYNTHETIC_wrong_lengths.itch.gz",
            "has 14 bytes where ITCH 5.0 has 12",
        ),
        ("itch-negative/nasdaq_tvagg_2.0_real.bin.xz", "xz -d"),
        (
            "itch50-lobster-aapl-1h/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz",
            "text",
        ),
        (
            "moldudp64-nasdaq-pcap/nasdaq_totalview_20230822_100pkts.pcap",
            "capture",
        ),
    ] {
        let Some(path) = real(name) else { return };
        let text = refusal(&path);
        assert!(text.contains(wanted), "{text}");
    }
}
