//! What the live view remembers: the newest row of every window and symbol, and the tops of book.

use std::io;

use super::super::Update;
use super::super::text::no_such_window;
use crate::market::{Locate, Notional, Price, Symbol, Timestamp, Top};
use crate::window::{Row, Spec, Width, vwap_micros};

/// The newest figures of all symbols.
#[derive(Debug)]
pub(super) struct Figures {
    widths: Vec<Width>,
    /// The window that volume, trades and the last price come from: the widest.
    pub(super) main: usize,
    symbols: Vec<Option<Entry>>,
    /// Feed time.
    pub(super) time: Timestamp,
    /// Rows so far, corrections included.
    pub(super) rows: u64,
}

/// The newest figures of one symbol.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) symbol: Symbol,
    pub(super) last: Option<Price>,
    pub(super) top: Top,
    windows: Box<[Newest]>,
}

/// The newest row of one window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newest {
    end: u64,
    pub(super) notional: Notional,
    pub(super) volume: u64,
    pub(super) trades: u32,
}

/// Sums over all symbols.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) trades: u64,
    pub(super) volume: u64,
}

impl Figures {
    pub(super) fn new(spec: &Spec) -> Self {
        let reach = |width| match width {
            Width::Session => u64::MAX,
            Width::Finite(width) => width.nanos(),
        };
        let windows = spec.windows.iter().enumerate();
        let widest = windows.max_by_key(|(_, window)| reach(window.width));
        Self {
            widths: spec.windows.iter().map(|window| window.width).collect(),
            main: widest.map_or(0, |(index, _)| index),
            symbols: Vec::new(),
            time: Timestamp(0),
            rows: 0,
        }
    }

    pub(super) fn listing(&mut self, locate: Locate, symbol: Symbol) {
        self.entry(locate, symbol).symbol = symbol;
    }

    /// Remembers what `update` brings.
    ///
    /// # Errors
    /// `InvalidInput` for a row of a window that the spec does not have.
    pub(super) fn apply(&mut self, update: &Update<'_>) -> io::Result<()> {
        for row in update.rows {
            if usize::from(row.window) >= self.widths.len() {
                return Err(no_such_window(&row, self.widths.len()));
            }
            self.learn(&row);
        }
        for &(locate, symbol, top) in update.tops {
            self.entry(locate, symbol).top = top;
        }
        self.time = self.time.max(update.time);
        self.rows += update.rows.len() as u64;
        Ok(())
    }

    fn entry(&mut self, locate: Locate, symbol: Symbol) -> &mut Entry {
        if self.symbols.len() <= locate.index() {
            self.symbols.resize(locate.index() + 1, None);
        }
        let windows = self.widths.len();
        self.symbols[locate.index()].get_or_insert_with(|| Entry {
            symbol,
            last: None,
            top: Top::default(),
            windows: vec![Newest::default(); windows].into(),
        })
    }

    fn learn(&mut self, row: &Row) {
        let main = self.main;
        let entry = self.entry(row.locate, row.symbol);
        let window = usize::from(row.window);
        if row.end.0 < entry.windows[window].end {
            return;
        }
        entry.windows[window] = Newest {
            end: row.end.0,
            notional: row.sums.notional,
            volume: row.sums.volume,
            trades: row.sums.trades,
        };
        if window == main && row.sums.trades > 0 {
            entry.last = Some(row.sums.close);
        }
    }

    /// The newest row of a window, empty once the feed's time has left it behind.
    pub(super) fn newest(&self, entry: &Entry, window: usize) -> Newest {
        let newest = entry.windows[window];
        if self.widths[window].start(self.time.0) >= newest.end {
            return Newest::default();
        }
        newest
    }

    /// USD with six decimals; `-` where nothing was executed.
    pub(super) fn vwap(&self, entry: &Entry, window: usize) -> String {
        let newest = self.newest(entry, window);
        match vwap_micros(newest.notional, newest.volume) {
            Some(micros) => format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000),
            None => "-".to_owned(),
        }
    }

    /// The `n` symbols with the most volume, most first, then by symbol.
    pub(super) fn most_active(&self, n: usize) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.symbols.iter().flatten().collect();
        let order = |entry: &&Entry| {
            let volume = self.newest(entry, self.main).volume;
            (std::cmp::Reverse(volume), entry.symbol)
        };
        if n < entries.len() {
            entries.select_nth_unstable_by_key(n, order);
            entries.truncate(n);
        }
        entries.sort_unstable_by_key(order);
        entries
    }

    /// How many symbols are known.
    pub(super) fn symbols(&self) -> usize {
        self.symbols.iter().flatten().count()
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for entry in self.symbols.iter().flatten() {
            let newest = self.newest(entry, self.main);
            totals.trades = totals.trades.saturating_add(u64::from(newest.trades));
            totals.volume = totals.volume.saturating_add(newest.volume);
        }
        totals
    }
}
