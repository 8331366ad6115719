//! From bytes to a checked view.

use crate::market::Symbol;

use super::{
    AddOrder, AddOrderWithAttribution, BrokenTrade, CrossTrade, DirectListingCapitalRaise, Header,
    IpoQuotingPeriodUpdate, LuldAuctionCollar, MarketParticipantPosition, MwcbDeclineLevel,
    MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel, OrderDelete, OrderExecuted,
    OrderExecutedWithPrice, OrderReplace, RegShoRestriction, RetailPriceImprovement,
    StockDirectory, StockTradingAction, SystemEvent, Trade,
};

/// Why bytes are no ITCH 5.0 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No bytes, so no type.
    #[error("the message has no bytes")]
    Empty,
    /// The type byte, at offset 0, is none of the 23.
    #[error("`{}` is no ITCH 5.0 message type", kind.escape_ascii())]
    UnknownType {
        /// The type byte.
        kind: u8,
    },
    /// The type is known, and demands another length.
    #[error(
        "a message of type `{}` has {expected} bytes, this one has {found}",
        kind.escape_ascii()
    )]
    Length {
        /// The type byte.
        kind: u8,
        /// Bytes that the type demands.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
}

/// Declares the sum of all messages and what is asked of each alike.
macro_rules! messages {
    ($( $(#[$doc:meta])* $name:ident, )+) => {
        /// Any message, as a checked view of its bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Message<'a> {
            $( $(#[$doc])* $name($name<'a>), )+
        }

        /// Reads one message, which must fill `bytes` exactly.
        ///
        /// On a hot path match on the result at once, and ask the view for its header: then the
        /// compiler fuses this function's branch on the type with the caller's. Work between the
        /// two keeps them apart, at about 3 ns a message (`benches/decode.rs`), and so would a call: this is
        /// always inlined.
        ///
        /// # Errors
        /// See [`ParseError`].
        #[inline(always)]
        pub fn parse(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
            let Some(&kind) = bytes.first() else {
                return Err(ParseError::Empty);
            };
            match kind {
                $(
                    $name::KIND => match bytes.try_into() {
                        Ok(bytes) => Ok(Message::$name($name::over(bytes))),
                        Err(_) => Err(ParseError::Length {
                            kind,
                            expected: $name::LENGTH,
                            found: bytes.len(),
                        }),
                    },
                )+
                _ => Err(ParseError::UnknownType { kind }),
            }
        }

        /// Bytes of a message of type `kind`, header included; `None` for an unknown type.
        #[must_use]
        pub const fn length_of(kind: u8) -> Option<usize> {
            match kind {
                $( $name::KIND => Some($name::LENGTH), )+
                _ => None,
            }
        }

        impl<'a> Message<'a> {
            /// Symbol number, tracking number and time.
            #[inline(always)]
            #[must_use]
            pub fn header(&self) -> Header {
                match self {
                    $( Message::$name(view) => view.header(), )+
                }
            }

            /// The type byte.
            #[inline(always)]
            #[must_use]
            pub const fn kind(&self) -> u8 {
                match self {
                    $( Message::$name(_) => $name::KIND, )+
                }
            }

            /// The message's name in the words of this module, for example `AddOrder`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Message::$name(_) => $name::NAME, )+
                }
            }

            /// The symbol that the message spells out, if its type has one.
            #[must_use]
            pub fn stock(&self) -> Option<Symbol> {
                match self {
                    $( Message::$name(view) => view.symbol(), )+
                }
            }

            /// The message as it is on the wire.
            #[inline]
            #[must_use]
            pub const fn bytes(&self) -> &'a [u8] {
                match self {
                    $( Message::$name(view) => view.bytes(), )+
                }
            }

            pub(super) fn describe(
                &self,
                line: &mut std::fmt::Formatter<'_>,
            ) -> std::fmt::Result {
                match self {
                    $( Message::$name(view) => view.describe(line), )+
                }
            }
        }
    };
}

messages! {
    /// `S`
    SystemEvent,
    /// `R`
    StockDirectory,
    /// `H`
    StockTradingAction,
    /// `Y`
    RegShoRestriction,
    /// `L`
    MarketParticipantPosition,
    /// `V`
    MwcbDeclineLevel,
    /// `W`
    MwcbStatus,
    /// `K`
    IpoQuotingPeriodUpdate,
    /// `J`
    LuldAuctionCollar,
    /// `h`
    OperationalHalt,
    /// `A`
    AddOrder,
    /// `F`
    AddOrderWithAttribution,
    /// `E`
    OrderExecuted,
    /// `C`
    OrderExecutedWithPrice,
    /// `X`
    OrderCancel,
    /// `D`
    OrderDelete,
    /// `U`
    OrderReplace,
    /// `P`
    Trade,
    /// `Q`
    CrossTrade,
    /// `B`
    BrokenTrade,
    /// `I`
    NetOrderImbalance,
    /// `N`
    RetailPriceImprovement,
    /// `O`
    DirectListingCapitalRaise,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_and_how_long() {
        assert_eq!(parse(b""), Err(ParseError::Empty));
        let unknown = parse(b"\nabc").unwrap_err();
        assert_eq!(unknown, ParseError::UnknownType { kind: b'\n' });
        assert_eq!(
            unknown.to_string(),
            "`\\n` is no ITCH 5.0 message type",
            "a hostile type cannot break the line"
        );
        let short = parse(&[b'D'; 18]).unwrap_err();
        assert_eq!(
            short.to_string(),
            "a message of type `D` has 19 bytes, this one has 18"
        );
        assert!(parse(&[b'D'; 19]).is_ok());
        assert!(parse(&[b'D'; 20]).is_err());
    }

    #[test]
    fn exactly_23_types_have_a_length() {
        let types: Vec<u8> = (0..=u8::MAX)
            .filter(|&kind| length_of(kind).is_some())
            .collect();
        assert_eq!(types, b"ABCDEFHIJKLNOPQRSUVWXYh");
    }

    #[test]
    fn the_spelled_out_symbol_is_found_wherever_it_stands() {
        let mut bytes = [b' '; 50];
        bytes[0] = b'I';
        bytes[28..32].copy_from_slice(b"AAPL");
        assert_eq!(parse(&bytes).unwrap().stock(), Symbol::new("AAPL"));
        assert_eq!(parse(&[b'D'; 19]).unwrap().stock(), None);
    }
}
