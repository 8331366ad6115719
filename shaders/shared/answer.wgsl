// The sums of a window in words, low ones first; all 0 where it is empty.
struct Answer {
    notional_low: u32,
    notional_middle: u32,
    notional_high: u32,
    volume_low: u32,
    volume_high: u32,
    high: u32,
    low: u32,
    open: u32,
    close: u32,
    trades: u32,
}

// The answer of a window of a symbol, or of nobody.
struct Pick {
    symbol: u32,
    answer: Answer,
}

// Where the answers of a grid of whole symbols stand: by symbol, width and end.
fn window_of(symbol: u32, width: u32, end: u32) -> u32 {
    return (symbol * params.widths + width) * params.ends + end;
}
