// 64-bit arithmetic where the device has it.

alias Long = u64;

fn long_zero() -> Long {
    return 0lu;
}

fn long_from(word: u32) -> Long {
    return u64(word);
}

// Of a low word and a high one.
fn long_of(low: u32, high: u32) -> Long {
    return u64(low) | (u64(high) << 32u);
}

fn long_words(a: Long) -> vec2<u32> {
    return vec2<u32>(u32(a & 0xfffffffflu), u32(a >> 32u));
}

// Modulo 2^64.
fn long_add(a: Long, b: Long) -> Long {
    return a + b;
}

// Modulo 2^64.
fn long_subtract(a: Long, b: Long) -> Long {
    return a - b;
}

fn long_less(a: Long, b: Long) -> bool {
    return a < b;
}

fn long_product(a: u32, b: u32) -> Long {
    return u64(a) * u64(b);
}
