//! Seeded randomness in integers alone, so that a seed gives the same day on every machine.

/// xoshiro256++ (Blackman and Vigna), its state filled by splitmix64.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    state: [u64; 4],
}

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut counter = seed;
        let state = std::array::from_fn(|_| {
            counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = counter;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        });
        Self { state }
    }

    #[inline]
    pub(super) fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let output = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        output
    }

    /// Uniform in `0..limit`; 0 when `limit` is 0. The bias is below `limit / 2^32`.
    #[inline]
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// Uniform in `0..limit`; 0 when `limit` is 0.
    #[inline]
    pub(super) fn below_wide(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// True with a chance of `parts` in a million.
    #[inline]
    pub(super) fn chance(&mut self, parts: u32) -> bool {
        self.below(1_000_000) < parts
    }

    /// Roughly exponential with the given mean: a geometric count of halvings, and a uniform part
    /// inside the last one.
    #[inline]
    pub(super) fn exponential(&mut self, mean: u64) -> u64 {
        let bits = self.bits();
        let halvings = u64::from((bits >> 32 | 1).leading_zeros().saturating_sub(32));
        let within = bits & 0xffff;
        (u128::from((halvings << 16) | within) * u128::from(mean) * 2 / (3 << 16)) as u64
    }
}

/// Draws an index with the chances of a Zipf law, in constant time (Walker's alias method).
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    /// For each column: below the first number (of 2^32) the column itself, else its alias.
    columns: Vec<(u32, u16)>,
}

impl Zipf {
    /// `ranks[r]` is the index that is drawn with weight `1 / (r + 8)`.
    pub(super) fn new(ranks: &[u16]) -> Self {
        let count = ranks.len() as u64;
        let mut scaled = vec![0_u64; ranks.len()];
        for (rank, &index) in ranks.iter().enumerate() {
            scaled[usize::from(index)] = (1 << 36) / (rank as u64 + 8) * count;
        }
        // A column is full at `unit`; small weights are topped up by large ones.
        let unit = scaled.iter().sum::<u64>() / count.max(1);
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..ranks.len()).partition(|&index| scaled[index] < unit);
        let mut columns: Vec<(u32, u16)> = (0..ranks.len())
            .map(|index| (u32::MAX, index as u16))
            .collect();
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            let share = (u128::from(scaled[low]) << 32) / u128::from(unit);
            columns[low] = (share as u32, high as u16);
            scaled[high] -= unit - scaled[low];
            if scaled[high] < unit {
                large.pop();
                small.push(high);
            }
        }
        Self { columns }
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut Rng) -> u16 {
        let bits = rng.bits();
        let column = (((bits >> 32) * self.columns.len() as u64) >> 32) as usize;
        let (limit, alias) = self.columns[column];
        if (bits as u32) < limit {
            column as u16
        } else {
            alias
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_draws_follow_their_weights() {
        let zipf = Zipf::new(&[2, 0, 1]);
        let mut rng = Rng::new(1);
        let mut counts = [0_u32; 3];
        for _ in 0..242_000 {
            counts[usize::from(zipf.draw(&mut rng))] += 1;
        }
        // Weights 1/8, 1/9, 1/10 = 90, 80, 72 of 242.
        for (index, expected) in [(2, 90_000), (0, 80_000), (1, 72_000)] {
            let difference = counts[index].abs_diff(expected);
            assert!(
                difference < 1_500,
                "{index}: {} of {expected}",
                counts[index]
            );
        }
    }

    #[test]
    fn exponential_has_its_mean() {
        let mut rng = Rng::new(2);
        let sum: u64 = (0..100_000).map(|_| rng.exponential(10_000)).sum();
        assert!((sum / 100_000).abs_diff(10_000) < 200, "{sum}");
        assert!((0..1_000).all(|_| rng.below(7) < 7 && rng.below_wide(1 << 40) < 1 << 40));
    }
}
