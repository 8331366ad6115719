//! The sample day's own FIX client: logs on, subscribes to everything and reads to the end, so that
//! the way out is the real one even when nobody else is connected.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BytesMut;

use crate::fix::{Body, Envelope, Frame, MAX_MESSAGE_BYTES, UtcText, next_frame, seal, tag};

/// Connects and subscribes to every symbol and window.
pub(super) fn subscribe(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let mut logon = Body::default();
    logon.uint(tag::ENCRYPT_METHOD, 0);
    logon.uint(tag::HEART_BT_INT, 3_600);
    let mut request = Body::default();
    request.text(tag::MD_REQ_ID, b"ALL");
    request.char(tag::SUBSCRIPTION_REQUEST_TYPE, b'1');
    request.uint(tag::MARKET_DEPTH, 1);
    request.uint(tag::NO_MD_ENTRY_TYPES, ENTRY_TYPES.len() as u64);
    for &entry in ENTRY_TYPES {
        request.char(tag::MD_ENTRY_TYPE, entry);
    }
    request.uint(tag::NO_RELATED_SYM, 1);
    request.text(tag::SYMBOL, b"*");
    let mut out = BytesMut::new();
    append(&mut out, b"A", 1, &mut logon);
    append(&mut out, b"V", 2, &mut request);
    stream.write_all(&out)?;
    Ok(stream)
}

/// VWAP, volume, open, high, low, close, bid, offer.
const ENTRY_TYPES: &[u8] = b"9B478501";

fn append(out: &mut BytesMut, msg_type: &[u8], sequence: u64, body: &mut Body) {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let envelope = Envelope {
        begin_string: b"FIX.4.4",
        msg_type,
        sender: b"SAMPLE",
        target: b"WIDETAPE",
        sequence,
        sending_time: &UtcText::new(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
        original_time: None,
    };
    let sum = body.sum();
    seal(out, &envelope, &[body.bytes()], sum);
}

/// Reads until the other side closes; how many messages came.
pub(super) fn read_to_end(mut stream: TcpStream) -> io::Result<u64> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 1 << 16];
    let mut messages = 0;
    loop {
        match stream.read(&mut piece)? {
            0 => return Ok(messages),
            length => bytes.extend_from_slice(&piece[..length]),
        }
        let mut taken = 0;
        loop {
            match next_frame(&bytes[taken..], MAX_MESSAGE_BYTES) {
                Frame::Message { length, .. } => {
                    messages += 1;
                    taken += length;
                }
                Frame::Garbled { fault, .. } => {
                    let reason = format!("garbled FIX message: {fault}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
                }
                Frame::Incomplete => break,
            }
        }
        bytes.drain(..taken);
    }
}
