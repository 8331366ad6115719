//! What a file is, told by its first bytes, and how to say that it is the wrong one.

use crate::wire::binaryfile::{self, Blocks};
use crate::wire::itch50::length_of;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 64 * 1024;

/// How a log of FIX messages begins.
const FIX: &[u8] = b"8=FIX";
/// How far in the first message may begin for a log to be told by it.
const FIX_WITHIN: usize = 256;

/// Messages that are looked at.
const MESSAGES: usize = 100;

/// What a file holds, behind gzip or zstd if it is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// ITCH 5.0 messages in BinaryFILE framing.
    BinaryFile,
    /// A packet capture of libpcap, of either byte order and time resolution.
    Pcap,
    /// A packet capture in the pcapng format.
    PcapNg,
    /// A log of FIX messages.
    Fix,
    /// Nothing that is read here.
    Unknown,
}

/// The kind of file that begins with `head` (its first [`HEAD`] bytes, or all of it).
pub(super) fn kind(head: &[u8]) -> FileKind {
    match capture_kind(head) {
        Some(kind) => kind,
        None if head.starts_with(FIX) && unlike_fix(head).is_none() => FileKind::Fix,
        None if not_itch(head).is_none() => FileKind::BinaryFile,
        None => FileKind::Unknown,
    }
}

/// The kind of packet capture that begins with `head`, if it is one.
fn capture_kind(head: &[u8]) -> Option<FileKind> {
    match head {
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x34, 0xcd, 0xb2, 0xa1, ..] => Some(FileKind::Pcap),
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => Some(FileKind::PcapNg),
        _ => None,
    }
}

/// Why a file that begins with `head` is not an ITCH 5.0 BinaryFILE, or `None` if it looks like one.
///
/// It looks like one if its first message has a type of ITCH 5.0 and exactly that type's length, and
/// so have at least half of the first hundred. A single wrong one further on is a damaged ITCH file,
/// which the decoder reports with its offset.
pub(super) fn not_itch(head: &[u8]) -> Option<String> {
    if head.is_empty() {
        return Some("the file is empty: nothing to read".to_owned());
    }
    let mut blocks = 0;
    let mut right = 0;
    for (_, message) in Blocks::new(head).take(MESSAGES) {
        // An end marker, of which a small file may have nothing but more behind it.
        if blocks > 0 && message.is_empty() {
            break;
        }
        let fits = message.first().and_then(|kind| length_of(*kind)) == Some(message.len());
        if blocks == 0 && !fits {
            return Some(describe(head));
        }
        blocks += 1;
        right += usize::from(fits);
    }
    let plausible = if blocks == 0 {
        may_begin_itch(head)
    } else {
        right * 2 >= blocks
    };
    (!plausible).then(|| describe(head))
}

/// Whether a beginning too short for a whole message could be that of an ITCH message.
fn may_begin_itch(head: &[u8]) -> bool {
    let length = binaryfile::needed(head) - binaryfile::PREFIX;
    match head {
        [high] => *high == 0,
        [_, _] => (u8::MIN..=u8::MAX).any(|kind| length_of(kind) == Some(length)),
        [_, _, kind, ..] => length_of(*kind) == Some(length),
        [] => false,
    }
}

/// One line on what the file looks like and what to do about it.
fn describe(head: &[u8]) -> String {
    const WANTED: &str = "wanted is an ITCH 5.0 BinaryFILE, a pcap capture or a log of FIX messages, plain, .gz or .zst";
    if let Some((what, remedy)) = container(head) {
        return format!("not ITCH 5.0 but {what}; {remedy}");
    }
    if let Some(fault) = unlike_fix(head) {
        return format!("a log of FIX messages, but {fault}");
    }
    if let Some(line) = text(head) {
        return format!("not ITCH 5.0 but text (it begins with \"{line}\"); {WANTED}");
    }
    if head.starts_with(&[0, 0]) {
        return format!(
            "not ITCH 5.0: the length before the first message is 0, so where messages end is \
             unknown; {WANTED} with the length of every message"
        );
    }
    if let Some((_, message)) = Blocks::new(head).next() {
        let kind = message.first().copied().unwrap_or(0);
        if let Some(length) = length_of(kind).filter(|length| *length != message.len()) {
            return format!(
                "not ITCH 5.0: framed alike, but its first message, type {}, has {} bytes where \
                 ITCH 5.0 has {length}: another version or product; {WANTED}",
                char::from(kind),
                message.len(),
            );
        }
    }
    let first: Vec<String> = head
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "not ITCH 5.0: its first bytes ({}) are no message of it; {WANTED}",
        first.join(" ")
    )
}

