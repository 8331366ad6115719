//! SecurityStatus (35=f): what trading states are in 326 SecurityTradingStatus and in 58 Text.
//!
//! 326 is 2 (trading halt) for halts and pauses, 5 (price indication) for quotation only and 3 (resume)
//! for trading. 58 says more: ITCH's letter of the state and, behind a space, the code of the reason,
//! such as `P LUDP`. SecurityStatus of FIX 4.2 has no 58.
//!
//! Source: FIX 4.2 and 4.4, SecurityStatus; FIX 5.0 SP2 volume 3, SecurityStatus.

use super::{Body, Message, UtcText, parse_uint, tag};
use crate::market::{Symbol, TradingState, TradingStatus};

/// Longest 58: letter, space and code.
const LONGEST: usize = 6;

/// The value of 326.
const fn code(state: TradingState) -> u64 {
    match state {
        TradingState::Halted | TradingState::Paused | TradingState::OperationalHalt => 2,
        TradingState::Trading => 3,
        TradingState::QuotationOnly => 5,
    }
}

/// Writes the body of an unsolicited SecurityStatus of `symbol`. `time` is that of `status`; 58 is
/// written if `says_why`.
pub fn put_status(
    body: &mut Body,
    symbol: &Symbol,
    status: &TradingStatus,
    time: &UtcText,
    says_why: bool,
) {
    body.text(tag::SYMBOL, symbol.0.trim_ascii_end());
    body.flag(tag::UNSOLICITED_INDICATOR, true);
    body.uint(tag::SECURITY_TRADING_STATUS, code(status.state));
    body.utc(tag::TRANSACT_TIME, time);
    if says_why {
        let mut text = [b' '; LONGEST];
        text[0] = status.state.indicator();
        text[2..].copy_from_slice(&status.reason);
        body.text(tag::TEXT, text.trim_ascii_end());
    }
}

/// State and reason in a SecurityStatus; `None` if its 326 is none that says whether the symbol trades.
#[must_use]
pub fn status_of(message: &Message<'_>) -> Option<(TradingState, [u8; 4])> {
    let number = message
        .get(tag::SECURITY_TRADING_STATUS)
        .and_then(parse_uint)?;
    let said = message.get(tag::TEXT).and_then(said);
    if let Some(said) = said.filter(|(state, _)| code(*state) == number) {
        return Some(said);
    }
    let state = match number {
        2 => TradingState::Halted,
        3 | 17 => TradingState::Trading,
        5 => TradingState::QuotationOnly,
        _ => return None,
    };
    Some((state, *b"    "))
}

/// State and reason in a 58, if it is written as [`put_status`] does.
fn said(text: &[u8]) -> Option<(TradingState, [u8; 4])> {
    let (&letter, rest) = text.split_first()?;
    let state = TradingState::from_indicator(letter)?;
    let mut reason = [b' '; 4];
    if let Some((space, code)) = rest.split_first() {
        let fits = *space == b' ' && code.len() <= reason.len();
        reason
            .get_mut(..code.len())
            .filter(|_| fits)?
            .copy_from_slice(code);
    }
    Some((state, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Locate, Timestamp};

    const STATES: [TradingState; 5] = [
        TradingState::Trading,
        TradingState::Halted,
        TradingState::Paused,
        TradingState::QuotationOnly,
        TradingState::OperationalHalt,
    ];

    fn body(state: TradingState, reason: [u8; 4], says_why: bool) -> Vec<u8> {
        let mut body = Body::default();
        let status = TradingStatus {
            locate: Locate(1),
            state,
            reason,
            time: Timestamp(0),
        };
        let symbol = Symbol::new("BRK.B").unwrap();
        put_status(&mut body, &symbol, &status, &UtcText::new(0), says_why);
        [b"35=f\x01", body.bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<(TradingState, [u8; 4])> {
        status_of(&Message::new(b"FIX.4.4", bytes).unwrap())
    }

    #[test]
    fn a_halt_to_the_letter() {
        let expected = "35=f|55=BRK.B|325=Y|326=2|60=19700101-00:00:00.000|58=H T1|";
        let bytes = body(TradingState::Halted, *b"T1  ", true);
        assert_eq!(
            String::from_utf8(bytes).unwrap().replace('\x01', "|"),
            expected
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for state in STATES {
            for reason in [*b"    ", *b"Q   ", *b"T1  ", *b"LUDP"] {
                assert_eq!(read(&body(state, reason, true)), Some((state, reason)));
            }
            let plain = read(&body(state, *b"LUDP", false)).unwrap();
            assert_eq!((code(plain.0), plain.1), (code(state), *b"    "));
        }
    }

    #[test]
    fn what_others_write() {
        let halted = Some((TradingState::Halted, *b"    "));
        for (text, expected) in [
            ("326=2|58=Trading is halted|", halted),
            ("326=2|58=T|", halted),
            ("326=2|58=H-T1|", halted),
            ("326=2|58=H LONGER|", halted),
            ("326=17|", Some((TradingState::Trading, *b"    "))),
            ("326=18|", None),
            ("326=x|58=H T1|", None),
            ("58=H T1|", None),
        ] {
            let bytes = format!("35=f|55=A|{text}").replace('|', "\x01");
            assert_eq!(read(bytes.as_bytes()), expected, "{text}");
        }
    }
}
