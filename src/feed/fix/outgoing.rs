//! What an initiator says.

use std::sync::Arc;

use super::session::{Session, Times};
use crate::wire::fix::{Envelope, Message, UtcText, parse_uint, seal, tag};

impl Session {
    /// Sends Logon.
    pub(super) fn log_on(&mut self, times: Times) {
        let options = Arc::clone(&self.options);
        self.body.clear();
        self.body.char(tag::ENCRYPT_METHOD, b'0');
        self.body.uint(tag::HEART_BT_INT, options.heartbeat_s);
        if self.reset {
            self.body.flag(tag::RESET_SEQ_NUM_FLAG, true);
        }
        let named = [
            (tag::USERNAME, &options.username),
            (tag::PASSWORD, &options.password),
        ];
        for (tag, value) in named {
            if let Some(value) = value {
                self.body.text(tag, value.as_bytes());
            }
        }
        if let Some(application) = options.version.application() {
            self.body.text(tag::DEFAULT_APPL_VER_ID, application);
        }
        self.send(b"A", times);
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self, times: Times) {
        self.body.clear();
        self.send(b"5", times);
    }

    /// Asks whether anybody is there.
    pub(super) fn test(&mut self, times: Times) {
        self.body.clear();
        self.body.uint(tag::TEST_REQ_ID, self.next);
        self.send(b"1", times);
    }

    /// Answers a TestRequest.
    pub(super) fn answer_test(&mut self, message: &Message<'_>, times: Times) {
        self.body.clear();
        let id = message.get(tag::TEST_REQ_ID).unwrap_or_default();
        self.body.text(tag::TEST_REQ_ID, id);
        self.send(b"0", times);
    }

    /// Asks for the messages `first` to `last` again.
    pub(super) fn ask_for(&mut self, first: u64, last: u64, times: Times) {
        self.body.clear();
        self.body.uint(tag::BEGIN_SEQ_NO, first);
        self.body.uint(tag::END_SEQ_NO, last);
        self.send(b"2", times);
    }

    /// Nothing that we send is worth repeating.
    pub(super) fn answer_resend(&mut self, message: &Message<'_>, times: Times) {
        let from = message.get(tag::BEGIN_SEQ_NO).and_then(parse_uint);
        let Some(from) = from.filter(|from| (1..self.next).contains(from)) else {
            return;
        };
        self.body.clear();
        self.body.flag(tag::GAP_FILL_FLAG, true);
        self.body.uint(tag::NEW_SEQ_NO, self.next);
        let time = UtcText::new(times.utc_ns);
        self.seal(b"4", from, &time, Some(&time));
    }

    /// Asks for market data.
    pub(super) fn subscribe(&mut self, times: Times) {
        self.requests += 1;
        let options = Arc::clone(&self.options);
        let body = &mut self.body;
        body.clear();
        body.uint(tag::MD_REQ_ID, self.requests);
        body.char(tag::SUBSCRIPTION_REQUEST_TYPE, b'1');
        body.char(tag::MARKET_DEPTH, b'1');
        body.char(tag::MD_UPDATE_TYPE, b'1');
        let types = if options.quotes { &b"012"[..] } else { b"2" };
        body.uint(tag::NO_MD_ENTRY_TYPES, types.len() as u64);
        for &kind in types {
            body.char(tag::MD_ENTRY_TYPE, kind);
        }
        body.uint(tag::NO_RELATED_SYM, options.symbols.len().max(1) as u64);
        for symbol in &options.symbols {
            body.text(tag::SYMBOL, symbol.as_bytes());
        }
        if options.symbols.is_empty() {
            body.char(tag::SYMBOL, b'*');
        }
        if let Some(name) = &options.trading_session_id {
            body.uint(tag::NO_TRADING_SESSIONS, 1);
            body.text(tag::TRADING_SESSION_ID, name.as_bytes());
        }
        self.send(b"V", times);
    }

    /// Sends the body as the next message.
    pub(super) fn send(&mut self, msg_type: &[u8], times: Times) {
        let time = UtcText::new(times.utc_ns);
        self.seal(msg_type, self.next, &time, None);
        self.next += 1;
        self.said_ns = times.now_ns;
    }

    fn seal(&mut self, kind: &[u8], sequence: u64, time: &UtcText, original: Option<&UtcText>) {
        let envelope = Envelope {
            begin_string: self.options.version.begin_string(),
            msg_type: kind,
            sender: self.options.sender_comp_id.as_bytes(),
            target: self.options.target_comp_id.as_bytes(),
            sequence,
            sending_time: time,
            original_time: original,
        };
        let sum = self.body.sum();
        seal(&mut self.out, &envelope, &[self.body.bytes()], sum);
    }
}
