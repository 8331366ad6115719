//! Aligned columns for people.

use super::number::{
    push_bool, push_micros, push_padded, push_price, push_u64, push_u128, symbol_bytes,
};
use super::{COLUMNS, Layout};
use crate::market::{NANOS_PER_MILLI, NANOS_PER_SECOND, Timestamp};
use crate::window::{Row, Spec, vwap_micros};

/// Width of each column, in the order of [`COLUMNS`]; the window's is that of its longest label.
/// A value that is wider moves the rest of its line.
const WIDTHS: [usize; 14] = [12, 8, 7, 13, 12, 18, 8, 11, 11, 11, 11, 8, 8, 0];
/// Places of the columns that are aligned on the left.
const LEFT: [usize; 4] = [0, 1, 2, 13];
/// What stands for a value that does not exist.
const NOTHING: &[u8] = b"-";

/// A heading, then a line for each row; the end as a clock time with milliseconds.
#[derive(Clone, Debug)]
pub struct Table {
    labels: Vec<String>,
    widths: [usize; 14],
    policy: &'static str,
}

impl Layout for Table {
    fn new(spec: &Spec) -> Self {
        let labels: Vec<String> = spec.windows.iter().map(|w| w.label.clone()).collect();
        let mut widths = WIDTHS;
        let longest = labels.iter().map(String::len).max();
        widths[2] = widths[2].max(longest.unwrap_or(0));
        Self {
            labels,
            widths,
            policy: spec.policy.name(),
        }
    }

    fn heading(&self, out: &mut Vec<u8>) {
        self.line(out, |column, out| {
            let name = if column == 0 { "end" } else { COLUMNS[column] };
            out.extend_from_slice(name.as_bytes());
        });
    }

    fn row(&self, row: &Row, out: &mut Vec<u8>) {
        self.line(out, |column, out| self.value(row, column, out));
    }
}

impl Table {
    /// One line whose values `push` appends.
    fn line(&self, out: &mut Vec<u8>, push: impl Fn(usize, &mut Vec<u8>)) {
        for (column, &width) in self.widths.iter().enumerate() {
            if column > 0 {
                out.push(b' ');
            }
            let start = out.len();
            push(column, out);
            let padding = width.saturating_sub(out.len() - start);
            out.resize(out.len() + padding, b' ');
            if !LEFT.contains(&column) {
                out[start..].rotate_right(padding);
            }
        }
        out.push(b'\n');
    }

    fn value(&self, row: &Row, column: usize, out: &mut Vec<u8>) {
        let sums = &row.sums;
        let mut price = |price| match row.has_prices() {
            false => out.extend_from_slice(NOTHING),
            true => push_price(out, price),
        };
        match column {
            0 => push_clock(out, row.end),
            1 => {
                let (symbol, length) = symbol_bytes(row.symbol);
                out.extend_from_slice(&symbol[..length]);
            }
            2 => out.extend_from_slice(self.labels[usize::from(row.window)].as_bytes()),
            3 => match vwap_micros(sums.notional, sums.volume) {
                Some(micros) => push_micros(out, micros),
                None => out.extend_from_slice(NOTHING),
            },
            4 => push_u64(out, sums.volume),
            5 => push_u128(out, sums.notional.get()),
            6 => push_u64(out, u64::from(sums.trades)),
            7 => price(sums.open),
            8 => price(sums.high),
            9 => price(sums.low),
            10 => price(sums.close),
            11 => push_bool(out, row.complete),
            12 => push_u64(out, u64::from(row.revision)),
            _ => out.extend_from_slice(self.policy.as_bytes()),
        }
    }
}

/// Appends `HH:MM:SS.mmm`; ends are whole milliseconds.
pub(in crate::publish) fn push_clock(out: &mut Vec<u8>, time: Timestamp) {
    let seconds = time.0 / NANOS_PER_SECOND;
    let hours = seconds / 3600;
    push_padded(out, hours, if hours < 100 { 2 } else { 7 });
    out.push(b':');
    push_padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    push_padded(out, seconds % 60, 2);
    out.push(b'.');
    push_padded(out, time.0 / NANOS_PER_MILLI % 1_000, 3);
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
