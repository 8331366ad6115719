//! What a MarketDataRequest asks for.

use super::dictionary::{flag, number};
use super::reject::{Fault, Reason};
use super::version::Version;
use crate::market::Symbol;
use crate::wire::fix::{Message, tag};

/// Longest MDReqID.
const MAX_ID: usize = 64;

/// The entry types that are served, each one bit of an [`EntryTypes`] by its place here.
pub(super) const ENTRY_TYPES: [u8; 9] = *b"01245789B";

/// A set of entry types.
pub(super) type EntryTypes = u16;

pub(super) const BID: EntryTypes = 1 << 0;
pub(super) const OFFER: EntryTypes = 1 << 1;
/// The newest price of a window, or, where 336 names [`TAPE`], every single execution.
const LAST: EntryTypes = 1 << 2;
/// Every single execution.
pub(super) const TRADES: EntryTypes = 1 << 9;
/// The name in 336 that asks for single executions.
const TAPE: &[u8] = b"trades";
/// The entry types that come from the book; all others belong to a window.
pub(super) const BOOK: EntryTypes = BID | OFFER;

/// SubscriptionRequestType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Snapshot,
    Subscribe,
    Unsubscribe,
}

/// Whose values are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Symbols {
    /// All of them, also those that become known later.
    Universe,
    Named(Vec<Symbol>),
}

#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) id: &'a [u8],
    pub(super) wish: Wish,
    pub(super) types: EntryTypes,
    /// Windows asked for, by number; empty is all of them.
    pub(super) windows: Vec<u8>,
    pub(super) symbols: Symbols,
}

/// MDReqRejReason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownSymbol = b'0' as isize,
    DuplicateId = b'1' as isize,
    TooManySubscriptions = b'2' as isize,
    SubscriptionType = b'4' as isize,
    Depth = b'5' as isize,
    UpdateType = b'6' as isize,
    Aggregation = b'7' as isize,
    EntryType = b'8' as isize,
    Window = b'9' as isize,
    /// Not a reason of the specification: sent without 281.
    NothingToEnd = 0,
}

impl Refusal {
    /// The value of 281; none where the version's specification has no number.
    pub(super) fn code(self, version: Version) -> Option<u8> {
        let is_newer = self == Refusal::Window && version == Version::Fix42;
        Some(self as u8).filter(|&code| code != 0 && !is_newer)
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Refusal::UnknownSymbol => {
                "unknown symbol: not listed by the feed so far; * asks for all symbols, now and later"
            }
            Refusal::DuplicateId => "duplicate MDReqID: a subscription has it",
            Refusal::TooManySubscriptions => "too many subscriptions in this session",
            Refusal::SubscriptionType => {
                "unsupported SubscriptionRequestType: 0, 1 and 2 are served"
            }
            Refusal::Depth => "unsupported MarketDepth: bids and offers are top of book, ask for 1",
            Refusal::UpdateType => "unsupported MDUpdateType: updates are incremental, ask for 1",
            Refusal::Aggregation => {
                "unsupported AggregatedBook: sizes are sums, leave it out or ask for Y"
            }
            Refusal::EntryType => {
                "unsupported MDEntryType: 2 4 5 7 8 9 B are served, and 0 1 where quotes are offered"
            }
            Refusal::Window => {
                "unsupported TradingSessionID: it must name a window that is computed"
            }
            Refusal::NothingToEnd => "no subscription has this MDReqID",
        }
    }
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRequest {
    /// The message is wrong: Reject.
    Fault(Fault),
    /// The message is right, its wish is not served: MarketDataRequestReject.
    Refused(Refusal),
}

impl From<Fault> for NoRequest {
    fn from(fault: Fault) -> Self {
        NoRequest::Fault(fault)
    }
}

impl From<Refusal> for NoRequest {
    fn from(refusal: Refusal) -> Self {
        NoRequest::Refused(refusal)
    }
}

