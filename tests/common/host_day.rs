//! A device that keeps a day in the memory of the host and answers by the oracle, so that what asks it can
//! be tested where there is no GPU.

use std::collections::BTreeMap;

use widetape::columns::{Resident, TradeSlices};
use widetape::cpu::Scalar;
use widetape::engine::DayAccelerator;
use widetape::gpu::Error;
use widetape::market::{Duration, Locate};
use widetape::window::day::{Grid, GridBlock, Picked, Reduction, Visit, reduce};
use widetape::window::{Bounds, Job, Kernel, Sums};

/// Times, prices and shares of one symbol.
#[derive(Default)]
struct Columns(Vec<u64>, Vec<u32>, Vec<u32>);

/// The day, by locate.
#[derive(Default)]
pub(crate) struct HostDay(BTreeMap<u16, Columns>);

impl HostDay {
    fn resident(&self) -> Resident {
        let of = |(&locate, columns): (&u16, &Columns)| vec![locate; columns.0.len()];
        let locates: Vec<Vec<u16>> = self.0.iter().map(of).collect();
        let slices = self.0.values().zip(&locates).map(|(columns, locates)| {
            let Columns(times, prices, shares) = columns;
            TradeSlices {
                times,
                locates,
                prices,
                shares,
                policies: &[],
                mask: 1,
            }
        });
        let mut resident = Resident::default();
        let filled = resident.fill(&slices.collect::<Vec<_>>());
        filled.expect("a day of which all parts have been");
        resident
    }
}

impl Columns {
    /// The sums of the executions in `start..end` nanoseconds.
    fn sums(&self, start: u64, end: u64) -> Sums {
        let since = |time| self.0.partition_point(|&at| at < time) as u32;
        let mut sums = [Sums::default()];
        Scalar.evaluate(&mut [Job {
            prices: &self.1,
            shares: &self.2,
            bounds: &[Bounds {
                low: since(start),
                high: since(end),
            }],
            sums: &mut sums,
        }]);
        sums[0]
    }
}

impl DayAccelerator for HostDay {
    fn hold(&mut self, day: &Resident) -> Result<(), Error> {
        self.0.clear();
        self.append(day)
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), Error> {
        for locate in chunk.locates() {
            let (more, columns) = (chunk.symbol(locate), self.0.entry(locate.0).or_default());
            columns.0.extend_from_slice(more.times);
            columns.1.extend_from_slice(more.prices);
            columns.2.extend_from_slice(more.shares);
        }
        Ok(())
    }

    fn grid(&mut self, step: Duration, grid: &Grid, visitor: &mut dyn Visit) -> Result<(), Error> {
        for (&locate, columns) in &self.0 {
            for (width, &steps) in grid.widths.iter().enumerate() {
                let length = u64::from(steps.max(1)) * step.nanos();
                let ends = grid.first..grid.first + grid.ends;
                let of_end = |end: u32| {
                    let end = u64::from(end) * step.nanos();
                    columns.sums(end.saturating_sub(length), end)
                };
                let sums: Vec<Sums> = ends.map(of_end).collect();
                visitor.visit(&GridBlock {
                    locate: Locate(locate),
                    width,
                    first: grid.first,
                    notionals: &sums
                        .iter()
                        .map(|s| s.notional.get() as u64)
                        .collect::<Vec<_>>(),
                    notional_highs: &sums
                        .iter()
                        .map(|s| (s.notional.get() >> 64) as u32)
                        .collect::<Vec<_>>(),
                    volumes: &sums.iter().map(|s| s.volume).collect::<Vec<_>>(),
                    trades: &sums.iter().map(|s| s.trades).collect::<Vec<_>>(),
                    opens: &sums.iter().map(|s| s.open.0).collect::<Vec<_>>(),
                    highs: &sums.iter().map(|s| s.high.0).collect::<Vec<_>>(),
                    lows: &sums.iter().map(|s| s.low.0).collect::<Vec<_>>(),
                    closes: &sums.iter().map(|s| s.close.0).collect::<Vec<_>>(),
                });
            }
        }
        Ok(())
    }

    fn reduce(&mut self, reduction: &Reduction, tell: &mut dyn FnMut(Picked)) -> Result<(), Error> {
        reduce(&Scalar, &self.resident(), reduction, tell);
        Ok(())
    }
}
