//! A file to read from front to back, decompressed on the way if it needs to be.
//!
//! Which compression is told by the first bytes, never by the name. Reading never seeks, so pipes
//! work. What a damaged or cut-short stream still gives is handed on before its fault is; faults
//! say where in the uncompressed bytes they struck.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use super::FeedError;

/// Bytes asked of the file at once where a decompressor stands between.
const COMPRESSED_CHUNK: usize = 256 * 1024;

/// Bytes asked of a decompressor at once. A decompressor that meets damage gives nothing of what it
/// was asked for, so this is the most that is lost in front of the damage.
const PIECE: usize = 16 * 1024;

/// The largest window of zstd (`--long=31`), as a power of two: with less, a whole file could not be read.
const WINDOW_LOG: u32 = 31;

/// Bytes that tell every compression.
const MAGIC: usize = 4;

/// How the file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(start: &[u8]) -> Self {
        if start.starts_with(&[0x1f, 0x8b, 0x08]) {
            Self::Gzip
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable(start) {
            Self::Zstd
        } else {
            Self::None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "file",
            Self::Gzip => "gzip stream",
            Self::Zstd => "zstd stream",
        }
    }
}

/// Whether the bytes begin a skippable zstd frame (pzstd and others write one first).
fn skippable(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Why no more bytes come although the end has not been reached.
#[derive(Debug)]
pub(super) enum Fault {
    /// The system refused.
    Io(io::Error),
    /// The compressed stream ends before it is complete.
    CutShort,
    /// The compressed stream is damaged.
    Damaged(io::Error),
}

type Raw = Chain<Cursor<Vec<u8>>, File>;

enum Reader {
    Plain(Raw),
    Gzip(Box<Members>),
    Zstd(zstd::Decoder<'static, BufReader<Raw>>),
}

/// The members of a gzip file, one behind the other. Zeros behind one are padding, as of tapes, and no fault.
struct Members {
    /// The member being read, until the file ends.
    member: Option<GzDecoder<BufReader<Raw>>>,
}

impl Members {
    fn new(raw: BufReader<Raw>) -> Self {
        Self {
            member: Some(GzDecoder::new(raw)),
        }
    }
}

impl Read for Members {
    /// `into` must have room: nothing read is the end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(into)?;
            if count > 0 {
                return Ok(count);
            }
            let raw = member.get_mut();
            let start = raw.fill_buf()?;
            let padding = start.iter().take_while(|&&byte| byte == 0).count();
            match (padding, start.len()) {
                (_, 0) => self.member = None,
                (0, _) => {
                    let ended = self.member.take();
                    self.member = ended.map(|member| GzDecoder::new(member.into_inner()));
                }
                _ => raw.consume(padding),
            }
        }
        Ok(0)
    }
}

/// An opened file.
pub(super) struct Input {
    path: PathBuf,
    compression: Compression,
    reader: Reader,
    lookahead: Vec<u8>,
    served: usize,
    position: u64,
    fault: Option<Fault>,
}

impl Input {
    /// Opens `path` and finds out how it is packed.
    pub(super) fn open(path: &Path) -> Result<Self, FeedError> {
        let failed = |error| FeedError::Io {
            path: path.to_owned(),
            error,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut start = Vec::with_capacity(MAGIC);
        file.by_ref()
            .take(MAGIC as u64)
            .read_to_end(&mut start)
            .map_err(failed)?;
        let compression = Compression::of(&start);
        let raw = Cursor::new(start).chain(file);
        let reader = match compression {
            Compression::None => Reader::Plain(raw),
            Compression::Gzip => Reader::Gzip(Box::new(Members::new(buffered(raw)))),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(buffered(raw)).map_err(failed)?;
                decoder.window_log_max(WINDOW_LOG).map_err(failed)?;
                Reader::Zstd(decoder)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            compression,
            reader,
            lookahead: Vec::new(),
            served: 0,
            position: 0,
            fault: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Uncompressed bytes read so far, looked-ahead ones not included.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next bytes, at most `length`, fewer only where the input ends or a fault waits. They are
    /// read again later.
    pub(super) fn look_ahead(&mut self, length: usize) -> &[u8] {
        self.lookahead.drain(..self.served);
        self.served = 0;
        let mut filled = self.lookahead.len();
        if filled < length {
            self.lookahead.resize(length, 0);
            while filled < length && self.fault.is_none() {
                match advance(&mut self.reader, &mut self.lookahead[filled..]) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(fault) => self.fault = Some(fault),
                }
            }
            self.lookahead.truncate(filled);
        }
        let shown = self.lookahead.len().min(length);
        &self.lookahead[..shown]
    }

    /// Fills `into` from the front; fewer bytes come only where the input ends or a fault waits.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> usize {
        let ahead = &self.lookahead[self.served..];
        let mut filled = ahead.len().min(into.len());
        into[..filled].copy_from_slice(&ahead[..filled]);
        self.served += filled;
        if self.served == self.lookahead.len() && self.served > 0 {
            self.lookahead = Vec::new();
            self.served = 0;
        }
        while filled < into.len() && self.fault.is_none() {
            match advance(&mut self.reader, &mut into[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(fault) => self.fault = Some(fault),
            }
        }
        self.position += filled as u64;
        filled
    }

    /// The error for an input whose beginning is not what was wanted: `reason`, unless a fault left
    /// nothing to look at.
    pub(super) fn refuse(&mut self, reason: String) -> FeedError {
        let path = self.path.clone();
        match (self.fault.take(), self.lookahead.is_empty()) {
            (Some(Fault::Io(error)), _) => FeedError::Io { path, error },
            (Some(_), true) => FeedError::Format {
                path,
                reason: format!(
                    "the {} is damaged or cut short at its very beginning; fetch the file again",
                    self.compression.name()
                ),
            },
            _ => FeedError::Format { path, reason },
        }
    }

    /// The fault that ended the input, if one did.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The error for a fault, once; `None` for a stream cut short, which is the caller's to judge,
    /// and where there is none.
    pub(super) fn take_error(&mut self) -> Option<FeedError> {
        let path = self.path.clone();
        match self.fault.take()? {
            Fault::Io(error) => Some(FeedError::Io { path, error }),
            Fault::CutShort => None,
            Fault::Damaged(error) => Some(FeedError::Format {
                path,
                reason: format!(
                    "the {} is damaged behind {} uncompressed bytes ({error}); what is whole before \
                     them was used, fetch the file again",
                    self.compression.name(),
                    self.position + (self.lookahead.len() - self.served) as u64,
                ),
            }),
        }
    }
}

fn buffered(raw: Raw) -> BufReader<Raw> {
    BufReader::with_capacity(COMPRESSED_CHUNK, raw)
}

/// One read that is neither interrupted nor beyond what may be lost at once.
fn advance(reader: &mut Reader, into: &mut [u8]) -> Result<usize, Fault> {
    let piece = into.len().min(PIECE);
    loop {
        let read = match reader {
            Reader::Plain(raw) => raw.read(into),
            Reader::Gzip(decoder) => decoder.read(&mut into[..piece]),
            Reader::Zstd(decoder) => decoder.read(&mut into[..piece]),
        };
        match read {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error().is_some() => return Err(Fault::Io(error)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Fault::CutShort);
            }
            Err(error) => return Err(Fault::Damaged(error)),
        }
    }
}
