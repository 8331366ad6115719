//! The versions of FIX that are spoken, and what differs between them.

use serde::Deserialize;

/// A version of FIX: that of the session, and with FIXT.1.1 that of the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum Version {
    /// FIX.4.2.
    #[serde(rename = "FIX.4.2")]
    Fix42,
    /// FIX.4.4.
    #[default]
    #[serde(rename = "FIX.4.4")]
    Fix44,
    /// FIXT.1.1 with FIX.5.0SP2.
    #[serde(rename = "FIX.5.0SP2")]
    Fix50Sp2,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fix42, Self::Fix44, Self::Fix50Sp2];

    /// The version whose messages begin with `begin_string`.
    #[must_use]
    pub fn of(begin_string: &[u8]) -> Option<Self> {
        let speaks = |version: &Self| version.begin_string() == begin_string;
        Self::ALL.into_iter().find(speaks)
    }

    /// BeginString.
    #[must_use]
    pub const fn begin_string(self) -> &'static [u8] {
        match self {
            Self::Fix42 => b"FIX.4.2",
            Self::Fix44 => b"FIX.4.4",
            Self::Fix50Sp2 => b"FIXT.1.1",
        }
    }

    /// DefaultApplVerID of a Logon; none before FIXT.
    #[must_use]
    pub const fn application(self) -> Option<&'static [u8]> {
        match self {
            Self::Fix42 | Self::Fix44 => None,
            Self::Fix50Sp2 => Some(b"9"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_by_begin_string() {
        for version in Version::ALL {
            assert_eq!(Version::of(version.begin_string()), Some(version));
        }
        for other in [&b"FIX.4.3"[..], b"FIX.5.0", b"FIXT.1.", b""] {
            assert_eq!(Version::of(other), None);
        }
    }
}
