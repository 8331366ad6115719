//! What of the rows of an end a reader wants, by exact integers.
//!
//! A selection looks at one end at a time and keeps the order of the rows. It means something where
//! every symbol that has executions in a window has a row: with [`super::Spec::every_end`].

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::{Row, Sums};
use crate::market::{Locate, Notional, Symbol};

/// What symbols are ranked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Σ shares.
    #[default]
    Volume,
    /// Σ price·shares.
    Notional,
    /// Number of executions.
    Trades,
    /// High less low.
    Range,
}

impl Measure {
    /// Every measure with its name.
    pub const EACH: [(&'static str, Measure); 4] = [
        ("volume", Measure::Volume),
        ("notional", Measure::Notional),
        ("trades", Measure::Trades),
        ("range", Measure::Range),
    ];

    /// The measure of a window, in shares, ticks·shares, executions or ticks.
    #[must_use]
    pub fn of(self, sums: &Sums) -> u128 {
        match self {
            Measure::Volume => sums.volume.into(),
            Measure::Notional => sums.notional.get(),
            Measure::Trades => sums.trades.into(),
            Measure::Range => (sums.high.0 - sums.low.0).into(),
        }
    }
}

impl FromStr for Measure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Measure::EACH.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, measure)| measure).ok_or_else(|| {
            format!("`{text}` is no measure; there are volume, notional, trades and range")
        })
    }
}

/// What is told of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// For each window one row of [`Symbol::ALL`] and locate 0: the sums of all its rows, without prices.
    /// Its revision is how often they have been corrected together.
    Totals,
    /// In each window the symbols with the greatest measure; of equal ones those that are written first.
    Top {
        /// How many, for each window.
        count: usize,
        /// What is compared.
        by: Measure,
    },
    /// The rows of two windows, for symbols whose VWAP in the one strays from that in the other.
    Deviation {
        /// The window that strays, counted as the rows count it.
        short: u8,
        /// The window that it strays from.
        long: u8,
        /// By so many basis points (1/10,000) of the long VWAP at least.
        basis_points: u32,
    },
}

impl Selection {
    /// Appends to `kept` those of `rows` that are selected. `rows` are all of one end, ordered by symbol,
    /// locate and window.
    pub fn select(&self, rows: &[Row], kept: &mut Vec<Row>) {
        match *self {
            Selection::Totals => totals(rows, kept),
            Selection::Top { count, by } => top(rows, count, by, kept),
            Selection::Deviation {
                short,
                long,
                basis_points,
            } => {
                for symbol in rows.chunk_by(|a, b| a.locate == b.locate) {
                    let window = |window| symbol.iter().find(|row| row.window == window);
                    if let (Some(a), Some(b)) = (window(short), window(long))
                        && strays(&a.sums, &b.sums, basis_points)
                    {
                        let is_asked = |row: &&Row| row.window == short || row.window == long;
                        kept.extend(symbol.iter().filter(is_asked));
                    }
                }
            }
        }
    }
}

/// A selection, and the symbols among which it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The symbols; all unless said.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// What is told of their rows.
    pub selection: Selection,
}

impl Wanted {
    /// Whether rows of `symbol` are looked at.
    #[must_use]
    pub fn concerns(&self, symbol: Symbol) -> bool {
        let symbols = self.symbols.as_ref();
        symbols.is_none_or(|symbols| symbols.contains(&symbol))
    }
}

fn totals(rows: &[Row], kept: &mut Vec<Row>) {
    let mut totals: Vec<Option<Row>> = Vec::new();
    for row in rows {
        let window = usize::from(row.window);
        totals.resize(totals.len().max(window + 1), None);
        let total = totals[window].get_or_insert(Row {
            locate: Locate(0),
            symbol: Symbol::ALL,
            sums: Sums::default(),
            revision: 0,
            ..*row
        });
        total.sums = total.sums.then(&row.sums).without_prices();
        total.complete &= row.complete;
        total.revision += row.revision;
    }
    kept.extend(totals.into_iter().flatten());
}

fn top(rows: &[Row], count: usize, by: Measure, kept: &mut Vec<Row>) {
    let mut ranked: Vec<usize> = (0..rows.len())
        .filter(|&index| rows[index].sums.trades > 0)
        .collect();
    // Window by window, the greatest first; the sort is stable.
    ranked.sort_by_key(|&index| (rows[index].window, Reverse(by.of(&rows[index].sums))));
    let windows = ranked.chunk_by(|&a, &b| rows[a].window == rows[b].window);
    let mut chosen: Vec<usize> = windows
        .flat_map(|window| &window[..count.min(window.len())])
        .copied()
        .collect();
    chosen.sort_unstable();
    kept.extend(chosen.into_iter().map(|index| rows[index]));
}

/// Whether |short VWAP − long VWAP| is at least so many basis points of the long VWAP. No where either
/// window has no volume, or the long VWAP is 0, of which there is no fraction.
///
/// With N/V for a VWAP this is |Ns·Vl − Nl·Vs|·10,000 >= bp·Nl·Vs, in which nothing is rounded.
#[must_use]
pub fn strays(short: &Sums, long: &Sums, basis_points: u32) -> bool {
    if short.volume == 0 || long.volume == 0 || long.notional == Notional::ZERO {
        return false;
    }
    let a = Product::new(short.notional, long.volume);
    let b = Product::new(long.notional, short.volume);
    a.distance(b).times(10_000) >= b.times(basis_points)
}

/// A number of up to 192 bits: what is above the low 64, and these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Product {
    high: u128,
    low: u64,
}

impl Product {
    /// Of a notional, below 2^96, and a volume: below 2^160.
    fn new(notional: Notional, volume: u64) -> Self {
        let volume = u128::from(volume);
        let low = u128::from(notional.low()) * volume;
        Self {
            high: u128::from(notional.high()) * volume + (low >> 64),
            low: low as u64,
        }
    }

