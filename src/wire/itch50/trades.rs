//! Executions that no displayed order tells of, and their undoing: P Q B (specification section 1.5).

use crate::market::{Price, Side, Symbol};

use super::layout::message;

message! {
    /// An execution against a non-displayed order.
    b'P' 44 Trade TradeFields {
        /// Number of the non-displayed order; 0 since 2010.
        11 => reference: u64,
        /// Side of the non-displayed order; always `B` since 2014, so it does not tell the aggressor.
        19 => buy_sell_indicator: u8,
        /// Shares executed.
        20 => shares: u32,
        /// Symbol.
        24 => stock: Symbol,
        /// Price of the execution.
        32 => price: Price,
        /// Day-unique number of the match, by which a break refers to it.
        36 => match_number: u64,
    }
}

message! {
    /// The one print of a cross: opening, closing, halt or IPO.
    b'Q' 40 CrossTrade CrossTradeFields {
        /// Shares matched in the cross; 0 where nothing crossed.
        11 => shares: u64,
        /// Symbol.
        19 => stock: Symbol,
        /// Price at which the cross took place.
        27 => cross_price: Price,
        /// Day-unique number of the match, by which a break refers to it.
        31 => match_number: u64,
        /// `O` opening, `C` closing, `H` halted or paused, `I` intraday.
        39 => cross_type: u8,
    }
}

message! {
    /// An execution was broken and takes no part in the day's figures.
    b'B' 19 BrokenTrade BrokenTradeFields {
        /// The match that was broken.
        11 => match_number: u64,
    }
}

impl Trade<'_> {
    /// Side of the non-displayed order; `None` for an indicator that is neither `B` nor `S`.
    #[inline]
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        Side::from_indicator(self.buy_sell_indicator())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::itch50::{Message, parse};

    #[test]
    fn a_cross_carries_64_bit_shares() {
        let bytes = b"Q\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\
            \x00\x00\x00\x01\x00\x00\x00\x02MSFT    \x00\x0f\x42\x40\
            \x00\x00\x00\x00\x00\x00\x30\x39C";
        let Ok(Message::CrossTrade(cross)) = parse(bytes) else {
            panic!("{:?}", parse(bytes));
        };
        let expected = CrossTradeFields {
            shares: (1 << 32) + 2,
            stock: Symbol::new("MSFT").unwrap(),
            cross_price: Price(1_000_000),
            match_number: 12_345,
            cross_type: b'C',
        };
        assert_eq!(cross.fields(), expected);
        let mut out = Vec::new();
        expected.emit(&cross.header(), &mut out);
        assert_eq!(out, bytes);
    }

    #[test]
    fn a_trade_byte_by_byte() {
        let bytes = b"P\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\
            \x00\x00\x00\x00\x00\x00\x00\x00B\x00\x00\x00\x05MSFT    \x00\x00\x00\x01\
            \x01\x00\x00\x00\x00\x00\x00\x00";
        let Ok(Message::Trade(trade)) = parse(bytes) else {
            panic!("{:?}", parse(bytes));
        };
        assert_eq!(trade.side(), Some(Side::Buy));
        assert_eq!((trade.shares(), trade.price()), (5, Price(1)));
        assert_eq!(trade.match_number(), 1 << 56);
    }
}
