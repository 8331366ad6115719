//! The course of the day.

use super::auction::Cross;
use super::clock::{Clock, DAY, MARKET_CLOSE, MARKET_OPEN, SYSTEM_END, SYSTEM_START, Tick};
use super::directory::{DIRECTORY_START, Entry};
use super::exchange::{Exchange, ROOM};
use super::options::{SyntheticError, SyntheticOptions};
use crate::market::Duration;

/// Messages apart from those that symbols and orders bring: six system events, the market-wide
/// circuit breaker levels, one quotation release of a new listing, and a reserve.
const FIXED: u64 = 16;

/// A synthetic day of ITCH 5.0, made block by block.
///
/// Memory follows the number of symbols and of live orders, not the length of the day.
#[derive(Debug)]
pub struct SyntheticDay {
    exchange: Exchange,
    clock: Clock,
    stage: Stage,
    /// Symbols, and how many of them (from locate 1 on) have all directory messages and crosses.
    symbols: u16,
    dressed: u16,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Before 04:00: the next directory message.
    Directory {
        now: u64,
        entry: Entry,
    },
    /// Orders and executions.
    Flow,
    /// All symbols cross; this one is next.
    Crossing(Cross, u16),
    /// After 20:00.
    Closing,
    Done,
}

impl SyntheticDay {
    /// Most bytes that [`Self::next_block`] appends.
    pub const MAX_BLOCK_BYTES: usize = 1_024;
    /// From 04:00 to 20:00, in nanoseconds.
    pub const LENGTH_NS: u64 = DAY;

    /// A day that has not begun.
    ///
    /// # Errors
    /// When there are no symbols, or too few messages for them.
    pub fn new(options: SyntheticOptions) -> Result<Self, SyntheticError> {
        let symbols = u64::from(options.symbols);
        if symbols == 0 {
            return Err(SyntheticError::NoSymbols);
        }
        let needed = symbols + FIXED;
        if options.messages < needed {
            return Err(SyntheticError::TooFewMessages {
                messages: options.messages,
                symbols: options.symbols,
                needed,
            });
        }
        // At most a third of what is left goes to further directory messages and to crosses.
        let dressed = ((options.messages - needed) / 16).min(symbols);
        let directory = Entry::count(symbols, dressed);
        let system_events = 5;
        let flow = options.messages - directory - system_events - 2 * dressed;
        Ok(Self {
            exchange: Exchange::new(&options),
            clock: Clock::new(flow),
            stage: Stage::Directory {
                now: DIRECTORY_START,
                entry: Entry::FIRST,
            },
            symbols: options.symbols,
            dressed: dressed as u16,
        })
    }

    /// The day drawn together, so that it ends `duration` after 04:00 instead of 16 hours, with as many
    /// messages at any time: the course of a day at the pace of an exchange under load. It must not have
    /// begun. 16 hours and more leave it as it is.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        if duration.nanos() < DAY {
            self.exchange.tape.last(duration.nanos());
            self.clock = self.clock.evenly();
        }
        self
    }

    /// Appends the next block, or the few blocks (`Length u16 | message`) that one event brings
    /// together. False, with nothing appended, when the day is over.
    pub fn next_block(&mut self, out: &mut Vec<u8>) -> bool {
        let before = self.messages();
        while self.messages() == before {
            match self.stage {
                Stage::Directory { now, entry } => self.directory(now, entry, out),
                Stage::Flow => self.flow(out),
                Stage::Crossing(cross, locate) => self.crossing(cross, locate, out),
                Stage::Closing => {
                    self.exchange.system_event(SYSTEM_END, b'E', out);
                    self.exchange
                        .system_event(SYSTEM_END + 300_000_000_000, b'C', out);
                    self.stage = Stage::Done;
                }
                Stage::Done => return false,
            }
        }
        true
    }

    /// Messages so far; at the end exactly as many as asked for.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.exchange.tape.messages()
    }

    /// Orders that rest in the books now.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.exchange.books.live()
    }

    fn directory(&mut self, now: u64, entry: Entry, out: &mut Vec<u8>) {
        self.exchange.directory(now, entry, out);
        self.stage = match entry.next(self.symbols, self.dressed) {
            Some(entry) => Stage::Directory {
                now: now + 1 + self.exchange.rng.below_wide(20_000),
                entry,
            },
            None => Stage::Flow,
        };
    }

    fn flow(&mut self, out: &mut Vec<u8>) {
        let before = self.messages();
        match self.clock.tick(&mut self.exchange.rng) {
            Tick::Message => {
                let room = 1 + self.clock.left();
                self.exchange.event(self.clock.now(), room, out);
                self.clock.spend(self.messages() - before - 1);
            }
            Tick::Segment(SYSTEM_START) => {
                self.exchange.system_event(self.clock.now(), b'S', out);
            }
            Tick::Segment(MARKET_OPEN) => {
                self.exchange.system_event(self.clock.now(), b'Q', out);
                self.stage = Stage::Crossing(Cross::Opening, 1);
            }
            Tick::Segment(MARKET_CLOSE) => {
                self.exchange.system_event(self.clock.now(), b'M', out);
                self.stage = Stage::Crossing(Cross::Closing, 1);
            }
            Tick::Segment(_) => {}
            Tick::Over => self.stage = Stage::Closing,
        }
    }

    fn crossing(&mut self, cross: Cross, locate: u16, out: &mut Vec<u8>) {
        if locate > self.dressed {
            self.stage = Stage::Flow;
            return;
        }
        self.clock.pass(self.exchange.rng.below_wide(2_000));
        let before = self.messages();
        let room = (1 + self.clock.left()).min(ROOM);
        self.exchange
            .cross(self.clock.now(), locate, (cross, room), out);
        self.clock.spend(self.messages() - before - 1);
        self.stage = match locate.checked_add(1) {
            Some(next) => Stage::Crossing(cross, next),
            None => Stage::Flow,
        };
    }
}
