//! How the lines of the live view look.

use crate::market::Price;

/// Columns that everything but the vwaps takes.
pub(super) const FIXED_COLUMNS: usize = 58;
/// Columns that each vwap takes, with the blank ahead of it.
pub(super) const VWAP_COLUMNS: usize = 11;

/// One line of the table; the symbol on the left, everything else on the right of its column.
pub(super) fn line(
    first: &[String; 6],
    vwaps: impl Iterator<Item = String>,
    sums: &[String; 2],
) -> String {
    let [symbol, last, bid_size, bid, ask, ask_size] = first;
    let [last, bid, ask] = [last, bid, ask].map(|price| fit(price, 9));
    let mut text = format!("{symbol:<6} {last:>9} {bid_size:>4} {bid:>9} {ask:>9} {ask_size:>4}");
    for vwap in vwaps {
        text.push_str(&format!(" {:>10}", fit(&vwap, VWAP_COLUMNS - 1)));
    }
    let [volume, trades] = sums;
    text.push_str(&format!(" {volume:>4} {trades:>6}"));
    text
}

/// USD with four decimals; `-` for 0, which no order and no execution has.
pub(super) fn price(price: Price) -> String {
    match price {
        Price(0) => "-".to_owned(),
        price => price.to_string(),
    }
}

/// `number` without the last decimals that have no room.
fn fit(number: &str, width: usize) -> &str {
    match number.find('.') {
        Some(point) if number.len() > width => &number[..width.max(point)],
        _ => number,
    }
}

/// A count in at most `width` characters (4 or more): whole, or rounded down with a unit, such as
/// `1.2k` or `34M`.
pub(super) fn compact(count: u64, width: usize) -> String {
    let whole = count.to_string();
    if whole.len() <= width {
        return whole;
    }
    let mut unit = 1_u64;
    for name in ["k", "M", "G", "T", "P", "E"] {
        unit *= 1_000;
        let scaled = count / unit;
        if scaled < 10 {
            return format!("{scaled}.{}{name}", count / (unit / 10) % 10);
        }
        if scaled < 1_000 {
            return format!("{scaled}{name}");
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_room() {
        for (count, width, shown) in [
            (0, 4, "0"),
            (9_999, 4, "9999"),
            (10_000, 4, "10k"),
            (999_999, 4, "999k"),
            (1_000_000, 4, "1.0M"),
            (9_999_999, 4, "9.9M"),
            (10_000_000, 4, "10M"),
            (999_999, 6, "999999"),
            (1_000_000, 6, "1.0M"),
            (u64::MAX, 4, "18E"),
        ] {
            assert_eq!(compact(count, width), shown);
        }
    }

    #[test]
    fn only_decimals_are_left_out() {
        assert_eq!(fit("321.0500", 9), "321.0500");
        assert_eq!(fit("12321.0500", 9), "12321.050");
        assert_eq!(fit("1232100000.05", 9), "1232100000");
        assert_eq!(fit("1232100000", 9), "1232100000");
    }
}
