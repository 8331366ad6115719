//! The rules of MsgSeqNum: too low, too high, resend requests from either side, gap fills, resets.

use super::dictionary::{self, Kind, flag, is_gap_fill, number};
use super::logon::too_low;
use super::outgoing::{Application, Turn};
use super::reject::{Fault, Reason};
use super::session::{Cause, Phase, Session, Step};
use crate::wire::fix::{Message, tag};

/// Messages that wait beyond a gap.
const MAX_QUEUED: usize = 256;
/// Bytes that they may hold.
const MAX_QUEUED_BYTES: usize = 256 * 1024;

impl Session {
    /// Marks `sequence` as used, if it is the one expected.
    pub(super) fn consume(&mut self, sequence: u64) {
        if sequence == self.expected {
            self.expected += 1;
        }
    }

    /// Acts on `message` when its number is in order. Logout, ResendRequest and resets are obeyed
    /// whatever their number.
    pub(super) fn in_order(
        &mut self,
        message: &Message<'_>,
        kind: Kind,
        sequence: u64,
        turn: &mut Turn<'_>,
        application: &mut dyn Application,
    ) -> Step {
        match kind {
            Kind::Logout => {
                self.consume(sequence);
                return Err(match self.phase {
                    Phase::Leaving(_) => Cause::Answered,
                    _ => self.log_out("", turn, Cause::LoggedOut),
                });
            }
            Kind::Logon if sequence == 1 && flag(message, tag::RESET_SEQ_NUM_FLAG) => {
                return self.reset_both(message, turn);
            }
            Kind::SequenceReset if !is_gap_fill(message) => {
                self.reset_to(message, sequence, turn);
                return Ok(());
            }
            Kind::ResendRequest => {
                self.answer_resend(message, sequence, turn);
                if sequence > self.expected {
                    self.request_resend(sequence, turn);
                }
                self.consume(sequence);
                return Ok(());
            }
            _ => {}
        }
        if sequence < self.expected {
            if flag(message, tag::POSS_DUP_FLAG) {
                return Ok(());
            }
            let reason = too_low(self.expected, sequence);
            return Err(self.log_out(&reason, turn, Cause::Fault));
        }
        if sequence > self.expected {
            self.keep(message, sequence, turn);
            return Ok(());
        }
        self.expected += 1;
        self.act(message, kind, sequence, turn, application);
        Ok(())
    }

    /// Keeps a message beyond a gap until the gap is filled, if there is room; else it will have to
    /// be sent again.
    fn keep(&mut self, message: &Message<'_>, sequence: u64, turn: &mut Turn<'_>) {
        let fields = message.field_bytes();
        let room =
            self.queue.len() < MAX_QUEUED && self.queue_bytes + fields.len() <= MAX_QUEUED_BYTES;
        if room && !self.queue.contains_key(&sequence) {
            self.queue_bytes += fields.len();
            self.queue.insert(sequence, fields.into());
        } else if !room {
            turn.counts.queue_dropped += 1;
        }
        if room || self.gap.is_none() {
            self.request_resend(sequence, turn);
        }
    }

    /// Asks for everything from the expected number on, once for each gap; `seen` is beyond it.
    pub(super) fn request_resend(&mut self, seen: u64, turn: &mut Turn<'_>) {
        if let Some(highest) = &mut self.gap {
            *highest = seen.max(*highest);
            return;
        }
        self.gap = Some(seen);
        self.body.clear();
        self.body.uint(tag::BEGIN_SEQ_NO, self.expected);
        self.body.uint(tag::END_SEQ_NO, 0);
        self.outgoing.send_body(b"2", &mut self.body, turn);
        turn.counts.resends_requested += 1;
    }

    /// Acts on the queued messages that are in order now, as far as the turn goes, and closes a gap
    /// that is filled.
    pub(super) fn drain(&mut self, turn: &mut Turn<'_>, application: &mut dyn Application) -> Step {
        while let Some(entry) = self.queue.first_entry() {
            let sequence = *entry.key();
            if sequence > self.expected || turn.is_spent() {
                break;
            }
            let fields = entry.remove();
            self.queue_bytes -= fields.len();
            if sequence < self.expected {
                continue;
            }
            if let Some(message) = Message::new(self.outgoing.version.begin_string(), &fields) {
                self.expected += 1;
                let kind = Kind::of(message.msg_type(), self.outgoing.version);
                self.act(&message, kind, sequence, turn, application);
            }
        }
        if self.gap.is_some_and(|highest| highest < self.expected) {
            self.gap = None;
        }
        Ok(())
    }

    /// SequenceReset-GapFill: the numbers up to NewSeqNo hold nothing for us. NewSeqNo must lie
    /// beyond the message's own number.
    pub(super) fn skip_to(&mut self, message: &Message<'_>, sequence: u64) -> Result<(), Fault> {
        let next = number(message, tag::NEW_SEQ_NO);
        if next <= sequence {
            return Err(Fault::plain(Reason::WrongValue));
        }
        self.expected = next;
        Ok(())
    }

    /// SequenceReset without gap fill: NewSeqNo is expected next; it may not go back.
    fn reset_to(&mut self, message: &Message<'_>, sequence: u64, turn: &mut Turn<'_>) {
        let next = number(message, tag::NEW_SEQ_NO);
        let version = self.outgoing.version;
        let fault = match dictionary::validate(message, Kind::SequenceReset, version) {
            Err(fault) => fault,
            Ok(()) if next < self.expected => Fault::plain(Reason::WrongValue),
            Ok(()) => {
                self.expected = next;
                return;
            }
        };
        self.reject(message, sequence, fault, turn);
    }

    /// Answers a ResendRequest.
    fn answer_resend(&mut self, message: &Message<'_>, sequence: u64, turn: &mut Turn<'_>) {
        let (first, last) = (
            number(message, tag::BEGIN_SEQ_NO),
            number(message, tag::END_SEQ_NO),
        );
        let version = self.outgoing.version;
        let wrong = if let Err(fault) = dictionary::validate(message, Kind::ResendRequest, version)
        {
            Some(fault)
        } else if first == 0 {
            Some(Fault::new(Reason::WrongValue, tag::BEGIN_SEQ_NO))
        } else if last != 0 && last < first {
            Some(Fault::new(Reason::WrongValue, tag::END_SEQ_NO))
        } else {
            None
        };
        if let Some(fault) = wrong {
            self.reject(message, sequence, fault, turn);
        } else if first < self.outgoing.next {
            let next = match last {
                0 => self.outgoing.next,
                last => (last + 1).min(self.outgoing.next),
            };
            self.outgoing.resend(first, next, turn);
        }
    }
}
