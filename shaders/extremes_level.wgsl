// One more level of the table of extremes: an entry of level k is about 2^k blocks from its own on,
// so it is the extreme of two entries of the level below. Entries that would reach beyond the last
// block are not made.

@group(0) @binding(7) var<storage, read_write> extremes: array<vec2<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    let apart = 1u << params.level;
    if block + 2u * apart > params.extreme_blocks {
        return;
    }
    let below = params.level * params.extreme_blocks + block;
    let near = extremes[below];
    let far = extremes[below + apart];
    extremes[below + params.extreme_blocks] = vec2<u32>(max(near.x, far.x), min(near.y, far.y));
}
