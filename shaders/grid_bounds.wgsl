// The executions of each window of a grid, found by halving among those of its symbol: a symbol that
// hardly trades costs hardly anything. A row is a symbol and a width; its windows end one step apart.

// Milliseconds since midnight, never decreasing within a symbol.
@group(0) @binding(10) var<storage, read> times: array<u32>;
// Where the executions of each symbol start, and at last their number.
@group(0) @binding(11) var<storage, read> starts: array<u32>;
// Milliseconds; windows reach back to midnight at most.
@group(0) @binding(12) var<storage, read> widths: array<Long>;
@group(0) @binding(8) var<storage, read_write> bounds: array<vec2<u32>>;

// The first execution of start..end at or after a time, or end.
fn first_since(time: Long, start: u32, end: u32) -> u32 {
    let words = long_words(time);
    // Times are words.
    if words.y != 0u {
        return end;
    }
    var low = start;
    var high = end;
    while low < high {
        let middle = low + (high - low) / 2u;
        if times[middle] < words.x {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let window = id.x;
    if window >= params.windows {
        return;
    }
    let row = params.first_row + window / params.ends;
    let end = long_product(params.first_end + window % params.ends, params.step);
    let symbol = row / params.widths;
    let width = widths[row % params.widths];
    var start = long_zero();
    if long_less(width, end) {
        start = long_subtract(end, width);
    }
    let first = first_since(start, starts[symbol], starts[symbol + 1u]);
    bounds[window] = vec2<u32>(first, first_since(end, first, starts[symbol + 1u]));
}
