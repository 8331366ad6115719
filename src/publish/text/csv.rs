//! Comma-separated values (RFC 4180, lines end in LF).

use super::value::{Value, push_symbol};
use super::{COLUMNS, Layout};
use crate::window::{Row, Spec, vwap_micros};

/// A heading, then a line for each row. A row without executions has volume, notional and trades 0
/// and empty vwap and prices.
#[derive(Clone, Debug)]
pub struct Csv {
    /// `,label,` for each window.
    windows: Vec<Vec<u8>>,
    /// `,policy\n`.
    tail: Vec<u8>,
}

impl Layout for Csv {
    fn new(spec: &Spec) -> Self {
        let field = |text: &str, after: u8| {
            let mut out = vec![b','];
            push_field(&mut out, text.as_bytes());
            out.push(after);
            out
        };
        let labels = spec.windows.iter();
        Self {
            windows: labels.map(|window| field(&window.label, b',')).collect(),
            tail: field(spec.policy.name(), b'\n'),
        }
    }

    fn heading(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(COLUMNS.join(",").as_bytes());
        out.push(b'\n');
    }

    #[inline]
    fn row(&self, row: &Row, out: &mut Vec<u8>) {
        Value::number(row.end.0).push_to(out);
        out.push(b',');
        push_symbol(row.symbol, out, is_special, push_field);
        out.extend_from_slice(&self.windows[usize::from(row.window)]);
        push_sums(out, row);
        Value::truth(row.complete).push_to(out);
        out.push(b',');
        Value::number(u64::from(row.revision)).push_to(out);
        out.extend_from_slice(&self.tail);
    }
}

/// `vwap,volume,notional,trades,open,high,low,close,`.
#[inline]
fn push_sums(out: &mut Vec<u8>, row: &Row) {
    let sums = &row.sums;
    if sums.trades == 0 {
        out.extend_from_slice(b",0,0,0,,,,,");
        return;
    }
    if let Some(micros) = vwap_micros(sums.notional, sums.volume) {
        Value::micros(micros).push_to(out);
    }
    out.push(b',');
    Value::number(sums.volume).push_to(out);
    out.push(b',');
    Value::notional(sums.notional).push_to(out);
    out.push(b',');
    Value::number(u64::from(sums.trades)).push_to(out);
    out.push(b',');
    if !row.has_prices() {
        out.extend_from_slice(b",,,,");
        return;
    }
    for price in [sums.open, sums.high, sums.low, sums.close] {
        Value::price(price).push_to(out);
        out.push(b',');
    }
}

/// What may not stand in a field without quotes.
#[inline]
fn is_special(byte: u8) -> bool {
    matches!(byte, b',' | b'"' | b'\n' | b'\r')
}

/// A field, in quotes with its own quotes doubled where it holds a comma, a quote or a line end.
fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    if !field.iter().any(|&byte| is_special(byte)) {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for &byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::writer::tests::{any_row, row, spec, sums, written};
    use super::*;
    use crate::window::Sums;

    const HEADING: &str = "end_ns,symbol,window,vwap,volume,notional,trades,open,high,low,close,complete,revision,policy\n";

    #[test]
    fn exact_bytes() {
        let spec = spec(&["60s", "session"]);
        let mut corrected = row("MSFT", 1, Sums::default());
        (corrected.complete, corrected.revision) = (false, 2);
        let rows = [row("AAPL", 0, sums()), corrected, row("A,\"B", 0, sums())];
        let expected = [
            HEADING,
            "34200100000000,AAPL,60s,321.088769,81556,261867156100,3,321.0000,321.1000,320.9900,321.0500,true,0,itch.all\n",
            "34200100000000,MSFT,session,,0,0,0,,,,,false,2,itch.all\n",
            "34200100000000,\"A,\"\"B\",60s,321.088769,81556,261867156100,3,321.0000,321.1000,320.9900,321.0500,true,0,itch.all\n",
        ];
        assert_eq!(written::<Csv>(&spec, &rows), expected.concat());
        assert_eq!(
            written::<Csv>(&spec, &[]),
            HEADING,
            "the heading needs no row"
        );
    }

    fn naive(spec: &Spec, row: &Row) -> String {
        let name = row.symbol.name();
        let symbol = if name.contains([',', '"']) {
            format!("\"{}\"", name.replace('"', "\"\""))
        } else {
            name
        };
        let s = &row.sums;
        let values = if s.trades == 0 {
            ",0,0,0,,,,".to_owned()
        } else {
            let micros = vwap_micros(s.notional, s.volume).unwrap();
            let vwap = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let prices = format!("{},{},{},{}", s.open, s.high, s.low, s.close);
            format!("{vwap},{},{},{},{prices}", s.volume, s.notional, s.trades)
        };
        let window = &spec.windows[usize::from(row.window)].label;
        let (complete, revision, policy) = (row.complete, row.revision, spec.policy);
        let key = format!("{},{symbol},{window}", row.end.0);
        format!("{key},{values},{complete},{revision},{policy}\n")
    }

    proptest! {
        #[test]
        fn as_the_naive_writer(rows in prop::collection::vec(any_row(2), 0..20)) {
            let spec = spec(&["1s", "session"]);
            let lines = rows.iter().map(|row| naive(&spec, row));
            let expected: String = std::iter::once(HEADING.to_owned()).chain(lines).collect();
            prop_assert_eq!(written::<Csv>(&spec, &rows), expected);
        }
    }
}
