//! Whether a symbol can be traded, and why not.

use super::{Locate, Timestamp};

/// What may be done with a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TradingState {
    /// Orders trade (ITCH `T`).
    #[default]
    Trading,
    /// Halted on all markets (ITCH `H`).
    Halted,
    /// Paused on all markets, as by limit up, limit down (ITCH `P`).
    Paused,
    /// Quotes but no trades, before trading begins again (ITCH `Q`).
    QuotationOnly,
    /// Halted on one market for a reason of its own operation (ITCH message `h`).
    OperationalHalt,
}

impl TradingState {
    /// The ITCH byte: of the state, or of the message `h`.
    #[must_use]
    pub const fn indicator(self) -> u8 {
        match self {
            TradingState::Trading => b'T',
            TradingState::Halted => b'H',
            TradingState::Paused => b'P',
            TradingState::QuotationOnly => b'Q',
            TradingState::OperationalHalt => b'h',
        }
    }

    /// The state of an ITCH byte; `None` for one that is none.
    #[must_use]
    pub const fn from_indicator(indicator: u8) -> Option<Self> {
        match indicator {
            b'T' => Some(TradingState::Trading),
            b'H' => Some(TradingState::Halted),
            b'P' => Some(TradingState::Paused),
            b'Q' => Some(TradingState::QuotationOnly),
            b'h' => Some(TradingState::OperationalHalt),
            _ => None,
        }
    }
}

/// What a symbol's trading state has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingStatus {
    /// Symbol.
    pub locate: Locate,
    /// The state.
    pub state: TradingState,
    /// The exchange's code of the reason, such as `T1` or `LUDP`, padded with spaces; of an operational
    /// halt, the market's code.
    pub reason: [u8; 4],
    /// Feed time.
    pub time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_indicator_stands_for_one_state() {
        let known = (0..=u8::MAX).filter_map(|byte| {
            TradingState::from_indicator(byte).map(|state| (byte, state.indicator()))
        });
        let known: Vec<_> = known.collect();
        assert_eq!(known.len(), 5);
        assert!(known.iter().all(|(byte, indicator)| byte == indicator));
    }
}
