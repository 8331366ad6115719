// What executions add up to: a notional of 96 bits and a volume of 64.

struct Tally {
    notional: Long,
    volume: Long,
    notional_high: u32,
}

fn tally_zero() -> Tally {
    return Tally(long_zero(), long_zero(), 0u);
}

fn tally_of(price: u32, shares: u32) -> Tally {
    return Tally(long_product(price, shares), long_from(shares), 0u);
}

// Modulo 2^96 and 2^64.
fn tally_add(a: Tally, b: Tally) -> Tally {
    let notional = long_add(a.notional, b.notional);
    let carry = u32(long_less(notional, a.notional));
    let high = a.notional_high + b.notional_high + carry;
    return Tally(notional, long_add(a.volume, b.volume), high);
}
