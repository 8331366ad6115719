// Sums of each block of executions.

@group(0) @binding(1) var<storage, read> prices: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shares: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> block_tallies: array<Tally>;

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let block = invocation.workgroup.x;
    var own = tally_zero();
    for (var tile = 0u; tile < TILES; tile++) {
        let vector = (block * TILES + tile) * LANES + place_of(invocation);
        for (var part = 0u; part < VECTOR; part++) {
            if vector * VECTOR + part < params.executions {
                own = tally_add(own, tally_of(prices[vector][part], shares[vector][part]));
            }
        }
    }
    let scanned = scan(own, invocation);
    if place_of(invocation) == 0u {
        block_tallies[block] = scanned.total;
    }
}
