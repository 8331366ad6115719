//! What market data over FIX does to the batch: trades and best quotes, as they are for other feeds.
//!
//! FIX names symbols and has no locates, so symbols get locates as they come. A trade is an entry
//! 269=2 with a price and a size; 279=2 takes the one with its 278 back, 279=1 replaces it. The trade of
//! a snapshot counts unless it has been taken before: by its 278, or where it has none, by its time. Bids
//! and offers (269=0 and 1) are the best of each side; a snapshot says all of them. Everything else is
//! counted and not used.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Normaliser, mark};
use crate::columns::{Batch, Mark};
use crate::market::{Gap, Locate, NANOS_PER_DAY, Price, Shares, Symbol, Timestamp, Top, Trade};
use crate::window::{ExecutionKind, Policy};
use crate::wire::fix::{
    Frame, MdEntries, MdEntry, Message, next_frame, parse_decimal, parse_time, parse_uint,
    parse_utc, tag,
};

/// Longest BodyLength of a message that is in a packet.
const LONGEST: usize = 1 << 30;

/// Match numbers that are made here: of trades without 278, and of those whose 278 is no number.
const MADE: u64 = 1 << 63;

/// What is known of the symbols of a feed of FIX.
#[derive(Default)]
pub(super) struct FixSymbols {
    locates: HashMap<Symbol, Locate>,
    /// By locate.
    tops: Vec<Top>,
    /// The newest trade of each locate.
    newest: Vec<Option<Trade>>,
    /// The match numbers of all trades with 278.
    taken: HashSet<(Locate, u64)>,
    /// Trades without a number so far.
    nameless: u64,
}

impl FixSymbols {
    /// Whether a trade of a snapshot, with a number of its own or without, has been taken. Of those without, one that is
    /// older than the newest of its symbol must have been, or that is like it.
    fn has(&self, trade: &Trade, is_numbered: bool) -> bool {
        if is_numbered {
            return self.taken.contains(&(trade.locate, trade.match_number));
        }
        let newest = self.newest[trade.locate.index()];
        let like = |other: &Trade| (other.time, other.price, other.shares);
        newest.is_some_and(|newest| newest.time > trade.time || like(&newest) == like(trade))
    }
}

/// An entry is not what it says.
pub(super) struct Unusable;

