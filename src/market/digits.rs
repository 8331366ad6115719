//! Decimal digits, side by side in a register: dividing by ten again and again waits for each quotient.

/// The eight decimal digits of `number`, below 10^8, as the numbers 0 to 9, the first in the lowest
/// byte.
///
/// Halves, then pairs, then digits are split in all lanes at once: of a lane x the lane above gets
/// x mod d, and the lane itself keeps x / d, a multiplication by a rounded-up reciprocal that is
/// exact for the lane's range.
#[inline]
pub(crate) fn eight_digits(number: u32) -> u64 {
    let number = u64::from(number);
    let halves = number / 10_000 + ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds + ((halves - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens + ((pairs - tens * 10) << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_every_number() {
        for number in 0..10_000 {
            let expected = format!("{number:04}{:04}", 9_999 - number);
            let digits = eight_digits(number * 10_000 + 9_999 - number);
            let text = digits.to_le_bytes().map(|digit| b'0' + digit);
            assert_eq!(text, expected.as_bytes());
        }
    }
}
