//! The first message of a connection, and the Logon that resets a session.

use super::Numbers;
use super::dictionary::{self, Kind, flag, number};
use super::options::is_comp_id;
use super::outgoing::{BEGIN_STRING, Turn};
use super::session::{Cause, Phase, SECOND, Session, Step};
use crate::wire::fix::{Message, parse_uint, tag};

/// Longest HeartBtInt, a day.
const MAX_HEARTBEAT_S: u64 = 86_400;

impl Session {
    /// Takes the first message. Anything but a good Logon ends the connection without a word, so
    /// that a stranger learns nothing; a counterparty whose names are right is told what is wrong.
    pub(super) fn log_on(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Step {
        let sequence = self.admit(message, turn).ok_or(Cause::NoLogon)?;
        if let Some(reason) = refusal(message) {
            return Err(self.log_out(reason, turn, Cause::NoLogon));
        }
        let reset = flag(message, tag::RESET_SEQ_NUM_FLAG);
        if reset {
            self.restart();
        }
        if sequence < self.expected {
            let reason = too_low(self.expected, sequence);
            return Err(self.log_out(&reason, turn, Cause::NoLogon));
        }
        turn.counts.logons += 1;
        self.answer_logon(message, reset, turn);
        if sequence > self.expected {
            self.request_resend(sequence, turn);
        } else {
            self.expected += 1;
        }
        Ok(())
    }

    /// The MsgSeqNum of a Logon from a counterparty that may come in; takes its session.
    fn admit(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Option<u64> {
        let name = message.get(tag::SENDER_COMP_ID)?;
        let peers = &self.options.target_comp_ids;
        let invited = peers.is_empty() || peers.iter().any(|peer| peer.as_bytes() == name);
        let kind = Kind::of(message.msg_type());
        if kind != Kind::Logon || message.begin_string() != BEGIN_STRING {
            return None;
        }
        if !invited || !is_comp_id(name) {
            return None;
        }
        let sequence = message.get(tag::MSG_SEQ_NUM).and_then(parse_uint)?;
        self.outgoing.address(name, 1);
        self.check_header(message, kind, turn.now.utc_ns).ok()?;
        if sequence == 0 {
            return None;
        }
        let numbers = turn.store.acquire(self.outgoing.sender(), name)?;
        self.outgoing.next = numbers.next;
        self.expected = numbers.expected;
        self.phase = Phase::Active;
        self.last_received_ns = turn.now.monotonic_ns;
        Some(sequence)
    }

    /// Sends our Logon.
    fn answer_logon(&mut self, message: &Message<'_>, reset: bool, turn: &mut Turn<'_>) {
        let heartbeat_s = number(message, tag::HEART_BT_INT);
        self.heartbeat_ns = heartbeat_s * SECOND;
        self.body.clear();
        self.body.char(tag::ENCRYPT_METHOD, b'0');
        self.body.uint(tag::HEART_BT_INT, heartbeat_s);
        if reset {
            self.body.flag(tag::RESET_SEQ_NUM_FLAG, true);
        }
        self.outgoing.send_body(b"A", &mut self.body, turn);
    }

    /// Takes a Logon with ResetSeqNumFlag=Y in a session that is up: both sides start at 1.
    pub(super) fn reset_both(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Step {
        if let Some(reason) = refusal(message) {
            return Err(self.log_out(reason, turn, Cause::Fault));
        }
        self.restart();
        self.answer_logon(message, true, turn);
        self.expected += 1;
        Ok(())
    }

    fn restart(&mut self) {
        let Numbers { expected, next } = Numbers::default();
        self.expected = expected;
        self.outgoing.next = next;
        self.forget_queue();
    }
}

/// Why a Logon is refused in words.
fn refusal(message: &Message<'_>) -> Option<&'static str> {
    if dictionary::validate(message, Kind::Logon).is_err() {
        return Some("Logon needs EncryptMethod and HeartBtInt and no field of other messages");
    }
    if number(message, tag::ENCRYPT_METHOD) != 0 {
        return Some("EncryptMethod must be 0");
    }
    if number(message, tag::HEART_BT_INT) > MAX_HEARTBEAT_S {
        return Some("HeartBtInt must not exceed 86400");
    }
    None
}

/// The text for a number that has been used before.
pub(super) fn too_low(expected: u64, received: u64) -> String {
    format!("MsgSeqNum too low, expecting {expected} but received {received}")
}
