//! The stages: their text for each tier, and the planes that each reads and writes.

use std::borrow::Cow;

use super::Tier;

const PARAMS: &str = include_str!("../../shaders/shared/params.wgsl");
const LONG_U32: &str = include_str!("../../shaders/shared/long_u32.wgsl");
const LONG_U64: &str = include_str!("../../shaders/shared/long_u64.wgsl");
const ANSWER: &str = include_str!("../../shaders/shared/answer.wgsl");
const TALLY: &str = include_str!("../../shaders/shared/tally.wgsl");
const SCAN_WORKGROUP: &str = include_str!("../../shaders/shared/scan_workgroup.wgsl");
const SCAN_SUBGROUP: &str = include_str!("../../shaders/shared/scan_subgroup.wgsl");
const CANARY: &str = include_str!("../../shaders/canary.wgsl");

/// A buffer of the device. Its number is its binding in every stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// u32 in ticks.
    Prices = 1,
    /// u32.
    Shares,
    /// Sums of blocks, then of all blocks before each.
    BlockTallies,
    /// u64: Σ price·shares of the first executions, modulo 2^64.
    Notionals,
    /// u32: bits 64 to 95 of the same.
    NotionalHighs,
    /// u64: Σ shares of the first executions.
    Volumes,
    /// Two u32: highest and lowest prices, level by level.
    Extremes,
    /// Two u32 a window: first execution, and one past the last.
    Bounds,
    /// One [`super::Answer`] a window.
    Answers,
    /// u32: milliseconds since midnight.
    Times,
    /// u32: where the executions of each symbol start, and at last their number.
    Starts,
    /// u64: widths of a grid in milliseconds.
    Widths,
    /// What is told of a grid: [`super::Total`], [`super::Pick`], or VWAPs of two u32.
    Told,
    /// u32: how many windows are told of each end, or where they begin.
    Counts,
    /// u32: where the executions of each symbol go.
    Places,
    /// Prices of another day.
    PlacedPrices,
    /// Shares of another day.
    PlacedShares,
    /// Times of another day.
    PlacedTimes,
}

impl Plane {
    /// Every plane, by number.
    pub const EACH: [Plane; 18] = [
        Plane::Prices,
        Plane::Shares,
        Plane::BlockTallies,
        Plane::Notionals,
        Plane::NotionalHighs,
        Plane::Volumes,
        Plane::Extremes,
        Plane::Bounds,
        Plane::Answers,
        Plane::Times,
        Plane::Starts,
        Plane::Widths,
        Plane::Told,
        Plane::Counts,
        Plane::Places,
        Plane::PlacedPrices,
        Plane::PlacedShares,
        Plane::PlacedTimes,
    ];
}

/// One dispatch; extremes have as many as there are levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sums of blocks.
    SumsReduce,
    /// Sums of the blocks before each.
    SumsSpine,
    /// Prefix sums.
    SumsApply,
    /// Extremes of blocks.
    ExtremesBase,
    /// Extremes of twice as many blocks.
    ExtremesLevel,
    /// Executions of the windows of a grid.
    GridBounds,
    /// Answers.
    Windows,
    /// Their VWAPs.
    Vwap,
    /// Sums of the answers of all symbols.
    Totals,
    /// The greatest of all symbols.
    Top,
    /// The symbols that stray.
    Deviation,
    /// Executions moved to where others follow them.
    Place,
}

impl Stage {
    /// Every stage, in the order in which they may follow each other.
    pub const EACH: [Stage; 12] = [
        Stage::SumsReduce,
        Stage::SumsSpine,
        Stage::SumsApply,
        Stage::ExtremesBase,
        Stage::ExtremesLevel,
        Stage::GridBounds,
        Stage::Windows,
        Stage::Vwap,
        Stage::Totals,
        Stage::Top,
        Stage::Deviation,
        Stage::Place,
    ];

    /// What is made of executions, whatever windows are asked.
    pub(super) const OF_EXECUTIONS: [Stage; 5] = [
        Stage::SumsReduce,
        Stage::SumsSpine,
        Stage::SumsApply,
        Stage::ExtremesBase,
        Stage::ExtremesLevel,
    ];

