//! Ends of a day of which only what a selection tells is wanted: a few words instead of every window.

use crate::columns::Resident;
use crate::market::{Duration, Locate, NANOS_PER_MILLI, Symbol, Timestamp};
use crate::window::{Bounds, Job, Kernel, Row, Selection, Sums, Width};

/// Windows whose sums are in memory at a time, unless one end alone has more.
const MOST_WINDOWS: usize = 1 << 16;

/// A selection at every end of a stretch of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduction {
    /// Distance between ends.
    pub step: Duration,
    /// First end in steps since midnight.
    pub first: u32,
    /// Number of ends, one a step.
    pub ends: u32,
    /// The windows of each symbol; no more than 2^16.
    pub widths: Vec<Width>,
    /// What is told of them. Only windows that hold an execution are looked at; symbols stand in the order
    /// of their locates.
    pub selection: Selection,
}

/// A window that was selected, or the sums of the windows of all symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// End in steps since midnight.
    pub end: u32,
    /// The symbol; 0 in totals.
    pub locate: Locate,
    /// Which of the widths.
    pub window: u8,
    /// Its sums; without prices in totals.
    pub sums: Sums,
}

impl Reduction {
    /// Length of a step in milliseconds.
    #[must_use]
    pub fn step_millis(&self) -> u64 {
        self.step.nanos() / NANOS_PER_MILLI
    }

    /// The widths in milliseconds; the session's is longer than any day.
    pub fn widths_millis(&self) -> impl Iterator<Item = u64> + '_ {
        self.widths.iter().map(|width| match width {
            Width::Finite(width) => width.nanos() / NANOS_PER_MILLI,
            Width::Session => u64::MAX,
        })
    }
}

/// Tells what `reduction` asks of `day`, end by end, those of an end by locate and window. `kernel` sums the
/// windows.
///
/// # Panics
/// If the last end is not below 2^32 steps.
pub fn reduce(
    kernel: &dyn Kernel,
    day: &Resident,
    reduction: &Reduction,
    mut tell: impl FnMut(Picked),
) {
    let last = reduction.first.checked_add(reduction.ends);
    let last = last.expect("ends are below 2^32 steps");
    let symbols: Vec<Locate> = day.locates().collect();
    let windows = (symbols.len() * reduction.widths.len()).max(1);
    let at_once = (MOST_WINDOWS / windows).max(1) as u32;
    let (mut sums, mut kept) = (vec![], Vec::new());
    let mut first = reduction.first;
    while first < last {
        let ends = at_once.min(last - first);
        sum(kernel, day, reduction, (first, ends), &symbols, &mut sums);
        for index in 0..ends {
            let row = |(place, &sums): (usize, &Sums)| Row {
                end: Timestamp(0),
                locate: symbols[place / reduction.widths.len()],
                symbol: Symbol::ALL,
                window: (place % reduction.widths.len()) as u8,
                sums,
                complete: true,
                revision: 0,
            };
            let of_end = sums.iter().skip(index as usize).step_by(ends as usize);
            let held = of_end.enumerate().filter(|(_, sums)| sums.trades > 0);
            let rows: Vec<Row> = held.map(row).collect();
            kept.clear();
            reduction.selection.select(&rows, &mut kept);
            kept.iter().for_each(|row| {
                tell(Picked {
                    end: first + index,
                    locate: row.locate,
                    window: row.window,
                    sums: row.sums,
                });
            });
        }
        first += ends;
    }
}

/// The sums of the windows that end at the `ends` ends from `first` on: by symbol, width and end.
fn sum(
    kernel: &dyn Kernel,
    day: &Resident,
    reduction: &Reduction,
    (first, ends): (u32, u32),
    symbols: &[Locate],
    sums: &mut Vec<Sums>,
) {
    let step = reduction.step.nanos();
    let mut bounds: Vec<Bounds> = Vec::new();
    for &locate in symbols {
        let times = day.symbol(locate).times;
        let since = |time: u64| times.partition_point(|&at| at < time) as u32;
        for width in &reduction.widths {
            bounds.extend((first..first + ends).map(|end| {
                let end = u64::from(end) * step;
                Bounds {
                    low: since(width.start(end)),
                    high: since(end),
                }
            }));
        }
    }
    sums.clear();
    sums.resize(bounds.len(), Sums::default());
    let each = (reduction.widths.len() * ends as usize).max(1);
    let asked = bounds.chunks(each).zip(sums.chunks_mut(each));
    let job = |(&locate, (bounds, sums))| {
        let trades = day.symbol(locate);
        Job {
            prices: trades.prices,
            shares: trades.shares,
            bounds,
            sums,
        }
    };
    let mut jobs: Vec<Job<'_>> = symbols.iter().zip(asked).map(job).collect();
    kernel.evaluate(&mut jobs);
}
