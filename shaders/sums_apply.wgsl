// The sums of the first 0, 1, 2, ... executions: one entry more than there are executions.

@group(0) @binding(1) var<storage, read> prices: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shares: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> block_tallies: array<Tally>;
@group(0) @binding(4) var<storage, read_write> notionals: array<Long>;
@group(0) @binding(5) var<storage, read_write> notional_highs: array<u32>;
@group(0) @binding(6) var<storage, read_write> volumes: array<Long>;

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let block = invocation.workgroup.x;
    var carried = block_tallies[block];
    for (var tile = 0u; tile < TILES; tile++) {
        let vector = (block * TILES + tile) * LANES + place_of(invocation);
        var own = tally_zero();
        for (var part = 0u; part < VECTOR; part++) {
            if vector * VECTOR + part < params.executions {
                own = tally_add(own, tally_of(prices[vector][part], shares[vector][part]));
            }
        }
        let scanned = scan(own, invocation);
        var before = tally_add(carried, scanned.before);
        for (var part = 0u; part < VECTOR; part++) {
            let index = vector * VECTOR + part;
            if index <= params.executions {
                notionals[index] = before.notional;
                volumes[index] = before.volume;
                if is_wide {
                    notional_highs[index] = before.notional_high;
                }
            }
            if index < params.executions {
                before = tally_add(before, tally_of(prices[vector][part], shares[vector][part]));
            }
        }
        carried = tally_add(carried, scanned.total);
    }
}
