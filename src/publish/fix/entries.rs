//! The entries of one update, each encoded once, whoever wants them.
//!
//! An entry is a whole member of the group NoMDEntries with its byte sum. Subscriptions choose
//! entries by symbol, window and type and copy them; nothing is formatted twice.

use super::request::{BID, BOOK, ENTRY_TYPES, EntryTypes, OFFER};
use super::selection::Selection;
use super::subscription::{Interest, Subscription};
use crate::market::{Locate, Price, Symbol, Top};
use crate::window::{Row, vwap_micros};
use crate::wire::fix::{Body, tag};

/// Entries in one 35=X at most; an update with more takes several messages.
pub(super) const MAX_ENTRIES: usize = 256;

/// MDUpdateAction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    New = b'0' as isize,
    Change = b'1' as isize,
    Delete = b'2' as isize,
}

/// One entry's place in the bytes.
#[derive(Clone, Copy, Debug)]
struct Mark {
    start: usize,
    end: usize,
    sum: u8,
    kind: EntryTypes,
}

/// The entries of one row or one top.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// None for what everybody is told.
    locate: Option<Locate>,
    /// None for the book.
    window: Option<u8>,
    first: usize,
    last: usize,
}

impl Item {
    fn is_wanted(&self, interest: &Interest) -> bool {
        let wants_window = self
            .window
            .is_none_or(|window| interest.wants_window(window));
        let covers = |locate| interest.coverage.holds(locate);
        wants_window && self.locate.is_none_or(covers)
    }
}

/// The encoded entries of one update.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) body: Body,
    /// The fields that all entries of one row end with.
    tail: Body,
    marks: Vec<Mark>,
    items: Vec<Item>,
}

impl Entries {
    pub(super) fn clear(&mut self) {
        self.body.clear();
        self.marks.clear();
        self.items.clear();
    }

    /// Encodes those entries of `row` that are in `wanted`; `window` is the name of its window.
    pub(super) fn add_row(&mut self, row: &Row, window: &[u8], wanted: EntryTypes) {
        let action = match (row.sums.trades, row.revision) {
            (0, _) => Action::Delete,
            (_, 0) => Action::New,
            _ => Action::Change,
        };
        self.tail.clear();
        put_tail(&mut self.tail, row, window);
        let first = self.marks.len();
        for (place, &code) in ENTRY_TYPES.iter().enumerate() {
            let kind = 1 << place;
            if kind & wanted & !BOOK == 0 {
                continue;
            }
            let before = self.open(action, code, &row.symbol);
            if action != Action::Delete {
                put_value(&mut self.body, code, row);
            }
            let sum = self.tail.sum();
            self.body.splice(self.tail.bytes(), sum);
            self.close(before, kind);
        }
        self.note(Some(row.locate), Some(row.window), first);
    }

    /// Encodes those sides of the book of `symbol` that are in `wanted`, were there before or are
    /// there now. `time_ns` is the feed time since midnight.
    pub(super) fn add_top(
        &mut self,
        (locate, symbol): (Locate, Symbol),
        before: Option<Top>,
        now: &Top,
        time_ns: u64,
        wanted: EntryTypes,
    ) {
        let last = before.unwrap_or_default();
        let first = self.marks.len();
        for (kind, was, price, size) in [
            (BID, last.bid_size, now.bid, now.bid_size),
            (OFFER, last.ask_size, now.ask, now.ask_size),
        ] {
            let action = match (was, size) {
                (0, 0) => continue,
                (_, 0) => Action::Delete,
                (0, _) => Action::New,
                _ => Action::Change,
            };
            if kind & wanted == 0 {
                continue;
            }
            let code = ENTRY_TYPES[kind.trailing_zeros() as usize];
            let before = self.open(action, code, &symbol);
            put_side(&mut self.body, price, size, time_ns);
            self.close(before, kind);
        }
        self.note(Some(locate), None, first);
    }

    /// Adds the entries that `interest` wants to `selection`, in groups for as many messages as they
    /// need.
    pub(super) fn select(&self, interest: &Interest, selection: &mut Selection) {
        for (number, item) in self.items.iter().enumerate() {
            if !item.is_wanted(interest) {
                continue;
            }
            let mut count = 0;
            for mark in &self.marks[item.first..item.last] {
                if mark.kind & interest.types != 0 {
                    let entry = &self.body.bytes()[mark.start..mark.end];
                    count = selection.push(number, entry, mark.sum);
                }
            }
            if count > MAX_ENTRIES - ENTRY_TYPES.len() {
                selection.close();
            }
        }
        selection.close();
    }

