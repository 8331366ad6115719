//! Before and around a cross, and interest beside the book: K J I N O (specification sections 1.2,
//! 1.6 to 1.8).

use crate::market::{Price, Symbol, Timestamp};

use super::layout::message;

message! {
    /// When quotation of an initial offering begins, and at what price.
    b'K' 28 IpoQuotingPeriodUpdate IpoQuotingPeriodUpdateFields {
        /// Symbol.
        11 => stock: Symbol,
        /// Expected release, in whole seconds since midnight.
        19 => ipo_quotation_release_time: u32,
        /// `A` anticipated, `C` cancelled or postponed.
        23 => ipo_quotation_release_qualifier: u8,
        /// Price of the offering.
        24 => ipo_price: Price,
    }
}

message! {
    /// The bounds within which an auction after a trading pause may price.
    b'J' 35 LuldAuctionCollar LuldAuctionCollarFields {
        /// Symbol.
        11 => stock: Symbol,
        /// Price from which the bounds are derived.
        19 => auction_collar_reference_price: Price,
        /// Upper bound.
        23 => upper_auction_collar_price: Price,
        /// Lower bound.
        27 => lower_auction_collar_price: Price,
        /// How often the pause has been extended.
        31 => auction_collar_extension: u32,
    }
}

message! {
    /// The state of a cross that is coming.
    b'I' 50 NetOrderImbalance NetOrderImbalanceFields {
        /// Shares that can be matched at the current reference price.
        11 => paired_shares: u64,
        /// Shares that cannot.
        19 => imbalance_shares: u64,
        /// `B` to buy, `S` to sell, `N` none, `O` too few orders, `P` paused.
        27 => imbalance_direction: u8,
        /// Symbol.
        28 => stock: Symbol,
        /// Price of the cross if only cross orders took part.
        36 => far_price: Price,
        /// Price of the cross if continuous orders took part too.
        40 => near_price: Price,
        /// Price at which the shares above are counted.
        44 => current_reference_price: Price,
        /// `O` opening, `C` closing, `H` halted or paused, `A` extended trading close.
        48 => cross_type: u8,
        /// How far the near price is from the nearest bid or offer, as a letter or digit.
        49 => price_variation_indicator: u8,
    }
}

message! {
    /// Whether retail interest is there (Retail Price Improvement).
    b'N' 20 RetailPriceImprovement RetailPriceImprovementFields {
        /// Symbol.
        11 => stock: Symbol,
        /// `B` on the bid, `S` on the offer, `A` on both, `N` on neither.
        19 => interest_flag: u8,
    }
}

message! {
    /// A direct listing with a capital raise, and what its opening would give.
    b'O' 48 DirectListingCapitalRaise DirectListingCapitalRaiseFields {
        /// Symbol.
        11 => stock: Symbol,
        /// `Y` if the symbol may be released for trading, `N` if not.
        19 => open_eligibility_status: u8,
        /// Lowest price at which it may open, 20 % below the registered range.
        20 => minimum_allowable_price: Price,
        /// Highest price at which it may open, 80 % above the registered range.
        24 => maximum_allowable_price: Price,
        /// Reference price when the near execution time was set.
        28 => near_execution_price: Price,
        /// When the near execution price was set, nanoseconds since midnight.
        32 => near_execution_time: u64 as Timestamp,
        /// Lower bound of the auction around the near execution price.
        40 => lower_price_range_collar: Price,
        /// Upper bound of the auction around the near execution price.
        44 => upper_price_range_collar: Price,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::itch50::{Message, parse};

    #[test]
    fn an_imbalance_byte_by_byte() {
        let bytes = b"I\x00\x0e\x00\x00\x00\x00\x00\x00\x00\x00\
            \x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00BAAPL    \
            \x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03OL";
        let Ok(Message::NetOrderImbalance(imbalance)) = parse(bytes) else {
            panic!("{:?}", parse(bytes));
        };
        let expected = NetOrderImbalanceFields {
            paired_shares: 256,
            imbalance_shares: 512,
            imbalance_direction: b'B',
            stock: Symbol::new("AAPL").unwrap(),
            far_price: Price(1),
            near_price: Price(2),
            current_reference_price: Price(3),
            cross_type: b'O',
            price_variation_indicator: b'L',
        };
        assert_eq!(imbalance.fields(), expected);
        let mut out = Vec::new();
        expected.emit(&imbalance.header(), &mut out);
        assert_eq!(out, bytes);
    }
}
