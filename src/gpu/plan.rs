//! What goes to the device, and in which pieces. Pure: sizes in, passes and dispatches out.
//!
//! A pass holds as many executions and windows as fit the limits of the device. A job too large for one
//! is cut: its executions into shards, each asked for all of its windows as far as they lie in it, or its
//! windows into stretches over the same executions. The sums of the pieces of a job, joined in the order
//! of the passes, are its answer.
//!
//! Software adapters stop loops silently after 65,535 iterations an invocation; every stage stays below
//! [`MOST_ITERATIONS`], which [`Shape::new`] asserts.

mod grid;

use std::ops::Range;

use super::params::{Answer, BLOCK, EXTREME_BLOCK, LANES, Pick, TALLY_BYTES, TILES, VECTOR};
use super::shader::{Plane, Stage};

pub(super) use grid::cut;
pub use grid::{MOST_TOP, Shard, Stretch, Tile, shards, stretches, tile};

/// Most iterations of all loops of an invocation together.
pub const MOST_ITERATIONS: u32 = 16_384;
/// Executions of a pass, however much would fit.
const MOST_EXECUTIONS: u32 = 1 << 24;
/// Windows of a pass, however many would fit.
const MOST_WINDOWS: u32 = 1 << 22;
/// Bytes of a window's bounds.
const BOUNDS_BYTES: u64 = 8;
/// Bytes of a window's answer.
const ANSWER_BYTES: u64 = size_of::<Answer>() as u64;
/// Bytes of a window that is told of.
const PICK_BYTES: u64 = size_of::<Pick>() as u64;
/// Workgroups of a dispatch that every device allows.
const MOST_WORKGROUPS: u32 = 65_535;
/// Iterations over the bits of a VWAP: of ticks, and of micros of a tick.
const BITS_OF_VWAP: u32 = 32 + 7;
/// Iterations over the words of a symbol whose VWAP may stray.
const WORDS_OF_PRODUCTS: u32 = 64;

/// What a device lets one pass have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Executions, a power of two or 0.
    pub executions: u32,
    /// Windows.
    pub windows: u32,
}

/// How much one job asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobSize {
    /// Its executions.
    pub executions: usize,
    /// Its windows.
    pub windows: usize,
}

/// A part of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which job.
    pub job: usize,
    /// Which of its executions.
    pub executions: Range<usize>,
    /// Which of its windows, as far as they lie in those executions.
    pub windows: Range<usize>,
}

/// What the device does in one go. Pieces stand one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// What it answers.
    pub pieces: Vec<Piece>,
    /// Executions of all pieces.
    pub executions: u32,
    /// Windows of all pieces.
    pub windows: u32,
}

/// The sizes of a pass on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Executions of the pass.
    pub executions: u32,
    /// Windows of the pass.
    pub windows: u32,
    /// Blocks that are summed.
    pub sum_blocks: u32,
    /// Entries of the lowest level of extremes.
    pub extreme_blocks: u32,
    /// Levels of extremes.
    pub levels: u32,
    /// What is told of the windows, where that is little.
    pub tile: Tile,
}

impl Limits {
    /// The limits of a device that binds `binding_bytes` at a time.
    #[must_use]
    pub fn new(binding_bytes: u64) -> Self {
        let fits = |executions: u32| {
            let shape = Shape::new(executions, 1);
            Plane::EACH
                .iter()
                .all(|&plane| shape.bytes(plane) <= binding_bytes)
        };
        let powers = (0..=MOST_EXECUTIONS.ilog2()).rev().map(|power| 1 << power);
        Self {
            executions: powers.into_iter().find(|&count| fits(count)).unwrap_or(0),
            windows: u32::try_from(binding_bytes / ANSWER_BYTES)
                .unwrap_or(u32::MAX)
                .min(MOST_WINDOWS),
        }
    }
}

/// Packs jobs into passes. Jobs without executions or without windows have no piece: there is nothing
/// to compute.
///
/// # Panics
/// If the limits allow no execution or no window.
#[must_use]
pub fn passes(jobs: &[JobSize], limits: &Limits) -> Vec<Pass> {
    assert!(limits.executions > 0 && limits.windows > 0, "no room");
    let mut passes = Vec::new();
    let mut pass = Pass::default();
    for (job, size) in jobs.iter().enumerate() {
        for executions in parts(size.executions, limits.executions) {
            for windows in parts(size.windows, limits.windows) {
                let piece = Piece {
                    job,
                    executions: executions.clone(),
                    windows,
                };
                if !pass.has_room(&piece, limits) {
                    passes.push(std::mem::take(&mut pass));
                }
                pass.push(piece);
            }
        }
    }
    if !pass.pieces.is_empty() {
        passes.push(pass);
    }
    passes
}

/// `0..count` in ranges of at most `most`.
fn parts(count: usize, most: u32) -> impl Iterator<Item = Range<usize>> {
    let most = most as usize;
    (0..count.div_ceil(most)).map(move |index| index * most..count.min((index + 1) * most))
}

impl Pass {
    fn has_room(&self, piece: &Piece, limits: &Limits) -> bool {
        self.executions as usize + piece.executions.len() <= limits.executions as usize
            && self.windows as usize + piece.windows.len() <= limits.windows as usize
    }