impl Normaliser {
    /// Decodes whole FIX messages, one behind the other, into `batch`.
    pub fn fix_messages(&mut self, bytes: &[u8], batch: &mut Batch) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = match next_frame(rest, LONGEST) {
                Frame::Message { message, length } => {
                    self.fix_message(&message, batch);
                    length
                }
                Frame::Garbled { skip, .. } => skip,
                Frame::Incomplete => return,
            };
            rest = &rest[used..];
        }
    }

    fn fix_message(&mut self, message: &Message<'_>, batch: &mut Batch) {
        self.counts.messages += 1;
        batch.messages += 1;
        let repeats = self.repeats.as_mut();
        if repeats.is_some_and(|repeats| repeats.has(message)) {
            self.counts.repeated += 1;
            return;
        }
        let snapshot = match message.msg_type() {
            b"W" => true,
            b"X" => false,
            b"h" => return self.closed(message, batch),
            b"f" => return self.fix_status(message, batch),
            _ => return,
        };
        let Some(entries) = MdEntries::of(message) else {
            self.counts.malformed += 1;
            return;
        };
        let sent = message.get(tag::SENDING_TIME).and_then(parse_utc);
        let sent = sent.map(|utc_ns| Timestamp(utc_ns % NANOS_PER_DAY));
        if snapshot {
            self.fix_snapshot(message, entries, sent, batch);
            return;
        }
        for entry in entries {
            let time = time_of(&entry, sent);
            let done = match (entry.kind, time) {
                (Some(b"0" | b"1"), Some(time)) => self.fix_side(&entry, time, batch),
                (Some(b"2"), Some(time)) => self.fix_step(&entry, time, batch),
                (Some(b"0" | b"1" | b"2") | None, _) => Err(Unusable),
                _ => {
                    self.counts.unused_entries += 1;
                    Ok(())
                }
            };
            self.counts.unusable_entries += u64::from(done.is_err());
        }
    }

    /// The market has closed (35=h, 340=3): time goes on to 345.
    fn closed(&mut self, message: &Message<'_>, batch: &mut Batch) {
        let end = message.get(tag::TRAD_SES_END_TIME).and_then(parse_utc);
        if let (Some(b"3"), Some(end)) = (message.get(tag::TRAD_SES_STATUS), end) {
            self.reach(Timestamp(end % NANOS_PER_DAY), batch);
        }
    }

    /// Sets the time to that of an entry that is used; a gap before it ends there.
    fn reach(&mut self, time: Timestamp, batch: &mut Batch) {
        self.pass(time);
        let before = self.now;
        if let Some(gap) = self.pending_gap.take() {
            mark(batch, Mark::Gap(Gap { before, ..gap }));
        }
        batch.now = before;
        batch.started = true;
    }

    /// A snapshot replaces both sides of the book; its trade is the newest one.
    fn fix_snapshot(
        &mut self,
        message: &Message<'_>,
        entries: MdEntries<'_>,
        sent: Option<Timestamp>,
        batch: &mut Batch,
    ) {
        let symbol = symbol_of(message.get(tag::SYMBOL));
        let (mut top, mut last) = (Top::default(), None);
        for entry in entries {
            let time = time_of(&entry, sent);
            let done = match (entry.kind, time) {
                (Some(side @ (b"0" | b"1")), Some(time)) => {
                    quote_of(&entry).map(|(price, size)| {
                        better(&mut top, side, price, size);
                        last = last.max(Some(time));
                    })
                }
                (Some(b"2"), Some(time)) => self.fix_trade(&entry, time, true, batch),
                (Some(b"0" | b"1" | b"2") | None, _) => Err(Unusable),
                _ => {
                    self.counts.unused_entries += 1;
                    Ok(())
                }
            };
            self.counts.unusable_entries += u64::from(done.is_err());
        }
        let known = symbol.and_then(|symbol| self.fix.locates.get(&symbol).copied());
        // A symbol without quotes needs no locate, and the time of a snapshot that empties a book is
        // that of the newest message.
        let Some(symbol) = symbol.filter(|_| last.is_some() || known.is_some()) else {
            return;
        };
        if let Some(time) = last {
            self.reach(time, batch);
        }
        if let Ok(locate) = self.fix_locate(symbol, batch) {
            self.set_top(locate, top, batch);
        }
    }

    fn fix_side(
        &mut self,
        entry: &MdEntry<'_>,
        time: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Unusable> {
        let symbol = symbol_of(entry.symbol).ok_or(Unusable)?;
        let (price, size) = match entry.action {
            Some(b"2") => (Price(0), 0),
            _ => quote_of(entry)?,
        };
        self.reach(time, batch);
        let locate = self.fix_locate(symbol, batch)?;
        let mut top = self.fix.tops[locate.index()];
        match entry.kind {
            Some(b"0") => (top.bid, top.bid_size) = (price, size),
            _ => (top.ask, top.ask_size) = (price, size),
        }
        self.set_top(locate, top, batch);
        Ok(())
    }

    fn set_top(&mut self, locate: Locate, top: Top, batch: &mut Batch) {
        let before = std::mem::replace(&mut self.fix.tops[locate.index()], top);
        if before != top {
            self.counts.top_changes += 1;
            if self.tops {
                batch.quotes.push(self.now, locate, top);
            }
        }
    }

    /// A trade of 35=X: new, changed or taken back.
    fn fix_step(
        &mut self,
        entry: &MdEntry<'_>,
        time: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Unusable> {
        match entry.action {
            Some(b"0") => self.fix_trade(entry, time, false, batch),
            Some(b"1") => {
                trade_of(entry)?;
                self.fix_break(entry, time, batch)?;
                self.fix_trade(entry, time, false, batch)
            }
            Some(b"2") => self.fix_break(entry, time, batch),
            _ => Err(Unusable),
        }
    }

    fn fix_break(
        &mut self,
        entry: &MdEntry<'_>,
        time: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Unusable> {
        let match_number = entry.id.map(number_of).ok_or(Unusable)?;
        self.reach(time, batch);
        let time = self.now;
        mark(batch, Mark::Break { match_number, time });
        Ok(())
    }

    fn fix_trade(
        &mut self,
        entry: &MdEntry<'_>,
        time: Timestamp,
        snapshot: bool,
        batch: &mut Batch,
    ) -> Result<(), Unusable> {
        let (symbol, price, shares) = trade_of(entry)?;
        if shares.0 == 0 {
            self.counts.zero_shares += 1;
            return Ok(());
        }
        let known = self.fix.locates.get(&symbol).copied();
        let mut trade = Trade {
            time,
            locate: known.unwrap_or_default(),
            price,
            shares,
            match_number: entry.id.map_or(0, number_of),
            policies: policies_of(entry.text),
        };
        if snapshot && known.is_some() && self.fix.has(&trade, entry.id.is_some()) {
            return Ok(());
        }
        self.reach(time, batch);
        trade.locate = self.fix_locate(symbol, batch)?;
        self.fix.newest[trade.locate.index()] = Some(trade);
        if entry.id.is_some() {
            self.fix.taken.insert((trade.locate, trade.match_number));
        } else {
            self.fix.nameless += 1;
            trade.match_number = MADE | self.fix.nameless;
        }
        trade.time = self.now;
        self.counts.trades += 1;
        batch.trades.push(&trade);
        Ok(())
    }

    /// The locate of `symbol`, a new one if it is met for the first time.
    pub(super) fn fix_locate(
        &mut self,
        symbol: Symbol,
        batch: &mut Batch,
    ) -> Result<Locate, Unusable> {
        if let Some(locate) = self.fix.locates.get(&symbol) {
            return Ok(*locate);
        }
        let next = u16::try_from(self.fix.locates.len()).map_err(|_| Unusable)?;
        let (locate, time) = (Locate(next), self.now);
        self.fix.locates.insert(symbol, locate);
        self.fix.tops.push(Top::default());
        self.fix.newest.push(None);
        self.directory.learn(locate, symbol, time);
        let named = Mark::Named {
            locate,
            symbol,
            time,
        };
        mark(batch, named);
        Ok(locate)
    }
}

pub(super) fn symbol_of(value: Option<&[u8]>) -> Option<Symbol> {
    Symbol::new(std::str::from_utf8(value?).ok()?)
}

/// Time of the feed: that of the entry, else that of the message.
fn time_of(entry: &MdEntry<'_>, sent: Option<Timestamp>) -> Option<Timestamp> {
    match entry.time {
        Some(time) => parse_time(time).map(Timestamp),
        None => sent,
    }
}

fn price_of(entry: &MdEntry<'_>) -> Option<Price> {
    let ticks = parse_decimal(entry.price?, 4)?;
    u32::try_from(ticks).ok().map(Price)
}

fn quote_of(entry: &MdEntry<'_>) -> Result<(Price, u64), Unusable> {
    let size = entry.size.and_then(|size| parse_decimal(size, 0));
    let quote = price_of(entry).zip(size);
    quote.filter(|(_, size)| *size > 0).ok_or(Unusable)
}

fn trade_of(entry: &MdEntry<'_>) -> Result<(Symbol, Price, Shares), Unusable> {
    let size = entry.size.and_then(|size| parse_decimal(size, 0));
    let shares = size.and_then(|size| Shares::try_from(size).ok());
    let (symbol, price) = (symbol_of(entry.symbol), price_of(entry));
    let all = symbol.zip(price).zip(shares);
    all.map(|((symbol, price), shares)| (symbol, price, shares))
        .ok_or(Unusable)
}

/// Keeps the better of two levels of a side.
fn better(top: &mut Top, side: &[u8], price: Price, size: u64) {
    if side == b"0" && (top.bid_size == 0 || price > top.bid) {
        (top.bid, top.bid_size) = (price, size);
    } else if side == b"1" && (top.ask_size == 0 || price < top.ask) {
        (top.ask, top.ask_size) = (price, size);
    }
}

/// The match number of an MDEntryID.
fn number_of(id: &[u8]) -> u64 {
    let number = parse_uint(id).filter(|_| id.len() == 1 || id[0] != b'0');
    number.unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        MADE | hasher.finish()
    })
}

/// The policies of a trade by the ITCH type that a widetape gives in 58; others count as `itch.all`.
fn policies_of(text: Option<&[u8]>) -> u8 {
    let kind = text.and_then(|text| match text {
        b"E" => Some(ExecutionKind::Executed),
        b"C" => Some(ExecutionKind::ExecutedWithPrice),
        b"P" => Some(ExecutionKind::NonDisplayed),
        b"Q" => Some(ExecutionKind::Cross),
        _ => None,
    });
    kind.map_or(Policy::All.bit(), Policy::bits_of)
}
