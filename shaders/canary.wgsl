// What the stages rely on and what some devices get wrong: long loops, carries, division, and sums over
// lanes. Inputs come from a buffer, so that nothing is known before it runs.

// Iterations, two words whose sum carries, a dividend and a divisor, and 2^31 and 2^32 - 1: two neighbours
// among the lanes make 2^64 of them, by a carry out of their low words.
@group(0) @binding(1) var<storage, read> inputs: array<u32>;
// Iterations run, sum (2), product (2), quotient, remainder, total of the lanes (3), of those before the
// last (3), 0.
@group(0) @binding(2) var<storage, read_write> outputs: array<u32>;

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let place = place_of(invocation);
    var iterations = 0u;
    var state = inputs[1];
    for (var index = 0u; index < inputs[0]; index++) {
        state = state * 1664525u + 1013904223u;
        iterations += 1u + u32(state == 0u && index == 0u);
    }
    let sum = long_words(long_add(long_from(inputs[1]), long_from(inputs[2])));
    let product = long_product(inputs[1], inputs[2]);
    let odd = place & 1u;
    let rest = long_product(inputs[5] - odd, inputs[5] - odd);
    let own = long_add(long_add(long_product(inputs[5], inputs[5]), rest), long_from(inputs[6] * (1u - odd)));
    let scanned = scan(Tally(own, long_from(place), 0u), invocation);
    if place == LANES - 1u {
        outputs[0] = iterations;
        outputs[1] = sum.x;
        outputs[2] = sum.y;
        outputs[3] = long_words(product).x;
        outputs[4] = long_words(product).y;
        outputs[5] = inputs[3] / inputs[4];
        outputs[6] = inputs[3] % inputs[4];
        outputs[7] = long_words(scanned.total.notional).x;
        outputs[8] = long_words(scanned.total.notional).y;
        outputs[9] = scanned.total.notional_high;
        outputs[10] = long_words(scanned.before.notional).x;
        outputs[11] = long_words(scanned.before.notional).y;
        outputs[12] = scanned.before.notional_high;
        outputs[13] = long_words(scanned.total.volume).x;
        outputs[14] = long_words(scanned.before.volume).x;
        outputs[15] = 0u;
    }
}
