//! The totals of the universe: what little a grid can be reduced to.

#[cfg(feature = "gpu")]
use crate::window::day::Picked;
use crate::window::day::{Grid, GridBlock, Visit};

/// Sums of the windows of all symbols, by width and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    first: u32,
    ends: usize,
    notionals: Vec<u64>,
    /// Bits 64 to 127.
    notional_highs: Vec<u64>,
    volumes: Vec<u64>,
    trades: Vec<u64>,
}

impl Totals {
    /// Of no symbol yet.
    pub(super) fn new(grid: &Grid) -> Self {
        let ends = grid.ends as usize;
        let plane = || vec![0; ends * grid.widths.len()];
        Self {
            first: grid.first,
            ends,
            notionals: plane(),
            notional_highs: plane(),
            volumes: plane(),
            trades: plane(),
        }
    }

    /// The totals of parts of the universe, added up.
    pub(super) fn of(grid: &Grid, parts: impl IntoIterator<Item = Totals>) -> Self {
        let mut whole = Self::new(grid);
        for part in parts {
            for place in 0..whole.notionals.len() {
                let (notional, high) = (part.notionals[place], part.notional_highs[place]);
                let (sum, carry) = whole.notionals[place].overflowing_add(notional);
                whole.notionals[place] = sum;
                whole.notional_highs[place] += high + u64::from(carry);
                whole.volumes[place] += part.volumes[place];
                whole.trades[place] += part.trades[place];
            }
        }
        whole
    }

    /// Takes what was told of one end and width.
    #[cfg(feature = "gpu")]
    pub(super) fn take(&mut self, picked: &Picked) {
        let place = usize::from(picked.window) * self.ends + (picked.end - self.first) as usize;
        self.notionals[place] = picked.sums.notional.low();
        self.notional_highs[place] = u64::from(picked.sums.notional.high());
        self.volumes[place] = picked.sums.volume;
        self.trades[place] = u64::from(picked.sums.trades);
    }
}

impl Visit for Totals {
    #[inline(always)]
    fn visit(&mut self, block: &GridBlock<'_>) {
        let start = block.width * self.ends + (block.first - self.first) as usize;
        let places = start..start + block.trades.len();
        let notionals = &mut self.notionals[places.clone()];
        let highs = &mut self.notional_highs[places.clone()];
        for ((notional, high), &more) in notionals.iter_mut().zip(&mut *highs).zip(block.notionals)
        {
            let (sum, carry) = notional.overflowing_add(more);
            *notional = sum;
            *high += u64::from(carry);
        }
        for (high, &more) in highs.iter_mut().zip(block.notional_highs) {
            *high += u64::from(more);
        }
        for (volume, more) in self.volumes[places.clone()].iter_mut().zip(block.volumes) {
            *volume += more;
        }
        for (trades, &more) in self.trades[places].iter_mut().zip(block.trades) {
            *trades += u64::from(more);
        }
    }
}
