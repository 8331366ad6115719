//! Share counts and the one place where a wider count is narrowed.

use std::fmt;

/// Shares of one order or one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Shares(pub u32);

/// A share count that does not fit 32 bits (only ITCH `Q` carries more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} shares exceed the limit of 4294967295 shares in one execution")]
pub struct SharesOverflow(pub u64);

impl TryFrom<u64> for Shares {
    type Error = SharesOverflow;

    fn try_from(wide: u64) -> Result<Self, SharesOverflow> {
        u32::try_from(wide)
            .map(Shares)
            .map_err(|_| SharesOverflow(wide))
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_never_wraps() {
        assert_eq!(Shares::try_from(4_294_967_295_u64), Ok(Shares(u32::MAX)));
        assert_eq!(
            Shares::try_from(4_294_967_296_u64),
            Err(SharesOverflow(4_294_967_296))
        );
    }
}
