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
    // The last step whose start fits 32 bits.
    last_step: u32,
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

// Whether notionals need 96 bits; else 64 are proved to do.
override is_wide: bool = true;