impl<'a> Request<'a> {
    /// Reads a message that the dictionary has found right. `windows` are the names of the windows.
    pub(super) fn read(message: &Message<'a>, windows: &[Box<[u8]>]) -> Result<Self, NoRequest> {
        let id = message.get(tag::MD_REQ_ID).unwrap_or_default();
        if id.len() > MAX_ID {
            return Err(Fault::new(Reason::WrongValue, tag::MD_REQ_ID).into());
        }
        let wish = match message.get(tag::SUBSCRIPTION_REQUEST_TYPE) {
            Some(b"0") => Wish::Snapshot,
            Some(b"1") => Wish::Subscribe,
            Some(b"2") => Wish::Unsubscribe,
            _ => return Err(Refusal::SubscriptionType.into()),
        };
        let mut request = Self {
            id,
            wish,
            types: 0,
            windows: Vec::new(),
            symbols: Symbols::Named(Vec::new()),
        };
        check_counts(message)?;
        if wish != Wish::Unsubscribe {
            request.read_groups(message, windows)?;
            request.check_terms(message)?;
        }
        Ok(request)
    }

    /// Reads entry types, symbols and windows. One symbol `*` is the universe.
    fn read_groups(
        &mut self,
        message: &Message<'_>,
        windows: &[Box<[u8]>],
    ) -> Result<(), NoRequest> {
        let mut symbols = Vec::new();
        let (mut universe, mut unknown, mut tape) = (false, false, false);
        for field in message.fields().flatten() {
            match field.tag {
                tag::MD_ENTRY_TYPE => {
                    let place = ENTRY_TYPES.iter().position(|&code| [code] == *field.value);
                    self.types |= 1 << place.ok_or(Refusal::EntryType)?;
                }
                tag::SYMBOL if field.value == b"*" => universe = true,
                tag::SYMBOL => {
                    let name = std::str::from_utf8(field.value).ok();
                    match name.and_then(Symbol::new) {
                        Some(symbol) => symbols.push(symbol),
                        None => unknown = true,
                    }
                }
                tag::TRADING_SESSION_ID if field.value == TAPE => tape = true,
                tag::TRADING_SESSION_ID => {
                    let place = windows.iter().position(|name| **name == *field.value);
                    let window = place.and_then(|place| u8::try_from(place).ok());
                    self.windows.push(window.ok_or(Refusal::Window)?);
                }
                _ => {}
            }
        }
        if unknown {
            return Err(Refusal::UnknownSymbol.into());
        }
        if tape && !self.windows.is_empty() {
            return Err(Refusal::Window.into());
        }
        if tape && (self.types & LAST == 0 || self.types & !(LAST | BOOK) != 0) {
            return Err(Refusal::EntryType.into());
        }
        if tape {
            self.types ^= LAST | TRADES;
        }
        self.symbols = match universe {
            true => Symbols::Universe,
            false => Symbols::Named(symbols),
        };
        Ok(())
    }

    /// Checks depth, update type and aggregation against what is asked for.
    fn check_terms(&self, message: &Message<'_>) -> Result<(), NoRequest> {
        let book = self.types & BOOK != 0;
        match number(message, tag::MARKET_DEPTH) {
            1 => {}
            0 if !book => {}
            _ => return Err(Refusal::Depth.into()),
        }
        let update = message.get(tag::MD_UPDATE_TYPE);
        if self.wish == Wish::Subscribe && update.is_some_and(|kind| kind != b"1") {
            return Err(Refusal::UpdateType.into());
        }
        if book
            && message.get(tag::AGGREGATED_BOOK).is_some()
            && !flag(message, tag::AGGREGATED_BOOK)
        {
            return Err(Refusal::Aggregation.into());
        }
        Ok(())
    }
}

