//! SecurityList (35=y): which symbols the feed has listed.

use super::dictionary::number;
use super::entries::trimmed;
use super::market_data::{Desk, relieve};
use super::outgoing::{Outgoing, Turn};
use super::version::Version;
use crate::market::Symbol;
use crate::wire::fix::{Message, tag};

/// Symbols in one 35=y; a longer list takes several.
const MAX_SYMBOLS: usize = 500;

/// SecurityRequestResult.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Some = b'0' as isize,
    Unsupported = b'1' as isize,
    None = b'2' as isize,
}

impl Desk<'_> {
    /// Answers a SecurityListRequest: one symbol (559=0 and 55) or all that are listed so far (559=4).
    pub(super) fn list_securities(
        &mut self,
        message: &Message<'_>,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        let snapshot = number(message, tag::SUBSCRIPTION_REQUEST_TYPE) == 0;
        let name = message.get(tag::SYMBOL);
        let market = &*self.market;
        let (found, symbols) = match (message.get(tag::SECURITY_LIST_REQUEST_TYPE), name) {
            (Some(b"0"), Some(name)) if snapshot => {
                let symbol = std::str::from_utf8(name).ok().and_then(Symbol::new);
                let symbols = symbol.filter(|symbol| market.lists(symbol));
                (Found::Some, symbols.into_iter().collect())
            }
            (Some(b"4"), None) if snapshot => (Found::Some, market.listed()),
            _ => (Found::Unsupported, Vec::new()),
        };
        let found = match found {
            Found::Some if symbols.is_empty() => Found::None,
            found => found,
        };
        let fragments = symbols.len().div_ceil(MAX_SYMBOLS).max(1);
        for fragment in 0..fragments {
            let from = fragment * MAX_SYMBOLS;
            let part = &symbols[from..symbols.len().min(from + MAX_SYMBOLS)];
            if turn.is_full() {
                turn.counts.market_data_dropped += 1;
                return;
            }
            let body = &mut self.market.head;
            body.clear();
            let id = message.get(tag::SECURITY_REQ_ID).unwrap_or_default();
            body.text(tag::SECURITY_REQ_ID, id);
            body.uint(tag::SECURITY_RESPONSE_ID, outgoing.next);
            body.char(tag::SECURITY_REQUEST_RESULT, found as u8);
            if !part.is_empty() {
                body.uint(tag::TOT_NO_RELATED_SYM, symbols.len() as u64);
                if outgoing.version == Version::Fix50Sp2 {
                    body.flag(tag::LAST_FRAGMENT, fragment + 1 == fragments);
                }
                body.uint(tag::NO_RELATED_SYM, part.len() as u64);
            }
            for symbol in part {
                body.text(tag::SYMBOL, trimmed(symbol));
            }
            outgoing.send_body(b"y", body, turn);
            relieve(turn, self.drain);
        }
    }
}