    fn times(self, factor: u32) -> Self {
        let low = u128::from(self.low) * u128::from(factor);
        Self {
            high: self.high * u128::from(factor) + (low >> 64),
            low: low as u64,
        }
    }

    fn distance(self, other: Self) -> Self {
        let (more, less) = (self.max(other), self.min(other));
        let (low, borrow) = more.low.overflowing_sub(less.low);
        Self {
            high: more.high - less.high - u128::from(borrow),
            low,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::{Locate, Price, Symbol, Timestamp};

    fn sums(notional: u128, volume: u64) -> Sums {
        Sums {
            notional: Notional::new(notional),
            volume,
            trades: 1,
            ..Sums::default()
        }
    }

    #[test]
    fn the_threshold_itself_counts() {
        // 100.50 against 100.00 is 50 basis points.
        let (short, long) = (sums(1_005_000, 1), sums(3_000_000, 3));
        assert!(strays(&short, &long, 50));
        assert!(!strays(&short, &long, 51));
        assert!(!strays(&sums(1_004_999, 1), &long, 50));
        assert!(strays(&sums(995_000, 1), &long, 50));
        assert!(!strays(&sums(995_001, 1), &long, 50));
        assert!(strays(&long, &long, 0));
        assert!(!strays(&long, &long, 1));
    }

    #[test]
    fn nothing_strays_from_nothing() {
        let held = sums(5, 5);
        for none in [Sums::default(), sums(0, 0), sums(7, 0)] {
            assert!(!strays(&none, &held, 0) && !strays(&held, &none, 0));
        }
        assert!(!strays(&held, &sums(0, 9), 0), "a VWAP of 0");
        assert!(strays(&sums(0, 9), &held, 10_000), "all of it");
    }

    #[test]
    fn the_greatest_sums_do_not_overflow() {
        let (n, v) = ((1 << 96) - 1, u64::MAX);
        assert!(!strays(&sums(n, v), &sums(n, v), 1));
        // The one exceeds the other by less than one part in 2^64, or by 100 % of it.
        assert!(!strays(&sums(n, v), &sums(n - 1, v), 1));
        assert!(strays(&sums(n - 1, v), &sums(n >> 1, v), 10_000));
        assert!(!strays(&sums(n - 2, v), &sums(n >> 1, v), 10_000));
        assert!(strays(&sums(n, 1), &sums(1, v), u32::MAX));
    }

    fn row(locate: u16, window: u8, sums: Sums) -> Row {
        Row {
            end: Timestamp(0),
            locate: Locate(locate),
            symbol: Symbol::new("A").unwrap(),
            window,
            sums,
            complete: true,
            revision: 0,
        }
    }

    proptest! {
        #[test]
        fn strays_as_fractions_do(
            ns in 0..1_u128 << 40, vs in 1..1_u64 << 20, nl in 1..1_u128 << 40, vl in 1..1_u64 << 20,
            bp in 0..30_000_u32,
        ) {
            let (a, b) = (ns * u128::from(vl), nl * u128::from(vs));
            let wanted = a.abs_diff(b) * 10_000 >= u128::from(bp) * b;
            prop_assert_eq!(strays(&sums(ns, vs), &sums(nl, vl), bp), wanted);
        }

        #[test]
        fn whoever_is_among_the_first_has_fewer_ahead(
            values in proptest::collection::vec((0..4_u64, 0..3_u32), 0..30), count in 0..6_usize,
        ) {
            let mut rows = Vec::new();
            for (locate, &(volume, trades)) in (0..).zip(&values) {
                for window in 0..2 {
                    let volume = if window == 0 { volume } else { 9 - volume };
                    rows.push(row(locate, window, Sums { trades, ..sums(0, volume) }));
                }
            }
            let mut kept = Vec::new();
            Selection::Top { count, by: Measure::Volume }.select(&rows, &mut kept);
            let is_ahead = |a: usize, b: usize| {
                let (x, y) = (rows[a].sums.volume, rows[b].sums.volume);
                x > y || (x == y && a < b)
            };
            let wanted: Vec<Row> = (0..rows.len())
                .filter(|&index| rows[index].sums.trades > 0)
                .filter(|&index| {
                    let rivals = (0..rows.len()).filter(|&rival| {
                        rows[rival].window == rows[index].window && rows[rival].sums.trades > 0
                    });
                    rivals.filter(|&rival| is_ahead(rival, index)).count() < count
                })
                .map(|index| rows[index])
                .collect();
            prop_assert_eq!(kept, wanted);
        }
    }

    #[test]
    fn the_rows_of_both_windows_are_kept() {
        let held = [
            row(1, 0, sums(10, 1)),
            row(1, 1, sums(11, 1)),
            row(1, 2, sums(20, 1)),
            row(2, 0, sums(10, 1)),
            row(2, 2, sums(10, 1)),
            row(3, 0, sums(10, 1)),
        ];
        let mut kept = Vec::new();
        let selection = Selection::Deviation {
            short: 0,
            long: 2,
            basis_points: 5_000,
        };
        selection.select(&held, &mut kept);
        assert_eq!(kept, [held[0], held[2]]);
    }

    #[test]
    fn measures_are_of_their_fields() {
        let sums = Sums {
            notional: Notional::new(1 << 95),
            volume: 7,
            trades: 3,
            high: Price(9),
            low: Price(5),
            ..Sums::default()
        };
        let measures = Measure::EACH.map(|(_, measure)| measure.of(&sums));
        assert_eq!(measures, [7, 1 << 95, 3, 4]);
        assert_eq!("range".parse(), Ok(Measure::Range));
        assert!("size".parse::<Measure>().is_err());
    }
}
