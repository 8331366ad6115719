//! What shaders and host both know: the structs of `shaders/`, field by field, and their sizes.

use bytemuck::{Pod, Zeroable};

/// What every stage is told about a pass (`shaders/shared/params.wgsl`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Params {
    /// Executions of the pass.
    pub executions: u32,
    /// Windows of the pass.
    pub windows: u32,
    /// Blocks of [`BLOCK`] executions.
    pub sum_blocks: u32,
    /// Blocks of [`EXTREME_BLOCK`] executions.
    pub extreme_blocks: u32,
    /// The level of the table of extremes that is being read to make the next.
    pub level: u32,
    /// The first row of a grid: a row is a symbol and a width.
    pub first_row: u32,
    /// Widths of the grid.
    pub widths: u32,
    /// The first end, in steps since midnight.
    pub first_end: u32,
    /// Ends of a row, one a step.
    pub ends: u32,
    /// Length of a step in milliseconds.
    pub step: u32,
    /// Symbols of a grid that is told of in few words.
    pub symbols: u32,
    /// How many are told at most, of each end and width.
    pub count: u32,
    /// What they are ranked by: [`BY_VOLUME`], [`BY_NOTIONAL`], [`BY_TRADES`] or [`BY_RANGE`].
    pub measure: u32,
    /// By how many basis points a VWAP must stray.
    pub basis_points: u32,
    /// 1 where those that stray are written, 0 where they are counted.
    pub is_picking: u32,
}

/// The sums of one window as the device writes them (`shaders/windows.wgsl`): words, low ones first.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Answer {
    /// Bits 0 to 31 of Σ price·shares in ticks·shares.
    pub notional_low: u32,
    /// Bits 32 to 63 of the same.
    pub notional_middle: u32,
    /// Bits 64 to 95 of the same.
    pub notional_high: u32,
    /// Bits 0 to 31 of Σ shares.
    pub volume_low: u32,
    /// Bits 32 to 63 of the same.
    pub volume_high: u32,
    /// Highest price in ticks.
    pub high: u32,
    /// Lowest price in ticks.
    pub low: u32,
    /// First price in ticks.
    pub open: u32,
    /// Last price in ticks.
    pub close: u32,
    /// Number of executions.
    pub trades: u32,
}

impl Answer {
    /// Σ price·shares modulo 2^64.
    #[must_use]
    pub fn notional(&self) -> u64 {
        u64::from(self.notional_middle) << 32 | u64::from(self.notional_low)
    }

    /// Σ shares.
    #[must_use]
    pub fn volume(&self) -> u64 {
        u64::from(self.volume_high) << 32 | u64::from(self.volume_low)
    }
}

/// The sums of the windows of all symbols (`shaders/totals.wgsl`): words, low ones first.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Total {
    /// Bits 0 to 31 of Σ price·shares in ticks·shares.
    pub notional_low: u32,
    /// Bits 32 to 63 of the same.
    pub notional_middle: u32,
    /// Bits 64 to 95 of the same.
    pub notional_high: u32,
    /// Bits 0 to 31 of Σ shares.
    pub volume_low: u32,
    /// Bits 32 to 63 of the same.
    pub volume_high: u32,
    /// Number of executions.
    pub trades: u32,
}

/// The sums of a window that is told of (`shaders/shared/answer.wgsl`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Pick {
    /// The symbol, counted from the first of the grid; [`NOBODY`] where there are fewer.
    pub symbol: u32,
    /// Its sums.
    pub answer: Answer,
}

/// Symbols are ranked by Σ shares.
pub const BY_VOLUME: u32 = 0;
/// Symbols are ranked by Σ price·shares.
pub const BY_NOTIONAL: u32 = 1;
/// Symbols are ranked by executions.
pub const BY_TRADES: u32 = 2;
/// Symbols are ranked by high less low.
pub const BY_RANGE: u32 = 3;
/// The symbol of a place that nobody takes.
pub const NOBODY: u32 = u32::MAX;

/// Both words of the VWAP of a window without volume.
pub const NO_VWAP: u32 = u32::MAX;

/// Invocations of a workgroup.
pub const LANES: u32 = 256;
/// Executions that a lane reads at once.
pub const VECTOR: u32 = 4;
/// Times that a workgroup reads a vector a lane.
pub const TILES: u32 = 4;
/// Executions that a workgroup sums.
pub const BLOCK: u32 = LANES * VECTOR * TILES;
/// Executions of an entry of the lowest level of extremes.
pub const EXTREME_BLOCK: u32 = 16;
/// Bytes of the sums of a block.
pub const TALLY_BYTES: u64 = 24;
