//! A day on the device, and its grid in passes.

use std::ops::Range;

use super::{ANSWER_BYTES, Limits, MOST_WORKGROUPS, PICK_BYTES};

/// Symbols that are told of in one go.
const MOST_SYMBOLS: u32 = 1 << 14;
/// Symbols of an end and width that the device ranks.
pub const MOST_TOP: u32 = 128;

/// Consecutive symbols whose executions are bound together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which symbols.
    pub symbols: Range<usize>,
    /// Their executions, counted over all symbols.
    pub executions: Range<u32>,
}

/// Windows of a grid that are computed in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Rows: a row is a symbol and a width, symbol by symbol.
    pub rows: Range<u32>,
    /// Which of the grid's ends, for each of the rows.
    pub ends: Range<u32>,
}

/// Windows of whole symbols of which little is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tile {
    /// Symbols.
    pub symbols: u32,
    /// Widths of each.
    pub widths: u32,
    /// Ends of each of these.
    pub ends: u32,
    /// How many symbols are ranked, of each end and width.
    pub count: u32,
}

impl Tile {
    /// How many windows there are.
    #[must_use]
    pub fn windows(&self) -> u32 {
        self.symbols * self.widths * self.ends
    }

    /// The windows of some symbols and ends, counted from the first of a grid: where they stand in it, and
    /// how many they are.
    pub(in crate::gpu) fn stretch(
        self,
        symbols: &Range<u32>,
        ends: &Range<u32>,
    ) -> (Stretch, Self) {
        let stretch = Stretch {
            rows: symbols.start * self.widths..symbols.end * self.widths,
            ends: ends.clone(),
        };
        let tile = Self {
            symbols: symbols.len() as u32,
            ends: ends.len() as u32,
            ..self
        };
        (stretch, tile)
    }
}

impl Stretch {
    /// How many windows there are.
    #[must_use]
    pub fn windows(&self) -> u32 {
        (self.rows.end - self.rows.start) * (self.ends.end - self.ends.start)
    }
}

/// Cuts symbols into shards. `starts` says where the executions of each start, and at last their number.
///
/// # Errors
/// The symbol that has more executions than can be bound.
pub fn shards(starts: &[u32], limits: &Limits) -> Result<Vec<Shard>, usize> {
    let mut shards: Vec<Shard> = Vec::new();
    for (symbol, pair) in starts.windows(2).enumerate() {
        if pair[1] - pair[0] > limits.executions {
            return Err(symbol);
        }
        match shards.last_mut() {
            Some(shard) if pair[1] - shard.executions.start <= limits.executions => {
                shard.symbols.end = symbol + 1;
                shard.executions.end = pair[1];
            }
            _ => shards.push(Shard {
                symbols: symbol..symbol + 1,
                executions: pair[0]..pair[1],
            }),
        }
    }
    Ok(shards)
}

/// Cuts the windows of `rows` rows with `ends` ends each, in order: whole rows where they fit.
///
/// # Panics
/// If the limits allow no window.
pub fn stretches(rows: u32, ends: u32, limits: &Limits) -> impl Iterator<Item = Stretch> + use<> {
    assert!(limits.windows > 0, "no room");
    let ends_at_once = ends.min(limits.windows).max(1);
    let rows_at_once = limits.windows / ends_at_once;
    cut(rows, rows_at_once).flat_map(move |rows| {
        let stretch = move |ends| Stretch {
            rows: rows.clone(),
            ends,
        };
        cut(ends, ends_at_once).map(stretch)
    })
}

/// The largest tile of a grid that is computed in one go: many symbols before many ends.
///
/// # Panics
/// If the limits allow fewer windows than there are widths, or more than [`MOST_TOP`] symbols are ranked.
#[must_use]
pub fn tile(whole: Tile, limits: &Limits) -> Tile {
    let widths = whole.widths.max(1);
    // Every window may be told of, and that takes more room than its answer.
    let told = u64::from(limits.windows) * ANSWER_BYTES / PICK_BYTES;
    let windows = told as u32;
    assert!(windows >= widths, "no room for {widths} widths");
    assert!(whole.count <= MOST_TOP, "{} are ranked", whole.count);
    let most_symbols = (windows / widths).min(MOST_SYMBOLS);
    let symbols = whole.symbols.clamp(1, most_symbols);
    let most_ends = (windows / (symbols * widths)).min(MOST_WORKGROUPS / widths);
    Tile {
        symbols,
        widths,
        ends: whole.ends.clamp(1, most_ends),
        count: whole.count,
    }
}

/// `0..count` in ranges of at most `most`.
pub(in crate::gpu) fn cut(count: u32, most: u32) -> impl Iterator<Item = Range<u32>> {
    (0..count.div_ceil(most)).map(move |index| {
        let start = index * most;
        start..start.saturating_add(most).min(count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(executions: u32, windows: u32) -> Limits {
        Limits {
            executions,
            windows,
        }
    }

    #[test]
    fn shards_hold_whole_symbols() {
        let starts = [0, 3, 3, 8, 9, 17];
        let found = shards(&starts, &limits(8, 1)).unwrap();
        let ends: Vec<(usize, u32)> = found
            .iter()
            .map(|shard| (shard.symbols.end, shard.executions.end))
            .collect();
        assert_eq!(ends, [(3, 8), (4, 9), (5, 17)]);
        assert_eq!(shards(&starts, &limits(7, 1)), Err(4));
        assert_eq!(shards(&[0], &limits(7, 1)), Ok(vec![]));
    }

    #[test]
    fn stretches_follow_the_order_of_symbol_width_and_end() {
        let cut = |rows, ends, windows| -> Vec<(Range<u32>, Range<u32>)> {
            let all = stretches(rows, ends, &limits(1, windows));
            all.map(|stretch| (stretch.rows, stretch.ends)).collect()
        };
        assert_eq!(cut(3, 4, 12), [(0..3, 0..4)]);
        assert_eq!(cut(3, 4, 11), [(0..2, 0..4), (2..3, 0..4)]);
        assert_eq!(
            cut(2, 4, 3),
            [(0..1, 0..3), (0..1, 3..4), (1..2, 0..3), (1..2, 3..4)]
        );
        assert_eq!((cut(0, 4, 3), cut(2, 0, 3)), (vec![], vec![]));
    }

    #[test]
    fn the_grid_of_a_whole_universe_is_planned_within_all_limits() {
        let limits = Limits::new(128 << 20);
        let (rows, ends) = (20_000 * 8, 57_600);
        let mut windows = 0;
        for stretch in stretches(rows, ends, &limits) {
            assert!(stretch.windows() <= limits.windows);
            assert!(stretch.windows().div_ceil(super::super::LANES) <= 65_535);
            windows += u64::from(stretch.windows());
        }
        assert_eq!(windows, u64::from(rows) * u64::from(ends));
        // 50 million executions of 20,000 symbols, each with 2,500.
        let starts: Vec<u32> = (0..=20_000).map(|symbol| symbol * 2_500).collect();
        assert_eq!(shards(&starts, &limits).unwrap().len(), 6);
    }
}
