//! What a synthetic day is made to measure.

use std::str::FromStr;

/// How long the day is, how wide, and what happens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticOptions {
    /// Messages of the whole day, the directory and the system events included.
    pub messages: u64,
    /// Symbols, 1 to 65,535; their locates are `1..=symbols`.
    pub symbols: u16,
    /// The same seed and options give the same bytes.
    pub seed: u64,
    /// The mix of messages.
    pub profile: Profile,
}

/// The mix of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Like a real day: of 1,000 messages about 425 add an order, 395 delete one, 100 replace one,
    /// 38 execute one, 16 cancel a part, 10 are hidden trades and 3 execute at another price. Few
    /// breaks, few halts; 2.4 orders in 100 messages are still alive at the end.
    #[default]
    Day,
    /// For a small file that exercises everything: many executions, breaks (of young and of old
    /// ones, repeated, unknown), executions that are not printed, halts.
    Sample,
}

/// `day` or `sample`.
impl FromStr for Profile {
    type Err = SyntheticError;

    fn from_str(text: &str) -> Result<Self, SyntheticError> {
        match text {
            "day" => Ok(Self::Day),
            "sample" => Ok(Self::Sample),
            _ => Err(SyntheticError::UnknownProfile(text.to_owned())),
        }
    }
}

/// Why a synthetic day cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntheticError {
    /// A day needs at least one symbol.
    #[error("a synthetic day needs at least 1 symbol")]
    NoSymbols,
    /// Fewer messages than the directory and the system events need.
    #[error("{symbols} symbols need at least {needed} messages, not {messages}")]
    TooFewMessages {
        /// Messages asked for.
        messages: u64,
        /// Symbols asked for.
        symbols: u16,
        /// The least number of messages for them.
        needed: u64,
    },
    /// Not the name of a [`Profile`].
    #[error("`{0}` is no profile: day or sample")]
    UnknownProfile(String),
}

/// Chances in a million messages; what is left adds and deletes orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub(super) replace: u32,
    /// Incoming orders that execute resting ones; each brings 4/3 executions on average.
    pub(super) execute: u32,
    pub(super) cancel: u32,
    pub(super) hidden: u32,
    /// Executions at another price than the order's.
    pub(super) priced: u32,
    pub(super) bust: u32,
    pub(super) halt: u32,
    /// Retail interest and other notes that move nothing.
    pub(super) note: u32,
    /// Of a million executions, those that take all of the resting order.
    pub(super) whole: u32,
    /// Of a million orders, those that carry an attribution (F instead of A).
    pub(super) attributed: u32,
    /// Of a million executions at another price, those that are not printed.
    pub(super) unprinted: u32,
}

impl Profile {
    pub(super) fn rates(self) -> Rates {
        match self {
            Self::Day => Rates {
                replace: 100_000,
                execute: 28_500,
                cancel: 16_000,
                hidden: 10_000,
                priced: 2_400,
                bust: 5,
                halt: 2,
                note: 1_000,
                whole: 150_000,
                attributed: 15_000,
                unprinted: 50_000,
            },
            Self::Sample => Rates {
                replace: 60_000,
                execute: 150_000,
                cancel: 30_000,
                hidden: 60_000,
                priced: 30_000,
                bust: 4_000,
                halt: 150,
                note: 1_000,
                whole: 300_000,
                attributed: 50_000,
                unprinted: 250_000,
            },
        }
    }
}
