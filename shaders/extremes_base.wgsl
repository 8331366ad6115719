// Highest and lowest price of each block: level 0 of the table of extremes. The last block may hold
// fewer executions.

@group(0) @binding(1) var<storage, read> prices: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read_write> extremes: array<vec2<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if block >= params.extreme_blocks {
        return;
    }
    var high = 0u;
    var low = 0xffffffffu;
    for (var vector = 0u; vector < EXTREME_BLOCK / VECTOR; vector++) {
        let at = block * (EXTREME_BLOCK / VECTOR) + vector;
        for (var part = 0u; part < VECTOR; part++) {
            if at * VECTOR + part < params.executions {
                high = max(high, prices[at][part]);
                low = min(low, prices[at][part]);
            }
        }
    }
    extremes[block] = vec2<u32>(high, low);
}
