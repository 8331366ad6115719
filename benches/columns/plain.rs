//! The obvious programs: what somebody would write in an afternoon, with the same answers.

use std::collections::{HashMap, VecDeque};

use widetape::market::{Locate, NANOS_PER_SECOND};
use widetape::window::Sums;
use widetape::window::day::{Bars, Totals};

use super::data::Data;

/// Totals by way of a hash map.
pub(crate) fn totals(data: &Data) -> Totals {
    let mut map: HashMap<u16, (u128, u64, u64)> = HashMap::new();
    let fields = data.locates.iter().zip(&data.prices).zip(&data.shares);
    for ((&locate, &price), &shares) in fields {
        let sum = map.entry(locate).or_default();
        sum.0 += u128::from(price) * u128::from(shares);
        sum.1 += u64::from(shares);
        sum.2 += 1;
    }
    let mut totals = Totals::default();
    for (locate, (notional, volume, trades)) in map {
        let total = totals.get_mut(Locate(locate));
        (total.notional, total.volume, total.trades) = (notional, volume, trades);
    }
    totals
}

/// Bars in feed order, the open one of each symbol in a table; returns how many there are.
pub(crate) fn bars(data: &Data) -> usize {
    let mut open = vec![(u64::MAX, Sums::default()); 1 << 16];
    let mut done: Vec<(u16, u32, Sums)> = Vec::new();
    let fields = data.locates.iter().zip(&data.times);
    let fields = fields.zip(data.prices.iter().zip(&data.shares));
    for ((&locate, &time), (&price, &shares)) in fields {
        let step = time / NANOS_PER_SECOND;
        let bar = &mut open[usize::from(locate)];
        if bar.0 != step {
            if bar.1.trades > 0 {
                done.push((locate, bar.0 as u32, bar.1));
            }
            *bar = (step, Sums::default());
        }
        bar.1.push(price, shares);
    }
    let left = (0..).zip(open).filter(|(_, bar)| bar.1.trades > 0);
    done.extend(left.map(|(locate, bar)| (locate, bar.0 as u32, bar.1)));
    done.len()
}

/// Sliding windows with sums kept up to date and queues of candidates for high and low.
pub(crate) fn slide(bars: &Bars, width: u32) -> Vec<Sums> {
    let mut rows = Vec::with_capacity(bars.len());
    for symbol in bars.symbols() {
        let (mut low, mut sum) = (0, Sums::default());
        let (mut highs, mut lows) = (VecDeque::new(), VecDeque::new());
        for bar in 0..symbol.steps.len() {
            let new = symbol.sums(bar);
            sum.notional += new.notional;
            sum.volume += new.volume;
            sum.trades += new.trades;
            while symbol.steps[bar] - symbol.steps[low] >= width {
                let old = symbol.sums(low);
                sum.notional -= old.notional;
                sum.volume -= old.volume;
                sum.trades -= old.trades;
                low += 1;
            }
            let extremes = [(&mut highs, true), (&mut lows, false)];
            for (queue, is_high) in extremes {
                let price = |at: usize| match is_high {
                    true => symbol.highs[at],
                    false => !symbol.lows[at],
                };
                while queue.back().is_some_and(|&at| price(at) <= price(bar)) {
                    queue.pop_back();
                }
                queue.push_back(bar);
                while queue.front().is_some_and(|&at| at < low) {
                    queue.pop_front();
                }
            }
            rows.push(Sums {
                open: symbol.sums(low).open,
                high: symbol.sums(highs[0]).high,
                low: symbol.sums(lows[0]).low,
                close: new.close,
                ..sum
            });
        }
    }
    rows
}
