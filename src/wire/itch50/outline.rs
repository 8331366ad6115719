//! Messages about one order, read without a branch on their type: no processor foresees the types of
//! a feed, and half of all messages would pay for a wrong guess.

use super::{AddOrder, AddOrderWithAttribution, OrderCancel, OrderDelete};
use super::{OrderExecuted, OrderExecutedWithPrice, OrderReplace};
use crate::market::{Locate, Price, Timestamp};

/// Bytes from the beginning of a message in which an outline looks.
pub const OUTLINE: usize = AddOrder::LENGTH;

/// What a message of a type says of an order.
#[derive(Clone, Copy)]
struct Kind {
    /// All ones if the order joins or the message is about none, 0 if it rests.
    joins: u64,
    /// Bytes of a message whose outline is all that it says, [`MORE`] if it says more.
    length: u64,
}

/// No message is so long.
const MORE: usize = usize::MAX;

const KINDS: [Kind; 256] = {
    const fn kind(joins: u64, length: usize) -> Kind {
        Kind {
            joins,
            length: length as u64,
        }
    }
    let mut kinds = [kind(u64::MAX, MORE); 256];
    kinds[AddOrder::KIND as usize] = kind(u64::MAX, AddOrder::LENGTH);
    kinds[AddOrderWithAttribution::KIND as usize] = kind(u64::MAX, AddOrderWithAttribution::LENGTH);
    kinds[OrderDelete::KIND as usize] = kind(0, OrderDelete::LENGTH);
    kinds[OrderReplace::KIND as usize] = kind(0, MORE);
    kinds[OrderExecuted::KIND as usize] = kind(0, MORE);
    kinds[OrderExecutedWithPrice::KIND as usize] = kind(0, MORE);
    kinds[OrderCancel::KIND as usize] = kind(0, MORE);
    kinds
};

/// What a message says of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// 0 if this is all that the message says: it is A, F or D, and as long as that must be.
    pub more: u64,
    /// As a mask: all ones if the order joins the book or there is none, 0 if it rests there.
    pub joins: u64,
    /// Symbol as the feed numbers it.
    pub locate: Locate,
    /// Nanoseconds since midnight.
    pub timestamp: Timestamp,
    /// The order's reference.
    pub reference: u64,
    /// Indicator of the side of an order that joins.
    pub indicator: u8,
    /// Shares of an order that joins.
    pub shares: u32,
    /// Price of an order that joins.
    pub price: Price,
}

/// Reads what the message of `length` bytes at the beginning of `bytes` says of an order. What the
/// outline does not say the message has, is whatever the bytes are.
#[must_use]
#[inline(always)]
pub fn outline(bytes: &[u8; OUTLINE], length: usize) -> Outline {
    let kind = KINDS[usize::from(bytes[0])];
    let add = AddOrder::over(bytes);
    let header = add.header();
    Outline {
        more: kind.length ^ length as u64,
        joins: kind.joins,
        locate: header.locate,
        timestamp: header.timestamp,
        reference: add.reference(),
        indicator: add.buy_sell_indicator(),
        shares: add.shares(),
        price: add.price(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Symbol;
    use crate::wire::itch50::{AddOrderFields, Header, OrderDeleteFields};

    const HEADER: Header = Header {
        locate: Locate(13),
        tracking_number: u16::MAX,
        timestamp: Timestamp((1 << 48) - 2),
    };

    fn outline_of(message: &[u8]) -> Outline {
        let mut bytes = [0x55; OUTLINE];
        let told = message.len().min(OUTLINE);
        bytes[..told].copy_from_slice(&message[..told]);
        outline(&bytes, message.len())
    }

    #[test]
    fn an_add_is_all_outline() {
        let add = AddOrderFields {
            reference: 0x0102_0304_0506_0708,
            buy_sell_indicator: b'S',
            shares: 0x0a0b_0c0d,
            stock: Symbol(*b"AAPL    "),
            price: Price(0x1020_3040),
        };
        let mut message = Vec::new();
        add.emit(&HEADER, &mut message);
        let told = Outline {
            more: 0,
            joins: u64::MAX,
            locate: HEADER.locate,
            timestamp: HEADER.timestamp,
            reference: add.reference,
            indicator: b'S',
            shares: add.shares,
            price: add.price,
        };
        assert_eq!(outline_of(&message), told);
        message[0] = b'F';
        assert_ne!(outline_of(&message).more, 0, "too short for an F");
        message.extend_from_slice(b"NSDQ");
        assert_eq!(outline_of(&message), told);
    }

    #[test]
    fn a_delete_is_all_outline_and_the_rest_only_rest() {
        let mut message = Vec::new();
        OrderDeleteFields { reference: 77 }.emit(&HEADER, &mut message);
        let told = outline_of(&message);
        assert_eq!((told.more, told.joins, told.reference), (0, 0, 77));
        for length in 1..=64 {
            for kind in 0..=u8::MAX {
                let mut message = vec![0; length];
                message[0] = kind;
                let told = outline_of(&message);
                let all = matches!((kind, length), (b'A', 36) | (b'F', 40) | (b'D', 19));
                assert_eq!(told.more == 0, all, "{kind} {length}");
                assert_eq!(told.joins == 0, b"DEXCU".contains(&kind), "{kind}");
            }
        }
        for kind in 0..=u8::MAX {
            let told = outline(&[kind; OUTLINE], 0);
            assert_ne!(told.more, 0, "no message at all");
        }
    }
}
