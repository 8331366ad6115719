//! How much is asked.

use std::fmt;

use crate::columns::Resident;
use crate::feed::{ExecutionOptions, Executions};
use crate::market::{Duration, NANOS_PER_SECOND};
use crate::window::day::Grid;

/// First second of generated trading: 09:30.
const OPEN: u32 = 34_200;
/// Executions of 10,000 symbols in 23,400 seconds, by which other sizes have theirs unless told.
const FULL: (u64, u64, u64) = (50_000_000, 10_000, 23_400);
/// Symbols, seconds and how many widths: each asks for more windows than the one before.
const LADDER: [(u16, u32, usize); 7] = [
    (10, 60, 1),
    (100, 60, 2),
    (100, 600, 4),
    (1_000, 600, 4),
    (1_000, 3_600, 8),
    (10_000, 3_600, 8),
    (10_000, 23_400, 8),
];

/// Symbols, seconds, widths and executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Symbols, all of which are asked.
    pub symbols: u16,
    /// Seconds of trading.
    pub seconds: u32,
    /// First second of trading, since midnight.
    pub open: u32,
    /// Widths of the windows.
    pub widths: Vec<Duration>,
    /// Executions.
    pub trades: u32,
}

impl Size {
    /// So many symbols and seconds; as many executions as a busy day would have, unless told.
    #[must_use]
    pub fn new(symbols: u16, seconds: u32, widths: &[Duration], trades: Option<u32>) -> Self {
        let (all, of_symbols, of_seconds) = FULL;
        let share = u64::from(symbols) * u64::from(seconds) * all / (of_symbols * of_seconds);
        Self {
            symbols,
            seconds,
            open: OPEN,
            widths: widths.to_vec(),
            trades: trades.unwrap_or(u32::try_from(share).unwrap_or(u32::MAX).max(1)),
        }
    }

    /// Windows in all, with an end at each `step`.
    #[must_use]
    pub fn windows(&self, step: Duration) -> u64 {
        let ends = u64::from(self.grid(step).ends);
        u64::from(self.symbols) * ends * self.widths.len() as u64
    }

    /// The executions, generated.
    pub(super) fn executions(&self) -> Executions {
        Executions::new(&ExecutionOptions {
            trades: self.trades,
            symbols: self.symbols,
            open: self.open,
            seconds: self.seconds,
            seed: 1,
        })
    }

    /// What is asked: an end at each `step` of the trading, the last one behind it.
    pub(super) fn grid(&self, step: Duration) -> Grid {
        let at = |second: u32| u64::from(second) * NANOS_PER_SECOND / step.nanos();
        let first = at(self.open) + 1;
        let behind = at(self.open + self.seconds).max(first);
        let steps = |width: &Duration| width.nanos() / step.nanos();
        Grid {
            first: first as u32,
            ends: (behind - first + 1) as u32,
            widths: self.widths.iter().map(|w| steps(w) as u32).collect(),
        }
    }

    /// The same widths over what `day` holds; `None` when that is nothing.
    pub(super) fn of(&self, day: &Resident, step: Duration) -> Option<Self> {
        let times = || day.locates().map(|locate| day.symbol(locate).times);
        let first = times().filter_map(|times| times.first()).min()?;
        let last = times().filter_map(|times| times.last()).max()?;
        let open = (first / step.nanos() * step.nanos() / NANOS_PER_SECOND) as u32;
        Some(Self {
            symbols: day.locates().count() as u16,
            seconds: (last / NANOS_PER_SECOND) as u32 + 1 - open,
            open,
            widths: self.widths.clone(),
            trades: day.len() as u32,
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} symbols x {} s x {} widths, {} trades",
            self.symbols,
            self.seconds,
            self.widths.len(),
            self.trades
        )
    }
}

/// Sizes from hundreds of windows on, up to `most` of them; of `widths` as many as each size has.
#[must_use]
pub fn ladder(widths: &[Duration], step: Duration, most: u64) -> Vec<Size> {
    let sizes = LADDER.iter().map(|&(symbols, seconds, count)| {
        let widths = &widths[..count.min(widths.len())];
        Size::new(symbols, seconds, widths, None)
    });
    sizes.filter(|size| size.windows(step) <= most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second() -> Duration {
        Duration::from_millis(1_000).expect("a second")
    }

    #[test]
    fn the_ladder_rises_to_the_whole_grid() {
        let widths = vec![second(); 8];
        let sizes = ladder(&widths, second(), u64::MAX);
        let windows: Vec<u64> = sizes.iter().map(|size| size.windows(second())).collect();
        assert!(windows.is_sorted_by(|a, b| a < b), "{windows:?}");
        let last = sizes.last().expect("a size");
        assert_eq!(windows.last(), Some(&(10_000 * 23_400 * 8)));
        assert_eq!(last.trades, 50_000_000);
        assert_eq!(ladder(&widths, second(), windows[2]).len(), 3);
        assert_eq!(ladder(&widths, second(), windows[2] - 1).len(), 2);
    }

    #[test]
    fn ends_stand_behind_each_step_of_the_trading() {
        let size = Size::new(1, 2, &[second()], None);
        let millis = |millis| Duration::from_millis(millis).expect("a step");
        let grid = |step| {
            let grid = size.grid(step);
            (grid.first, grid.ends, grid.widths[0])
        };
        assert_eq!(grid(second()), (34_201, 2, 1));
        assert_eq!(grid(millis(100)), (342_001, 20, 10));
    }
}