    /// Marks the symbols that `interest` wants of the rows and tops `first` to `last`. How many were
    /// not marked yet.
    pub(super) fn mark(&self, subscription: &mut Subscription, first: usize, last: usize) -> u64 {
        let items = self.items.get(first..=last).unwrap_or_default().iter();
        let wanted = items.filter(|item| item.is_wanted(&subscription.interest));
        wanted
            .filter_map(|item| item.locate)
            .fold(0, |fresh, locate| {
                fresh + u64::from(subscription.behind.mark(locate))
            })
    }

    /// Begins an entry. The bytes before it and their sum.
    pub(super) fn open(&mut self, action: Action, code: u8, symbol: &Symbol) -> (usize, u8) {
        let before = (self.body.len(), self.body.sum());
        self.body.char(tag::MD_UPDATE_ACTION, action as u8);
        self.body.char(tag::MD_ENTRY_TYPE, code);
        self.body.text(tag::SYMBOL, trimmed(symbol));
        before
    }

    pub(super) fn close(&mut self, (start, sum): (usize, u8), kind: EntryTypes) {
        self.marks.push(Mark {
            start,
            end: self.body.len(),
            sum: self.body.sum().wrapping_sub(sum),
            kind,
        });
    }

    /// How many entries there are.
    pub(super) fn count(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn note(&mut self, locate: Option<Locate>, window: Option<u8>, first: usize) {
        let last = self.marks.len();
        if last > first {
            self.items.push(Item {
                locate,
                window,
                first,
                last,
            });
        }
    }
}

/// The bytes of a symbol without its padding.
pub(super) fn trimmed(symbol: &Symbol) -> &[u8] {
    symbol.0.trim_ascii_end()
}

/// Price or size of the entry `code` of a row that holds trades.
pub(super) fn put_value(body: &mut Body, code: u8, row: &Row) {
    let sums = &row.sums;
    match code {
        b'9' => {
            if let Some(micros) = vwap_micros(sums.notional, sums.volume) {
                body.micros(tag::MD_ENTRY_PX, micros);
            }
        }
        b'B' => {
            body.uint(tag::MD_ENTRY_SIZE, sums.volume);
            body.uint(tag::NUMBER_OF_ORDERS, u64::from(sums.trades));
        }
        b'4' => body.price(tag::MD_ENTRY_PX, sums.open),
        b'7' => body.price(tag::MD_ENTRY_PX, sums.high),
        b'8' => body.price(tag::MD_ENTRY_PX, sums.low),
        _ => body.price(tag::MD_ENTRY_PX, sums.close),
    }
}

/// The fields that tell which row an entry belongs to: end, window, completeness and revision.
pub(super) fn put_tail(body: &mut Body, row: &Row, window: &[u8]) {
    body.time(tag::MD_ENTRY_TIME, row.end.0);
    body.text(tag::MD_ENTRY_ORIGINATOR, window);
    let mut text = [0; 32];
    let mut length = 0;
    let mut put = |part: &[u8]| {
        text[length..length + part.len()].copy_from_slice(part);
        length += part.len();
    };
    if !row.complete {
        put(b"incomplete");
    }
    if row.revision > 0 {
        put(if row.complete {
            b"revision "
        } else {
            b" revision "
        });
        put(crate::wire::fix::Digits::whole(u64::from(row.revision)).bytes());
    }
    if length > 0 {
        body.text(tag::TEXT, &text[..length]);
    }
}

/// Price, size and time of one side of the book; an empty side has neither price nor size.
pub(super) fn put_side(body: &mut Body, price: Price, size: u64, time_ns: u64) {
    if size > 0 {
        body.price(tag::MD_ENTRY_PX, price);
        body.uint(tag::MD_ENTRY_SIZE, size);
    }
    body.time(tag::MD_ENTRY_TIME, time_ns);
}

#[cfg(test)]
mod tests {
    use super::super::selection::{Group, Selections};
    use super::super::subscription::Coverage;
    use super::*;
    use crate::market::{Notional, Timestamp};
    use crate::window::Sums;

