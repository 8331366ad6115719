// The sums of the windows of all symbols, for each end and width: a workgroup takes one, and a lane every
// 256th symbol.

struct Total {
    notional_low: u32,
    notional_middle: u32,
    notional_high: u32,
    volume_low: u32,
    volume_high: u32,
    trades: u32,
}

@group(0) @binding(9) var<storage, read> answers: array<Answer>;
@group(0) @binding(13) var<storage, read_write> totals: array<Total>;

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let place = invocation.workgroup.x;
    var own = tally_zero();
    var trades = 0u;
    for (var symbol = place_of(invocation); symbol < params.symbols; symbol += LANES) {
        let answer = answers[window_of(symbol, place % params.widths, place / params.widths)];
        let notional = long_of(answer.notional_low, answer.notional_middle);
        let volume = long_of(answer.volume_low, answer.volume_high);
        own = tally_add(own, Tally(notional, volume, answer.notional_high));
        trades += answer.trades;
    }
    let sums = scan(own, invocation).total;
    let counts = scan(Tally(long_zero(), long_from(trades), 0u), invocation).total;
    if place_of(invocation) == 0u {
        let notional = long_words(sums.notional);
        let volume = long_words(sums.volume);
        totals[place] = Total(
            notional.x,
            notional.y,
            sums.notional_high,
            volume.x,
            volume.y,
            long_words(counts.volume).x,
        );
    }
}
