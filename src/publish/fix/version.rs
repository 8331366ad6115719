//! What the versions of FIX differ in, where sessions are served.

pub use crate::wire::fix::Version;

impl Version {
    /// Highest tag that the specification defines.
    pub(super) const fn last_tag(self) -> u32 {
        match self {
            Self::Fix42 => 446,
            Self::Fix44 => 956,
            Self::Fix50Sp2 => super::dictionary::LAST_TAG,
        }
    }

    /// Highest SessionRejectReason, 99 (other) aside.
    pub(super) const fn last_reason(self) -> u8 {
        match self {
            Self::Fix42 => 11,
            Self::Fix44 | Self::Fix50Sp2 => 18,
        }
    }
}
