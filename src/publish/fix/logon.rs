//! The first message of a connection, and the Logon that resets a session.

use super::counterparty::Caller;
use super::dictionary::{self, Kind, flag, number};
use super::options::is_comp_id;
use super::outgoing::Turn;
use super::session::{Cause, Phase, SECOND, Session, Step};
use super::{Period, Version};
use crate::wire::fix::{Message, parse_uint, tag};

/// Longest HeartBtInt, a day.
const MAX_HEARTBEAT_S: u64 = 86_400;
/// Nanoseconds between two checks of a password: a flood of Logons costs the thread that publishes a
/// twentieth of its time with the hashes that are made here, a fifth with the slowest accepted.
const CHECK_EVERY_NS: u64 = 100_000_000;

impl Session {
    /// Takes the first message. Anything but a good Logon ends the connection without a word, so
    /// that a stranger learns nothing; a counterparty whose names are right is told what is wrong.
    pub(super) fn log_on(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Step {
        let sequence = self.admit(message, turn)?;
        if let Some(reason) = refusal(message, self.outgoing.version) {
            return Err(self.log_out(reason, turn, Cause::NoLogon));
        }
        let reset = flag(message, tag::RESET_SEQ_NUM_FLAG);
        if reset || self.terms.reset_on_logon {
            self.restart(turn);
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
    fn admit(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Result<u64, Cause> {
        let sequence = self.recognise(message, turn).ok_or(Cause::NoLogon)?;
        if let Some(credentials) = &self.terms.credentials {
            let now = turn.now.monotonic_ns;
            if now < *turn.next_check_ns {
                return Err(Cause::NotYet);
            }
            *turn.next_check_ns = now.saturating_add(CHECK_EVERY_NS);
            if !credentials.fit(message.get(tag::USERNAME), message.get(tag::PASSWORD)) {
                turn.counts.credentials_refused += 1;
                return Err(Cause::NoLogon);
            }
        }
        let period = match &self.terms.schedule {
            None => Some(Period::ALWAYS),
            Some(schedule) => schedule.period(turn.now.utc_ns),
        };
        self.terms.period = period.ok_or(Cause::NoLogon)?;
        let opened_ns = self.terms.period.opens_ns;
        let numbers = turn.store.acquire(&self.key(), opened_ns);
        let (place, numbers) = numbers.ok_or(Cause::NoLogon)?;
        self.outgoing.place = Some(place);
        self.outgoing.reserved = turn.store.reserved(place);
        self.outgoing.next = numbers.next;
        self.expected = numbers.expected;
        self.phase = Phase::Active;
        self.last_received_ns = turn.now.monotonic_ns;
        Ok(sequence)
    }

    /// The MsgSeqNum of a Logon whose version, names, address and time are right.
    fn recognise(&mut self, message: &Message<'_>, turn: &Turn<'_>) -> Option<u64> {
        let version = Version::of(message.begin_string())?;
        let kind = Kind::of(message.msg_type(), version);
        let says_application = message.get(tag::DEFAULT_APPL_VER_ID).is_some();
        if kind != Kind::Logon || (version.application().is_some() && !says_application) {
            return None;
        }
        let caller = Caller {
            version,
            name: message
                .get(tag::SENDER_COMP_ID)
                .filter(|name| is_comp_id(name))?,
            addressed: message.get(tag::TARGET_COMP_ID)?,
            address: self.address,
        };
        self.terms = self.options.terms(&caller)?;
        self.outgoing
            .address(version, caller.addressed, caller.name);
        self.check_header(message, kind, turn.now.utc_ns).ok()?;
        let number = message.get(tag::MSG_SEQ_NUM).and_then(parse_uint);
        number.filter(|&number| number > 0)
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
        if let Some(application) = self.outgoing.version.application() {
            self.body.text(tag::DEFAULT_APPL_VER_ID, application);
        }
        self.outgoing.send_body(b"A", &mut self.body, turn);
    }

    /// Takes a Logon with ResetSeqNumFlag=Y in a session that is up: both sides start at 1.
    pub(super) fn reset_both(&mut self, message: &Message<'_>, turn: &mut Turn<'_>) -> Step {
        if let Some(reason) = refusal(message, self.outgoing.version) {
            return Err(self.log_out(reason, turn, Cause::Fault));
        }
        self.restart(turn);
        self.answer_logon(message, true, turn);
        self.expected += 1;
        Ok(())
    }

    fn restart(&mut self, turn: &mut Turn<'_>) {
        self.expected = 1;
        self.outgoing.restart();
        if let Some(place) = self.outgoing.place {
            turn.store.reset(place);
            self.outgoing.reserved = turn.store.reserved(place);
        }
        self.forget_queue();
    }
}

/// Why a Logon is refused in words.
fn refusal(message: &Message<'_>, version: Version) -> Option<&'static str> {
    if message.get(tag::DEFAULT_APPL_VER_ID) != version.application() {
        return Some("DefaultApplVerID must be 9 (FIX50SP2) with FIXT.1.1 and absent before it");
    }
    if dictionary::validate(message, Kind::Logon, version).is_err() {
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
