// The sums of each window: differences of prefix sums, and extremes from the table. Two entries of the
// table cover the whole blocks of a window, however many; the executions before and behind them are
// looked at one by one, fewer than two blocks of them.

@group(0) @binding(1) var<storage, read> prices: array<u32>;
@group(0) @binding(4) var<storage, read> notionals: array<Long>;
@group(0) @binding(5) var<storage, read> notional_highs: array<u32>;
@group(0) @binding(6) var<storage, read> volumes: array<Long>;
@group(0) @binding(7) var<storage, read> extremes: array<vec2<u32>>;
// First execution, and one past the last.
@group(0) @binding(8) var<storage, read> bounds: array<vec2<u32>>;
@group(0) @binding(9) var<storage, read_write> answers: array<Answer>;

fn notional_high_of(first: u32, end: u32) -> u32 {
    if !is_wide {
        return 0u;
    }
    let borrow = u32(long_less(notionals[end], notionals[first]));
    return notional_highs[end] - notional_highs[first] - borrow;
}

// Highest and lowest price.
fn extremes_of(first: u32, end: u32) -> vec2<u32> {
    let first_block = (first + EXTREME_BLOCK - 1u) / EXTREME_BLOCK;
    let end_block = end / EXTREME_BLOCK;
    var high = 0u;
    var low = 0xffffffffu;
    let head_end = min(first_block * EXTREME_BLOCK, end);
    for (var index = first; index < head_end; index++) {
        high = max(high, prices[index]);
        low = min(low, prices[index]);
    }
    for (var index = max(end_block * EXTREME_BLOCK, head_end); index < end; index++) {
        high = max(high, prices[index]);
        low = min(low, prices[index]);
    }
    if first_block < end_block {
        let level = firstLeadingBit(end_block - first_block);
        let row = level * params.extreme_blocks;
        let near = extremes[row + first_block];
        let far = extremes[row + end_block - (1u << level)];
        high = max(high, max(near.x, far.x));
        low = min(low, min(near.y, far.y));
    }
    return vec2<u32>(high, low);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let window = id.x;
    if window >= params.windows {
        return;
    }
    let first = bounds[window].x;
    let end = bounds[window].y;
    if first >= end {
        answers[window] = Answer(0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u);
        return;
    }
    let notional = long_words(long_subtract(notionals[end], notionals[first]));
    let volume = long_words(long_subtract(volumes[end], volumes[first]));
    let extreme = extremes_of(first, end);
    answers[window] = Answer(
        notional.x,
        notional.y,
        notional_high_of(first, end),
        volume.x,
        volume.y,
        extreme.x,
        extreme.y,
        prices[first],
        prices[end - 1u],
        end - first,
    );
}
