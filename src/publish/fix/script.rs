//! A session with a clock that tests turn, played by scripts.
//!
//! A scenario is a script: `< type|field|..` comes in, `> type|field|..` must go out next, `+ms` lets
//! time pass, `~ bytes` comes in as it is, `! cause` must be the end. Times, names, lengths and sums
//! are filled in on the way in and checked and left out on the way out, unless the script writes them
//! itself.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::BytesMut;

use super::outgoing::{Application, Outgoing, Turn};
use super::reject::Fault;
use super::session::{Cause, Session};
use super::{AcceptorOptions, Clock, FixCounts, Store};
use crate::wire::fix::{Frame, Message, UtcText, next_frame};

/// 2011-11-24 05:33:31 UTC.
const START: u64 = 1_322_112_811_000_000_000;

/// Serves requests by echoing their 262.
struct Echo;

impl Application for Echo {
    fn request(
        &mut self,
        message: &Message<'_>,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) -> Result<(), Fault> {
        let mut body = crate::wire::fix::Body::default();
        body.text(262, message.get(262).unwrap_or_default());
        outgoing.send_body(b"W", &mut body, turn);
        Ok(())
    }

    fn list(&mut self, _: &Message<'_>, _: &mut Outgoing, _: &mut Turn<'_>) {}
}

/// A session that waits for its Logon.
pub(super) fn session(options: AcceptorOptions) -> Session {
    Session::new(Arc::new(options), Ipv4Addr::LOCALHOST.into(), 0)
}

pub(super) struct World {
    pub(super) session: Session,
    store: Store,
    next_check_ns: u64,
    counts: FixCounts,
    pub(super) out: BytesMut,
    elapsed_ns: u64,
    pub(super) end: Option<Cause>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            session: session(AcceptorOptions::default()),
            store: Store::new(),
            next_check_ns: 0,
            counts: FixCounts::default(),
            out: BytesMut::new(),
            elapsed_ns: 0,
            end: None,
        }
    }

    fn now(&self) -> Clock {
        Clock {
            monotonic_ns: self.elapsed_ns,
            utc_ns: START + self.elapsed_ns,
        }
    }

    fn turn<T>(&mut self, act: impl FnOnce(&mut Session, &mut Turn<'_>) -> T) -> T {
        let now = self.now();
        let mut turn = Turn {
            now,
            time: UtcText::new(now.utc_ns),
            out: &mut self.out,
            began: 0,
            limit: 1 << 20,
            conflate: 1 << 20,
            store: &mut self.store,
            next_check_ns: &mut self.next_check_ns,
            counts: &mut self.counts,
        };
        act(&mut self.session, &mut turn)
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.end.is_none() {
            let step = match next_frame(rest, 4096) {
                Frame::Incomplete => return,
                Frame::Garbled { skip, .. } => {
                    rest = &rest[skip..];
                    self.turn(|session, turn| session.garbled(turn))
                }
                Frame::Message { message, length } => {
                    rest = &rest[length..];
                    self.turn(|session, turn| session.receive(&message, turn, &mut Echo))
                }
            };
            self.end = step.err();
        }
        self.turn(|session, turn| session.end(turn));
    }

    /// `0|34=2` as a whole message; `8=`, `49=`, `56=` and `52=` are added unless they are there.
    pub(super) fn complete(&self, line: &str) -> Vec<u8> {
        let mut fields: Vec<&str> = line.split('|').collect();
        let msg_type = format!("35={}", fields[0]);
        let time = self.time(0);
        let defaults = ["49=CLIENT", "56=WIDETAPE", &time];
        let mut begin = "8=FIX.4.4";
        if let Some(at) = fields.iter().position(|field| field.starts_with("8=")) {
            begin = fields.remove(at);
        }
        let mut header = vec![msg_type.as_str()];
        for field in defaults {
            if !fields.iter().any(|one| one.starts_with(&field[..3])) {
                header.push(field);
            }
        }
        header.extend(fields[1..].iter().filter(|field| !field.is_empty()));
        let body: String = header.iter().map(|field| format!("{field}\x01")).collect();
        let text = format!("{begin}\x019={}\x01{body}", body.len());
        let sum = text.bytes().fold(0_u8, u8::wrapping_add);
        format!("{text}10={sum:03}\x01").into_bytes()
    }

    fn time(&self, shift_s: i64) -> String {
        let utc = self
            .now()
            .utc_ns
            .saturating_add_signed(shift_s * 1_000_000_000);
        format!("52={}", String::from_utf8_lossy(UtcText::new(utc).bytes()))
    }

    /// The next message that went out, without what every message carries.
    pub(super) fn sent(&mut self) -> Option<String> {
        let Frame::Message { message, length } = next_frame(&self.out, 1 << 20) else {
            return None;
        };
        assert_eq!(message.get(49), Some(&b"WIDETAPE"[..]));
        assert_eq!(message.get(56), Some(&b"CLIENT"[..]));
        let mut line = String::from_utf8_lossy(message.msg_type()).into_owned();
        for field in message.fields().map(Result::unwrap) {
            if !matches!(field.tag, 35 | 49 | 56 | 52 | 58 | 122) {
                let value = String::from_utf8_lossy(field.value);
                line.push_str(&format!("|{}={value}", field.tag));
            }
        }
        let _ = self.out.split_to(length);
        Some(line)
    }
}

/// Runs a script. `52+N` stands for a SendingTime that is N seconds ahead, `122+N` likewise.
pub(super) fn play(world: &mut World, name: &str, script: &str) {
    for line in script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (verb, rest) = line.split_at(1);
        let rest = rest.trim();
        match verb {
            "<" => {
                let mut text = rest.to_owned();
                for shift in [-121_i64, -120, 120, 121] {
                    for tag in ["52", "122"] {
                        let value = world.time(shift).replace("52=", &format!("{tag}="));
                        text = text.replace(&format!("{tag}{shift:+}|"), &format!("{value}|"));
                    }
                }
                let bytes = world.complete(&text);
                world.feed(&bytes);
            }
            "~" => world.feed(rest.replace('|', "\x01").as_bytes()),
            ">" => assert_eq!(world.sent().as_deref(), Some(rest), "{name}: {line}"),
            "+" => {
                world.elapsed_ns += rest.parse::<u64>().unwrap() * 1_000_000;
                world.end = world.turn(|session, turn| session.tick(turn)).err();
            }
            "!" => {
                assert_eq!(world.sent(), None, "{name}: {line}");
                let end = world
                    .end
                    .map_or("Open".to_owned(), |end| format!("{end:?}"));
                assert_eq!(end, rest, "{name}");
            }
            _ => panic!("{name}: {line}"),
        }
    }
    assert_eq!(world.sent(), None, "{name}: nothing else may go out");
}
