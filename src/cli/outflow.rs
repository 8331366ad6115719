//! Output that the service does not wait for: a thread of its own writes it, and what a reader is too slow for is left
//! out and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::engine::beside;

/// How long the end of the service waits for the reader of what is still to be written.
const LINGER: Duration = Duration::from_secs(1);

/// What is written to it is handed on at once, each piece whole or not at all.
pub(super) struct Outflow {
    pieces: Sender<Vec<u8>>,
    limit: usize,
    backlog: Arc<Backlog>,
}

/// What becomes of an [`Outflow`].
pub(super) struct Outcome {
    written: Receiver<io::Result<()>>,
    backlog: Arc<Backlog>,
}

#[derive(Default)]
struct Backlog {
    /// Bytes that wait for the reader.
    waiting: AtomicUsize,
    /// Lines that were left out.
    lost: AtomicU64,
}

impl Outflow {
    /// Hands pieces on to `out`, which may keep `limit` bytes waiting, or one piece of any length.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn new(
        mut out: impl Write + Send + 'static,
        limit: usize,
    ) -> io::Result<(Self, Outcome)> {
        let ((pieces, taken), (done, written)) = (channel::<Vec<u8>>(), channel());
        let backlog = Arc::new(Backlog::default());
        let shared = Arc::clone(&backlog);
        let write = move || {
            let mut each = taken.iter().map(|piece| {
                out.write_all(&piece)?;
                shared.waiting.fetch_sub(piece.len(), Ordering::Relaxed);
                out.flush()
            });
            let outcome = each.find(io::Result::is_err).unwrap_or(Ok(()));
            // In this order, so that what comes after a failure is not taken for a backlog but told that nobody takes it.
            drop(taken);
            shared.waiting.store(0, Ordering::Release);
            // Nobody asks any more after the end has waited long enough.
            let _ = done.send(outcome);
        };
        beside("output", write)?;
        let outcome = Outcome {
            written,
            backlog: Arc::clone(&backlog),
        };
        let outflow = Self {
            pieces,
            limit,
            backlog,
        };
        Ok((outflow, outcome))
    }
}

impl Write for Outflow {
    /// # Errors
    /// `BrokenPipe` when the output has failed; [`Outcome::wait`] says how.
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let Backlog { waiting, lost } = &*self.backlog;
        let before = waiting.load(Ordering::Acquire);
        if before > 0 && before + piece.len() > self.limit {
            let lines = piece.iter().filter(|&&byte| byte == b'\n').count();
            lost.fetch_add(lines as u64, Ordering::Relaxed);
            return Ok(piece.len());
        }
        waiting.fetch_add(piece.len(), Ordering::Relaxed);
        let sent = self.pieces.send(piece.to_vec());
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(piece.len())
    }

    /// Nothing: pieces do not wait here for others.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outcome {
    /// Waits until all is written, but not for long. The [`Outflow`] must be gone.
    ///
    /// # Errors
    /// When the output failed, or its reader takes no more.
    pub(super) fn wait(self) -> io::Result<()> {
        let written = self.written.recv_timeout(LINGER);
        written.unwrap_or_else(|_| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its reader takes no more",
            ))
        })
    }

    /// Lines that were left out.
    pub(super) fn lost(&self) -> u64 {
        self.backlog.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one piece for each leave that it is given, and keeps it.
    struct Slow {
        leave: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            let _ = self.leave.recv();
            let _ = self.taken.send(piece.to_vec());
            Ok(piece.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_slow_reader_has_no_room_for_is_left_out_whole_and_counted() {
        let (leave, left) = channel();
        let (taken, pieces) = channel();
        let (mut outflow, outcome) = Outflow::new(Slow { leave: left, taken }, 20).unwrap();
        // Nobody takes any of them meanwhile, and they have seven bytes each.
        let numbered = (0..10).map(|number| format!("{number}\nmore\n"));
        for piece in numbered.clone() {
            outflow.write_all(piece.as_bytes()).unwrap();
        }
        drop((outflow, leave));
        assert_eq!(outcome.lost(), 2 * 8);
        outcome.wait().unwrap();
        let written: Vec<_> = pieces
            .iter()
            .map(|piece| String::from_utf8(piece).unwrap())
            .collect();
        assert_eq!(written, numbered.take(2).collect::<Vec<_>>());
    }

    #[test]
    fn one_piece_is_taken_whatever_its_length() {
        let (leave, left) = channel();
        let (taken, pieces) = channel();
        let (mut outflow, outcome) = Outflow::new(Slow { leave: left, taken }, 0).unwrap();
        for piece in ["drawing\n", "next\n"] {
            outflow.write_all(piece.as_bytes()).unwrap();
        }
        drop((outflow, leave));
        outcome.wait().unwrap();
        assert_eq!(pieces.iter().collect::<Vec<_>>(), [b"drawing\n"]);
    }

    #[test]
    fn a_reader_that_never_comes_back_holds_nothing_up_for_long() {
        let (_leave, left) = channel();
        let (taken, _pieces) = channel();
        let (mut outflow, outcome) = Outflow::new(Slow { leave: left, taken }, 1).unwrap();
        outflow.write_all(b"row\n").unwrap();
        drop(outflow);
        assert_eq!(outcome.wait().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_the_output_reports_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut outflow, outcome) = Outflow::new(Full, 1).unwrap();
        let failed = loop {
            if let Err(error) = outflow.write_all(b"row\n") {
                break error;
            }
        };
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
        drop(outflow);
        assert_eq!(
            outcome.wait().unwrap_err().kind(),
            io::ErrorKind::StorageFull
        );
    }
}
