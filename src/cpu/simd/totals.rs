//! Totals in feed order: two 64-bit additions an execution into a small table.
//!
//! A row of the table holds a notional modulo 2^64, and a volume of 40 bits below a count of 24. What does
//! not count goes to a row of its own, which nobody reads. The rows are exact while Σ (greatest price ×
//! greatest shares × executions) over the blocks added since they were last emptied is below 2^64, and
//! volume and count have bounds of the same kind. The greatest values are those of the block just added,
//! gathered on the way: where they show that a row may have wrapped, the block is taken back, which is
//! exact because additions that wrap can be undone, the rows are emptied into the totals, and the block is
//! added again; or, when it breaks the bounds alone, straight to the totals.

use pulp::{Arch, WithSimd};

use crate::columns::TradeSlices;
use crate::market::Locate;
use crate::memory::Memory;
use crate::window::day::Totals;

/// Executions between two looks at the bounds.
const BLOCK: usize = 16_384;
/// Executions whose notionals are computed together, as vectors, before they go to their rows one by one. With
/// more of them too many lines are asked for at once.
const GROUP: usize = 128;
/// How many executions ahead the columns are asked for: the processor's own guesses come too late for a loop of
/// four cycles an execution. Prices twice as far ahead lie 4 KiB apart, where lines push each other out.
const AHEAD: usize = 512;
/// Prices, or shares, in a cache line.
const LINE: usize = 16;
const VOLUME_BITS: u32 = 40;
const COUNT_BITS: u32 = 24;
const ONE: u64 = 1 << VOLUME_BITS;

/// Notional; volume and count.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
struct Partial([u64; 2]);

/// A row for each locate, and one for what does not count.
type Rows = [Partial; UNCOUNTED + 1];
/// The row that nobody reads.
const UNCOUNTED: usize = 1 << 16;

/// All bits that any locate, price and shares have: none is greater.
#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    locates: u16,
    prices: u32,
    shares: u32,
}

/// What the rows may hold at most, whoever they belong to.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    notional: u128,
    volume: u128,
    count: u64,
    /// Rows from here on hold nothing.
    rows: usize,
}

impl Held {
    /// With a further block; `None` when a row might not hold it.
    fn and(&self, count: usize, peak: Peak) -> Option<Held> {
        let (prices, shares) = (u128::from(peak.prices), u128::from(peak.shares));
        let held = Held {
            notional: self.notional + prices * shares * count as u128,
            volume: self.volume + shares * count as u128,
            count: self.count + count as u64,
            rows: self.rows.max(usize::from(peak.locates) + 1),
        };
        let fits = held.notional >> 64 == 0
            && held.volume >> VOLUME_BITS == 0
            && held.count >> COUNT_BITS == 0;
        fits.then_some(held)
    }
}

pub(super) fn totals(arch: Arch, memory: Memory, trades: &TradeSlices<'_>, totals: &mut Totals) {
    assert!(trades.is_even(), "slices of different lengths");
    totals.clear();
    let mut rows = table();
    let mut held = Held::default();
    for block in trades.chunks(BLOCK) {
        let peak = arch.dispatch(Add(&mut rows, &block, memory));
        if let Some(more) = held.and(block.len(), peak) {
            held = more;
            continue;
        }
        arch.dispatch(TakeBack(&mut rows, &block));
        empty(&mut rows[..held.rows], totals);
        match Held::default().and(block.len(), peak) {
            Some(alone) => {
                arch.dispatch(Add(&mut rows, &block, memory));
                held = alone;
            }
            None => {
                add_wide(totals, &block);
                held = Held::default();
            }
        }
    }
    empty(&mut rows[..held.rows], totals);
}

#[expect(
    clippy::expect_used,
    reason = "a slice of so many rows is an array of as many"
)]
fn table() -> Box<Rows> {
    let rows = vec![Partial::default(); UNCOUNTED + 1].into_boxed_slice();
    rows.try_into().ok().expect("as many rows as asked for")
}

/// Adds a block to the rows.
struct Add<'a>(&'a mut Rows, &'a TradeSlices<'a>, Memory);

impl WithSimd for Add<'_> {
    type Output = Peak;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Peak {
        each(self.1, self.2, |row, [notional, size]| {
            let row = &mut self.0[row].0;
            row[0] = row[0].wrapping_add(notional);
            row[1] = row[1].wrapping_add(size);
        })
    }
}

