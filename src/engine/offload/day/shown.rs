//! A grid on its way from a device to a visitor, and what the CPU shows of it where the device failed.

use std::sync::Mutex;

use super::super::standby::{guard, mixed};
use crate::columns::Resident;
use crate::cpu::Scalar;
use crate::market::{Duration, Locate};
use crate::window::day::{Grid, GridBlock, Visit};
use crate::window::{Bounds, Job, Kernel, Sums};

/// Executions that the windows that are looked at hold at most together: wider ones are passed over.
pub(super) const SAMPLE_EXECUTIONS: u32 = 1 << 16;

/// Shows what a device shows, until some of it is wrong.
pub(super) struct Checked<'a, V> {
    pub(super) day: &'a Resident,
    pub(super) asked: (Duration, &'a Grid),
    /// About one block in so many is looked at.
    pub(super) every: u64,
    pub(super) draw: u64,
    pub(super) left: u32,
    pub(super) is_wrong: bool,
    /// Symbol, width and end before which all windows have been shown.
    pub(super) reached: (Locate, usize, u32),
    pub(super) visitor: &'a mut V,
}

impl<V: Visit> Visit for Checked<'_, V> {
    fn visit(&mut self, block: &GridBlock<'_>) {
        self.draw += 1;
        let drawn = mixed(self.draw);
        let is_first = self.left == SAMPLE_EXECUTIONS;
        if !self.is_wrong && (is_first || drawn.is_multiple_of(self.every)) {
            let index = (drawn >> 32) as usize % block.trades.len();
            self.is_wrong = !self.agrees(block, index);
        }
        if !self.is_wrong {
            self.reached = (
                block.locate,
                block.width,
                block.first + block.trades.len() as u32,
            );
            self.visitor.visit(block);
        }
    }
}

impl<V> Checked<'_, V> {
    /// Whether a window is the oracle's, or too wide to be looked at.
    fn agrees(&mut self, block: &GridBlock<'_>, index: usize) -> bool {
        let (step, grid) = self.asked;
        let Some(&width) = grid.widths.get(block.width) else {
            return false;
        };
        let end = u64::from(block.first) + index as u64;
        let start = end.saturating_sub(u64::from(width.max(1)));
        let times = self.day.symbol(block.locate).times;
        let since =
            |steps: u64| times.partition_point(|&at| at < steps.saturating_mul(step.nanos()));
        let bounds = Bounds {
            low: since(start) as u32,
            high: since(end) as u32,
        };
        match self.left.checked_sub(bounds.high - bounds.low) {
            None => true,
            Some(left) => {
                self.left = left;
                sums(self.day, block.locate, bounds) == block.sums(index)
            }
        }
    }
}

/// The oracle's sums of one window.
fn sums(day: &Resident, locate: Locate, bounds: Bounds) -> Sums {
    let trades = day.symbol(locate);
    let mut sums = [Sums::default()];
    Scalar.evaluate(&mut [Job {
        prices: trades.prices,
        shares: trades.shares,
        bounds: &[bounds],
        sums: &mut sums,
    }]);
    sums[0]
}

/// Shows what has not been shown.
pub(super) struct Rest<'a, 'b, V> {
    pub(super) reached: (Locate, usize, u32),
    pub(super) visitor: &'a Mutex<&'b mut V>,
}

impl<V: Visit> Visit for Rest<'_, '_, V> {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let (locate, width, end) = self.reached;
        let skipped = match (block.locate, block.width).cmp(&(locate, width)) {
            std::cmp::Ordering::Less => block.trades.len(),
            std::cmp::Ordering::Equal => end.saturating_sub(block.first) as usize,
            std::cmp::Ordering::Greater => 0,
        };
        if skipped < block.trades.len() {
            guard(self.visitor).visit(&block.after(skipped));
        }
    }
}
