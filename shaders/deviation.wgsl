// The symbols whose VWAP in width 0 strays from that in width 1, for each end: a workgroup takes one, and a
// lane every 256th symbol. A first run counts them; the host says where those of each end begin, and a
// second run writes both windows of each there, in the order of symbols.
//
// With N/V for a VWAP: |Ns*Vl - Nl*Vs| * 10,000 >= basis points * Nl*Vs, in whole numbers of 192 bits.

@group(0) @binding(9) var<storage, read> answers: array<Answer>;
@group(0) @binding(13) var<storage, read_write> picks: array<Pick>;
// How many windows are told of each end; then where they begin.
@group(0) @binding(14) var<storage, read_write> counts: array<u32>;

// Words, the low ones first.
alias Words = array<u32, 6>;

// A notional of one window by a volume of another: below 2^160.
fn cross_product(of_notional: Answer, of_volume: Answer) -> Words {
    var notional = array<u32, 3>(of_notional.notional_low, of_notional.notional_middle, of_notional.notional_high);
    var volume = array<u32, 2>(of_volume.volume_low, of_volume.volume_high);
    var words = Words(0u, 0u, 0u, 0u, 0u, 0u);
    for (var j = 0u; j < 2u; j++) {
        var carry = 0u;
        for (var i = 0u; i < 3u; i++) {
            // The product of two words and two words more stay below 2^64.
            let more = long_add(long_from(words[i + j]), long_from(carry));
            let sum = long_words(long_add(long_product(notional[i], volume[j]), more));
            words[i + j] = sum.x;
            carry = sum.y;
        }
        words[j + 3u] = carry;
    }
    return words;
}

fn times(a: Words, factor: u32) -> Words {
    var words = a;
    var carry = 0u;
    for (var i = 0u; i < 6u; i++) {
        let sum = long_words(long_add(long_product(words[i], factor), long_from(carry)));
        words[i] = sum.x;
        carry = sum.y;
    }
    return words;
}

fn is_less(a: Words, b: Words) -> bool {
    var mine = a;
    var theirs = b;
    var is_less = false;
    for (var i = 0u; i < 6u; i++) {
        if mine[i] != theirs[i] {
            is_less = mine[i] < theirs[i];
        }
    }
    return is_less;
}

fn difference(more: Words, less: Words) -> Words {
    var words = more;
    var taken = less;
    var borrow = 0u;
    for (var i = 0u; i < 6u; i++) {
        let word = words[i];
        words[i] = word - taken[i] - borrow;
        borrow = u32(word < taken[i] || (word == taken[i] && borrow == 1u));
    }
    return words;
}

fn strays(short: Answer, long: Answer) -> bool {
    let volumes = min(short.volume_low | short.volume_high, long.volume_low | long.volume_high);
    if volumes == 0u || (long.notional_low | long.notional_middle | long.notional_high) == 0u {
        return false;
    }
    let a = cross_product(short, long);
    let b = cross_product(long, short);
    var apart = difference(a, b);
    if is_less(a, b) {
        apart = difference(b, a);
    }
    return !is_less(times(apart, 10000u), times(b, params.basis_points));
}

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let end = invocation.workgroup.x;
    var place = 0u;
    if params.is_picking != 0u {
        place = counts[end];
    }
    for (var first = 0u; first < params.symbols; first += LANES) {
        let symbol = first + place_of(invocation);
        var own = 0u;
        if symbol < params.symbols {
            own = 2u * u32(strays(answers[window_of(symbol, 0u, end)], answers[window_of(symbol, 1u, end)]));
        }
        let scanned = scan(Tally(long_zero(), long_from(own), 0u), invocation);
        if own != 0u && params.is_picking != 0u {
            let at = place + long_words(scanned.before.volume).x;
            picks[at] = Pick(symbol, answers[window_of(symbol, 0u, end)]);
            picks[at + 1u] = Pick(symbol, answers[window_of(symbol, 1u, end)]);
        }
        place += long_words(scanned.total.volume).x;
    }
    if params.is_picking == 0u && place_of(invocation) == 0u {
        counts[end] = place;
    }
}
