//! A synthetic day of executions: 10,000 symbols by Zipf's law over 6.5 hours, the same for the same
//! number.

use widetape::columns::TradeSlices;
use widetape::market::NANOS_PER_SECOND;

pub(crate) const SYMBOLS: usize = 10_000;
pub(crate) const OPEN: u64 = 34_200;
pub(crate) const SECONDS: u64 = 23_400;

/// Columns in feed order.
pub(crate) struct Data {
    pub(crate) times: Vec<u64>,
    pub(crate) locates: Vec<u16>,
    pub(crate) prices: Vec<u32>,
    pub(crate) shares: Vec<u32>,
}

struct Random(u64);

impl Random {
    /// The next 64 bits (SplitMix64).
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Data {
    /// `trades` executions, evenly spread over the day but for jitter.
    pub(crate) fn new(trades: usize) -> Self {
        let mut random = Random(1);
        let mut weights = Vec::with_capacity(SYMBOLS);
        let mut total = 0.0;
        for rank in 1..=SYMBOLS {
            total += 1.0 / rank as f64;
            weights.push(total);
        }
        let mut locates: Vec<u16> = (1..=SYMBOLS as u16).collect();
        for index in (1..SYMBOLS).rev() {
            locates.swap(index, random.bits() as usize % (index + 1));
        }
        let mut last: Vec<u32> = (0..SYMBOLS)
            .map(|_| 10_000 + (random.bits() % 3_000_000) as u32)
            .collect();
        let mut data = Self {
            times: Vec::with_capacity(trades),
            locates: Vec::with_capacity(trades),
            prices: Vec::with_capacity(trades),
            shares: Vec::with_capacity(trades),
        };
        let span = SECONDS * NANOS_PER_SECOND;
        let apart = (span / trades as u64).max(1);
        for trade in 0..trades as u64 {
            let (bits, more) = (random.bits(), random.bits());
            let drawn = (bits >> 11) as f64 / (1_u64 << 53) as f64 * total;
            let rank = weights
                .partition_point(|&weight| weight < drawn)
                .min(SYMBOLS - 1);
            let price = &mut last[rank];
            *price = (*price + (more % 5) as u32 * 100).max(400) - 200;
            let lots = 1 + (more >> 8) as u32 % 20;
            let odd = 1 + (more >> 16) as u32 % 99;
            let time = (u128::from(span) * u128::from(trade) / trades as u128) as u64;
            data.times
                .push(OPEN * NANOS_PER_SECOND + time + (more >> 32) % apart);
            data.locates.push(locates[rank]);
            data.prices.push(*price);
            data.shares.push(if (more >> 24) % 3 == 0 {
                odd
            } else {
                lots * 100
            });
        }
        data
    }

    pub(crate) fn slices(&self) -> TradeSlices<'_> {
        TradeSlices {
            times: &self.times,
            locates: &self.locates,
            prices: &self.prices,
            shares: &self.shares,
            ..TradeSlices::default()
        }
    }
}
