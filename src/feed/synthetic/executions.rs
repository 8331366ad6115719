//! Executions alone, without the orders behind them: as many as are wanted, in a second or two.

use super::rng::{Rng, Zipf};
use crate::market::NANOS_PER_SECOND;

/// Which executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionOptions {
    /// How many, at least 1.
    pub trades: u32,
    /// Symbols, at least 1; their locates are `1..=symbols`, and few of them trade the most.
    pub symbols: u16,
    /// First second of trading, since midnight.
    pub open: u32,
    /// Seconds of trading.
    pub seconds: u32,
    /// The same seed and options give the same executions.
    pub seed: u64,
}

/// Executions in feed order, a column a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executions {
    /// Nanoseconds since midnight, never decreasing.
    pub times: Vec<u64>,
    /// Stock locates.
    pub locates: Vec<u16>,
    /// Ticks of 1e-4 USD.
    pub prices: Vec<u32>,
    /// Shares, never 0: round lots, and odd ones in every third execution.
    pub shares: Vec<u32>,
}

impl Executions {
    /// Executions spread evenly over the day but for jitter; every symbol's price walks at random.
    #[must_use]
    pub fn new(options: &ExecutionOptions) -> Self {
        let mut rng = Rng::new(options.seed);
        let mut ranks: Vec<u16> = (0..options.symbols).collect();
        for index in (1..ranks.len()).rev() {
            ranks.swap(index, rng.below(index as u32 + 1) as usize);
        }
        let symbols = Zipf::new(&ranks);
        let mut last: Vec<u32> = ranks
            .iter()
            .map(|_| 10_000 + rng.below(3_000_000))
            .collect();
        let mut executions = Self::default();
        let open = u64::from(options.open) * NANOS_PER_SECOND;
        let span = u64::from(options.seconds) * NANOS_PER_SECOND;
        let apart = span / u64::from(options.trades.max(1));
        for trade in 0..options.trades {
            let symbol = symbols.draw(&mut rng);
            let price = &mut last[usize::from(symbol)];
            *price = (*price + rng.below(5) * 100).max(400) - 200;
            let shares = match rng.below(3) {
                0 => 1 + rng.below(99),
                _ => 100 * (1 + rng.below(20)),
            };
            let time = u64::from(trade) * apart + rng.below_wide(apart);
            executions.times.push(open + time);
            executions.locates.push(symbol + 1);
            executions.prices.push(*price);
            executions.shares.push(shares);
        }
        executions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_fill_the_day_and_repeat_by_their_seed() {
        let options = ExecutionOptions {
            trades: 50_000,
            symbols: 100,
            open: 34_200,
            seconds: 600,
            seed: 1,
        };
        let found = Executions::new(&options);
        assert!(found.times.is_sorted());
        let within = |second: u64| second * NANOS_PER_SECOND;
        assert!(found.times[0] < within(34_201) && found.times[49_999] >= within(34_799));
        assert!(*found.times.last().expect("one") < within(34_800));
        for locate in 1..=100 {
            assert!(found.locates.contains(&locate), "{locate}");
        }
        assert_eq!(found.locates.iter().max(), Some(&100));
        assert!(found.shares.iter().all(|&shares| shares > 0));
        assert_eq!(found, Executions::new(&options));
        assert_ne!(
            found,
            Executions::new(&ExecutionOptions { seed: 2, ..options })
        );
    }
}
