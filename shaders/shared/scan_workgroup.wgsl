// Sums over the lanes of a workgroup, in workgroup memory. Each step adds what stands twice as far
// back as the step before.

struct Invocation {
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
}

struct Scanned {
    // The lanes before this one.
    before: Tally,
    // All lanes.
    total: Tally,
}

var<workgroup> lane_tallies: array<Tally, LANES>;

// The place of the lane in the order of sums.
fn place_of(invocation: Invocation) -> u32 {
    return invocation.lane;
}

fn scan(own: Tally, invocation: Invocation) -> Scanned {
    let lane = invocation.lane;
    lane_tallies[lane] = own;
    workgroupBarrier();
    for (var back = 1u; back < LANES; back = back * 2u) {
        var sum = lane_tallies[lane];
        if lane >= back {
            sum = tally_add(lane_tallies[lane - back], sum);
        }
        workgroupBarrier();
        lane_tallies[lane] = sum;
        workgroupBarrier();
    }
    var before = tally_zero();
    if lane > 0u {
        before = lane_tallies[lane - 1u];
    }
    let total = lane_tallies[LANES - 1u];
    workgroupBarrier();
    return Scanned(before, total);
}
