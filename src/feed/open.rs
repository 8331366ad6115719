//! Opening a file of any kind that is read here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::fix::FixLog;
use super::input::Input;
use super::itch_file::ItchFile;
use super::pcap::Capture;
use super::recognise::{self, FileKind};
use super::{FeedCounts, FeedError, Packet, Poll, Source};
use crate::buffer::Pool;

/// Bytes in a buffer that suits every file: a whole block of a BinaryFILE, a datagram and a FIX message of nearly as many
/// always fit.
pub const FILE_BUFFER_BYTES: usize = 256 << 10;

impl FileKind {
    /// What the file is, by its first bytes, behind gzip or zstd if it is packed.
    ///
    /// # Errors
    /// [`FeedError::Io`] if it cannot be read.
    pub fn detect(path: &Path) -> Result<Self, FeedError> {
        let mut input = Input::open(path)?;
        let kind = recognise::kind(input.look_ahead(recognise::HEAD));
        match input.take_error() {
            Some(error @ FeedError::Io { .. }) => Err(error),
            _ => Ok(kind),
        }
    }
}

/// Opens a file as what it is: a BinaryFILE of ITCH 5.0, a capture of MoldUDP64 (all of its datagrams)
/// or a log of FIX messages. The file is opened once, so it may be a pipe.
///
/// # Errors
/// [`FeedError::Io`] if it cannot be read, [`FeedError::Format`] if it is none of them.
pub fn open_any(path: &Path, pool: Arc<Pool>) -> Result<Box<dyn Source>, FeedError> {
    let mut input = Input::open(path)?;
    match recognise::kind(input.look_ahead(recognise::HEAD)) {
        FileKind::Pcap | FileKind::PcapNg => Ok(Box::new(Capture::begin(input, pool, None)?)),
        FileKind::Fix => Ok(Box::new(FixLog::begin(input, pool))),
        FileKind::BinaryFile | FileKind::Unknown => Ok(Box::new(ItchFile::begin(input, pool)?)),
    }
}

impl Source for Box<dyn Source> {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        self.as_mut().poll(now_ns, packets)
    }

    fn finish(&mut self, now_ns: u64, packets: &mut Vec<Packet>) {
        self.as_mut().finish(now_ns, packets);
    }

    fn is_live(&self) -> bool {
        self.as_ref().is_live()
    }

    fn waits(&self) -> bool {
        self.as_ref().waits()
    }

    fn wait(&mut self, timeout: Duration) {
        self.as_mut().wait(timeout);
    }

    fn counts(&self) -> FeedCounts {
        self.as_ref().counts()
    }
}
