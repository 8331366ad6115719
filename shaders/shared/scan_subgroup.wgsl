// Sums over the lanes of a workgroup, by subgroups first. The low word of a notional is summed apart
// from the others, so that no carry passes between lanes.

struct Invocation {
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) lane: u32,
}

struct Scanned {
    // The lanes before this one.
    before: Tally,
    // All lanes.
    total: Tally,
}

// LANES over the least size of a subgroup.
const SUBGROUPS: u32 = 64u;

var<workgroup> subgroup_tallies: array<Tally, SUBGROUPS>;

// The place of the lane in the order of sums. Subgroups need not hold neighbours in the workgroup.
fn place_of(invocation: Invocation) -> u32 {
    return invocation.subgroup * invocation.size + invocation.lane;
}

// A tally of separate sums of low words and of the words above them.
fn tally_joined(low: u64, above: u64, volume: u64) -> Tally {
    let notional = low + (above << 32u);
    let carry = u32(notional < low);
    return Tally(notional, volume, u32(above >> 32u) + carry);
}

fn scan(own: Tally, invocation: Invocation) -> Scanned {
    let own_low = own.notional & 0xfffffffflu;
    let own_above = (own.notional >> 32u) + (u64(own.notional_high) << 32u);
    let low = subgroupExclusiveAdd(own_low);
    let above = subgroupExclusiveAdd(own_above);
    let volume = subgroupExclusiveAdd(own.volume);
    if invocation.lane == invocation.size - 1u {
        let sums = tally_joined(low + own_low, above + own_above, volume + own.volume);
        subgroup_tallies[invocation.subgroup] = sums;
    }
    workgroupBarrier();
    var before = tally_zero();
    var total = tally_zero();
    for (var subgroup = 0u; subgroup < invocation.subgroups; subgroup++) {
        if subgroup == invocation.subgroup {
            before = total;
        }
        total = tally_add(total, subgroup_tallies[subgroup]);
    }
    workgroupBarrier();
    return Scanned(tally_add(before, tally_joined(low, above, volume)), total);
}
