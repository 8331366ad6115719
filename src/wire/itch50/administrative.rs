//! The day, its symbols and their state: S R H Y L V W h (specification sections 1.1 and 1.2).

use crate::market::Symbol;

use super::describe::Price8;
use super::layout::message;

message! {
    /// A milestone of the day.
    b'S' 12 SystemEvent SystemEventFields {
        /// `O` start of messages, `S` start of system hours, `Q` start of market hours, `M` end of
        /// market hours, `E` end of system hours, `C` end of messages.
        11 => event_code: u8,
    }
}

message! {
    /// A symbol and the stock locate that stands for it today.
    b'R' 39 StockDirectory StockDirectoryFields {
        /// Symbol.
        11 => stock: Symbol,
        /// Listing market or tier, such as `Q` for Nasdaq Global Select and `N` for NYSE.
        19 => market_category: u8,
        /// `N` normal, `D` deficient, `E` delinquent, `Q` bankrupt, and combinations.
        20 => financial_status_indicator: u8,
        /// Shares in a round lot.
        21 => round_lot_size: u32,
        /// `Y` if only round lots are accepted.
        25 => round_lots_only: u8,
        /// Class of security, such as `C` for common stock and `Q` for a fund's shares.
        26 => issue_classification: u8,
        /// Finer class of security.
        27 => issue_subtype: [u8; 2],
        /// `P` live, `T` test.
        29 => authenticity: u8,
        /// `Y` if listed as a threshold security, `N` if not, blank if unknown.
        30 => short_sale_threshold_indicator: u8,
        /// `Y` on the first day after an initial offering, `N` if not, blank if unknown.
        31 => ipo_flag: u8,
        /// Limit up, limit down tier: `1`, `2`, or blank.
        32 => luld_reference_price_tier: u8,
        /// `Y` for an exchange-traded product, `N` if not, blank if unknown.
        33 => etp_flag: u8,
        /// Leverage of an exchange-traded product as a whole factor.
        34 => etp_leverage_factor: u32,
        /// `Y` for an inverse exchange-traded product, `N` if not.
        38 => inverse_indicator: u8,
    }
}

message! {
    /// A symbol's trading state changed, or is told before the start.
    b'H' 25 StockTradingAction StockTradingActionFields {
        /// Symbol.
        11 => stock: Symbol,
        /// `H` halted, `P` paused, `Q` quotation only, `T` trading.
        19 => trading_state: u8,
        /// Reserved.
        20 => reserved: u8,
        /// Reason of the state, four characters.
        21 => reason: [u8; 4],
    }
}

message! {
    /// A symbol's short sale price test restriction (Regulation SHO).
    b'Y' 20 RegShoRestriction RegShoRestrictionFields {
        /// Symbol.
        11 => stock: Symbol,
        /// `0` no restriction, `1` in effect since a drop today, `2` remains in effect.
        19 => reg_sho_action: u8,
    }
}

message! {
    /// A market participant's standing in a symbol.
    b'L' 26 MarketParticipantPosition MarketParticipantPositionFields {
        /// Market participant identifier.
        11 => mpid: [u8; 4],
        /// Symbol.
        15 => stock: Symbol,
        /// `Y` for a primary market maker, `N` if not.
        23 => primary_market_maker: u8,
        /// `N` normal, `P` passive, `S` syndicate, `R` pre-syndicate, `L` penalty.
        24 => market_maker_mode: u8,
        /// `A` active, `E` excused, `W` withdrawn, `S` suspended, `D` deleted.
        25 => market_participant_state: u8,
    }
}

message! {
    /// The day's points of the market-wide circuit breaker.
    b'V' 35 MwcbDeclineLevel MwcbDeclineLevelFields {
        /// Level 1 in index points of 1e-8 (`Price(8)`).
        11 => level_1: u64 as Price8,
        /// Level 2 in index points of 1e-8 (`Price(8)`).
        19 => level_2: u64 as Price8,
        /// Level 3 in index points of 1e-8 (`Price(8)`).
        27 => level_3: u64 as Price8,
    }
}

message! {
    /// A level of the market-wide circuit breaker was breached.
    b'W' 12 MwcbStatus MwcbStatusFields {
        /// `1`, `2` or `3`.
        11 => breached_level: u8,
    }
}

message! {
    /// One market halted or resumed a symbol for a reason of its own operation.
    b'h' 21 OperationalHalt OperationalHaltFields {
        /// Symbol.
        11 => stock: Symbol,
        /// `Q` Nasdaq, `B` BX, `X` PSX.
        19 => market_code: u8,
        /// `H` halted, `T` resumed.
        20 => operational_halt_action: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::itch50::{Message, parse};

    #[test]
    fn a_directory_entry_byte_by_byte() {
        let bytes = b"R\x00\x0e\x00\x00\x0a\x31\x22\x37\x1d\xbcTQQQ    \
            GN\x00\x00\x00\x64NQI PN 1Y\x00\x00\x00\x03N";
        let Ok(Message::StockDirectory(entry)) = parse(bytes) else {
            panic!("{:?}", parse(bytes));
        };
        let expected = StockDirectoryFields {
            stock: Symbol::new("TQQQ").unwrap(),
            market_category: b'G',
            financial_status_indicator: b'N',
            round_lot_size: 100,
            round_lots_only: b'N',
            issue_classification: b'Q',
            issue_subtype: *b"I ",
            authenticity: b'P',
            short_sale_threshold_indicator: b'N',
            ipo_flag: b' ',
            luld_reference_price_tier: b'1',
            etp_flag: b'Y',
            etp_leverage_factor: 3,
            inverse_indicator: b'N',
        };
        assert_eq!(entry.fields(), expected);
        assert_eq!(entry.header().locate.0, 14);
        let mut out = Vec::new();
        expected.emit(&entry.header(), &mut out);
        assert_eq!(out, bytes);
    }
}
