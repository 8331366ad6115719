//! The sending half of a session: numbers, headers, and where the bytes go.

use std::ops::Range;

use bytes::BytesMut;

use super::{Clock, FixCounts, Place, Store, Version};
use crate::wire::fix::{Body, Envelope, Message, UtcText, byte_sum, seal, tag};

/// Bytes of answers after which a session's turn ends.
const ANSWER_BYTES: u64 = 256 * 1024;

/// What a session works with for the length of one call.
pub(super) struct Turn<'a> {
    pub(super) now: Clock,
    /// `now` as SendingTime.
    pub(super) time: UtcText,
    /// The session's outgoing buffer.
    pub(super) out: &'a mut BytesMut,
    /// Bytes that may wait there before market data is dropped.
    pub(super) limit: usize,
    /// Bytes written and waiting when the session's turn began.
    pub(super) began: u64,
    /// Bytes that may wait there before symbols are conflated.
    pub(super) conflate: usize,
    pub(super) store: &'a mut Store,
    /// Monotonic time from which a password may be checked again.
    pub(super) next_check_ns: &'a mut u64,
    pub(super) counts: &'a mut FixCounts,
}

impl Turn<'_> {
    /// Whether symbols are to be conflated.
    pub(super) fn is_behind(&self) -> bool {
        self.out.len() > self.conflate
    }

    /// Bytes of answers in this turn.
    pub(super) fn spent(&self) -> u64 {
        (self.counts.bytes_written + self.out.len() as u64).saturating_sub(self.began)
    }

    /// Whether what the counterparty has sent further is for a later turn.
    pub(super) fn is_spent(&self) -> bool {
        self.spent() > ANSWER_BYTES
    }

    /// Whether something that can wait may go out now.
    fn has_room(&self) -> bool {
        !self.is_spent() && self.out.len() <= self.conflate / 2
    }

    /// Whether the outgoing buffer is beyond its limit.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }
}

