//! What waits behind a gap, and how the gap ends.

use super::session::{Session, Times};
use crate::market::NANOS_PER_SECOND;
use crate::wire::fix::{Frame, Message, next_frame, parse_uint, tag};

/// Nanoseconds that the counterparty has to send the first or the next message of a gap.
const GAP_NS: u64 = 2 * NANOS_PER_SECOND;
/// Messages that wait behind a gap at most, and bytes in them; the last ones are dropped and asked for again.
const WAITING: usize = 4_096;
const WAITING_BYTES: usize = 16 << 20;

impl Session {
    /// Whether messages wait behind a gap.
    pub(super) fn has_gap(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A SequenceReset: the numbers up to NewSeqNo that do not wait are lost.
    pub(super) fn skip_to(&mut self, message: &Message<'_>) {
        let new = message
            .get(tag::NEW_SEQ_NO)
            .and_then(parse_uint)
            .unwrap_or(0);
        // The number of a gap fill has been consumed already and stands for a lost message itself.
        let filled = u64::from(message.get(tag::GAP_FILL_FLAG) == Some(b"Y"));
        let first = self.expected - filled;
        if new > self.expected {
            let held = self.waiting.range(self.expected..new).count() as u64;
            self.taken.lose((new - first).saturating_sub(held));
            // Those that wait are acted on when the numbers reach them.
            self.expected = match self.waiting.keys().next() {
                Some(&held) if held < new => held,
                _ => new,
            };
        } else if filled > 0 {
            self.taken.lose(filled);
        }
    }

    pub(super) fn wait(&mut self, number: u64, message: &Message<'_>, bytes: &[u8]) {
        if self.waiting.contains_key(&number) {
            self.counts.unused += 1;
            return;
        }
        while self.waiting.len() >= WAITING || self.waiting_bytes >= WAITING_BYTES {
            self.counts.overflowed += 1;
            // The furthest gives way, so that what fills the gap has room. It is to be asked for again,
            // though a gap that has been asked for may reach beyond it.
            match self
                .waiting
                .last_entry()
                .filter(|last| *last.key() > number)
            {
                Some(last) => {
                    self.asked = self.asked.min(*last.key());
                    self.waiting_bytes -= last.remove().len();
                }
                None => {
                    self.asked = self.asked.min(number);
                    return;
                }
            }
        }
        // What has been obeyed already keeps only its place.
        let kept = match message.msg_type() {
            b"A" | b"2" => &[][..],
            _ => bytes,
        };
        self.waiting.insert(number, kept.into());
        self.waiting_bytes += kept.len();
    }

    /// Asks for the gap in front of what waits, once.
    pub(super) fn ask(&mut self, times: Times) {
        let Some((&first, _)) = self.waiting.first_key_value() else {
            return;
        };
        if self.asked >= first {
            return;
        }
        self.asked = first;
        self.counts.resends += 1;
        self.ask_for(self.expected, first - 1, times);
    }

    /// Acts on what waits and whose turn has come, and asks for the gap behind it.
    pub(super) fn drain(&mut self, times: Times) {
        self.release(times);
        self.ask(times);
    }

    fn release(&mut self, times: Times) {
        while let Some(entry) = self.waiting.first_entry() {
            let number = *entry.key();
            if number > self.expected {
                return;
            }
            let bytes = entry.remove();
            self.waiting_bytes -= bytes.len();
            if number < self.expected {
                continue;
            }
            self.expected += 1;
            let frame = next_frame(&bytes, bytes.len());
            if let Frame::Message { message, .. } = frame {
                self.act(&message, &bytes, times);
            }
        }
    }

    /// Acts on all that waits; what is missing in front of each is lost.
    pub(super) fn give_up(&mut self, times: Times) {
        while let Some((&first, _)) = self.waiting.first_key_value() {
            if first > self.expected {
                self.taken.lose(first - self.expected);
                self.expected = first;
            }
            self.release(times);
        }
        self.asked = 0;
    }

    /// Gives up when nothing of the gap has come for too long.
    pub(super) fn age(&mut self, times: Times) {
        let Some((first, since_ns)) = self.gap.filter(|_| self.has_gap()) else {
            self.gap = self.has_gap().then_some((self.expected, times.now_ns));
            return;
        };
        if first != self.expected {
            self.gap = Some((self.expected, times.now_ns));
        } else if times.now_ns.saturating_sub(since_ns) >= GAP_NS {
            self.give_up(times);
            self.gap = None;
        }
    }
}
