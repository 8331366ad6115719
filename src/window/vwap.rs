//! The one division: VWAP in micro-USD, rounded half to even on the exact rational.

use crate::market::Notional;

/// Micro-USD in one tick of 1e-4 USD.
const MICROS_PER_TICK: u128 = 100;

/// `100 * notional / volume` in micro-USD, rounded half to even; `None` without volume, and
/// where the average exceeds 64 bits, which no prices of 32 bits reach.
///
/// The notional is below 2^96, so the product stays below 2^103.
#[must_use]
pub fn vwap_micros(notional: Notional, volume: u64) -> Option<u64> {
    if volume == 0 {
        return None;
    }
    let volume = u128::from(volume);
    let scaled = notional.get() * MICROS_PER_TICK;
    let (floor, rest) = match (u64::try_from(scaled), u64::try_from(volume)) {
        (Ok(scaled), Ok(volume)) => (u128::from(scaled / volume), u128::from(scaled % volume)),
        _ => (scaled / volume, scaled % volume),
    };
    let up = match (2 * rest).cmp(&volume) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => floor % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    u64::try_from(floor + u128::from(up)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vwap_micros(notional: u128, volume: u64) -> Option<u64> {
        super::vwap_micros(Notional::new(notional), volume)
    }

    #[test]
    fn ties_go_to_even() {
        assert_eq!(vwap_micros(1, 200), Some(0), "0.5 rounds to 0");
        assert_eq!(vwap_micros(3, 200), Some(2), "1.5 rounds to 2");
        assert_eq!(vwap_micros(5, 200), Some(2), "2.5 rounds to 2");
        assert_eq!(vwap_micros(5, 199), Some(3), "above a half rounds up");
        assert_eq!(vwap_micros(5, 201), Some(2), "below a half rounds down");
    }

    #[test]
    fn known_answers_and_limits() {
        assert_eq!(vwap_micros(261_867_156_100, 81_556), Some(321_088_769));
        assert_eq!(vwap_micros(1, 0), None);
        let most = u128::from(u32::MAX) * u128::from(u32::MAX) * u128::from(u32::MAX);
        let volume = u64::from(u32::MAX) * u64::from(u32::MAX);
        assert_eq!(vwap_micros(most, volume), Some(u64::from(u32::MAX) * 100));
    }
}
