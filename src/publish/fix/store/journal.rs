//! The file behind a store: records that are only ever appended, each with its checksum.
//!
//! The file begins with [`MAGIC`]. A record is its length (u32), the CRC-32 of its payload (u32) and
//! the payload, little-endian. A process that is killed leaves whole records and at most one torn one
//! at the end, which is cut off; a damaged record with sound ones behind it is no torn tail, and the
//! file is refused, because numbers could be used twice.
//!
//! Two files lie beside it, each under its whole name and an ending. `.lock` is locked as long as the
//! journal is open, for the journal itself is another file after each rewrite. `.new` is the next journal
//! until it is whole; what a process that was killed has left of it holds nothing that counts, and
//! is overwritten.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// First bytes of a journal, the version of its layout at the end.
const MAGIC: &[u8; 24] = b"widetape FIX journal  1\n";
/// Length and checksum.
const HEAD: usize = 8;
/// Longest payload.
const MAX_PAYLOAD: usize = 1 << 20;

/// Why numbers cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("FIX store {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another store has the file open.
    #[error(
        "FIX store {path}: in use, {} is locked: stop the program that holds it, or choose another file (store.file under [fix.acceptor])",
        path.with_added_extension("lock").display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("FIX store {path}: not a journal of FIX numbers")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A record in the middle is damaged.
    #[error(
        "FIX store {path}: damaged at byte {offset}, with sound records behind: restore it, or move it away and agree on numbers with the counterparties"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: usize,
    },
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Locked as long as the journal is open.
    _lock: File,
    /// Records that are not in the file yet.
    pending: Vec<u8>,
    /// Bytes in the file.
    length: u64,
}

impl Journal {
    /// Opens or creates the file and hands the payload of every record to `take`, oldest first. A torn
    /// record at the end is cut off. Nothing is touched while another has it open.
    pub(super) fn open(path: &Path, take: impl FnMut(&[u8])) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Io {
            path: path.to_owned(),
            error,
        };
        let lock = lock(path)?;
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let whole = replay(&bytes, take).map_err(|fault| fault.at(path))?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(failed)?;
        if whole < bytes.len() || whole == 0 {
            file.set_len(whole as u64).map_err(failed)?;
        }
        if whole == 0 {
            file.write_all(MAGIC).map_err(failed)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            _lock: lock,
            pending: Vec::new(),
            length: whole.max(MAGIC.len()) as u64,
        })
    }

    /// Appends a record whose payload is `parts`, one behind the other. It is in the file after the
    /// next [`commit`](Self::commit).
    pub(super) fn append(&mut self, parts: &[&[u8]]) {
        put(&mut self.pending, parts);
    }

    /// Writes what was appended. It outlives the process from then on; that it outlives the machine is
    /// the system's to see to.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.pending);
        self.length += self.pending.len() as u64;
        self.pending.clear();
        written.map_err(|error| StoreError::Io {
            path: self.path.clone(),
            error,
        })
    }

    /// Bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Puts a file that holds what `fill` appends in the place of this one. What was appended before and
    /// not committed is left out.
    pub(super) fn rewrite(&mut self, fill: impl FnOnce(&mut Self)) -> Result<(), StoreError> {
        self.pending.clear();
        self.pending.extend_from_slice(MAGIC);
        fill(self);
        let bytes = std::mem::take(&mut self.pending);
        self.file = replace(&self.path, &bytes)?;
        self.length = bytes.len() as u64;
        Ok(())
    }
}

/// The lock of the journal at `path`, which its end releases, however the process ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    let lock = path.with_added_extension("lock");
    let mut options = OpenOptions::new();
    let opened = options.create(true).append(true).open(&lock);
    let locked = opened
        .map_err(TryLockError::Error)
        .and_then(|file| file.try_lock().map(|()| file));
    locked.map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse {
            path: path.to_owned(),
        },
        TryLockError::Error(error) => StoreError::Io { path: lock, error },
    })
}

/// Puts a file that holds `bytes` in the place of the one at `path`, and opens it at its end.
fn replace(path: &Path, bytes: &[u8]) -> Result<File, StoreError> {
    let beside = path.with_added_extension("new");
    let made = fs::write(&beside, bytes).and_then(|()| {
        let file = OpenOptions::new().append(true).open(&beside)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        Ok(file)
    });
    made.map_err(|error| StoreError::Io {
        path: beside,
        error,
    })
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut checksum = crc32fast::Hasher::new();
    parts.iter().for_each(|part| checksum.update(part));
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&checksum.finalize().to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    NotAJournal,
    Damaged(usize),
}

impl Fault {
    fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Fault::NotAJournal => StoreError::NotAJournal { path },
            Fault::Damaged(offset) => StoreError::Damaged { path, offset },
        }
    }
}

/// Hands every payload on; how many bytes hold whole records, 0 for a file that was not finished.
fn replay(bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<usize, Fault> {
    let Some(records) = bytes.strip_prefix(MAGIC) else {
        let unfinished = MAGIC.starts_with(bytes);
        return unfinished.then_some(0).ok_or(Fault::NotAJournal);
    };
    let mut at = 0;
    while let Some(payload) = record(records, at) {
        take(payload);
        at += HEAD + payload.len();
    }
    let sound_behind = (at + 1..records.len()).any(|later| record(records, later).is_some());
    match sound_behind {
        true => Err(Fault::Damaged(MAGIC.len() + at)),
        false => Ok(MAGIC.len() + at),
    }
}

/// The payload of the record at `at`, if a sound one stands there.
fn record(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let head = bytes.get(at..at + HEAD)?;
    let length = u32::from_le_bytes(head[..4].try_into().ok()?) as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return None;
    }
    let checksum = u32::from_le_bytes(head[4..].try_into().ok()?);
    let payload = bytes.get(at + HEAD..at + HEAD + length)?;
    (crc32fast::hash(payload) == checksum).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for payload in [&b"first"[..], b"second record", b"third"] {
            put(&mut bytes, &[&payload[..2], &payload[2..]]);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<(usize, Vec<Vec<u8>>), Fault> {
        let mut payloads = Vec::new();
        let whole = replay(bytes, |payload| payloads.push(payload.to_vec()))?;
        Ok((whole, payloads))
    }

    #[test]
    fn a_torn_tail_is_cut_wherever_it_is_torn() {
        let bytes = journal();
        let ends = [24, 24 + 13, 24 + 13 + 21, 24 + 13 + 21 + 13];
        assert_eq!(bytes.len(), ends[3]);
        for cut in 0..=bytes.len() {
            let (whole, payloads) = read(&bytes[..cut]).unwrap();
            let expected = ends.iter().rfind(|&&end| end <= cut).copied().unwrap_or(0);
            assert_eq!(whole, expected, "{cut}");
            let records = ends.iter().filter(|&&end| end <= cut).count();
            assert_eq!(payloads.len(), records.saturating_sub(1), "{cut}");
        }
    }

    #[test]
    fn damage_before_sound_records_is_refused_at_every_bit() {
        let bytes = journal();
        for bit in 24 * 8..(24 + 13 + 21) * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let offset = if bit < (24 + 13) * 8 { 24 } else { 24 + 13 };
            assert_eq!(read(&damaged), Err(Fault::Damaged(offset)), "{bit}");
        }
        for bit in (24 + 13 + 21) * 8..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&damaged).unwrap().0, 24 + 13 + 21, "{bit}");
        }
        assert_eq!(read(b"[fix.acceptor]\n"), Err(Fault::NotAJournal));
    }
}
