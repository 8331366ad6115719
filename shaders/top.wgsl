// The windows with the greatest measure among all symbols, for each end and width: a workgroup takes one,
// and a lane every 256th symbol. Each lane puts its best forward; the best of these is told, and its lane
// looks for its next. Of equal ones the first symbol is ahead.

struct Candidate {
    high: u32,
    middle: u32,
    low: u32,
    symbol: u32,
}

@group(0) @binding(9) var<storage, read> answers: array<Answer>;
@group(0) @binding(13) var<storage, read_write> picks: array<Pick>;

var<workgroup> best: array<Candidate, LANES>;

fn is_ahead(a: Candidate, b: Candidate) -> bool {
    if a.high != b.high {
        return a.high > b.high;
    }
    if a.middle != b.middle {
        return a.middle > b.middle;
    }
    if a.low != b.low {
        return a.low > b.low;
    }
    return a.symbol < b.symbol;
}

fn candidate_of(symbol: u32, answer: Answer) -> Candidate {
    if params.measure == BY_VOLUME {
        return Candidate(0u, answer.volume_high, answer.volume_low, symbol);
    }
    if params.measure == BY_NOTIONAL {
        return Candidate(answer.notional_high, answer.notional_middle, answer.notional_low, symbol);
    }
    if params.measure == BY_TRADES {
        return Candidate(0u, 0u, answer.trades, symbol);
    }
    return Candidate(0u, 0u, answer.high - answer.low, symbol);
}

// The best of a lane's symbols; of those behind `last` where that is somebody.
fn best_of(lane: u32, place: u32, last: Candidate) -> Candidate {
    var best = Candidate(0u, 0u, 0u, NOBODY);
    for (var symbol = lane; symbol < params.symbols; symbol += LANES) {
        let answer = answers[window_of(symbol, place % params.widths, place / params.widths)];
        let candidate = candidate_of(symbol, answer);
        let is_behind = last.symbol == NOBODY || is_ahead(last, candidate);
        if answer.trades > 0u && is_behind && is_ahead(candidate, best) {
            best = candidate;
        }
    }
    return best;
}

@compute @workgroup_size(256)
fn main(invocation: Invocation) {
    let place = invocation.workgroup.x;
    let lane = place_of(invocation);
    var own = best_of(lane, place, Candidate(0u, 0u, 0u, NOBODY));
    for (var rank = 0u; rank < params.count; rank++) {
        best[lane] = own;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half = half / 2u) {
            if lane < half {
                let other = best[lane + half];
                if is_ahead(other, best[lane]) {
                    best[lane] = other;
                }
            }
            workgroupBarrier();
        }
        let winner = best[0];
        workgroupBarrier();
        if lane == 0u {
            var pick = Pick(NOBODY, Answer(0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u));
            if winner.symbol != NOBODY {
                let window = window_of(winner.symbol, place % params.widths, place / params.widths);
                pick = Pick(winner.symbol, answers[window]);
            }
            picks[place * params.count + rank] = pick;
        }
        if winner.symbol != NOBODY && winner.symbol == own.symbol {
            own = best_of(lane, place, winner);
        }
    }
}
