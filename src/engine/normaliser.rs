//! Ordered messages become columns: parse, book, price, policy, batch.
//!
//! The normaliser is the one place where a message meets the book. Its time is the running maximum of
//! the messages' times, so that no window is ever asked to go back.

mod ahead;
mod counts;
mod market_data;
mod messages;
mod repeats;
mod status;

pub use counts::{MessageError, NormaliserCounts};

use crate::book::Book;
use crate::columns::{Batch, Mark};
use crate::market::{Directory, Gap, Locate, Symbol, Timestamp};
use crate::memory::Memory;
use crate::wire::itch50::{self, Message, ParseError};

/// Locates that there can be.
const LOCATES: usize = 1 << 16;

/// Turns messages into columns.
pub struct Normaliser {
    book: Book,
    /// Whether anybody asks for best bids and offers.
    tops: bool,
    memory: Memory,
    directory: Directory,
    /// One bit for each locate that has no name.
    unnamed: Box<[u64; LOCATES / 64]>,
    now: Timestamp,
    /// Holes declared since the last message.
    pending_gap: Option<Gap>,
    flagged: Vec<bool>,
    statuses: status::Statuses,
    fix: market_data::FixSymbols,
    /// What a log of FIX has brought; a live session has seen to that itself.
    repeats: Option<repeats::Repeats>,
    counts: NormaliserCounts,
}

impl Normaliser {
    /// A normaliser at the start of a day; `tops` says whether anybody asks for best bids and offers.
    #[must_use]
    pub fn new(tops: bool) -> Self {
        Self {
            book: new_book(tops, 0, Memory::default()),
            memory: Memory::default(),
            tops,
            directory: Directory::new(),
            unnamed: Box::new([u64::MAX; LOCATES / 64]),
            now: Timestamp(0),
            pending_gap: None,
            flagged: Vec::new(),
            statuses: status::Statuses::default(),
            fix: market_data::FixSymbols::default(),
            repeats: None,
            counts: NormaliserCounts::default(),
        }
    }

    /// The normaliser with another way to ask for memory, and room for so many live orders from the start. It
    /// must not have met a message.
    #[must_use]
    pub fn with_memory(self, memory: Memory, room: usize) -> Self {
        Self {
            book: new_book(self.tops, room, memory),
            memory,
            ..self
        }
    }

    /// The normaliser for files: messages of FIX that a log holds twice count once.
    #[must_use]
    pub fn of_files(self) -> Self {
        Self {
            repeats: Some(repeats::Repeats::default()),
            ..self
        }
    }

    /// What has been met so far.
    #[must_use]
    pub fn counts(&self) -> NormaliserCounts {
        self.counts
    }

    /// The book as it stands.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Symbols with an execution that could not be priced.
    pub fn flagged(&self) -> impl Iterator<Item = Symbol> + '_ {
        let flagged = (0..=u16::MAX)
            .zip(&self.flagged)
            .filter(|(_, flagged)| **flagged);
        flagged.map(|(locate, _)| self.directory.label_at(Locate(locate), Timestamp(u64::MAX)))
    }

    /// Another session begins, in place of one of which nothing was decoded: what that one lost is not missed.
    pub fn start_session(&mut self) {
        debug_assert_eq!(self.counts.messages, 0, "a run holds one session");
        self.pending_gap = None;
    }

    /// Messages were lost before the next one.
    pub fn gap(&mut self, first_sequence: u64, count: u64) {
        self.counts.gaps += 1;
        self.counts.lost_messages = self.counts.lost_messages.saturating_add(count);
        let gap = self.pending_gap.get_or_insert(Gap {
            after: self.now,
            before: Timestamp(u64::MAX),
            first_sequence,
            count: 0,
        });
        gap.count = gap.count.saturating_add(count);
    }

    /// The input has ended: a gap at its end has no message behind it.
    pub fn finish(&mut self, batch: &mut Batch) {
        if let Some(gap) = self.pending_gap.take() {
            mark(batch, Mark::Gap(gap));
        }
    }

    /// Decodes one message into `batch`.
    ///
    /// # Errors
    /// When the message cannot be decoded; it is counted, changes nothing, and the next one may follow.
    #[inline(always)]
    pub fn message(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<(), MessageError> {
        self.counts.messages += 1;
        batch.messages += 1;
        match self.pending_gap {
            None => self.single(bytes, batch),
            Some(gap) => self.end_gap(gap, bytes, batch),
        }
    }

    #[inline(always)]
    fn single(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<(), MessageError> {
        match itch50::parse(bytes) {
            Ok(Message::AddOrder(add)) => self.add_order(&add, batch)?,
            Ok(Message::AddOrderWithAttribution(add)) => self.add_attributed(&add, batch)?,
            Ok(Message::OrderExecuted(executed)) => self.executed(&executed, batch),
            Ok(Message::OrderExecutedWithPrice(executed)) => self.priced(&executed, batch),
            Ok(Message::OrderCancel(cancel)) => self.cancel(&cancel, batch),
            Ok(Message::OrderDelete(delete)) => self.delete(&delete, batch),
            Ok(Message::OrderReplace(replace)) => self.replace(&replace, batch),
            Ok(Message::Trade(trade)) => self.non_displayed(&trade, batch),
            Ok(Message::CrossTrade(cross)) => self.cross(&cross, batch)?,
            Ok(Message::BrokenTrade(broken)) => self.broken(&broken, batch),
            Ok(Message::StockDirectory(listed)) => self.listed(&listed, batch),
            Ok(Message::StockTradingAction(action)) => self.trading_action(&action, batch),
            Ok(Message::OperationalHalt(halt)) => self.operational_halt(&halt, batch),
            Ok(other) => self.begin(&other.header(), batch),
            Err(error) => return Err(self.refuse(error)),
        }
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, error: ParseError) -> MessageError {
        match error {
            ParseError::UnknownType { .. } => self.counts.unknown_types += 1,
            _ => self.counts.malformed += 1,
        }
        error.into()
    }

    /// Time goes on to that of a message, and never back.
    #[inline(always)]
    fn pass(&mut self, time: Timestamp) {
        self.counts.time_reversals += u64::from(time < self.now);
        self.now = self.now.max(time);
    }

    /// Decodes the message behind a gap, which ends there, in front of what the message does; not at one that is
    /// refused.
    #[cold]
    fn end_gap(&mut self, gap: Gap, bytes: &[u8], batch: &mut Batch) -> Result<(), MessageError> {
        let (marks, trades) = (batch.marks.len(), batch.trades.len() as u32);
        self.single(bytes, batch)?;
        self.pending_gap = None;
        let before = self.now;
        let mark = Mark::Gap(Gap { before, ..gap });
        batch.marks.insert(marks, (trades, mark));
        Ok(())
    }
}

fn mark(batch: &mut Batch, mark: Mark) {
    batch.marks.push((batch.trades.len() as u32, mark));
}

fn new_book(tops: bool, room: usize, memory: Memory) -> Book {
    let book = Book::with_room(room, memory);
    if tops { book } else { book.without_ladders() }
}