/// What is wrong with a log of FIX messages that was written to be looked at, if it is one.
fn unlike_fix(head: &[u8]) -> Option<String> {
    let start = &head[..head.len().min(FIX_WITHIN)];
    let at = start.windows(FIX.len()).position(|bytes| bytes == FIX)?;
    let version = &start[at + FIX.len()..];
    let end = version
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
    for mark in ["|", "^A", "^"] {
        if version[end?..].starts_with(mark.as_bytes()) {
            return Some(format!(
                "its fields end with {mark} instead of the byte 01: sed 's/{}/\\x01/g' FILE puts that back",
                mark.replace('^', "\\^")
            ));
        }
    }
    (at > 0).then(|| format!("with {at} bytes before the first: let it begin with 8=FIX"))
}

/// Well-known formats by their first bytes, with what to do.
fn container(head: &[u8]) -> Option<(&'static str, &'static str)> {
    const CHOOSE: &str = "choose another file";
    let known: [(&[u8], &str, &str); 13] = [
        (
            b"\xfd7zXZ\0",
            "an xz archive",
            "unpack it first: xz -d FILE",
        ),
        (b"BZh", "a bzip2 archive", "unpack it first: bzip2 -d FILE"),
        (
            b"PK\x03\x04",
            "a zip archive",
            "unpack it first: unzip FILE",
        ),
        (
            b"7z\xbc\xaf\x27\x1c",
            "a 7z archive",
            "unpack it first: 7z x FILE",
        ),
        (
            b"\x04\x22\x4d\x18",
            "an lz4 archive",
            "unpack it first: lz4 -d FILE",
        ),
        (
            b"\x1f\x8b",
            "gzip once more",
            "unpack it once: gzip -d FILE",
        ),
        (
            b"\x28\xb5\x2f\xfd",
            "zstd once more",
            "unpack it once: zstd -d FILE",
        ),
        (b"\x89PNG", "a PNG picture", CHOOSE),
        (b"%PDF", "a PDF document", CHOOSE),
        (b"\x7fELF", "a program", CHOOSE),
        (b"PAR1", "a Parquet file", CHOOSE),
        (b"ARROW1", "an Arrow file", CHOOSE),
        (b"SQLite format 3", "an SQLite database", CHOOSE),
    ];
    if capture_kind(head).is_some() {
        return Some((
            "a packet capture",
            "replay, scan, inspect and compare read captures",
        ));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", "unpack it first: tar -xf FILE"));
    }
    known
        .into_iter()
        .find(|(magic, _, _)| head.starts_with(magic))
        .map(|(_, what, remedy)| (what, remedy))
}

/// The beginning of the first line if the file begins like text.
fn text(head: &[u8]) -> Option<String> {
    let start = &head[..head.len().min(64)];
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    if start.len() < 4 || !start.iter().all(printable) {
        return None;
    }
    let line = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| !line.is_empty())?;
    let shown = &line[..line.len().min(24)];
    Some(String::from_utf8_lossy(shown).replace(['\t', '"'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_were_written_to_be_looked_at_are_named() {
        let log = b"8=FIX.4.4\x019=5\x0135=0\x0110=163\x01\n";
        assert_eq!(kind(log), FileKind::Fix);
        let prefixed = [b"20261130-14:30:00.000 : ", &log[..]].concat();
        for (head, told) in [
            (&prefixed[..], "24 bytes before"),
            (b"8=FIX.4.4|9=5|35=0|10=161|", "s/|/"),
            (b"8=FIXT.1.1^A9=5^A35=0^A10=161^A", "s/\\^A/"),
            (b"8=FIX.4.2^9=5^35=0^10=161^", "s/\\^/"),
        ] {
            assert_eq!(kind(head), FileKind::Unknown);
            let reason = not_itch(head).expect("it is not");
            assert!(
                reason.contains("log of FIX messages") && reason.contains(told),
                "{reason}"
            );
        }
    }
}
