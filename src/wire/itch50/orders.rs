//! Displayed orders and what becomes of them: A F E C X D U (specification sections 1.3 and 1.4).

use crate::market::{Price, Side, Symbol};

use super::layout::message;

message! {
    /// A new displayed order, without attribution.
    b'A' 36 AddOrder AddOrderFields {
        /// Day-unique number of the order.
        11 => reference: u64,
        /// `B` to buy, `S` to sell.
        19 => buy_sell_indicator: u8,
        /// Shares added to the book.
        20 => shares: u32,
        /// Symbol.
        24 => stock: Symbol,
        /// Displayed price.
        32 => price: Price,
    }
}

message! {
    /// A new displayed order with the participant who entered it.
    b'F' 40 AddOrderWithAttribution AddOrderWithAttributionFields {
        /// Day-unique number of the order.
        11 => reference: u64,
        /// `B` to buy, `S` to sell.
        19 => buy_sell_indicator: u8,
        /// Shares added to the book.
        20 => shares: u32,
        /// Symbol.
        24 => stock: Symbol,
        /// Displayed price.
        32 => price: Price,
        /// Market participant identifier.
        36 => attribution: [u8; 4],
    }
}

message! {
    /// A resting order was executed, in whole or in part, at its own price.
    b'E' 31 OrderExecuted OrderExecutedFields {
        /// The resting order.
        11 => reference: u64,
        /// Shares executed.
        19 => executed_shares: u32,
        /// Day-unique number of the match, by which a break refers to it.
        23 => match_number: u64,
    }
}

message! {
    /// A resting order was executed, in whole or in part, at another price than its own.
    b'C' 36 OrderExecutedWithPrice OrderExecutedWithPriceFields {
        /// The resting order.
        11 => reference: u64,
        /// Shares executed.
        19 => executed_shares: u32,
        /// Day-unique number of the match, by which a break refers to it.
        23 => match_number: u64,
        /// `Y` if the execution counts in volumes and prints, `N` if a later message prints it.
        31 => printable: u8,
        /// Price of the execution.
        32 => execution_price: Price,
    }
}

message! {
    /// Shares were taken off a resting order, which stays.
    b'X' 23 OrderCancel OrderCancelFields {
        /// The resting order.
        11 => reference: u64,
        /// Shares removed.
        19 => cancelled_shares: u32,
    }
}

message! {
    /// A resting order left the book.
    b'D' 19 OrderDelete OrderDeleteFields {
        /// The resting order.
        11 => reference: u64,
    }
}

message! {
    /// A resting order was replaced by one of the same side, symbol and attribution.
    b'U' 35 OrderReplace OrderReplaceFields {
        /// The order that leaves the book.
        11 => original_reference: u64,
        /// The order that takes its place.
        19 => new_reference: u64,
        /// Displayed shares of the new order.
        27 => shares: u32,
        /// Displayed price of the new order.
        31 => price: Price,
    }
}

impl AddOrder<'_> {
    /// Side of the order; `None` for an indicator that is neither `B` nor `S`.
    #[inline]
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        Side::from_indicator(self.buy_sell_indicator())
    }
}

impl AddOrderWithAttribution<'_> {
    /// Side of the order; `None` for an indicator that is neither `B` nor `S`.
    #[inline]
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        Side::from_indicator(self.buy_sell_indicator())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Locate, Timestamp};
    use crate::wire::itch50::{Header, Message, parse};

    /// Locate 13, tracking 2, 09:30:00.000000001.
    const HEADER: Header = Header {
        locate: Locate(13),
        tracking_number: 2,
        timestamp: Timestamp(34_200_000_000_001),
    };

    fn written(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(b"\x00\x0d\x00\x02\x1f\x1a\xce\xd9\xf0\x01");
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn add_order_with_attribution_byte_by_byte() {
        let bytes = written(
            b'F',
            b"\x00\x00\x00\x01\x00\x00\x00\x05S\x00\x00\x01\x2cAAPL    \x00\x59\x50\x84NSDQ",
        );
        let Ok(Message::AddOrderWithAttribution(order)) = parse(&bytes) else {
            panic!("{:?}", parse(&bytes));
        };
        assert_eq!(order.header(), HEADER);
        assert_eq!(order.reference(), 4_294_967_301);
        assert_eq!(order.buy_sell_indicator(), b'S');
        assert_eq!(order.side(), Some(Side::Sell));
        assert_eq!(order.shares(), 300);
        assert_eq!(order.stock(), Symbol::new("AAPL").unwrap());
        assert_eq!(order.price(), Price(5_853_316));
        assert_eq!(&order.attribution(), b"NSDQ");
        let mut out = Vec::new();
        order.fields().emit(&HEADER, &mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn execution_with_price_byte_by_byte() {
        let bytes = written(
            b'C',
            b"\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x64\x00\x00\x00\x00\x00\x00\x01\x00N\x00\x00\x27\x10",
        );
        let Ok(Message::OrderExecutedWithPrice(execution)) = parse(&bytes) else {
            panic!("{:?}", parse(&bytes));
        };
        let expected = OrderExecutedWithPriceFields {
            reference: 0x0102_0304_0506_0708,
            executed_shares: 100,
            match_number: 256,
            printable: b'N',
            execution_price: Price(10_000),
        };
        assert_eq!(execution.fields(), expected);
        let mut out = Vec::new();
        expected.emit(&HEADER, &mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn replace_byte_by_byte() {
        let bytes = written(
            b'U',
            b"\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x08\xff\xff\xff\xff\x80\x00\x00\x00",
        );
        let expected = OrderReplaceFields {
            original_reference: 7,
            new_reference: 8,
            shares: u32::MAX,
            price: Price(0x8000_0000),
        };
        let mut out = Vec::new();
        expected.emit(&HEADER, &mut out);
        assert_eq!(out, bytes);
        let Ok(Message::OrderReplace(replace)) = parse(&bytes) else {
            panic!("{:?}", parse(&bytes));
        };
        assert_eq!(replace.fields(), expected);
    }

    #[test]
    fn a_side_is_b_or_s_and_nothing_else() {
        for (indicator, side) in [
            (b'B', Some(Side::Buy)),
            (b'S', Some(Side::Sell)),
            (b'b', None),
            (0, None),
        ] {
            let mut bytes = [0; AddOrder::LENGTH];
            bytes[19] = indicator;
            assert_eq!(AddOrder::over(&bytes).side(), side);
        }
    }
}
