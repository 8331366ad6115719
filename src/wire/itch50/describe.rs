//! One line of text for a message: time, type, locate, stock, then `field=value` in wire order.
//!
//! The line holds printable ASCII alone, whatever the bytes: text shows other characters as `?`
//! and loses its padding, a one-byte code outside printable ASCII shows as hexadecimal (a blank is
//! `0x20`).

use std::fmt::{self, Display, Formatter};

use crate::market::{Price, Symbol, Timestamp};

use super::Message;

/// A field's value that can be shown in a line.
pub(super) trait Shown {
    /// Writes a blank and `name=value`; nothing for the stock, which stands before the fields.
    fn show(&self, name: &str, line: &mut Formatter<'_>) -> fmt::Result;
}

/// A `Price(8)`: eight implied decimals.
pub(super) struct Price8(pub(super) u64);

impl Display for Price8 {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const UNIT: u64 = 100_000_000;
        write!(f, "{}.{:08}", self.0 / UNIT, self.0 % UNIT)
    }
}

macro_rules! shown_as_displayed {
    ($($type:ty)+) => { $(
        impl Shown for $type {
            fn show(&self, name: &str, line: &mut Formatter<'_>) -> fmt::Result {
                write!(line, " {name}={self}")
            }
        }
    )+ };
}

shown_as_displayed! { u32 u64 Price Price8 Timestamp }

impl Shown for u8 {
    fn show(&self, name: &str, line: &mut Formatter<'_>) -> fmt::Result {
        if self.is_ascii_graphic() {
            write!(line, " {name}={}", char::from(*self))
        } else {
            write!(line, " {name}={self:#04x}")
        }
    }
}

impl<const W: usize> Shown for [u8; W] {
    fn show(&self, name: &str, line: &mut Formatter<'_>) -> fmt::Result {
        const { assert!(W <= 8) };
        let mut padded = [b' '; 8];
        padded[..W].copy_from_slice(self);
        write!(line, " {name}={}", Symbol(padded).name())
    }
}

impl Shown for Symbol {
    fn show(&self, _: &str, _: &mut Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// One line without its end, for example
/// `09:30:00.000000001 A AddOrder locate=13 stock=AAPL reference=1 buy_sell_indicator=B shares=100 price=585.3300`.
impl Display for Message<'_> {
    fn fmt(&self, line: &mut Formatter<'_>) -> fmt::Result {
        let header = self.header();
        write!(
            line,
            "{} {} {} locate={}",
            header.timestamp,
            char::from(self.kind()),
            self.name(),
            header.locate.0
        )?;
        if let Some(stock) = self.stock() {
            write!(line, " stock={}", stock.name())?;
        }
        self.describe(line)
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::itch50::parse;

    fn line(bytes: &[u8]) -> String {
        parse(bytes).unwrap().to_string()
    }

    #[test]
    fn the_stock_stands_before_the_fields() {
        assert_eq!(
            line(
                b"A\x00\x0d\x00\x02\x1f\x1a\xce\xd9\xf0\x01\x00\x00\x00\x00\x00\x00\x00\x01B\
                \x00\x00\x00\x64AAPL    \x00\x59\x50\x84"
            ),
            "09:30:00.000000001 A AddOrder locate=13 stock=AAPL reference=1 buy_sell_indicator=B \
            shares=100 price=585.3316"
        );
    }

    #[test]
    fn eight_decimals_where_the_price_has_eight() {
        assert_eq!(
            line(
                b"V\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
                \x00\x00\x00\x00\x05\xf5\xe1\x00\xff\xff\xff\xff\xff\xff\xff\xff"
            ),
            "00:00:00.000000000 V MwcbDeclineLevel locate=0 level_1=0.00000001 level_2=1.00000000 \
            level_3=184467440737.09551615"
        );
    }

    #[test]
    fn codes_and_text_of_any_bytes_stay_on_the_line() {
        assert_eq!(
            line(b"H\xff\xff\x00\x00\x00\x00\x00\x00\x00\x01A\n\x1b[2J\x00 T T1\r "),
            "00:00:00.000000001 H StockTradingAction locate=65535 stock=A??[2J? trading_state=T \
            reserved=0x20 reason=T1?"
        );
        assert_eq!(
            line(b"S\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x9b"),
            "00:00:00.000000000 S SystemEvent locate=0 event_code=0x9b"
        );
    }
}
