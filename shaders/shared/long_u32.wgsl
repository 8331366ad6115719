// 64-bit arithmetic in two words of 32 bits: low, high.

alias Long = vec2<u32>;

fn long_zero() -> Long {
    return Long(0u, 0u);
}

fn long_from(word: u32) -> Long {
    return Long(word, 0u);
}

// Of a low word and a high one.
fn long_of(low: u32, high: u32) -> Long {
    return Long(low, high);
}

fn long_words(a: Long) -> vec2<u32> {
    return a;
}

// Modulo 2^64.
fn long_add(a: Long, b: Long) -> Long {
    let low = a.x + b.x;
    let carry = u32(low < a.x);
    return Long(low, a.y + b.y + carry);
}

// Modulo 2^64.
fn long_subtract(a: Long, b: Long) -> Long {
    let borrow = u32(a.x < b.x);
    return Long(a.x - b.x, a.y - b.y - borrow);
}

fn long_less(a: Long, b: Long) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// The whole product, from products of half words.
fn long_product(a: u32, b: u32) -> Long {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let low = a_low * b_low;
    let cross = a_high * b_low + (low >> 16u);
    let middle = a_low * b_high + (cross & 0xffffu);
    let high = a_high * b_high + (cross >> 16u) + (middle >> 16u);
    return Long(middle << 16u | (low & 0xffffu), high);
}