    fn push(&mut self, piece: Piece) {
        self.executions += piece.executions.len() as u32;
        self.windows += piece.windows.len() as u32;
        self.pieces.push(piece);
    }
}

impl Shape {
    /// The sizes of a pass of so many executions and windows.
    ///
    /// # Panics
    /// If a stage would run more iterations or workgroups than every device allows.
    #[must_use]
    pub fn new(executions: u32, windows: u32) -> Self {
        let extreme_blocks = executions.div_ceil(EXTREME_BLOCK).max(1);
        let shape = Self {
            executions,
            windows,
            // Prefix sums have one entry more than there are executions.
            sum_blocks: executions / BLOCK + 1,
            extreme_blocks,
            levels: extreme_blocks.ilog2() + 1,
            tile: Tile::default(),
        };
        shape.check();
        shape
    }

    /// The sizes of the same executions and the windows of `tile`.
    ///
    /// # Panics
    /// If a stage would run more iterations or workgroups than every device allows.
    #[must_use]
    pub fn telling(&self, tile: Tile) -> Self {
        let shape = Self {
            windows: tile.windows(),
            tile,
            ..*self
        };
        shape.check();
        shape
    }

    fn check(&self) {
        for stage in Stage::EACH {
            let (iterations, groups) = (self.iterations(stage), self.workgroups(stage));
            assert!(iterations <= MOST_ITERATIONS, "{stage:?}: {iterations}");
            assert!(groups <= MOST_WORKGROUPS, "{stage:?}: {groups} workgroups");
        }
    }

    /// Most iterations of an invocation of `stage`, over all of its loops, inner ones included.
    #[must_use]
    pub fn iterations(&self, stage: Stage) -> u32 {
        // Steps over the lanes in workgroup memory, or over subgroups of four lanes at least.
        let scan = LANES.ilog2().max(LANES / 4);
        let symbols_of_a_lane = self.tile.symbols.div_ceil(LANES);
        match stage {
            Stage::SumsReduce => TILES * (1 + VECTOR) + scan,
            Stage::SumsSpine => 2 * self.sum_blocks.div_ceil(LANES) + scan,
            Stage::SumsApply => TILES * (1 + 2 * VECTOR + scan),
            Stage::ExtremesBase => EXTREME_BLOCK / VECTOR * (1 + VECTOR),
            Stage::ExtremesLevel => 0,
            // Each of the two bounds halves what is left of a symbol.
            Stage::GridBounds => 2 * (u32::BITS - self.executions.leading_zeros()),
            Stage::Windows => 2 * (EXTREME_BLOCK - 1),
            Stage::Vwap => BITS_OF_VWAP,
            Stage::Totals => symbols_of_a_lane + 2 * scan,
            Stage::Top => {
                let rounds = self.tile.count;
                symbols_of_a_lane * (1 + rounds) + rounds * (1 + LANES.ilog2())
            }
            Stage::Deviation => symbols_of_a_lane * (1 + scan + WORDS_OF_PRODUCTS),
            // Each execution halves the symbols.
            Stage::Place => VECTOR * (1 + u16::BITS + 1),
        }
    }

    /// Workgroups of `stage`.
    #[must_use]
    pub fn workgroups(&self, stage: Stage) -> u32 {
        match stage {
            Stage::SumsReduce | Stage::SumsApply => self.sum_blocks,
            Stage::SumsSpine => 1,
            Stage::ExtremesBase | Stage::ExtremesLevel => self.extreme_blocks.div_ceil(LANES),
            Stage::GridBounds | Stage::Windows | Stage::Vwap => self.windows.div_ceil(LANES),
            Stage::Totals | Stage::Top => self.tile.ends * self.tile.widths,
            Stage::Deviation => self.tile.ends,
            Stage::Place => self.executions.div_ceil(LANES * VECTOR),
        }
    }

    /// Bytes of `plane`; 0 of those whose length is another.
    #[must_use]
    pub fn bytes(&self, plane: Plane) -> u64 {
        let executions = u64::from(self.executions);
        let windows = u64::from(self.windows);
        match plane {
            Plane::Prices | Plane::Shares => executions.next_multiple_of(u64::from(VECTOR)) * 4,
            Plane::BlockTallies => u64::from(self.sum_blocks) * TALLY_BYTES,
            Plane::Notionals | Plane::Volumes => (executions + 1) * 8,
            Plane::NotionalHighs => (executions + 1) * 4,
            Plane::Extremes => u64::from(self.levels) * u64::from(self.extreme_blocks) * 8,
            Plane::Bounds => windows * BOUNDS_BYTES,
            Plane::Answers => windows * ANSWER_BYTES,
            Plane::Times => executions * 4,
            Plane::Told => u64::from(self.tile.windows()) * PICK_BYTES,
            Plane::Counts => u64::from(self.tile.ends) * 4,
            // As long as there are symbols or widths, or planes of another shape.
            Plane::Starts | Plane::Widths | Plane::Places => 0,
            Plane::PlacedPrices | Plane::PlacedShares | Plane::PlacedTimes => 0,
        }
    }
}

#[cfg(test)]
mod tests;
