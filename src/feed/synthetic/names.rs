//! Made-up symbols.

use crate::market::Symbol;

/// The name of the symbol with this number: A, B, .. Z, AA, AB, .. ZZ, AAA and so on.
pub(super) fn symbol_name(number: u16) -> Symbol {
    let mut bytes = [b' '; 8];
    let mut rest = u32::from(number) + 1;
    let mut letters = 0;
    let mut reversed = [0_u8; 4];
    while rest > 0 {
        rest -= 1;
        reversed[letters] = b'A' + (rest % 26) as u8;
        rest /= 26;
        letters += 1;
    }
    for (byte, &letter) in bytes.iter_mut().zip(reversed[..letters].iter().rev()) {
        *byte = letter;
    }
    Symbol(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_four_letters_all_different() {
        assert_eq!(symbol_name(0).name(), "A");
        assert_eq!(symbol_name(25).name(), "Z");
        assert_eq!(symbol_name(26).name(), "AA");
        assert_eq!(symbol_name(701).name(), "ZZ");
        assert_eq!(symbol_name(702).name(), "AAA");
        assert_eq!(symbol_name(u16::MAX).name().len(), 4);
        let all: std::collections::HashSet<Symbol> = (0..=u16::MAX).map(symbol_name).collect();
        assert_eq!(all.len(), 65_536);
    }
}
