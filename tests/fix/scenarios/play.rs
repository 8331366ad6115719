//! Playing a scenario against an acceptor over TCP, with a proxy between.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use widetape::market::{Locate, Symbol, Timestamp, TradingState, TradingStatus};
use widetape::publish::Publisher;
use widetape::publish::fix::{AcceptorOptions, Version};
use widetape::wire::fix::UtcText;

use super::parse::{Scenario, Step};
use super::text::{alter, check_frame, expected, visible};
use crate::fix::client::{Desk, Wire};

/// When trading states change: 10:00:00.500 on the feed's clock.
const HALTED: Timestamp = Timestamp(36_000_500_000_000);

/// What the proxy does to what the acceptor sends. Messages are counted over both connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// A message is lost.
    Drop(usize),
    /// One field of a message gets another value; BodyLength and CheckSum are made to fit unless they
    /// are the field.
    Alter(usize, u32),
    /// A message comes that the acceptor has not sent, before the message of this number.
    Insert(usize),
    /// The connection is cut before a message.
    CutBefore(usize),
    /// The acceptor's closing of this connection is hidden.
    KeepOpen(usize),
}

/// How a counterparty reaches the acceptor.
pub(in crate::fix) trait Carrier {
    /// What the acceptor must be told for it.
    fn settings(&self, options: &mut AcceptorOptions);

    /// A connection that does not block.
    fn dial(&self, desk: &mut Desk) -> Box<dyn Wire>;
}

/// TCP alone.
pub(super) struct Plain;

impl Carrier for Plain {
    fn settings(&self, _: &mut AcceptorOptions) {}

    fn dial(&self, desk: &mut Desk) -> Box<dyn Wire> {
        let address = desk.acceptor.local_address().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        Box::new(stream)
    }
}

pub(super) type Outcome<T> = Result<T, String>;

/// One connection of the counterparty.
struct Line {
    stream: Box<dyn Wire>,
    received: Vec<u8>,
    ended: bool,
}

struct Play<'a> {
    desk: Desk,
    carrier: &'a dyn Carrier,
    version: Version,
    fault: Fault,
    patience: Duration,
    lines: Vec<Option<Line>>,
    /// Messages that have come through the proxy.
    passed: usize,
}

/// Plays `scenario`; what went otherwise than it says.
pub(super) fn play(
    scenario: &Scenario,
    version: Version,
    fault: Fault,
    carrier: &dyn Carrier,
) -> Outcome<()> {
    let mut options: AcceptorOptions = toml::from_str(&scenario.settings).expect(&scenario.name);
    options.listen = ([127, 0, 0, 1], 0).into();
    carrier.settings(&mut options);
    let mut play = Play {
        desk: Desk::with_options(options),
        carrier,
        version,
        fault,
        patience: Duration::from_millis(if fault == Fault::None { 10_000 } else { 20 }),
        lines: vec![None, None],
        passed: 0,
    };
    for step in &scenario.steps {
        play.step(step)?;
    }
    play.settle();
    for line in 0..2 {
        if let Some(message) = play.message(line)? {
            return Err(format!("at the end came {message}"));
        }
        if play.lines[line].as_ref().is_some_and(|line| line.ended) {
            return Err("the acceptor closed".to_owned());
        }
    }
    Ok(())
}