/// Every group must have as many members as its count says, and the two that must be there one at
/// least.
fn check_counts(message: &Message<'_>) -> Result<(), Fault> {
    let groups = [
        (tag::NO_MD_ENTRY_TYPES, tag::MD_ENTRY_TYPE, 1),
        (tag::NO_RELATED_SYM, tag::SYMBOL, 1),
        (tag::NO_TRADING_SESSIONS, tag::TRADING_SESSION_ID, 0),
    ];
    for (count_tag, member, least) in groups {
        let members = message.fields().flatten();
        let found = members.filter(|field| field.tag == member).count() as u64;
        if found != number(message, count_tag) {
            return Err(Fault::new(Reason::GroupCount, count_tag));
        }
        if found < least {
            return Err(Fault::new(Reason::WrongValue, count_tag));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(EntryTypes, Vec<u8>, Symbols), NoRequest> {
        let bytes = text.replace('|', "\x01").into_bytes();
        let message = Message::new(b"FIX.4.4", &bytes).unwrap();
        let windows = [Box::from(&b"1s"[..]), Box::from(&b"session"[..])];
        Request::read(&message, &windows)
            .map(|request| (request.types, request.windows, request.symbols))
    }

    #[test]
    fn wishes() {
        let both = Symbols::Named(vec![
            Symbol::new("A").unwrap(),
            Symbol::new("BRK.B").unwrap(),
        ]);
        let cases = [
            (
                "35=V|262=R|263=1|264=0|265=1|267=2|269=9|269=B|146=2|55=A|55=BRK.B|",
                (1 << 7 | 1 << 8, vec![], both),
            ),
            (
                "35=V|262=R|263=0|264=1|267=2|269=0|269=1|146=1|55=*|386=1|336=session|",
                (BOOK, vec![1], Symbols::Universe),
            ),
            (
                "35=V|262=R|263=2|264=7|267=1|269=Z|146=1|55=*|",
                (0, vec![], Symbols::Named(vec![])),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_and_faults() {
        let counts = |tag| NoRequest::Fault(Fault::new(Reason::GroupCount, tag));
        let refused = NoRequest::Refused;
        let cases = [
            (
                "263=3|264=1|267=1|269=9|146=1|55=*|",
                refused(Refusal::SubscriptionType),
            ),
            (
                "263=1|264=2|267=1|269=9|146=1|55=*|",
                refused(Refusal::Depth),
            ),
            (
                "263=1|264=0|267=1|269=0|146=1|55=*|",
                refused(Refusal::Depth),
            ),
            (
                "263=1|264=1|265=0|267=1|269=9|146=1|55=*|",
                refused(Refusal::UpdateType),
            ),
            (
                "263=1|264=1|266=N|267=1|269=1|146=1|55=*|",
                refused(Refusal::Aggregation),
            ),
            (
                "263=1|264=1|267=1|269=3|146=1|55=*|",
                refused(Refusal::EntryType),
            ),
            (
                "263=1|264=1|267=1|269=9|146=1|55=TOOLONGNAME|",
                refused(Refusal::UnknownSymbol),
            ),
            (
                "263=1|264=1|267=1|269=9|146=1|55=*|386=1|336=2s|",
                refused(Refusal::Window),
            ),
            ("263=1|264=1|267=2|269=9|146=1|55=*|", counts(267)),
            ("263=1|264=1|267=1|269=9|146=1|55=A|55=B|", counts(146)),
            (
                "263=1|264=1|267=1|269=9|146=1|55=*|386=2|336=1s|",
                counts(386),
            ),
            (
                "263=1|264=1|267=1|269=9|146=0|",
                NoRequest::Fault(Fault::new(Reason::WrongValue, 146)),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(&format!("35=V|262=R|{text}")), Err(expected), "{text}");
        }
        let long = format!("35=V|262={}|263=1|", "x".repeat(65));
        let fault = NoRequest::Fault(Fault::new(Reason::WrongValue, 262));
        assert_eq!(read(&long), Err(fault));
    }
}
