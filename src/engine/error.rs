//! What can stop the engine.

use std::io;

use super::{MessageError, PlacementError};
use crate::feed::FeedError;
use crate::window::{LogFull, SpecError};

/// Why the engine stopped before its input did.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source failed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A message of a file cannot be decoded.
    #[error("{file}: message at byte {offset}: {error}")]
    Message {
        /// Name of the file.
        file: String,
        /// Offset of its length prefix in the uncompressed file.
        offset: u64,
        /// What is wrong with it.
        error: MessageError,
    },
    /// The input goes on with what belongs to no session, or to another one. Its symbols and its clock may
    /// be others, so nothing of it has been used.
    #[error(
        "{after} follows {before}, but a run holds one session: all rows are of what came before, run it \
         apart"
    )]
    OtherSession {
        /// What all rows are of.
        before: String,
        /// What follows it.
        after: String,
    },
    /// The request makes no sense.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A stream is to tell a choice of each end, which it never knows whole.
    #[error("`wanted` is for `Mode::Batch` alone")]
    WantedOfStream,
    /// A batch is to have wide windows apart, which it computes with all others.
    #[error("`wide` is for `Mode::Stream` alone")]
    WideOfBatch,
    /// The day is too long.
    #[error(transparent)]
    LogFull(#[from] LogFull),
    /// Results cannot be written.
    #[error("{publisher}: {error}")]
    Publish {
        /// Which publisher.
        publisher: String,
        /// What the system said.
        error: io::Error,
    },
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(io::Error),
    /// There cannot be so many threads.
    #[error("{0}")]
    Threads(String),
    /// The threads cannot run where they are to.
    #[error(transparent)]
    Placement(#[from] PlacementError),
    /// The socket for re-requests failed.
    #[error("re-request socket: {0}")]
    Recovery(io::Error),
}
