//! Symbols and the stock locate that stands for them within a day.

use std::fmt;

/// The exchange's dense number for a symbol, valid for one day (ITCH stock locate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Locate(pub u16);

impl Locate {
    /// As an index into tables that are dense by locate.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A symbol of up to eight ASCII characters, right-padded with blanks, as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Symbol(pub [u8; 8]);

impl Symbol {
    /// What stands in place of a symbol in rows about all of them: `*`.
    pub const ALL: Self = Self(*b"*       ");

    /// The symbol of `name`; `None` when it is empty, longer than eight bytes or not printable ASCII.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        if name.is_empty() || name.len() > 8 || !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut bytes = [b' '; 8];
        bytes[..name.len()].copy_from_slice(name);
        Some(Self(bytes))
    }

    /// The label of a locate that no message has named yet: `#` and the number.
    #[must_use]
    pub fn unnamed(locate: Locate) -> Self {
        let mut bytes = [b' '; 8];
        bytes[0] = b'#';
        let digits = locate
            .0
            .checked_ilog10()
            .map_or(1, |tens| tens as usize + 1);
        let mut rest = locate.0;
        for digit in bytes[1..=digits].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self(bytes)
    }

    /// The symbol as it is printed: every byte before the padding that is no printable ASCII is `?`.
    #[must_use]
    pub fn printable(self) -> Self {
        let mut bytes = self.0;
        let padding = bytes
            .iter()
            .rposition(|&b| b != b' ')
            .map_or(0, |last| last + 1);
        for byte in bytes[..padding]
            .iter_mut()
            .filter(|byte| !byte.is_ascii_graphic())
        {
            *byte = b'?';
        }
        Self(bytes)
    }

    /// The name without its padding. Bytes that are not printable ASCII show as `?`.
    #[must_use]
    pub fn name(&self) -> String {
        let length = self
            .0
            .iter()
            .rposition(|&b| b != b' ')
            .map_or(0, |last| last + 1);
        self.0[..length]
            .iter()
            .map(|&b| {
                if b.is_ascii_graphic() {
                    char::from(b)
                } else {
                    '?'
                }
            })
            .collect()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_padded_and_trimmed() {
        let symbol = Symbol::new("BRK.B").unwrap();
        assert_eq!(&symbol.0, b"BRK.B   ");
        assert_eq!(symbol.name(), "BRK.B");
        assert_eq!(Symbol::new("TOOLONGNAME"), None);
        assert_eq!(Symbol::new(""), None);
        for locate in 0..=u16::MAX {
            let label = format!("#{locate}");
            assert_eq!(Some(Symbol::unnamed(Locate(locate))), Symbol::new(&label));
        }
        assert_eq!(Symbol(*b"A\nB     ").name(), "A?B");
        assert_eq!(Symbol(*b"A B     ").printable(), Symbol(*b"A?B     "));
    }
}