    fn row(locate: u16, revision: u32, trades: u32) -> Row {
        let mut sums = Sums::default();
        if trades > 0 {
            sums = Sums {
                notional: Notional::from(30_001),
                volume: 3,
                trades,
                open: Price(10_000),
                high: Price(10_001),
                low: Price(9_999),
                close: Price(10_001),
            };
        }
        Row {
            end: Timestamp(34_200_500_000_000),
            locate: Locate(locate),
            symbol: Symbol::new("AAPL").unwrap(),
            window: 1,
            sums,
            complete: revision != 2,
            revision,
        }
    }

    fn chosen(entries: &Entries, types: EntryTypes) -> Vec<(usize, String)> {
        let interest = Interest {
            number: 1,
            types,
            windows: Vec::new(),
            coverage: Coverage::Universe,
        };
        let mut selections = Selections::default();
        let selection = selections.of(entries, &interest);
        let message = |group: &Group| {
            let bytes = selection.bytes(group);
            assert_eq!(group.sum, crate::wire::fix::byte_sum(bytes));
            let text = String::from_utf8_lossy(bytes).replace('\x01', "|");
            (group.count, text)
        };
        selection.groups().iter().map(message).collect()
    }

    #[test]
    fn a_row_to_the_letter() {
        let mut entries = Entries::default();
        let all = EntryTypes::MAX;
        for (revision, trades, expected) in [
            (
                0,
                2,
                "279=0|269=9|55=AAPL|270=1.000033|273=09:30:00.500|282=1m|",
            ),
            (
                1,
                2,
                "279=1|269=9|55=AAPL|270=1.000033|273=09:30:00.500|282=1m|58=revision 1|",
            ),
            (
                2,
                0,
                "279=2|269=9|55=AAPL|273=09:30:00.500|282=1m|58=incomplete revision 2|",
            ),
        ] {
            entries.clear();
            entries.add_row(&row(7, revision, trades), b"1m", all);
            assert_eq!(chosen(&entries, 1 << 7), [(1, expected.to_owned())]);
            assert_eq!(chosen(&entries, all)[0].0, 7, "all but bid and offer");
        }
        entries.clear();
        entries.add_row(&row(7, 0, 2), b"1m", all);
        let volume = "279=0|269=B|55=AAPL|271=3|346=2|273=09:30:00.500|282=1m|";
        assert_eq!(chosen(&entries, 1 << 8), [(1, volume.to_owned())]);
        let low = "279=0|269=8|55=AAPL|270=0.9999|273=09:30:00.500|282=1m|";
        assert_eq!(chosen(&entries, 1 << 6), [(1, low.to_owned())]);
    }

    #[test]
    fn tops_appear_change_and_vanish() {
        let mut entries = Entries::default();
        let who = (Locate(1), Symbol::new("A").unwrap());
        let both = Top {
            bid: Price(10),
            bid_size: 5,
            ask: Price(12),
            ask_size: 6,
        };
        let bid_only = Top {
            ask: Price(0),
            ask_size: 0,
            ..both
        };
        entries.add_top(who, None, &bid_only, 1_000_000, BOOK);
        entries.add_top(who, Some(bid_only), &both, 2_000_000, BOOK);
        entries.add_top(who, Some(both), &bid_only, 3_000_000, BOOK);
        let text = "279=0|269=0|55=A|270=0.0010|271=5|273=00:00:00.001|\
                    279=1|269=0|55=A|270=0.0010|271=5|273=00:00:00.002|\
                    279=0|269=1|55=A|270=0.0012|271=6|273=00:00:00.002|\
                    279=1|269=0|55=A|270=0.0010|271=5|273=00:00:00.003|\
                    279=2|269=1|55=A|273=00:00:00.003|";
        assert_eq!(chosen(&entries, BOOK), [(5, text.to_owned())]);
    }

    #[test]
    fn many_entries_take_several_messages() {
        let mut entries = Entries::default();
        for locate in 0..1000 {
            entries.add_row(&row(locate, 0, 1), b"1m", EntryTypes::MAX);
        }
        let messages = chosen(&entries, EntryTypes::MAX);
        assert_eq!(
            messages.iter().map(|message| message.0).sum::<usize>(),
            7000
        );
        assert!(messages.iter().all(|message| message.0 <= MAX_ENTRIES));
        assert!(chosen(&entries, BOOK).is_empty());
    }
}
