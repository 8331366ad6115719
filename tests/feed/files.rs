//! Scratch files, packing, and reading a source to its end.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use widetape::buffer::Pool;
use widetape::feed::{FeedError, Framing, Packet, Poll, Source};

/// A file that goes away with its value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(content: &[u8]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "feed-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

pub(super) fn gzip(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

/// The content plain, by gzip and by zstd.
pub(super) fn packings(content: &[u8]) -> [Vec<u8>; 3] {
    [content.to_vec(), gzip(content, 6), zstd(content)]
}

/// A real capture, or `None` (said aloud) where there are none.
pub(super) fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if !path.exists() {
        println!("SKIPPED: {name} is not here");
        return None;
    }
    Some(path)
}

/// Two buffers of a size.
pub(super) fn pool(capacity: usize) -> Arc<Pool> {
    Pool::new(2, capacity)
}

/// What a source gave until its end.
#[derive(Debug, Default)]
pub(super) struct Everything {
    /// Content, line and time of each packet.
    pub(super) packets: Vec<(Vec<u8>, u8, u64)>,
    pub(super) errors: Vec<FeedError>,
}

impl Everything {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.packets
            .iter()
            .flat_map(|(bytes, _, _)| bytes.iter().copied())
            .collect()
    }

    /// The offset, needed and found of the only error, which must be `Truncated`.
    pub(super) fn truncated(&self) -> Option<(u64, u64, u64)> {
        match self.errors.as_slice() {
            [] => None,
            [
                FeedError::Truncated {
                    offset,
                    needed,
                    found,
                    ..
                },
            ] => Some((*offset, *needed, *found)),
            other => panic!("{other:?}"),
        }
    }
}

/// Polls a file to its end, giving its buffers back after each poll.
pub(super) fn read(mut source: impl Source) -> Everything {
    let mut all = Everything::default();
    let mut packets = Vec::new();
    let mut offset_wanted = 0;
    for _ in 0..1_000_000 {
        let polled = source.poll(0, &mut packets);
        let ready = !packets.is_empty();
        for packet in packets.drain(..) {
            if let Framing::Blocks { offset } = packet.framing {
                assert_eq!(offset, offset_wanted);
                offset_wanted += packet.bytes.len() as u64;
            }
            let Packet {
                bytes,
                line,
                received_ns,
                ..
            } = packet;
            all.packets.push((bytes.to_vec(), line, received_ns));
        }
        match polled {
            Ok(Poll::Ready) => assert!(ready, "ready without packets"),
            Ok(Poll::Idle) => panic!("idle although all buffers are back"),
            Ok(Poll::End) => {
                assert!(matches!(source.poll(0, &mut packets), Ok(Poll::End)));
                assert!(packets.is_empty());
                return all;
            }
            Err(error) => all.errors.push(error),
        }
    }
    panic!("no end");
}