/// Numbers and wraps what a session sends.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) version: Version,
    sender: Box<[u8]>,
    target: Box<[u8]>,
    /// MsgSeqNum of the next message.
    pub(super) next: u64,
    /// Where its numbers are kept, once it has logged on.
    pub(super) place: Option<Place>,
    /// The first number that the store has not reserved.
    pub(super) reserved: u64,
    /// Numbers that the counterparty has asked for again and not been answered for yet.
    owed: Range<u64>,
    /// When something was last sent, on the monotonic clock.
    pub(super) last_sent_ns: u64,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            version: Version::default(),
            sender: Box::default(),
            target: Box::default(),
            next: 1,
            place: None,
            reserved: u64::MAX,
            owed: 0..0,
            last_sent_ns: 0,
        }
    }

    /// Who it is for from now on.
    pub(super) fn address(&mut self, version: Version, sender: &[u8], target: &[u8]) {
        self.version = version;
        self.sender = sender.into();
        self.target = target.into();
    }

    pub(super) fn sender(&self) -> &[u8] {
        &self.sender
    }

    pub(super) fn target(&self) -> &[u8] {
        &self.target
    }

    /// Sends the next message; `sum` is the byte sum of all `parts` of its body.
    pub(super) fn send(&mut self, msg_type: &[u8], parts: &[&[u8]], sum: u8, turn: &mut Turn<'_>) {
        self.note(msg_type, parts, turn);
        let envelope = self.envelope(msg_type, self.next, &turn.time);
        seal(turn.out, &envelope, parts, sum);
        self.next += 1;
        self.sent(turn);
    }

    /// Lets the store know of the next message before it is on its way.
    fn note(&mut self, msg_type: &[u8], parts: &[&[u8]], turn: &mut Turn<'_>) {
        let Some(place) = self.place else { return };
        if self.next >= self.reserved {
            turn.store.extend(place, self.next);
            turn.counts.store_waits += 1;
            self.reserved = turn.store.reserved(place);
        }
        let sent_ns = turn.now.utc_ns;
        turn.store.keep(place, sent_ns, self.next, msg_type, parts);
    }

    /// Answers for the messages `from` to `next - 1`: those that are kept come again, gap fills stand
    /// for the others. What has no room waits for [`go_on`](Self::go_on), as one range with what is owed
    /// from an earlier request and whatever lies between.
    pub(super) fn resend(&mut self, from: u64, next: u64, turn: &mut Turn<'_>) {
        self.owed = match self.owed.is_empty() {
            true => from..next,
            false => from.min(self.owed.start)..next.max(self.owed.end),
        };
        self.go_on(turn);
    }

    /// Answers for what is owed, as long as there is room; how many bytes that took.
    pub(super) fn go_on(&mut self, turn: &mut Turn<'_>) -> u64 {
        let before = turn.out.len();
        while !self.owed.is_empty() && turn.has_room() {
            self.resend_first(turn);
        }
        (turn.out.len() - before) as u64
    }

    /// Answers for the owed numbers up to the first message that is kept.
    fn resend_first(&mut self, turn: &mut Turn<'_>) {
        let Range { start, end } = self.owed;
        let kept = self.place.and_then(|place| turn.store.kept(place, start));
        let Some(kept) = kept.filter(|kept| kept.sequence < end).cloned() else {
            self.owed = 0..0;
            return self.fill(start, end, turn);
        };
        if kept.sequence > start {
            self.fill(start, kept.sequence, turn);
        }
        let (time, original) = (turn.time, UtcText::new(kept.sent_ns));
        let envelope = Envelope {
            original_time: Some(&original),
            ..self.envelope(&kept.msg_type, kept.sequence, &time)
        };
        seal(turn.out, &envelope, &[&kept.body], byte_sum(&kept.body));
        self.sent(turn);
        self.owed.start = kept.sequence + 1;
    }

    /// Numbers start again: those before are owed to nobody.
    pub(super) fn restart(&mut self) {
        self.next = 1;
        self.owed = 0..0;
    }

    /// Sends `body` as the next message.
    pub(super) fn send_body(&mut self, msg_type: &[u8], body: &mut Body, turn: &mut Turn<'_>) {
        let sum = body.sum();
        self.send(msg_type, &[body.bytes()], sum, turn);
    }

    /// Sends a SequenceReset-GapFill that stands for the messages `from` to `next - 1`.
    fn fill(&mut self, from: u64, next: u64, turn: &mut Turn<'_>) {
        let mut body = Body::default();
        body.flag(tag::GAP_FILL_FLAG, true);
        body.uint(tag::NEW_SEQ_NO, next);
        let time = turn.time;
        let envelope = Envelope {
            original_time: Some(&time),
            ..self.envelope(b"4", from, &time)
        };
        let sum = body.sum();
        seal(turn.out, &envelope, &[body.bytes()], sum);
        self.sent(turn);
    }

    fn envelope<'a>(
        &'a self,
        msg_type: &'a [u8],
        sequence: u64,
        sending_time: &'a UtcText,
    ) -> Envelope<'a> {
        Envelope {
            begin_string: self.version.begin_string(),
            msg_type,
            sender: &self.sender,
            target: &self.target,
            sequence,
            sending_time,
            original_time: None,
        }
    }

    fn sent(&mut self, turn: &mut Turn<'_>) {
        self.last_sent_ns = turn.now.monotonic_ns;
        turn.counts.messages_sent += 1;
    }
}

/// The fields that lead an answer back to where `message` came from: its routing fields, reversed.
pub(super) fn reverse_routing(message: &Message<'_>, body: &mut Body) {
    let pairs = [
        (tag::ON_BEHALF_OF_COMP_ID, tag::DELIVER_TO_COMP_ID),
        (tag::ON_BEHALF_OF_SUB_ID, tag::DELIVER_TO_SUB_ID),
        (tag::ON_BEHALF_OF_LOCATION_ID, tag::DELIVER_TO_LOCATION_ID),
    ];
    for (origin, destination) in pairs {
        for (from, to) in [(destination, origin), (origin, destination)] {
            if let Some(value) = message.get(from) {
                body.text(to, value);
            }
        }
    }
}

/// What serves the application messages of a session.
pub(super) trait Application {
    /// Answers a MarketDataRequest that the dictionary has found right.
    ///
    /// # Errors
    /// The fault for which the session rejects it.
    fn request(
        &mut self,
        message: &Message<'_>,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) -> Result<(), super::reject::Fault>;

    /// Answers a SecurityListRequest that the dictionary has found right.
    fn list(&mut self, message: &Message<'_>, outgoing: &mut Outgoing, turn: &mut Turn<'_>);
}
