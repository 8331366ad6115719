//! A day's executions, symbol by symbol: what the jobs over bars read, and what a device is sent.
//!
//! The feed interleaves thousands of symbols. Writing each execution straight to the end of its
//! symbol's columns would touch a page for each of them, far more than an address cache holds. So the
//! executions are dealt in two steps: first to one small bucket for every 64 locates, and from a full
//! bucket to its symbols, whose lines and pages then stay at hand. Both steps keep the feed order, and
//! ask ahead for the lines that they will write to: stores that wait for memory are most of the time.

use super::{Column, TradeSlices};
use crate::market::Locate;
use crate::memory::Memory;

/// Locates that share a bucket.
const GROUP: usize = 1 << GROUP_BITS;
const GROUP_BITS: u32 = 6;
const GROUPS: usize = (1 << 16) / GROUP;
/// Executions in a bucket.
const BUCKET: usize = 8192;
/// How many executions behind the last written one a bucket, and a symbol's columns, are asked for: two lines of
/// a bucket, half a line or one of a column.
const AHEAD: usize = 8;

/// Why executions cannot be made resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResidentError {
    /// The columns do not belong together.
    #[error("the columns of the executions have different lengths")]
    Uneven,
    /// Places are 32 bits.
    #[error("{0} executions exceed the limit of 4294967294 executions in a day")]
    TooMany(usize),
    /// Feed times are 48 bits (ITCH 5.0).
    #[error("the time {0} ns exceeds the 48 bits of a feed time")]
    TooLate(u64),
}

/// One execution in a bucket: its time above the low bits of its locate, shares above its price.
type Dealt = [u64; 2];

/// Executions by symbol, in feed order within each.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Where the executions of each locate start; the last entry is their number.
    starts: Vec<u32>,
    times: Column<u64>,
    prices: Column<u32>,
    shares: Column<u32>,
    /// A bucket for each group, one after the other, and how full each is: empty between calls.
    buckets: Box<[Dealt]>,
    held: Vec<u32>,
    memory: Memory,
}

/// The executions of one symbol, in feed order.
#[derive(Clone, Copy, Debug, Default)]
pub struct SymbolTrades<'a> {
    /// The symbol.
    pub locate: Locate,
    /// Nanoseconds since midnight, never decreasing, below 2^48.
    pub times: &'a [u64],
    /// Ticks of 1e-4 USD.
    pub prices: &'a [u32],
    /// Shares.
    pub shares: &'a [u32],
}

impl Default for Resident {
    fn default() -> Self {
        Self {
            starts: vec![0; (1 << 16) + 1],
            times: Column::default(),
            prices: Column::default(),
            shares: Column::default(),
            buckets: Box::default(),
            held: vec![0; GROUPS],
            memory: Memory::asked(),
        }
    }
}

impl Resident {
    /// Times are below this: 48 bits, as on the wire.
    pub const TIME_LIMIT: u64 = 1 << 48;

    /// Replaces the content by the executions of `stretches`, in that order, that count. Storage is
    /// kept and used again.
    ///
    /// # Errors
    /// If lengths differ, a time has more than 48 bits or there are 2^32 - 1 executions or more; the
    /// content is then empty.
    pub fn fill(&mut self, stretches: &[TradeSlices<'_>]) -> Result<(), ResidentError> {
        self.clear();
        check(stretches)?;
        let mut next = vec![0_u32; 1 << 16];
        for trades in stretches {
            count(trades, &mut next);
        }
        let mut total = 0;
        for (start, next) in self.starts.iter_mut().zip(&mut next) {
            *start = total;
            total += std::mem::replace(next, total);
        }
        self.starts[1 << 16] = total;
        let groups = self
            .starts
            .partition_point(|&start| start < total)
            .div_ceil(GROUP);
        if self.buckets.len() < groups * BUCKET {
            self.buckets = self.memory.array(groups * BUCKET);
        }
        self.make_room(total as usize);
        for trades in stretches {
            self.deal(trades, &mut next);
        }
        for group in 0..GROUPS {
            self.hand_out(group, &mut next);
        }
        Ok(())
    }

    /// Makes room for so many executions, which are to be written.
    fn make_room(&mut self, total: usize) {
        self.times.reserve(total, self.memory);
        self.prices.reserve(total, self.memory);
        self.shares.reserve(total, self.memory);
        self.times.append(total);
        self.prices.append(total);
        self.shares.append(total);
    }

    fn clear(&mut self) {
        self.starts.fill(0);
        self.times.clear();
        self.prices.clear();
        self.shares.clear();
    }

    fn deal(&mut self, trades: &TradeSlices<'_>, next: &mut [u32]) {
        let fields = trades.locates.iter().zip(trades.times);
        let fields = fields.zip(trades.prices).zip(trades.shares);
        for (index, (((&locate, &time), &price), &shares)) in fields.enumerate() {
            if !trades.counts(index) {
                continue;
            }
            let group = usize::from(locate >> GROUP_BITS);
            let within = u64::from(locate) % GROUP as u64;
            let held = self.held[group] as usize;
            let place = group * BUCKET + held;
            self.buckets[place] = [
                time << GROUP_BITS | within,
                u64::from(shares) << 32 | u64::from(price),
            ];
            self.memory.prefetch(&self.buckets, place + AHEAD);
            self.held[group] += 1;
            if held + 1 == BUCKET {
                self.hand_out(group, next);
            }
        }
    }

    /// Empties a bucket into the columns of its symbols.
    fn hand_out(&mut self, group: usize, next: &mut [u32]) {
        let Some(next) = next.as_chunks_mut::<GROUP>().0.get_mut(group) else {
            return;
        };
        let times = self.times.as_mut_slice();
        let prices = self.prices.as_mut_slice();
        let shares = self.shares.as_mut_slice();
        let held = std::mem::take(&mut self.held[group]) as usize;
        if held == 0 {
            return;
        }
        for &[time, size] in &self.buckets[group * BUCKET..][..held] {
            let next = &mut next[time as usize % GROUP];
            let place = *next as usize;
            *next += 1;
            times[place] = time >> GROUP_BITS;
            prices[place] = size as u32;
            shares[place] = (size >> 32) as u32;
            self.memory.prefetch(times, place + AHEAD);
            self.memory.prefetch(prices, place + AHEAD);
            self.memory.prefetch(shares, place + AHEAD);
        }
    }

    /// Number of executions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the executions of each locate start in the columns, and at last their number: 65,537
    /// places, never decreasing.
    #[must_use]
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The executions of one symbol; empty when it has none.
    #[must_use]
    pub fn symbol(&self, locate: Locate) -> SymbolTrades<'_> {
        let range = self.starts[locate.index()] as usize..self.starts[locate.index() + 1] as usize;
        SymbolTrades {
            locate,
            times: &self.times.as_slice()[range.clone()],
            prices: &self.prices.as_slice()[range.clone()],
            shares: &self.shares.as_slice()[range],
        }
    }

