//! Bars as columns: the sums of the steps in which a symbol traded.

use crate::columns::{Column, Resident};
use crate::market::{Locate, Notional, Price};
use crate::window::Sums;

/// About how many parts the executions of a day are split into.
const PARTS: usize = 64;

/// Bars of all symbols in the order of locates, in parts that different threads may fill.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    parts: Vec<BarsPart>,
}

/// The bars of a range of symbols, one column a field.
#[derive(Clone, Debug, Default)]
pub struct BarsPart {
    /// The range of locates, last one included, that the part is about.
    range: (u16, u16),
    /// Symbols with bars, ascending, and where the bars of each end.
    symbols: Vec<(Locate, usize)>,
    /// Numbers of the steps, ascending within a symbol.
    pub steps: Column<u32>,
    /// Low 64 bits of Σ price·shares in ticks·shares.
    pub notionals: Column<u64>,
    /// Bits 64 to 95 of the same. Words missing at the end are 0: there are none unless a bar needs
    /// them.
    pub notional_highs: Column<u32>,
    /// Σ shares.
    pub volumes: Column<u64>,
    /// Numbers of executions, never 0.
    pub trades: Column<u32>,
    /// First prices in ticks.
    pub opens: Column<u32>,
    /// Highest prices in ticks.
    pub highs: Column<u32>,
    /// Lowest prices in ticks.
    pub lows: Column<u32>,
    /// Last prices in ticks.
    pub closes: Column<u32>,
}

/// The bars of one symbol. All slices but `notional_highs` have the same length.
#[derive(Clone, Copy, Debug, Default)]
pub struct SymbolBars<'a> {
    /// The symbol.
    pub locate: Locate,
    /// Numbers of the steps, ascending.
    pub steps: &'a [u32],
    /// Low 64 bits of Σ price·shares in ticks·shares.
    pub notionals: &'a [u64],
    /// Bits 64 to 95 of the same; words missing at the end are 0.
    pub notional_highs: &'a [u32],
    /// Σ shares.
    pub volumes: &'a [u64],
    /// Numbers of executions, never 0.
    pub trades: &'a [u32],
    /// First prices in ticks.
    pub opens: &'a [u32],
    /// Highest prices in ticks.
    pub highs: &'a [u32],
    /// Lowest prices in ticks.
    pub lows: &'a [u32],
    /// Last prices in ticks.
    pub closes: &'a [u32],
}

impl Bars {
    /// Forgets all bars, keeps the storage, and splits the symbols of `day` into parts of about equal
    /// numbers of executions. The split depends on the day alone.
    pub fn split(&mut self, day: &Resident) -> &mut [BarsPart] {
        let share = day.len().div_ceil(PARTS).max(1);
        let starts = day.starts();
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        let mut first = 0;
        for locate in 0..=u16::MAX {
            let held = starts[usize::from(locate) + 1] - starts[usize::from(first)];
            if held as usize >= share || locate == u16::MAX {
                ranges.push((first, locate));
                first = locate.saturating_add(1);
            }
        }
        self.shape(ranges.into_iter())
    }

    /// Forgets all bars, keeps the storage, and takes over the parts of `other`.
    pub fn split_as(&mut self, other: &Bars) -> &mut [BarsPart] {
        self.shape(other.parts.iter().map(|part| part.range))
    }

    fn shape(&mut self, ranges: impl ExactSizeIterator<Item = (u16, u16)>) -> &mut [BarsPart] {
        self.parts.resize_with(ranges.len(), BarsPart::default);
        for (part, range) in self.parts.iter_mut().zip(ranges) {
            part.clear();
            part.range = range;
        }
        &mut self.parts
    }

    /// The parts, in the order of locates.
    #[must_use]
    pub fn parts(&self) -> &[BarsPart] {
        &self.parts
    }

    /// The symbols that have bars, in the order of their locates.
    pub fn symbols(&self) -> impl Iterator<Item = SymbolBars<'_>> {
        self.parts.iter().flat_map(BarsPart::symbols)
    }

    /// The bars of one symbol; empty when it has none.
    #[must_use]
    pub fn symbol(&self, locate: Locate) -> SymbolBars<'_> {
        let part = self.parts.partition_point(|part| part.range.1 < locate.0);
        let found = self.parts.get(part).and_then(|part| part.symbol(locate));
        found.unwrap_or(SymbolBars {
            locate,
            ..SymbolBars::default()
        })
    }

    /// Number of bars of all symbols.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(BarsPart::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Equal when the same symbols have the same bars, however they are split.
