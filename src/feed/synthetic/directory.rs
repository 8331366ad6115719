//! What the exchange says before trading: system events and the stock directory.

use crate::wire::itch50::{
    IpoQuotingPeriodUpdateFields, MarketParticipantPositionFields, MwcbDeclineLevelFields,
    RegShoRestrictionFields, StockDirectoryFields, SystemEventFields,
};

use super::exchange::Exchange;

/// 03:00, the first message of the day.
pub(super) const DIRECTORY_START: u64 = 3 * 3_600_000_000_000;

/// One message of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Start,
    Stock(u16),
    Trading(u16),
    ShortSale(u16),
    Maker(u16),
    CircuitBreaker,
    NewListing,
}

impl Entry {
    pub(super) const FIRST: Self = Self::Start;

    /// Messages of a whole directory.
    pub(super) fn count(symbols: u64, dressed: u64) -> u64 {
        3 + symbols + 3 * dressed
    }

    /// The entry after this one: all R, then for each of the first `dressed` symbols H, Y and L.
    pub(super) fn next(self, symbols: u16, dressed: u16) -> Option<Self> {
        Some(match self {
            Self::Start => Self::Stock(1),
            Self::Stock(locate) if locate < symbols => Self::Stock(locate + 1),
            Self::Stock(_) if dressed > 0 => Self::Trading(1),
            Self::Stock(_) => Self::CircuitBreaker,
            Self::Trading(locate) => Self::ShortSale(locate),
            Self::ShortSale(locate) => Self::Maker(locate),
            Self::Maker(locate) if locate < dressed => Self::Trading(locate + 1),
            Self::Maker(_) => Self::CircuitBreaker,
            Self::CircuitBreaker => Self::NewListing,
            Self::NewListing => return None,
        })
    }
}

impl Exchange {
    /// Writes one message of the directory.
    pub(super) fn directory(&mut self, now: u64, entry: Entry, out: &mut Vec<u8>) {
        match entry {
            Entry::Start => self.system_event(now, b'O', out),
            Entry::Stock(locate) => self.stock(now, locate, out),
            Entry::Trading(locate) => self.trading_action(now, (locate, b'T', *b"    "), out),
            Entry::ShortSale(locate) => {
                let stock = self.books.symbol(locate);
                self.tape.put(out, (locate, now), |header, out| {
                    RegShoRestrictionFields {
                        stock,
                        reg_sho_action: b'0',
                    }
                    .emit(header, out);
                });
            }
            Entry::Maker(locate) => {
                let stock = self.books.symbol(locate);
                self.tape.put(out, (locate, now), |header, out| {
                    MarketParticipantPositionFields {
                        mpid: *b"WIDE",
                        stock,
                        primary_market_maker: b'Y',
                        market_maker_mode: b'N',
                        market_participant_state: b'A',
                    }
                    .emit(header, out);
                });
            }
            Entry::CircuitBreaker => self.tape.put(out, (0, now), |header, out| {
                MwcbDeclineLevelFields {
                    level_1: 3_000 * 100_000_000,
                    level_2: 2_800 * 100_000_000,
                    level_3: 2_600 * 100_000_000,
                }
                .emit(header, out);
            }),
            Entry::NewListing => {
                let stock = self.books.symbol(1);
                let price = self.books.price(1, self.books.top(1));
                self.tape.put(out, (1, now), |header, out| {
                    IpoQuotingPeriodUpdateFields {
                        stock,
                        ipo_quotation_release_time: 34_200,
                        ipo_quotation_release_qualifier: b'A',
                        ipo_price: price,
                    }
                    .emit(header, out);
                });
            }
        }
    }

    fn stock(&mut self, now: u64, locate: u16, out: &mut Vec<u8>) {
        let stock = self.books.symbol(locate);
        let category = b"QGSNAP"[self.rng.below(6) as usize];
        self.tape.put(out, (locate, now), |header, out| {
            StockDirectoryFields {
                stock,
                market_category: category,
                financial_status_indicator: b'N',
                round_lot_size: 100,
                round_lots_only: b'N',
                issue_classification: b'C',
                issue_subtype: *b"Z ",
                authenticity: b'P',
                short_sale_threshold_indicator: b'N',
                ipo_flag: b'N',
                luld_reference_price_tier: b'1',
                etp_flag: b'N',
                etp_leverage_factor: 0,
                inverse_indicator: b'N',
            }
            .emit(header, out);
        });
    }

    /// S.
    pub(super) fn system_event(&mut self, now: u64, event: u8, out: &mut Vec<u8>) {
        self.tape.put(out, (0, now), |header, out| {
            SystemEventFields { event_code: event }.emit(header, out);
        });
    }
}