/// Undoes [`Add`].
struct TakeBack<'a>(&'a mut Rows, &'a TradeSlices<'a>);

impl WithSimd for TakeBack<'_> {
    type Output = Peak;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Peak {
        each(self.1, Memory::Plain, |row, [notional, size]| {
            let row = &mut self.0[row].0;
            row[0] = row[0].wrapping_sub(notional);
            row[1] = row[1].wrapping_sub(size);
        })
    }
}

/// Hands over the row of each execution with its notional and its shares with a count.
#[inline(always)]
fn each(trades: &TradeSlices<'_>, memory: Memory, mut put: impl FnMut(usize, [u64; 2])) -> Peak {
    let mut peak = Peak::default();
    let (mut notionals, mut rows) = ([0; GROUP], [0; GROUP]);
    for from in (0..trades.len()).step_by(GROUP) {
        let ahead = from + AHEAD;
        for line in (ahead..ahead + GROUP).step_by(LINE) {
            memory.prefetch(trades.prices, line);
            memory.prefetch(trades.shares, line);
        }
        for line in (ahead..ahead + GROUP).step_by(2 * LINE) {
            memory.prefetch(trades.locates, line);
        }
        let group = trades.range(from, (from + GROUP).min(trades.len()));
        let sizes = group.prices.iter().zip(group.shares);
        for (notional, (&price, &shares)) in notionals.iter_mut().zip(sizes) {
            peak.prices |= price;
            peak.shares |= shares;
            *notional = u64::from(price) * u64::from(shares);
        }
        for &locate in group.locates {
            peak.locates |= locate;
        }
        let addends = notionals.iter().zip(group.shares);
        let addends = addends.map(|(&notional, &shares)| [notional, u64::from(shares) + ONE]);
        if group.policies.is_empty() {
            for (&locate, addend) in group.locates.iter().zip(addends) {
                put(usize::from(locate), addend);
            }
        } else {
            let sources = group.locates.iter().zip(group.policies);
            for (row, (&locate, &policies)) in rows.iter_mut().zip(sources) {
                let counts = policies & trades.mask != 0;
                *row = if counts {
                    u32::from(locate)
                } else {
                    UNCOUNTED as u32
                };
            }
            for (&row, addend) in rows.iter().zip(addends) {
                put(row as usize, addend);
            }
        }
    }
    peak
}

/// Moves the rows into the totals.
fn empty(rows: &mut [Partial], totals: &mut Totals) {
    for (locate, row) in (0..=u16::MAX).zip(rows) {
        let [notional, size] = std::mem::take(&mut row.0);
        if size != 0 {
            let total = totals.get_mut(Locate(locate));
            total.notional += u128::from(notional);
            total.volume += size % ONE;
            total.trades += size >> VOLUME_BITS;
        }
    }
}

fn add_wide(totals: &mut Totals, trades: &TradeSlices<'_>) {
    for index in (0..trades.len()).filter(|&index| trades.counts(index)) {
        let total = totals.get_mut(Locate(trades.locates[index]));
        total.push(trades.prices[index], trades.shares[index]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_what_a_row_holds() {
        let held = |notional, volume, count| Held {
            notional,
            volume,
            count,
            rows: 0,
        };
        let peak = |prices, shares| Peak {
            locates: 0,
            prices,
            shares,
        };
        let full = u128::from(u64::MAX);
        assert!(held(full - 12, 0, 0).and(2, peak(3, 2)).is_some());
        assert!(held(full - 11, 0, 0).and(2, peak(3, 2)).is_none());
        let volume = (1 << VOLUME_BITS) - 1;
        assert!(held(0, volume - 4, 0).and(2, peak(0, 2)).is_some());
        assert!(held(0, volume - 3, 0).and(2, peak(0, 2)).is_none());
        let count = (1 << COUNT_BITS) - 1;
        assert!(held(0, 0, count - 2).and(2, peak(0, 0)).is_some());
        assert!(held(0, 0, count - 1).and(2, peak(0, 0)).is_none());
        assert!(
            Held::default()
                .and(BLOCK, peak(u32::MAX, u32::MAX))
                .is_none()
        );
    }
}