impl PartialEq for Bars {
    fn eq(&self, other: &Self) -> bool {
        let pairs = || self.symbols().zip(other.symbols());
        self.symbols().count() == other.symbols().count()
            && pairs().all(|(a, b)| a.locate == b.locate && a.steps == b.steps)
            && pairs().all(|(a, b)| (0..a.steps.len()).all(|bar| a.sums(bar) == b.sums(bar)))
    }
}

impl BarsPart {
    fn clear(&mut self) {
        self.symbols.clear();
        self.steps.clear();
        self.notionals.clear();
        self.notional_highs.clear();
        self.volumes.clear();
        self.trades.clear();
        self.opens.clear();
        self.highs.clear();
        self.lows.clear();
        self.closes.clear();
    }

    /// Forgets the bars from `length` on, of which none may have a notional beyond 64 bits.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.steps.truncate(length);
        self.notionals.truncate(length);
        self.volumes.truncate(length);
        self.trades.truncate(length);
        self.opens.truncate(length);
        self.highs.truncate(length);
        self.lows.truncate(length);
        self.closes.truncate(length);
    }

    /// The locates that the part is about.
    pub fn locates(&self) -> impl Iterator<Item = Locate> + use<> {
        (self.range.0..=self.range.1).map(Locate)
    }

    /// Number of bars.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.steps.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one bar of the symbol whose bars are being written.
    pub fn push(&mut self, step: u32, sums: &Sums) {
        self.put_notional_high(self.len(), sums.notional.high());
        self.steps.push(step);
        self.notionals.push(sums.notional.low());
        self.volumes.push(sums.volume);
        self.trades.push(sums.trades);
        self.opens.push(sums.open.0);
        self.highs.push(sums.high.0);
        self.lows.push(sums.low.0);
        self.closes.push(sums.close.0);
    }

    /// Says bits 64 to 95 of the notional at `index`, which must not be below that of an earlier call.
    #[inline]
    pub fn put_notional_high(&mut self, index: usize, word: u32) {
        if word != 0 {
            let missing = index - self.notional_highs.as_slice().len();
            self.notional_highs.append(missing).fill(0);
            self.notional_highs.push(word);
        }
    }

    /// Says that the bars appended since the last call are those of `locate`, which must come after
    /// that of the last call.
    pub fn close(&mut self, locate: Locate) {
        let end = self.len();
        if end > self.symbols.last().map_or(0, |&(_, end)| end) {
            self.symbols.push((locate, end));
        }
    }

    /// The symbols that have bars, ascending.
    pub fn symbols(&self) -> impl Iterator<Item = SymbolBars<'_>> {
        (0..self.symbols.len()).map(|index| self.at(index))
    }

    fn symbol(&self, locate: Locate) -> Option<SymbolBars<'_>> {
        let found = self.symbols.binary_search_by_key(&locate, |&(l, _)| l);
        found.ok().map(|index| self.at(index))
    }

    fn at(&self, index: usize) -> SymbolBars<'_> {
        let (locate, to) = self.symbols[index];
        let from = index
            .checked_sub(1)
            .map_or(0, |before| self.symbols[before].1);
        let highs = self.notional_highs.as_slice();
        SymbolBars {
            locate,
            steps: &self.steps.as_slice()[from..to],
            notionals: &self.notionals.as_slice()[from..to],
            notional_highs: &highs[from.min(highs.len())..to.min(highs.len())],
            volumes: &self.volumes.as_slice()[from..to],
            trades: &self.trades.as_slice()[from..to],
            opens: &self.opens.as_slice()[from..to],
            highs: &self.highs.as_slice()[from..to],
            lows: &self.lows.as_slice()[from..to],
            closes: &self.closes.as_slice()[from..to],
        }
    }
}

impl SymbolBars<'_> {
    /// Σ price·shares of the bar at `index`.
    #[must_use]
    #[inline]
    pub fn notional(&self, index: usize) -> u128 {
        let high = self.notional_highs.get(index).copied().unwrap_or(0);
        u128::from(high) << 64 | u128::from(self.notionals[index])
    }

    /// The bar at `index`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn sums(&self, index: usize) -> Sums {
        Sums {
            notional: Notional::new(self.notional(index)),
            volume: self.volumes[index],
            trades: self.trades[index],
            open: Price(self.opens[index]),
            high: Price(self.highs[index]),
            low: Price(self.lows[index]),
            close: Price(self.closes[index]),
        }
    }
}
