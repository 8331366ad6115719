//! Aligned columns for people.

use super::value::{Value, symbol_bytes};
use super::{COLUMNS, Layout};
use crate::market::Price;
use crate::window::{Row, Spec, vwap_micros};

/// Width of each column, in the order of [`COLUMNS`]; the window's is that of its longest label.
/// A value that is wider moves the rest of its line.
const WIDTHS: [usize; 14] = [12, 8, 7, 13, 12, 18, 8, 11, 11, 11, 11, 8, 8, 0];

/// A heading, then a line for each row; the end as a clock time with milliseconds.
#[derive(Clone, Debug)]
pub struct Table {
    heading: String,
    /// A space and the label of each window, as wide as the longest.
    windows: Vec<Vec<u8>>,
    /// ` policy\n`.
    tail: Vec<u8>,
}

impl Layout for Table {
    fn new(spec: &Spec) -> Self {
        let labels = spec.windows.iter().map(|window| window.label.as_str());
        let longest = labels.clone().map(str::len).max().unwrap_or(0);
        let mut widths = WIDTHS;
        widths[2] = widths[2].max(longest);
        let names = ["end"].iter().chain(&COLUMNS[1..]).zip(widths);
        let names = names
            .enumerate()
            .map(|(column, (name, width))| match column {
                // Text is aligned on the left.
                0..3 | 13 => format!("{name:<width$}"),
                _ => format!("{name:>width$}"),
            });
        Self {
            heading: names.collect::<Vec<_>>().join(" ") + "\n",
            windows: labels
                .map(|label| format!(" {label:<width$}", width = widths[2]).into_bytes())
                .collect(),
            tail: format!(" {}\n", spec.policy.name()).into_bytes(),
        }
    }

    fn heading(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.heading.as_bytes());
    }

    #[inline]
    fn row(&self, row: &Row, out: &mut Vec<u8>) {
        let sums = &row.sums;
        Value::clock(row.end).push_to(out);
        let (mut symbol, length) = symbol_bytes(row.symbol);
        symbol[length..].fill(b' ');
        out.push(b' ');
        out.extend_from_slice(&symbol);
        out.extend_from_slice(&self.windows[usize::from(row.window)]);
        let vwap = vwap_micros(sums.notional, sums.volume).map(Value::micros);
        let price = |price: Price| match row.has_prices() {
            true => Value::price(price),
            false => Value::NOTHING,
        };
        let mut column = |index: usize, value: Value| value.push_column(WIDTHS[index], out);
        column(3, vwap.unwrap_or(Value::NOTHING));
        column(4, Value::number(sums.volume));
        column(5, Value::notional(sums.notional));
        column(6, Value::number(u64::from(sums.trades)));
        column(7, price(sums.open));
        column(8, price(sums.high));
        column(9, price(sums.low));
        column(10, price(sums.close));
        column(11, Value::truth(row.complete));
        column(12, Value::number(u64::from(row.revision)));
        out.extend_from_slice(&self.tail);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::writer::tests::{any_row, row, spec, sums, written};
    use super::*;
    use crate::window::Sums;

    const HEADING: &str = "end          symbol   window           vwap       volume           notional   trades        open        high         low       close complete revision policy\n";

    #[test]
    fn exact_bytes() {
        let mut empty = row("MSFT", 1, Sums::default());
        (empty.complete, empty.revision) = (false, 2);
        let expected = [
            HEADING,
            "09:30:00.100 AAPL     60s        321.088769        81556       261867156100        3    321.0000    321.1000    320.9900    321.0500     true        0 itch.all\n",
            "09:30:00.100 MSFT     session             -            0                  0        0           -           -           -           -    false        2 itch.all\n",
        ];
        let rows = [row("AAPL", 0, sums()), empty];
        assert_eq!(
            written::<Table>(&spec(&["60s", "session"]), &rows),
            expected.concat()
        );
    }

    fn naive(row: &Row) -> String {
        let s = &row.sums;
        let millis = row.end.0 / 1_000_000;
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        let hours = if hours < 100 {
            format!("{hours:02}")
        } else {
            format!("{hours:07}")
        };
        let end = format!(
            "{hours}:{minutes:02}:{:02}.{:03}",
            millis / 1_000 % 60,
            millis % 1_000
        );
        let (vwap, prices) = if s.trades == 0 {
            ("-".to_owned(), ["-"; 4].map(str::to_owned))
        } else {
            let micros = vwap_micros(s.notional, s.volume).unwrap();
            let vwap = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let prices = [s.open, s.high, s.low, s.close].map(|price| price.to_string());
            (vwap, prices)
        };
        let [open, high, low, close] = prices;
        let key = format!("{end:<12} {:<8} {:<7}", row.symbol, "1s");
        let sums = format!(
            "{vwap:>13} {:>12} {:>18} {:>8}",
            s.volume, s.notional, s.trades
        );
        let prices = format!("{open:>11} {high:>11} {low:>11} {close:>11}");
        let (complete, revision) = (row.complete, row.revision);
        format!("{key} {sums} {prices} {complete:>8} {revision:>8} itch.all\n")
    }

    proptest! {
        #[test]
        fn as_the_naive_writer(rows in prop::collection::vec(any_row(1), 0..20)) {
            let lines = rows.iter().map(naive);
            let expected: String = std::iter::once(HEADING.to_owned()).chain(lines).collect();
            prop_assert_eq!(written::<Table>(&spec(&["1s"]), &rows), expected);
        }
    }
}
