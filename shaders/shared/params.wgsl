// What every stage is told about a pass, and the sizes that it is written for. The host's mirror is
// src/gpu/params.rs.

struct Params {
    // Executions of the pass.
    executions: u32,
    // Windows of the pass.
    windows: u32,
    // Blocks of BLOCK executions.
    sum_blocks: u32,
    // Blocks of EXTREME_BLOCK executions.
    extreme_blocks: u32,
    // The level of the table of extremes that is being read to make the next.
    level: u32,
    // The first row of a grid: a row is a symbol and a width.
    first_row: u32,
    // Widths of the grid.
    widths: u32,
    // The first end, in steps since midnight.
    first_end: u32,
    // Ends of a row, one a step.
    ends: u32,
    // Length of a step in milliseconds.
    step: u32,
    // Symbols of a grid that is told of in few words.
    symbols: u32,
    // How many are told at most, of each end and width.
    count: u32,
    // What they are ranked by.
    measure: u32,
    // By how much a VWAP must stray.
    basis_points: u32,
    // Whether those that stray are written, and not just counted.
    is_picking: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Invocations of a workgroup.
const LANES: u32 = 256u;
// Executions that a lane reads at once.
const VECTOR: u32 = 4u;
// Times that a workgroup reads a vector a lane.
const TILES: u32 = 4u;
// Executions that a workgroup sums.
const BLOCK: u32 = 4096u;
// Executions of an entry of the lowest level of extremes.
const EXTREME_BLOCK: u32 = 16u;

// What symbols are ranked by.
const BY_VOLUME: u32 = 0u;
const BY_NOTIONAL: u32 = 1u;
const BY_TRADES: u32 = 2u;
const BY_RANGE: u32 = 3u;
// The symbol of a place that nobody takes.
const NOBODY: u32 = 0xffffffffu;
// Both words of the VWAP of a window without volume.
const NO_VWAP: u32 = 0xffffffffu;

// Whether notionals need 96 bits; else 64 are proved to do.
override is_wide: bool = true;
