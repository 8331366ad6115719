//! The view itself: when it draws, and what.

use std::io::{self, Write};

use super::super::text::push_clock;
use super::super::{Now, Publisher, Update};
use super::figures::{Entry, Figures, Totals};
use super::lines::{FIXED_COLUMNS, VWAP_COLUMNS, compact, line, price};
use crate::market::{Locate, NANOS_PER_MILLI, NANOS_PER_SECOND, Symbol};
use crate::window::Spec;

/// Time between two drawings on a terminal.
const REDRAW_NS: u64 = 100 * NANOS_PER_MILLI;
/// Time between two plain lines.
const LINE_NS: u64 = NANOS_PER_SECOND;
/// Symbols on the screen.
const SCREEN: usize = 20;
/// Columns of a terminal nobody has measured.
const COLUMNS: usize = 80;

/// A [`Publisher`] that shows the newest figures on `W`.
#[derive(Debug)]
pub struct LiveTable<W> {
    out: W,
    terminal: bool,
    columns: usize,
    labels: Vec<String>,
    figures: Figures,
    changed: bool,
    drawn: bool,
    due: Option<u64>,
}

impl<W: Write> LiveTable<W> {
    /// A view of the windows of `spec`: redrawn in place when `out` is a `terminal`, else told in
    /// plain lines.
    #[must_use]
    pub fn new(spec: &Spec, out: W, terminal: bool) -> Self {
        let windows = spec.windows.iter();
        Self {
            out,
            terminal,
            columns: COLUMNS,
            labels: windows.map(|window| window.label.clone()).collect(),
            figures: Figures::new(spec),
            changed: false,
            drawn: false,
            due: None,
        }
    }

    /// Fits the table to a terminal of `columns` columns instead of 80: as many windows are shown
    /// as have room, the one that volume comes from always.
    #[must_use]
    pub fn with_columns(mut self, columns: usize) -> Self {
        self.columns = columns;
        self
    }

    /// Draws if something has changed and it is time: on a terminal every 100 ms, else every
    /// second, the first line a second after the first call. `now_ns` is the caller's clock.
    /// Returns whether it drew.
    ///
    /// # Errors
    /// What `W` reports.
    pub fn tick(&mut self, now_ns: u64) -> io::Result<bool> {
        let (first, period) = if self.terminal {
            (now_ns, REDRAW_NS)
        } else {
            (now_ns.saturating_add(LINE_NS), LINE_NS)
        };
        let due = *self.due.get_or_insert(first);
        if !self.changed || now_ns < due {
            return Ok(false);
        }
        self.due = Some(now_ns.saturating_add(period));
        self.draw()?;
        Ok(true)
    }

    /// The names over the columns of [`LiveTable::final_rows`].
    #[must_use]
    pub fn heading(&self) -> String {
        let names = ["symbol", "last", "size", "bid", "ask", "size"].map(str::to_owned);
        let vwaps = self.shown().map(|window| {
            let label = &self.labels[window];
            let long = format!("vwap {label}");
            if long.len() < VWAP_COLUMNS {
                long
            } else {
                label.chars().take(VWAP_COLUMNS - 1).collect()
            }
        });
        let sums = ["vol", "trades"].map(str::to_owned);
        line(&names, vwaps, &sums)
    }

    /// The first `n` rows of the table as it stands: most volume first, then by symbol.
    #[must_use]
    pub fn final_rows(&self, n: usize) -> Vec<String> {
        let most_active = self.figures.most_active(n);
        most_active
            .iter()
            .map(|entry| self.line_of(entry))
            .collect()
    }

    /// The output so far.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// The windows that have room, in the order of the spec.
    fn shown(&self) -> impl Iterator<Item = usize> {
        let room = self.columns.saturating_sub(FIXED_COLUMNS) / VWAP_COLUMNS;
        let (main, count) = (self.figures.main, self.labels.len());
        let others = room.max(1) - 1;
        (0..count).filter(move |&window| {
            let before = window - usize::from(main < window);
            window == main || before < others
        })
    }

    fn line_of(&self, entry: &Entry) -> String {
        let (top, newest) = (entry.top, self.figures.newest(entry, self.figures.main));
        let first = [
            entry.symbol.name(),
            price(entry.last.unwrap_or_default()),
            compact(top.bid_size, 4),
            price(top.bid),
            price(top.ask),
            compact(top.ask_size, 4),
        ];
        let vwaps = self.shown().map(|window| self.figures.vwap(entry, window));
        let sums = [
            compact(newest.volume, 4),
            compact(u64::from(newest.trades), 6),
        ];
        line(&first, vwaps, &sums)
    }

    /// Feed time, symbols, trades, volume and rows.
    fn status(&self) -> String {
        let mut clock = Vec::with_capacity(16);
        push_clock(&mut clock, self.figures.time);
        let clock = String::from_utf8_lossy(&clock);
        let (symbols, rows) = (self.figures.symbols(), self.figures.rows);
        let Totals { trades, volume } = self.figures.totals();
        format!("{clock} symbols {symbols} trades {trades} volume {volume} rows {rows}")
    }

    fn draw(&mut self) -> io::Result<()> {
        let text = if self.terminal {
            self.screen()
        } else {
            self.plain()
        };
        (self.changed, self.drawn) = (false, true);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// The whole table, each line cleared before it is written, and everything below it cleared.
    fn screen(&self) -> String {
        let mut text = String::from(if self.drawn {
            "\x1b[H"
        } else {
            "\x1b[2J\x1b[H"
        });
        let lines = [self.status(), self.heading()];
        for line in lines.iter().chain(&self.final_rows(SCREEN)) {
            text.push_str("\x1b[2K");
            text.extend(line.chars().take(self.columns));
            text.push('\n');
        }
        text.push_str("\x1b[J");
        text
    }

    fn plain(&self) -> String {
        let mut text = self.status();
        if let (Some(entry), Some(label)) = (
            self.figures.most_active(1).first(),
            self.labels.get(self.figures.main),
        ) {
            let vwap = self.figures.vwap(entry, self.figures.main);
            text.push_str(&format!(
                " most active {} vwap {label} {vwap}",
                entry.symbol
            ));
        }
        text.push('\n');
        text
    }
}

impl<W: Write> Publisher for LiveTable<W> {
    fn name(&self) -> String {
        "live table".to_owned()
    }

    fn wants_tops(&self) -> bool {
        // Plain lines show none, and keeping the book for nobody costs two thirds of a message.
        self.terminal
    }

    fn duty(&mut self, now: Now) -> io::Result<bool> {
        self.tick(now.monotonic_ns)
    }

    fn listing(&mut self, locate: Locate, symbol: Symbol) {
        self.figures.listing(locate, symbol);
    }

    /// # Errors
    /// `InvalidInput` for a row of a window that the spec does not have.
    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.figures.apply(update)?;
        self.changed = true;
        Ok(())
    }

    /// Draws what has not been drawn yet.
    fn finish(&mut self) -> io::Result<()> {
        if self.changed {
            self.draw()?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
