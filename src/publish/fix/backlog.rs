//! What waits for one reader, and since when.

use super::AcceptorOptions;

/// Counts the bytes that the system has taken, and notes since when others wait.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Bytes that the system has taken.
    written: u64,
    /// All bytes that there were at a time, while some of them wait, and that monotonic time.
    waiting_since: Option<(u64, u64)>,
}

impl Backlog {
    /// Takes note that the system has taken `bytes`.
    pub(super) fn take(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Notes since when bytes have been waiting; `waiting` are at `now_ns`.
    pub(super) fn watch(&mut self, waiting: usize, now_ns: u64) {
        let written = self.written;
        if self.waiting_since.is_some_and(|(all, _)| written >= all) {
            self.waiting_since = None;
        }
        if self.waiting_since.is_none() && waiting > 0 {
            self.waiting_since = Some((written + waiting as u64, now_ns));
        }
    }

    /// Why the reader is too slow, if it is, with `waiting` bytes at `now_ns`.
    pub(super) fn slowness(
        &self,
        waiting: usize,
        now_ns: u64,
        options: &AcceptorOptions,
    ) -> Option<String> {
        let (bytes, millis) = (options.max_pending_bytes, options.max_pending_ms);
        if waiting > bytes {
            return Some(format!(
                "reader too slow: more than {bytes} bytes are waiting"
            ));
        }
        let (_, since_ns) = self.waiting_since?;
        let age_ns = now_ns.saturating_sub(since_ns);
        (age_ns > millis * 1_000_000)
            .then(|| format!("reader too slow: bytes have waited for more than {millis} ms"))
    }
}
