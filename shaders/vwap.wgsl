// The VWAP of each window: 100 * notional / volume in micro-USD, rounded half to even on the exact rational.
// Both words are NO_VWAP where there is no volume.
//
// Ticks first: with a volume of up to 2^64 and an average below 2^32, the bits of the quotient are found by
// taking volume * 2^31, volume * 2^30, ... from the notional where they fit. What is left is less than the
// volume; a hundred times that holds less than 2^7 of it: the micros.

@group(0) @binding(9) var<storage, read> answers: array<Answer>;
@group(0) @binding(13) var<storage, read_write> vwaps: array<vec2<u32>>;

// Three words, the low one first.
alias Words = vec3<u32>;

// a * 2^bits, below 2^96.
fn shifted(a: vec2<u32>, bits: u32) -> Words {
    let rest = 31u - bits;
    return Words(a.x << bits, a.y << bits | (a.x >> 1u) >> rest, (a.y >> 1u) >> rest);
}

fn is_less(a: Words, b: Words) -> bool {
    if a.z != b.z {
        return a.z < b.z;
    }
    if a.y != b.y {
        return a.y < b.y;
    }
    return a.x < b.x;
}

fn difference(more: Words, less: Words) -> Words {
    let low = long_words(long_subtract(long_of(more.x, more.y), long_of(less.x, less.y)));
    let borrow = u32(more.y < less.y || (more.y == less.y && more.x < less.x));
    return Words(low, more.z - less.z - borrow);
}

fn hundredfold(a: vec2<u32>) -> Words {
    let low = long_product(a.x, 100u);
    let high = long_add(long_product(a.y, 100u), long_from(long_words(low).y));
    return Words(long_words(low).x, long_words(high));
}

// Of a division: quotient in w, below 2^bits, and what is left.
fn divided(dividend: Words, volume: vec2<u32>, bits: u32) -> vec4<u32> {
    var left = dividend;
    var quotient = 0u;
    for (var bit = bits; bit > 0u; bit--) {
        let part = shifted(volume, bit - 1u);
        quotient = quotient << 1u;
        if !is_less(left, part) {
            left = difference(left, part);
            quotient += 1u;
        }
    }
    return vec4<u32>(left, quotient);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let window = id.x;
    if window >= params.windows {
        return;
    }
    let answer = answers[window];
    let volume = vec2<u32>(answer.volume_low, answer.volume_high);
    if (volume.x | volume.y) == 0u {
        vwaps[window] = vec2<u32>(NO_VWAP, NO_VWAP);
        return;
    }
    let notional = Words(answer.notional_low, answer.notional_middle, answer.notional_high);
    let ticks = divided(notional, volume, 32u);
    let micros = divided(hundredfold(ticks.xy), volume, 7u);
    // Above half of the volume, or half of it behind an odd number.
    let lower = Words(micros.xyz);
    let upper = difference(Words(volume, 0u), lower);
    let is_tie = all(lower == upper);
    let is_up = is_less(upper, lower) || (is_tie && (micros.w & 1u) == 1u);
    let whole = long_add(long_product(ticks.w, 100u), long_from(micros.w + u32(is_up)));
    vwaps[window] = long_words(whole);
}