    /// The locates that have executions, ascending.
    pub fn locates(&self) -> impl Iterator<Item = Locate> + '_ {
        (0..=u16::MAX)
            .map(Locate)
            .filter(|locate| self.starts[locate.index()] < self.starts[locate.index() + 1])
    }
}

fn check(stretches: &[TradeSlices<'_>]) -> Result<(), ResidentError> {
    let mut length = 0;
    for trades in stretches {
        if !trades.is_even() || trades.times.len() != trades.len() {
            return Err(ResidentError::Uneven);
        }
        length += trades.len();
        if let Some(&time) = trades.times.last()
            && time >= Resident::TIME_LIMIT
        {
            return Err(ResidentError::TooLate(time));
        }
    }
    if length >= u32::MAX as usize {
        return Err(ResidentError::TooMany(length));
    }
    Ok(())
}

fn count(trades: &TradeSlices<'_>, counts: &mut [u32]) {
    for (index, &locate) in trades.locates.iter().enumerate() {
        counts[usize::from(locate)] += u32::from(trades.counts(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_keep_the_feed_order() {
        let count = 100_000_u32;
        let locates: Vec<u16> = (0..count)
            .map(|i| (i % 977 * 7 % 101) as u16 * 640)
            .collect();
        let times: Vec<u64> = (0..count).map(u64::from).collect();
        let prices: Vec<u32> = (0..count).map(|i| i ^ 0xffff_0000).collect();
        let shares: Vec<u32> = (0..count).map(|i| u32::MAX - i).collect();
        let policies: Vec<u8> = (0..count).map(|i| 1 << (i % 3)).collect();
        let trades = TradeSlices {
            times: &times,
            locates: &locates,
            prices: &prices,
            shares: &shares,
            policies: &policies,
            mask: 0b101,
        };
        let mut resident = Resident::default();
        for (memory, stretches) in [
            (Memory::Fast, vec![trades]),
            (Memory::Plain, vec![trades]),
            (Memory::Fast, trades.chunks(16_384).collect::<Vec<_>>()),
            (Memory::Fast, trades.chunks(1).collect()),
        ] {
            resident.memory = memory;
            resident.fill(&stretches).unwrap();
            let mut seen = 0;
            for locate in resident.locates() {
                let wanted = (0..count as usize)
                    .filter(|&i| locates[i] == locate.0 && policies[i] != 0b10)
                    .map(|i| (times[i], prices[i], shares[i]));
                let symbol = resident.symbol(locate);
                let got = symbol.times.iter().zip(symbol.prices).zip(symbol.shares);
                assert!(got.map(|((&t, &p), &s)| (t, p, s)).eq(wanted));
                seen += symbol.times.len();
            }
            assert_eq!(seen, resident.len());
        }
        resident.fill(&[]).unwrap();
        assert!(resident.is_empty());
    }

    #[test]
    fn both_sides_of_every_limit() {
        let mut resident = Resident::default();
        let mut at = |times: &[u64], prices: &[u32]| {
            resident.fill(&[TradeSlices {
                times,
                locates: &[u16::MAX],
                prices,
                shares: &[1],
                ..TradeSlices::default()
            }])
        };
        assert_eq!(at(&[Resident::TIME_LIMIT - 1], &[1]), Ok(()));
        let late = Resident::TIME_LIMIT;
        assert_eq!(at(&[late], &[1]), Err(ResidentError::TooLate(late)));
        assert_eq!(at(&[1], &[]), Err(ResidentError::Uneven));
        assert_eq!(at(&[], &[1]), Err(ResidentError::Uneven));
    }
}
