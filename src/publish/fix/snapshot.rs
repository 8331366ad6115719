//! The newest values of every symbol, for those who come later.

use super::entries::{put_side, put_tail, put_value, trimmed};
use super::request::{BID, ENTRY_TYPES, EntryTypes, OFFER};
use super::subscription::Interest;
use crate::market::{Locate, Symbol, Timestamp, Top};
use crate::window::Row;
use crate::wire::fix::{Body, UtcText, tag};

/// The newest row of each symbol and window, and the newest top of each symbol.
#[derive(Debug)]
pub(super) struct Newest {
    windows: usize,
    /// By locate, then window.
    rows: Vec<Option<Row>>,
    tops: Vec<Option<(Symbol, Top, Timestamp)>>,
}

impl Newest {
    pub(super) fn new(windows: usize) -> Self {
        Self {
            windows,
            rows: Vec::new(),
            tops: Vec::new(),
        }
    }

    /// Keeps `row` if no row with a later end is there. Its window must be one of `windows`.
    pub(super) fn keep_row(&mut self, row: &Row) {
        let place = row.locate.index() * self.windows + usize::from(row.window);
        if self.rows.len() <= place {
            let whole = (row.locate.index() + 1) * self.windows;
            self.rows.resize(whole.max(place + 1), None);
        }
        let kept = &mut self.rows[place];
        if kept.is_none_or(|kept| kept.end <= row.end) {
            *kept = Some(*row);
        }
    }

    /// Keeps a top and returns the one before it.
    pub(super) fn keep_top(
        &mut self,
        locate: Locate,
        symbol: Symbol,
        top: Top,
        time: Timestamp,
    ) -> Option<Top> {
        if self.tops.len() <= locate.index() {
            self.tops.resize(locate.index() + 1, None);
        }
        let before = self.tops[locate.index()].replace((symbol, top, time));
        before.map(|(_, top, _)| top)
    }

    /// The newest rows of `locate`, one for each window that has any.
    pub(super) fn rows(&self, locate: Locate) -> impl Iterator<Item = &Row> {
        let start = locate.index() * self.windows;
        let rows = self.rows.get(start..start + self.windows);
        rows.unwrap_or_default().iter().flatten()
    }

    /// The newest top of `locate`.
    pub(super) fn top(&self, locate: Locate) -> Option<(Symbol, Top, Timestamp)> {
        self.tops.get(locate.index()).copied().flatten()
    }

    /// Locates that may have values.
    pub(super) fn locates(&self) -> impl Iterator<Item = Locate> + use<> {
        let rows = self.rows.len().checked_div(self.windows).unwrap_or(0);
        (0..rows.max(self.tops.len())).map_while(|index| u16::try_from(index).ok().map(Locate))
    }

    /// Writes the entries of `locate` that `interest` wants and returns the symbol's label and
    /// how many entries there are.
    pub(super) fn put(
        &self,
        locate: Locate,
        interest: &Interest,
        names: &[Box<[u8]>],
        body: &mut Body,
    ) -> Option<(Symbol, usize)> {
        let mut count = 0;
        let mut label = None;
        if let Some((symbol, top, time)) = self.top(locate) {
            label = Some(symbol);
            let sides = [(BID, top.bid, top.bid_size), (OFFER, top.ask, top.ask_size)];
            for (kind, price, size) in sides {
                if kind & interest.types != 0 && size > 0 {
                    body.char(
                        tag::MD_ENTRY_TYPE,
                        ENTRY_TYPES[kind.trailing_zeros() as usize],
                    );
                    put_side(body, price, size, time.0);
                    count += 1;
                }
            }
        }
        for row in self.rows(locate) {
            label = Some(row.symbol);
            if row.sums.trades > 0 && interest.wants_window(row.window) {
                count += put_row(body, row, &names[usize::from(row.window)], interest.types);
            }
        }
        label.map(|label| (label, count))
    }
}

fn put_row(body: &mut Body, row: &Row, window: &[u8], types: EntryTypes) -> usize {
    let mut count = 0;
    for (place, &code) in ENTRY_TYPES.iter().enumerate() {
        let kind = 1 << place;
        if kind & types != 0 && kind & (BID | OFFER) == 0 {
            body.char(tag::MD_ENTRY_TYPE, code);
            put_value(body, code, row);
            put_tail(body, row, window);
            count += 1;
        }
    }
    count
}

/// What stands before the entries of a snapshot.
///
/// LastUpdateTime, which dictionaries of FIX 5.0 SP2 require, is `updated`.
pub(super) fn put_head(
    body: &mut Body,
    id: &[u8],
    symbol: &Symbol,
    count: usize,
    updated: Option<&UtcText>,
) {
    body.text(tag::MD_REQ_ID, id);
    body.text(tag::SYMBOL, trimmed(symbol));
    if let Some(time) = updated {
        body.utc(tag::LAST_UPDATE_TIME, time);
    }
    body.uint(tag::NO_MD_ENTRIES, count as u64);
}
