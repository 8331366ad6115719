//! Which executions count, as data: one bit a policy, evaluated once at ingest.

use std::fmt;
use std::str::FromStr;

/// How an execution was reported (ITCH 5.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionKind {
    /// `E`: a displayed order executed at its own price.
    Executed,
    /// `C`, printable: a displayed order executed at another price.
    ExecutedWithPrice,
    /// `P`: a non-displayed order executed.
    NonDisplayed,
    /// `Q`: an auction.
    Cross,
}

/// A rule that says which executions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    /// `itch.all`: E, printable C, P and Q.
    #[default]
    All,
    /// `itch.continuous`: without Q.
    Continuous,
    /// `itch.auction`: Q alone.
    Auction,
    /// `itch.displayed`: E and printable C alone.
    Displayed,
}

impl Policy {
    /// Every policy.
    pub const EACH: [Policy; 4] = [
        Policy::All,
        Policy::Continuous,
        Policy::Auction,
        Policy::Displayed,
    ];

    /// The bit that stands for the policy in the trade columns.
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The bits of all policies under which an execution of `kind` counts.
    #[must_use]
    pub const fn bits_of(kind: ExecutionKind) -> u8 {
        let (all, continuous, auction, displayed) = (
            Policy::All.bit(),
            Policy::Continuous.bit(),
            Policy::Auction.bit(),
            Policy::Displayed.bit(),
        );
        match kind {
            ExecutionKind::Executed | ExecutionKind::ExecutedWithPrice => {
                all | continuous | displayed
            }
            ExecutionKind::NonDisplayed => all | continuous,
            ExecutionKind::Cross => all | auction,
        }
    }

    /// The name that people type and that rows carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Policy::All => "itch.all",
            Policy::Continuous => "itch.continuous",
            Policy::Auction => "itch.auction",
            Policy::Displayed => "itch.displayed",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Policy::EACH
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or_else(|| {
                let names = Policy::EACH.map(Policy::name).join(", ");
                format!("`{text}` is no policy; there are {names}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_policies() {
        let counts = |kind, policy: Policy| Policy::bits_of(kind) & policy.bit() != 0;
        use ExecutionKind::{Cross, Executed, ExecutedWithPrice, NonDisplayed};
        for kind in [Executed, ExecutedWithPrice, NonDisplayed, Cross] {
            assert!(counts(kind, Policy::All));
            assert_eq!(counts(kind, Policy::Continuous), kind != Cross);
            assert_eq!(counts(kind, Policy::Auction), kind == Cross);
            let displayed = matches!(kind, Executed | ExecutedWithPrice);
            assert_eq!(counts(kind, Policy::Displayed), displayed);
        }
        for policy in Policy::EACH {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        assert!("itch".parse::<Policy>().is_err());
    }
}