impl Play<'_> {
    fn step(&mut self, step: &Step) -> Outcome<()> {
        match step {
            Step::Send { connection, fields } => {
                let bytes = self.complete(fields);
                self.send(*connection, &bytes);
            }
            Step::Bytes { connection, text } => {
                self.send(*connection, text.replace('|', "\x01").as_bytes());
            }
            Step::Receive { connection, fields } => {
                let found = self.wait(*connection, Self::message)?;
                let expected = expected(fields, self.version);
                let found = found.map(|found| visible(&found, &expected));
                if found.as_deref() != Some(&expected) {
                    return Err(format!("instead of {expected} came {found:?}"));
                }
            }
            Step::Closed { connection } => {
                let came = self.wait(*connection, |play, line| {
                    let message = play.message(line)?;
                    Ok(message.or_else(|| play.is_closed(line).then(String::new)))
                })?;
                if came.as_deref() != Some("") {
                    return Err(format!("instead of closing: {came:?}"));
                }
                self.lines[*connection] = None;
            }
            Step::Feed(text) => self.feed(text),
            Step::Pass(millis) => {
                self.settle();
                self.desk.elapsed_ms += millis;
                self.settle();
            }
        }
        Ok(())
    }

    /// The feed becomes stale or live, or a symbol is listed or gets a trading state.
    fn feed(&mut self, text: &str) {
        let acceptor = &mut self.desk.acceptor;
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["stale"] => acceptor.feed_state(true),
            ["live"] => acceptor.feed_state(false),
            ["lists", number, symbol] => {
                let locate = Locate(number.parse().unwrap());
                acceptor.listing(locate, Symbol::new(symbol).unwrap());
            }
            [number, symbol, state, reason] => {
                let status = TradingStatus {
                    locate: Locate(number.parse().unwrap()),
                    state: TradingState::from_indicator(state.as_bytes()[0]).unwrap(),
                    reason: *format!("{reason:4}").as_bytes().first_chunk().unwrap(),
                    time: HALTED,
                };
                let symbol = Symbol::new(symbol).unwrap();
                acceptor.trading_statuses(&[(symbol, status)]);
            }
            _ => panic!("{text}"),
        }
    }

    /// Lets the acceptor work until it has nothing to do.
    fn settle(&mut self) {
        let mut idle = 0;
        while idle < 3 {
            idle = if self.desk.duty() == 0 { idle + 1 } else { 0 };
        }
    }

    fn wait(
        &mut self,
        line: usize,
        mut look: impl FnMut(&mut Self, usize) -> Outcome<Option<String>>,
    ) -> Outcome<Option<String>> {
        let start = Instant::now();
        loop {
            self.settle();
            if let Some(found) = look(self, line)? {
                return Ok(Some(found));
            }
            if start.elapsed() > self.patience || self.is_closed(line) {
                return Ok(None);
            }
        }
    }

    fn line(&mut self, line: usize) -> &mut Line {
        if self.lines[line].is_none() {
            self.lines[line] = Some(Line {
                stream: self.carrier.dial(&mut self.desk),
                received: Vec::new(),
                ended: false,
            });
        }
        self.lines[line].as_mut().unwrap()
    }

    fn send(&mut self, line: usize, bytes: &[u8]) {
        // An acceptor that has closed already takes no more.
        let _ = self.line(line).stream.write_all(bytes);
        self.settle();
    }

    fn is_closed(&self, line: usize) -> bool {
        let hidden = self.fault == Fault::KeepOpen(line);
        self.lines[line].as_ref().is_some_and(|line| line.ended) && !hidden
    }

    /// The next message as the proxy lets it through, `|` for the separator.
    fn message(&mut self, line: usize) -> Outcome<Option<String>> {
        if self.lines[line].is_none() {
            return Ok(None);
        }
        if self.fault == Fault::Insert(self.passed) {
            self.fault = Fault::None;
            return Ok(Some("8=FIX.4.4|9=5|35=0|34=99|10=000|".to_owned()));
        }
        let Some(text) = self.line(line).cut()? else {
            return Ok(None);
        };
        let number = self.passed;
        self.passed += 1;
        match self.fault {
            Fault::Drop(lost) if lost == number => self.message(line),
            Fault::CutBefore(cut) if cut == number => {
                self.line(line).ended = true;
                Ok(None)
            }
            Fault::Alter(altered, tag) if altered == number => Ok(Some(alter(&text, tag))),
            _ => Ok(Some(text)),
        }
        .and_then(|text| {
            text.map(|text| check_frame(&text, self.version).map(|()| text))
                .transpose()
        })
    }

    /// `fields` as a whole message: what every message carries is added, relative times are filled in.
    fn complete(&self, fields: &str) -> Vec<u8> {
        let mut fields: Vec<String> = fields.split('|').map(str::to_owned).collect();
        let msg_type = format!("35={}", fields.remove(0));
        let mut take = |tag: &str| {
            let at = fields.iter().position(|field| field.starts_with(tag))?;
            Some(fields.remove(at)[tag.len()..].to_owned())
        };
        let version = String::from_utf8_lossy(self.version.begin_string()).into_owned();
        let begin = take("8=").unwrap_or(version);
        let (length, sum) = (take("9="), take("10="));
        let bare = take("-1137").is_some();
        for field in &mut fields {
            *field = self.resolved(field);
        }
        let now = format!("52={}", self.time(0));
        let mut body = vec![msg_type.clone()];
        for usual in ["49=CLIENT", "56=WIDETAPE", &now] {
            if !fields.iter().any(|field| field.starts_with(&usual[..3])) {
                body.push(usual.to_owned());
            }
        }
        body.extend(fields);
        if msg_type == "35=A" && self.version == Version::Fix50Sp2 && !bare {
            body.push("1137=9".to_owned());
        }
        let body: String = body.iter().map(|field| format!("{field}\x01")).collect();
        let length = match length {
            Some(zeros) if zeros == "0000" => format!("{:08}", body.len()),
            Some(wrong) => wrong,
            None => body.len().to_string(),
        };
        let text = format!("8={begin}\x019={length}\x01{body}");
        let right = text.bytes().fold(0_u8, u8::wrapping_add);
        let sum = match sum {
            Some(_) => format!("{:03}", right.wrapping_add(1)),
            None => format!("{right:03}"),
        };
        format!("{text}10={sum}\x01").into_bytes()
    }

    /// A field with `-121s` replaced by the time that is so far from now.
    fn resolved(&self, field: &str) -> String {
        let Some((tag, value)) = field.split_once('=') else {
            return field.to_owned();
        };
        let seconds = value.strip_suffix('s').and_then(|shift| shift.parse().ok());
        match seconds {
            Some(seconds) if tag == "52" || tag == "122" => format!("{tag}={}", self.time(seconds)),
            _ => field.to_owned(),
        }
    }

    fn time(&self, shift_s: i64) -> String {
        let utc = self.desk.clock().utc_ns;
        let utc = utc.saturating_add_signed(shift_s * 1_000_000_000);
        String::from_utf8_lossy(UtcText::new(utc).bytes()).into_owned()
    }
}

impl Line {
    /// The next whole message that has come.
    fn cut(&mut self) -> Outcome<Option<String>> {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.ended = true,
                Ok(length) => {
                    self.received.extend_from_slice(&chunk[..length]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.ended = true,
            }
            break;
        }
        let is_end = |part: &[u8]| part.starts_with(b"\x0110=") && part[7] == 1;
        let Some(at) = self.received.windows(8).position(is_end) else {
            return Ok(None);
        };
        let bytes: Vec<u8> = self.received.drain(..at + 8).collect();
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        Ok(Some(text.replace('\x01', "|")))
    }
}
