//! A FIX counterparty that asks for one window and counts what it is told.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use widetape::fix::{Body, Envelope, Frame, UtcText, next_frame, seal, tag};

fn append(out: &mut BytesMut, sender: &[u8], (msg_type, sequence): (&[u8], u64), body: &mut Body) {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let envelope = Envelope {
        begin_string: b"FIX.4.4",
        msg_type,
        sender,
        target: b"WIDETAPE",
        sequence,
        sending_time: &UtcText::new(since.as_nanos() as u64),
        original_time: None,
    };
    let sum = body.sum();
    seal(out, &envelope, &[body.bytes()], sum);
}

/// Logs on, subscribes to VWAP and volume of everything in one window, and asks for a sign of life.
pub(super) fn subscribe(stream: &mut TcpStream, window: &str) {
    // A session of its own for each window.
    let sender = window.as_bytes();
    let mut out = BytesMut::new();
    let mut body = Body::default();
    body.uint(tag::ENCRYPT_METHOD, 0);
    body.uint(tag::HEART_BT_INT, 3_600);
    append(&mut out, sender, (b"A", 1), &mut body);
    body.clear();
    body.text(tag::MD_REQ_ID, b"ALL");
    body.char(tag::SUBSCRIPTION_REQUEST_TYPE, b'1');
    body.uint(tag::MARKET_DEPTH, 1);
    body.uint(tag::NO_MD_ENTRY_TYPES, 2);
    body.char(tag::MD_ENTRY_TYPE, b'9');
    body.char(tag::MD_ENTRY_TYPE, b'B');
    body.uint(tag::NO_RELATED_SYM, 1);
    body.text(tag::SYMBOL, b"*");
    body.uint(386, 1);
    body.text(336, window.as_bytes());
    append(&mut out, sender, (b"V", 2), &mut body);
    body.clear();
    body.text(112, b"READY");
    append(&mut out, sender, (b"1", 3), &mut body);
    stream.write_all(&out).expect("it reads");
}

/// Waits for the sign of life, which follows the subscription.
pub(super) fn ready(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"112=READY\x01") {
        assert_eq!(stream.read(&mut byte).expect("an answer"), 1, "hung up");
        seen.push(byte[0]);
    }
}

/// How many increments came.
pub(super) fn increments(bytes: &[u8]) -> u64 {
    let (mut taken, mut count) = (0, 0);
    loop {
        taken += match next_frame(&bytes[taken..], 65_536) {
            Frame::Message { message, length } => {
                count += u64::from(message.msg_type() == b"X");
                length
            }
            // The rest of the message that `ready` read.
            Frame::Garbled { skip, .. } => skip,
            Frame::Incomplete => return count,
        };
    }
}
