//! Answers in a few words: equal digests mean equal answers.

use super::totals::Totals;
use crate::window::day::{Grid, GridBlock, Visit};

/// The fields of an answer, as they stand in a digest.
pub(super) const FIELDS: [&str; 8] = [
    "notional",
    "notional_high",
    "volume",
    "trades",
    "open",
    "high",
    "low",
    "close",
];

/// For each width and field, the sum over all windows of weight × value modulo 2^64.
///
/// The weight of the window of locate `l` at end `e` (in steps since midnight) is
/// `((l · 2^32 + e) · 0x9e3779b97f4a7c15) | 1` modulo 2^64. It is odd, so that one wrong value always
/// shows, and differs from place to place, so that exchanged values show. Windows without executions
/// add nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Digest {
    widths: Vec<[u64; FIELDS.len()]>,
}

impl Digest {
    /// The sums of digests over different windows.
    pub(super) fn of(parts: impl IntoIterator<Item = Digest>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            for (width, sums) in part.widths.iter().enumerate() {
                for (sum, more) in whole.at(width).iter_mut().zip(sums) {
                    *sum = sum.wrapping_add(*more);
                }
            }
        }
        whole
    }

    fn at(&mut self, width: usize) -> &mut [u64; FIELDS.len()] {
        if self.widths.len() <= width {
            self.widths.resize(width + 1, Default::default());
        }
        &mut self.widths[width]
    }

    /// The first width and field that differ, in words.
    pub(super) fn difference(&self, other: &Digest) -> Option<String> {
        let none = [0; FIELDS.len()];
        let count = self.widths.len().max(other.widths.len());
        let pair = |width| {
            let of = |digest: &Digest| digest.widths.get(width).copied().unwrap_or(none);
            (of(self), of(other))
        };
        (0..count).find_map(|width| {
            let (wanted, got) = pair(width);
            let field = (0..FIELDS.len()).find(|&field| wanted[field] != got[field])?;
            Some(format!("{} of width {}", FIELDS[field], width + 1))
        })
    }
}

impl Visit for Digest {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let locate = u64::from(block.locate.0) << 32;
        let mut sums = *self.at(block.width);
        for index in 0..block.trades.len() {
            if block.trades[index] == 0 {
                continue;
            }
            let place = locate + u64::from(block.first) + index as u64;
            let weight = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let values = [
                block.notionals[index],
                u64::from(block.notional_highs.get(index).copied().unwrap_or(0)),
                block.volumes[index],
                u64::from(block.trades[index]),
                u64::from(block.opens[index]),
                u64::from(block.highs[index]),
                u64::from(block.lows[index]),
                u64::from(block.closes[index]),
            ];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.wrapping_add(weight.wrapping_mul(value));
            }
        }
        *self.at(block.width) = sums;
    }
}

/// All answers in a few words, and their totals.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) digest: Digest,
    pub(super) totals: Totals,
}

impl Answers {
    /// Of no window yet.
    pub(super) fn new(grid: &Grid) -> Self {
        Self {
            digest: Digest::default(),
            totals: Totals::new(grid),
        }
    }

    /// Those of parts of the universe, added up.
    pub(super) fn of(grid: &Grid, parts: Vec<Answers>) -> Self {
        let pairs = parts.into_iter().map(|part| (part.digest, part.totals));
        let (digests, totals): (Vec<Digest>, Vec<Totals>) = pairs.unzip();
        Self {
            digest: Digest::of(digests),
            totals: Totals::of(grid, totals),
        }
    }

    /// What first differs, in words.
    pub(super) fn difference(&self, other: &Answers) -> Option<String> {
        let totals = || (self.totals != other.totals).then(|| "totals of the universe".to_owned());
        self.digest.difference(&other.digest).or_else(totals)
    }
}

impl Visit for Answers {
    fn visit(&mut self, block: &GridBlock<'_>) {
        self.digest.visit(block);
        self.totals.visit(block);
    }
}

/// Reads every answer, and costs as little as reading can: what is timed is not the looking.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look(u64);

impl Look {
    pub(super) fn sum(&self) -> u64 {
        self.0
    }
}

impl Visit for Look {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let longs = block.notionals.iter().zip(block.volumes);
        let prices = block.opens.iter().zip(block.closes);
        let prices = prices.zip(block.highs.iter().zip(block.lows));
        let longs = longs.fold(0_u64, |sum, (&a, &b)| sum.wrapping_add(a ^ b));
        let words = prices.zip(block.trades).fold(
            0_u32,
            |sum, (((&open, &close), (&high, &low)), &trades)| {
                sum.wrapping_add(open ^ close ^ high ^ low ^ trades)
            },
        );
        self.0 = self.0.wrapping_add(longs).wrapping_add(u64::from(words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Locate;

    /// The digest of two windows with one value changed: the index of the window, the field, and by
    /// how much.
    fn digest(locate: u16, change: Option<(usize, usize)>) -> Digest {
        let mut values = [
            [11_u64, 5],
            [0, 1],
            [7, 3],
            [2, 4],
            [9, 8],
            [9, 9],
            [3, 2],
            [4, 6],
        ];
        if let Some((window, field)) = change {
            values[field][window] += 1 << 31;
        }
        let words = |field: usize| values[field].map(|value| value as u32);
        let mut digest = Digest::default();
        digest.visit(&GridBlock {
            locate: Locate(locate),
            width: 1,
            first: 34_201,
            notionals: &values[0],
            notional_highs: &words(1),
            volumes: &values[2],
            trades: &words(3),
            opens: &words(4),
            highs: &words(5),
            lows: &words(6),
            closes: &words(7),
        });
        digest
    }

    #[test]
    fn every_wrong_value_and_place_shows_and_is_named() {
        let right = digest(1, None);
        assert_eq!(right.difference(&digest(1, None)), None);
        for (field, name) in FIELDS.iter().enumerate() {
            for window in 0..2 {
                let found = right.difference(&digest(1, Some((window, field))));
                assert_eq!(found, Some(format!("{name} of width 2")));
            }
        }
        assert!(right.difference(&digest(2, None)).is_some(), "other symbol");
        assert!(right.difference(&Digest::default()).is_some(), "no answer");
        let both = Digest::of([digest(1, None), digest(2, None)]);
        assert_eq!(both, Digest::of([digest(2, None), digest(1, None)]));
        assert!(both.difference(&right).is_some());
    }
}
