//! JSON lines: one object a row (RFC 8259).

use super::value::{Value, push_symbol};
use super::{COLUMNS, Layout};
use crate::window::{Row, Spec, vwap_micros};

/// An object for each row, with the names of [`COLUMNS`] in that order. vwap and prices are numbers
/// with all their decimals, `null` in a row without executions. `notional` may pass 2^53: read it
/// as an integer, not as a double.
#[derive(Clone, Debug)]
pub struct Jsonl {
    /// `","window":"label","vwap":` for each window.
    windows: Vec<Vec<u8>>,
    /// `,"policy":"name"}\n`.
    tail: Vec<u8>,
}

impl Layout for Jsonl {
    fn new(spec: &Spec) -> Self {
        let window = |label: &str| {
            let mut out = b"\",\"window\":\"".to_vec();
            push_escaped(&mut out, label.as_bytes());
            out.extend_from_slice(b"\",\"vwap\":");
            out
        };
        let mut tail = b",\"policy\":\"".to_vec();
        push_escaped(&mut tail, spec.policy.name().as_bytes());
        tail.extend_from_slice(b"\"}\n");
        let labels = spec.windows.iter();
        Self {
            windows: labels.map(|each| window(&each.label)).collect(),
            tail,
        }
    }

    fn heading(&self, _out: &mut Vec<u8>) {}

    #[inline]
    fn row(&self, row: &Row, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"end_ns\":");
        Value::number(row.end.0).push_to(out);
        out.extend_from_slice(b",\"symbol\":\"");
        push_symbol(row.symbol, out, is_special, push_escaped);
        out.extend_from_slice(&self.windows[usize::from(row.window)]);
        push_sums(out, row);
        out.extend_from_slice(b",\"complete\":");
        Value::truth(row.complete).push_to(out);
        out.extend_from_slice(b",\"revision\":");
        Value::number(u64::from(row.revision)).push_to(out);
        out.extend_from_slice(&self.tail);
    }
}

/// The value of `vwap`, then the members from `volume` to `close`.
#[inline]
fn push_sums(out: &mut Vec<u8>, row: &Row) {
    let sums = &row.sums;
    match vwap_micros(sums.notional, sums.volume) {
        Some(micros) => Value::micros(micros).push_to(out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"volume\":");
    Value::number(sums.volume).push_to(out);
    out.extend_from_slice(b",\"notional\":");
    Value::notional(sums.notional).push_to(out);
    out.extend_from_slice(b",\"trades\":");
    Value::number(u64::from(sums.trades)).push_to(out);
    let prices = [sums.open, sums.high, sums.low, sums.close];
    for (name, price) in COLUMNS[7..11].iter().zip(prices) {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        if row.has_prices() {
            Value::price(price).push_to(out);
        } else {
            out.extend_from_slice(b"null");
        }
    }
}

/// What may not stand in a string as it is.
#[inline]
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// The inside of a JSON string.
fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&digits);
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::writer::tests::{any_row, row, spec, sums, written};
    use super::*;
    use crate::window::Sums;

    #[test]
    fn exact_bytes() {
        let spec = spec(&["60s", "session"]);
        let mut corrected = row("MS\"\\T", 1, Sums::default());
        (corrected.complete, corrected.revision) = (false, 2);
        let expected = [
            r#"{"end_ns":34200100000000,"symbol":"AAPL","window":"60s","vwap":321.088769,"volume":81556,"notional":261867156100,"trades":3,"open":321.0000,"high":321.1000,"low":320.9900,"close":321.0500,"complete":true,"revision":0,"policy":"itch.all"}"#,
            r#"{"end_ns":34200100000000,"symbol":"MS\"\\T","window":"session","vwap":null,"volume":0,"notional":0,"trades":0,"open":null,"high":null,"low":null,"close":null,"complete":false,"revision":2,"policy":"itch.all"}"#,
            "",
        ];
        let rows = [row("AAPL", 0, sums()), corrected];
        assert_eq!(written::<Jsonl>(&spec, &rows), expected.join("\n"));
        assert_eq!(written::<Jsonl>(&spec, &[]), "");
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut out = vec![];
        push_escaped(&mut out, b"a\x1f\n\x20\"");
        assert_eq!(out, b"a\\u001f\\u000a \\\"");
    }

    fn naive(spec: &Spec, row: &Row) -> String {
        let name = row.symbol.name().replace('\\', "\\\\").replace('"', "\\\"");
        let s = &row.sums;
        let (vwap, prices) = if s.trades == 0 {
            ("null".to_owned(), ["null"; 4].map(str::to_owned))
        } else {
            let micros = vwap_micros(s.notional, s.volume).unwrap();
            let vwap = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let prices = [s.open, s.high, s.low, s.close].map(|price| price.to_string());
            (vwap, prices)
        };
        let values = [
            row.end.0.to_string(),
            format!("\"{name}\""),
            format!("\"{}\"", spec.windows[usize::from(row.window)].label),
            vwap,
            s.volume.to_string(),
            s.notional.to_string(),
            s.trades.to_string(),
        ];
        let last = [
            row.complete.to_string(),
            row.revision.to_string(),
            format!("\"{}\"", spec.policy),
        ];
        let values = values.into_iter().chain(prices).chain(last);
        let members = COLUMNS.iter().zip(values);
        let members: Vec<_> = members.map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}\n", members.join(","))
    }

    proptest! {
        #[test]
        fn as_the_naive_writer(rows in prop::collection::vec(any_row(2), 0..20)) {
            let spec = spec(&["1s", "session"]);
            let expected: String = rows.iter().map(|row| naive(&spec, row)).collect();
            prop_assert_eq!(written::<Jsonl>(&spec, &rows), expected);
        }
    }
}
