//! Gathers rows and writes them in large pieces, whatever they look like.

use std::io::{self, Write};

use super::super::{Publisher, Update};
use crate::market::{Locate, Symbol};
use crate::window::{Row, Spec};

/// Rows are handed on when so many bytes have gathered.
const PIECE: usize = 64 * 1024;
/// Room beyond a piece for the row that passes its end.
const SPARE: usize = 1024;

/// How rows look.
pub trait Layout {
    /// The layout of the rows of `spec`.
    fn new(spec: &Spec) -> Self;

    /// Appends what stands before the first row.
    fn heading(&self, out: &mut Vec<u8>);

    /// Appends one row. `row.window` is below the number of windows of the spec.
    fn row(&self, row: &Row, out: &mut Vec<u8>);
}

/// Writes rows to `W` in the layout `L`. Tops of book and listings are not written.
///
/// Rows wait until 64 KiB have gathered, or until the end of the update where
/// [`Writer::prompt`] was called; [`Publisher::finish`] writes what waits. After an error (a pipe
/// whose reader has gone is one, of kind `BrokenPipe`) what waited is discarded, so that nothing is
/// written twice.
#[derive(Debug)]
pub struct Writer<W, L> {
    layout: L,
    windows: usize,
    out: W,
    waiting: Vec<u8>,
    prompt: bool,
}

impl<W: Write, L: Layout> Writer<W, L> {
    /// A writer of the rows of `spec`. The heading leaves with the first rows, or at the end.
    #[must_use]
    pub fn new(spec: &Spec, out: W) -> Self {
        let layout = L::new(spec);
        let mut waiting = Vec::with_capacity(PIECE + SPARE);
        layout.heading(&mut waiting);
        Self {
            layout,
            windows: spec.windows.len(),
            out,
            waiting,
            prompt: false,
        }
    }

    /// Writes and flushes at the end of every update, for readers that follow a live feed.
    #[must_use]
    pub fn prompt(mut self) -> Self {
        self.prompt = true;
        self
    }

    /// The output, without what waits.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.waiting);
        self.waiting.clear();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.out.flush()
    }
}

impl<W: Write, L: Layout> Publisher for Writer<W, L> {
    fn name(&self) -> String {
        "output".to_owned()
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    /// # Errors
    /// What `W` reports, and `InvalidInput` for a row of a window that the spec does not have.
    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        for row in update.rows {
            if usize::from(row.window) >= self.windows {
                return Err(no_such_window(&row, self.windows));
            }
            self.layout.row(&row, &mut self.waiting);
            if self.waiting.len() >= PIECE {
                self.hand_on()?;
            }
        }
        if self.prompt && !self.waiting.is_empty() {
            self.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

#[cold]
pub(in crate::publish) fn no_such_window(row: &Row, windows: usize) -> io::Error {
    let reason = format!("row of window {}, but there are {windows}", row.window);
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::Csv;
    use super::*;
    use crate::market::{Duration, Notional, Price, Timestamp};
    use crate::window::{Corrections, Policy, Sums, Window};

    pub(in super::super) fn spec(windows: &[&str]) -> Spec {
        Spec {
            windows: windows.iter().map(|text| window(text)).collect(),
            step: Duration::from_millis(100).unwrap(),
            policy: Policy::All,
            every_end: false,
            corrections: Corrections::All,
        }
    }

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    pub(in super::super) fn row(symbol: &str, window: u8, sums: Sums) -> Row {
        Row {
            end: Timestamp(34_200_100_000_000),
            locate: Locate(13),
            symbol: Symbol::new(symbol).unwrap(),
            window,
            sums,
            complete: true,
            revision: 0,
        }
    }

    pub(in super::super) fn sums() -> Sums {
        Sums {
            notional: Notional::from(261_867_156_100),
            volume: 81_556,
            trades: 3,
            open: Price(3_210_000),
            high: Price(3_211_000),
            low: Price(3_209_900),
            close: Price(3_210_500),
        }
    }

    pub(in super::super) fn written<L: Layout>(spec: &Spec, rows: &[Row]) -> String {
        let mut writer = Writer::<_, L>::new(spec, Vec::new());
        writer.publish(&update(rows)).unwrap();
        writer.finish().unwrap();
        String::from_utf8(writer.into_inner()).unwrap()
    }

    fn update(rows: &[Row]) -> Update<'_> {
        Update {
            time: Timestamp(0),
            rows: rows.into(),
            tops: &[],
        }
    }

    /// Rows with anything in them that the type allows, some of them empty.
    pub(in super::super) fn any_row(windows: u8) -> impl Strategy<Value = Row> {
        let prices = prop::array::uniform4(any::<u32>());
        let numbers = (0..1_u128 << 96, 1_u64.., 1_u32.., prices);
        let sums = numbers.prop_map(|(notional, volume, trades, prices)| {
            let [open, high, low, close] = prices.map(Price);
            Sums {
                notional: Notional::new(notional),
                volume,
                trades,
                open,
                high,
                low,
                close,
            }
        });
        let sums = prop_oneof![1 => Just(Sums::default()), 4 => sums];
        let symbol = prop_oneof!["[A-Z.,\"\\\\]{1,8}", "[ -~]{0,8}"];
        let key = (any::<u64>(), symbol, 0..windows);
        (key, sums, any::<bool>(), any::<u32>()).prop_map(
            |((end, name, window), sums, complete, revision)| {
                let mut symbol = [b' '; 8];
                symbol[..name.len()].copy_from_slice(name.as_bytes());
                Row {
                    end: Timestamp(end),
                    locate: Locate(0),
                    symbol: Symbol(symbol),
                    window,
                    sums,
                    complete,
                    revision,
                }
            },
        )
    }

    /// How often it was written to.
    #[derive(Default)]
    struct Closed(usize);

    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_reported_once() {
        let mut writer = Writer::<_, Csv>::new(&spec(&["1s"]), Closed::default()).prompt();
        let error = writer.publish(&update(&[row("A", 0, sums())])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(writer.waiting.is_empty());
        assert!(writer.finish().is_ok());
        assert_eq!(writer.out.0, 1, "nothing is written twice");
    }

    #[test]
    fn rows_wait_for_a_piece_or_for_the_end() {
        let spec = spec(&["1s"]);
        let rows = [row("A", 0, sums())];
        let mut prompt = Writer::<_, Csv>::new(&spec, Vec::new()).prompt();
        prompt.publish(&update(&rows)).unwrap();
        let expected = prompt.into_inner();
        assert!(expected.ends_with(b"itch.all\n"));
        let mut patient = Writer::<_, Csv>::new(&spec, Vec::new());
        patient.publish(&update(&rows)).unwrap();
        assert!(patient.out.is_empty());
        while patient.out.is_empty() {
            patient.publish(&update(&rows)).unwrap();
        }
        assert!((PIECE..PIECE + SPARE).contains(&patient.out.len()));
        assert!(patient.waiting.is_empty());
        assert!(patient.waiting.capacity() < 2 * PIECE);
    }

    #[test]
    fn windows_outside_the_spec_are_refused() {
        let spec = spec(&["1s", "1m"]);
        let mut writer = Writer::<_, Csv>::new(&spec, Vec::new());
        assert!(writer.publish(&update(&[row("A", 1, sums())])).is_ok());
        let error = writer.publish(&update(&[row("A", 2, sums())])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