    /// The planes that it reads, and those that it writes.
    #[must_use]
    pub const fn planes(self) -> (&'static [Plane], &'static [Plane]) {
        match self {
            Stage::SumsReduce => (&[Plane::Prices, Plane::Shares], &[Plane::BlockTallies]),
            Stage::SumsSpine => (&[], &[Plane::BlockTallies]),
            Stage::SumsApply => (
                &[Plane::Prices, Plane::Shares, Plane::BlockTallies],
                &[Plane::Notionals, Plane::NotionalHighs, Plane::Volumes],
            ),
            Stage::ExtremesBase => (&[Plane::Prices], &[Plane::Extremes]),
            Stage::ExtremesLevel => (&[], &[Plane::Extremes]),
            Stage::GridBounds => (
                &[Plane::Times, Plane::Starts, Plane::Widths],
                &[Plane::Bounds],
            ),
            Stage::Windows => (
                &[
                    Plane::Prices,
                    Plane::Notionals,
                    Plane::NotionalHighs,
                    Plane::Volumes,
                    Plane::Extremes,
                    Plane::Bounds,
                ],
                &[Plane::Answers],
            ),
            Stage::Vwap | Stage::Totals | Stage::Top => (&[Plane::Answers], &[Plane::Told]),
            Stage::Deviation => (&[Plane::Answers], &[Plane::Told, Plane::Counts]),
            Stage::Place => (
                &[
                    Plane::Prices,
                    Plane::Shares,
                    Plane::Times,
                    Plane::Starts,
                    Plane::Places,
                ],
                &[Plane::PlacedPrices, Plane::PlacedShares, Plane::PlacedTimes],
            ),
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Stage::SumsReduce => include_str!("../../shaders/sums_reduce.wgsl"),
            Stage::SumsSpine => include_str!("../../shaders/sums_spine.wgsl"),
            Stage::SumsApply => include_str!("../../shaders/sums_apply.wgsl"),
            Stage::ExtremesBase => include_str!("../../shaders/extremes_base.wgsl"),
            Stage::ExtremesLevel => include_str!("../../shaders/extremes_level.wgsl"),
            Stage::GridBounds => include_str!("../../shaders/grid_bounds.wgsl"),
            Stage::Windows => include_str!("../../shaders/windows.wgsl"),
            Stage::Vwap => include_str!("../../shaders/vwap.wgsl"),
            Stage::Totals => include_str!("../../shaders/totals.wgsl"),
            Stage::Top => include_str!("../../shaders/top.wgsl"),
            Stage::Deviation => include_str!("../../shaders/deviation.wgsl"),
            Stage::Place => include_str!("../../shaders/place.wgsl"),
        }
    }
}

/// The text of every stage. Tests plant faults in it.
#[derive(Clone, Debug, Default)]
pub struct Shaders {
    replaced: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Shaders {
    /// The same with every `old` text made `new`, wherever it stands.
    #[must_use]
    pub fn replacing(
        mut self,
        old: impl Into<Cow<'static, str>>,
        new: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.replaced.push((old.into(), new.into()));
        self
    }

    /// The module of one stage.
    #[must_use]
    pub fn module(&self, stage: Stage, tier: Tier) -> String {
        self.assemble(tier, stage.text())
    }

    /// The module that tries what the stages rely on.
    #[must_use]
    pub fn canary(&self, tier: Tier) -> String {
        self.assemble(tier, CANARY)
    }

    fn assemble(&self, tier: Tier, stage: &str) -> String {
        let (long, scan) = match tier {
            Tier::Words => (LONG_U32, SCAN_WORKGROUP),
            Tier::Longs => (LONG_U64, SCAN_WORKGROUP),
            Tier::Subgroups => (LONG_U64, SCAN_SUBGROUP),
        };
        let text = [PARAMS, long, TALLY, scan, ANSWER, stage].join("\n");
        self.replaced.iter().fold(text, |text, (old, new)| {
            text.replace(old.as_ref(), new.as_ref())
        })
    }
}
