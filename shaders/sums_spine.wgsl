// Replaces the sums of blocks by the sums of all blocks before each. One workgroup; a lane takes
// consecutive blocks.

@group(0) @binding(3) var<storage, read_write> block_tallies: array<Tally>;

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let share = (params.sum_blocks + LANES - 1u) / LANES;
    let first = min(place_of(invocation) * share, params.sum_blocks);
    let end = min(first + share, params.sum_blocks);
    var own = tally_zero();
    for (var block = first; block < end; block++) {
        own = tally_add(own, block_tallies[block]);
    }
    let scanned = scan(own, invocation);
    var before = scanned.before;
    for (var block = first; block < end; block++) {
        let tally = block_tallies[block];
        block_tallies[block] = before;
        before = tally_add(before, tally);
    }
}
