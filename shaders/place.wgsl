// Executions of several symbols, one symbol after the other, on their way to planes in which others of the
// same symbols stand too: each goes as far behind the place of its symbol as it stands behind the symbol's
// first execution here.

@group(0) @binding(1) var<storage, read> prices: array<u32>;
@group(0) @binding(2) var<storage, read> shares: array<u32>;
@group(0) @binding(10) var<storage, read> times: array<u32>;
// Where the executions of each symbol start, and at last their number. Every symbol has some.
@group(0) @binding(11) var<storage, read> starts: array<u32>;
// Where they go; NOBODY if not to these planes.
@group(0) @binding(15) var<storage, read> places: array<u32>;
@group(0) @binding(16) var<storage, read_write> placed_prices: array<u32>;
@group(0) @binding(17) var<storage, read_write> placed_shares: array<u32>;
@group(0) @binding(18) var<storage, read_write> placed_times: array<u32>;

// The symbol that an execution belongs to.
fn symbol_of(execution: u32) -> u32 {
    var low = 0u;
    var high = params.symbols;
    while high - low > 1u {
        let middle = low + (high - low) / 2u;
        if starts[middle] <= execution {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var part = 0u; part < VECTOR; part++) {
        let execution = id.x * VECTOR + part;
        if execution < params.executions {
            let symbol = symbol_of(execution);
            if places[symbol] != NOBODY {
                let place = places[symbol] + execution - starts[symbol];
                placed_prices[place] = prices[execution];
                placed_shares[place] = shares[execution];
                placed_times[place] = times[execution];
            }
        }
    }
}
