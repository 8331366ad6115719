//! The VWAP of every window of a grid, divided on the device: 8 bytes a window are read back instead of 40.

use super::day::Asked;
use super::params::NO_VWAP;
use super::plan::{Tile, cut, tile};
use super::shader::{Plane, Stage};
use super::{Error, Gpu, GpuDay};
use crate::market::{Duration, Locate};
use crate::window::day::Grid;

/// The VWAPs of consecutive ends of a symbol and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VwapRow<'a> {
    /// The symbol.
    pub locate: Locate,
    /// Which of the grid's widths.
    pub width: usize,
    /// The first end, in steps since midnight; the others follow, one a step.
    pub first: u32,
    words: &'a [[u32; 2]],
}

impl VwapRow<'_> {
    /// In micro-USD, rounded half to even on the exact rational, as [`crate::window::vwap_micros`] does; `None`
    /// of windows without volume.
    pub fn micros(&self) -> impl Iterator<Item = Option<u64>> + '_ {
        self.words.iter().map(|&[low, high]| {
            let is_there = [low, high] != [NO_VWAP; 2];
            is_there.then_some(u64::from(high) << 32 | u64::from(low))
        })
    }
}

impl Gpu {
    /// Shows the VWAP of every end × symbol × width of `grid`. Rows come by shard of the day, stretch of ends,
    /// symbol and width.
    ///
    /// # Errors
    /// When the device fails. A part of the grid may have been shown then.
    ///
    /// # Panics
    /// If the last end is not below 2^32 steps, or a pass has no room for the widths of one symbol.
    pub fn vwaps(
        &self,
        day: &GpuDay,
        step: Duration,
        grid: &Grid,
        mut show: impl FnMut(VwapRow<'_>),
    ) -> Result<(), Error> {
        assert!(grid.first.checked_add(grid.ends).is_some(), "{grid:?}");
        if day.locates.is_empty() || grid.widths.is_empty() {
            return Ok(());
        }
        let whole = Tile {
            symbols: day.locates.len() as u32,
            widths: grid.widths.len() as u32,
            ends: grid.ends,
            count: 0,
        };
        let most = tile(whole, &self.limits);
        let asked = Asked::of(step, grid);
        self.with(|device, dispatcher| {
            for loaded in &day.shards {
                let locates = &day.locates[loaded.shard.symbols.clone()];
                for ends in cut(grid.ends, most.ends) {
                    for symbols in cut(locates.len() as u32, most.symbols) {
                        let (stretch, tile) = most.stretch(&symbols, &ends);
                        let shape = loaded.shape.telling(tile);
                        dispatcher.ask(device, &asked, &stretch, &shape)?;
                        let stages = [Stage::GridBounds, Stage::Windows, Stage::Vwap];
                        let run = (device, loaded, &shape);
                        let windows = tile.windows() as usize;
                        let vwaps: Vec<[u32; 2]> =
                            dispatcher.told(run, &stages, Plane::Told, windows)?;
                        for (row, words) in stretch.rows.zip(vwaps.chunks(ends.len())) {
                            show(VwapRow {
                                locate: locates[(row / tile.widths) as usize],
                                width: (row % tile.widths) as usize,
                                first: grid.first + ends.start,
                                words,
                            });
                        }
                    }
                }
            }
            Ok(())
        })
    }
}
