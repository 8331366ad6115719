//! The batch path: every row of a day, slab by slab.
//!
//! The ends are worked off in slabs, so that the rows in memory stay bounded: for each symbol the
//! planner says which rows exist, the kernel is asked for their sums, and the rows of all symbols
//! are put in order. A session row needs everything since midnight; the sums before the slab are
//! carried along, so that no slab reads the day again.

mod sheet;
mod symbol;

use super::day::Day;
use super::residents::{Reducer, Residents};
use crate::columns::Position;
use crate::market::Timestamp;
use crate::window::bounds::Held;
use crate::window::{Kernel, Output, Row, SlidingCounts, Spec, Wanted, first_end};

use sheet::{Lines, Sheet, key_in_end};
pub(super) use symbol::SymbolDay;

/// What one slab has at most, unless one step alone has more.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Executions that enter, and that leave a window.
    trades: usize,
    /// Rows, where one is written at every end.
    rows: u64,
    /// Executions copied before rows are computed: each break may ask for a symbol's anew.
    copied: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trades: 1 << 16,
            rows: 1 << 20,
            copied: 1 << 22,
        }
    }
}

/// The rows of a day that are still to be computed.
pub(super) struct Slabs {
    day: Day,
    spec: Spec,
    wanted: Option<Wanted>,
    residents: Option<Residents>,
    /// The symbols whose rows are computed one by one, in the order in which the rows of an end are written, where
    /// all have their names.
    symbols: Vec<SymbolDay>,
    /// For each of them and each window what it holds at the end up to which all is done.
    held: Vec<Held>,
    lines: Lines,
    limits: Limits,
    /// Ends up to here are done.
    after: u64,
    last: u64,
}

impl Slabs {
    /// With a `reducer`, most of what is wanted of ends is told by it.
    pub(super) fn new(
        mut day: Day,
        spec: Spec,
        wanted: Option<Wanted>,
        reducer: Option<Box<dyn Reducer>>,
    ) -> Self {
        let step = spec.step.nanos();
        let mut symbols = day.by_symbol(&spec);
        let breaks = symbols.iter().flat_map(|symbol| {
            symbol
                .breaks
                .iter()
                .map(|broken| (symbol.times[broken.index as usize], broken))
        });
        // As when streaming: rows that held the execution had been written when the break came.
        let unpublished =
            breaks.filter(|(time, broken)| !broken.published && *time < broken.at / step * step);
        day.counts.unpublished_breaks = unpublished.count() as u64;
        let first = symbols
            .iter()
            .filter_map(|symbol| symbol.times.first())
            .min();
        let last = first_end(day.now.0, step);
        let after = first.map_or(last, |time| time / step * step);
        let residents = wanted
            .as_ref()
            .zip(reducer)
            .map(|(wanted, reducer)| Residents::new(reducer, &day, (&spec, wanted), &mut symbols));
        let last_label = |locate| day.directory.label_at(locate, Timestamp(u64::MAX));
        symbols.sort_by_key(|symbol| (last_label(symbol.locate), symbol.locate));
        let held = symbols
            .iter()
            .flat_map(|symbol| symbol.held(&spec, &day.gaps, after));
        let held = held.collect();
        Self {
            day,
            spec,
            wanted,
            residents,
            symbols,
            held,
            lines: Lines::default(),
            limits: Limits::default(),
            after,
            last,
        }
    }

    pub(super) fn counts(&self) -> SlidingCounts {
        self.day.counts
    }

    /// Computes the next rows, in order; `false` when there are no more.
    pub(super) fn next(&mut self, kernel: &dyn Kernel, output: &mut Output) -> bool {
        if self.after >= self.last {
            return false;
        }
        let to = self.slab_end();
        self.slab(kernel, to, output);
        self.day.counts.rows += output.rows.len() as u64;
        output.passed = Timestamp(to);
        self.after = to;
        true
    }

    /// As many ends as the limits allow: of what enters, of what leaves, and of rows that are written at every end. What
    /// changes with `complete` is bounded with them, as a window is whole again after its width at the earliest.
    fn slab_end(&self) -> u64 {
        let (step, log) = (self.spec.step.nanos(), &self.day.log);
        // When the execution happened that is one too many behind `time`.
        let beyond = |time| {
            let place = log.first_at_or_after(time) as usize + self.limits.trades;
            (place < log.end() as usize).then(|| log.time(place as Position))
        };
        let mut end = self.last;
        if let Some(time) = beyond(self.after) {
            end = end.min(time / step * step);
        }
        for width in self.spec.windows.iter().map(|window| window.width) {
            if let Some(time) = beyond(width.start(self.after)) {
                end = end.min(width.last_end(time) / step * step);
            }
        }
        if self.spec.every_end {
            let windows = self.spec.windows.len();
            let selected = self.residents.as_ref().map(|day| day.rows_an_end(windows));
            let rows_an_end = (self.symbols.len() * windows + selected.unwrap_or(0)).max(1);
            let ends = (self.limits.rows / rows_an_end as u64).max(1);
            end = end.min(self.after.saturating_add(ends.saturating_mul(step)));
        }
        end.max(self.after + step)
    }

    fn slab(&mut self, kernel: &dyn Kernel, to: u64, output: &mut Output) {
        let after = self.after;
        for symbol in &mut self.symbols {
            symbol.carry_to(after);
        }
        let lines = std::mem::take(&mut self.lines);
        let mut sheet = Sheet::new(
            (lines, self.limits.copied),
            kernel,
            (&self.spec, &self.day),
            (after, to),
        );
        let held = self.held.chunks_mut(self.spec.windows.len().max(1));
        for (symbol, held) in self.symbols.iter().zip(held) {
            symbol.ask(held, &mut sheet);
        }
        let (mut lines, corrections) = sheet.finish();
        self.day.counts.corrections += corrections;
        lines.write_in_order(&self.day.directory, &mut output.rows);
        self.lines = lines;
        if let Some(wanted) = &self.wanted {
            output.rows.retain(|row| wanted.concerns(row.symbol));
        }
        if let Some(residents) = &mut self.residents {
            residents.select(&self.day, &self.spec, (after, to), &mut output.rows);
            let rows = &mut output.rows;
            rows.sort_unstable_by_key(|row| (row.end, key_in_end(row)));
        }
        if let Some(wanted) = &self.wanted {
            select(wanted, &mut output.rows);
        }
        close_updates(output);
    }
}

/// Leaves of sorted rows what is told of their ends.
fn select(wanted: &Wanted, rows: &mut Vec<Row>) {
    let all = std::mem::take(rows);
    for end in all.chunk_by(|a, b| a.end == b.end) {
        wanted.selection.select(end, rows);
    }
}

/// Marks where the rows of each end stop.
fn close_updates(output: &mut Output) {
    for index in 0..output.rows.len() {
        let end = output.rows[index].end;
        if output
            .rows
            .get(index + 1)
            .is_none_or(|next| next.end != end)
        {
            output.updates.push((end, index + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::{Batch, Mark};
    use crate::cpu::Scalar;
    use crate::market::{Duration, Gap, Locate, NANOS_PER_MILLI, Price, Shares, Symbol, Trade};
    use crate::window::Corrections;

    /// Executions of four symbols in steps of a millisecond, one symbol named late; some but the first broken, some
    /// messages lost.
    fn day(steps: &[(u64, u16, u32, u8)]) -> Day {
        let (mut batch, mut now) = (Batch::default(), 5);
        let first = &(0, 1, 1, u8::MAX);
        for (number, &(pause, locate, price, event)) in (0..).zip([first].into_iter().chain(steps))
        {
            now += pause * NANOS_PER_MILLI;
            let time = Timestamp(now);
            batch.trades.push(&Trade {
                time,
                locate: Locate(locate),
                price: Price(price),
                shares: Shares(1 + price % 7),
                match_number: number,
                policies: u8::MAX,
            });
            let mark = match event {
                0 => Mark::Break {
                    match_number: number.div_ceil(2),
                    time,
                },
                1 => Mark::Gap(Gap {
                    after: time,
                    before: time,
                    first_sequence: 1,
                    count: 1,
                }),
                2 => Mark::Named {
                    locate: Locate(2),
                    symbol: Symbol::ALL,
                    time,
                },
                _ => continue,
            };
            batch.marks.push((batch.trades.len() as u32, mark));
        }
        (batch.now, batch.started) = (Timestamp(now + 30 * NANOS_PER_MILLI), true);
        let mut day = Day::default();
        day.append(&batch).expect("room in the log");
        day
    }

    fn rows(day: Day, spec: &Spec, limits: Limits) -> (Vec<Row>, Vec<(Timestamp, usize)>, u64) {
        let mut slabs = Slabs::new(day, spec.clone(), None, None);
        slabs.limits = limits;
        let (mut rows, mut updates, mut output) = (vec![], vec![], Output::default());
        while slabs.next(&Scalar, &mut output) {
            let before = rows.len();
            updates.extend(output.updates.iter().map(|&(end, to)| (end, before + to)));
            rows.append(&mut output.rows);
            output.clear();
        }
        (rows, updates, slabs.counts().corrections)
    }

    proptest! {
        #[test]
        fn slabs_of_any_size_have_the_same_rows(
            steps in prop::collection::vec((0..9_u64, 1..5_u16, 1..50_u32, 0..12_u8), 0..60),
            (trades, most, copied) in (1..9_usize, 1..9_u64, 0..9_usize),
            (every_end, all) in any::<(bool, bool)>(),
        ) {
            let spec = Spec {
                windows: ["1ms", "7ms", "40ms", "session"].map(|text| text.parse().unwrap()).into(),
                step: Duration::from_millis(2).unwrap(),
                every_end,
                corrections: if all { Corrections::All } else { Corrections::Within(Duration::from_millis(9).unwrap()) },
                ..Spec::default()
            };
            let limits = Limits { trades, rows: most, copied };
            let expected = rows(day(&steps), &spec, Limits::default());
            prop_assert!(!expected.0.is_empty());
            prop_assert_eq!(rows(day(&steps), &spec, limits), expected);
        }
    }

    /// The most rows of a slab of more than one step.
    fn most_rows(day: Day, limits: Limits) -> usize {
        let spec = Spec {
            windows: ["7ms", "40ms", "session"]
                .map(|text| text.parse().unwrap())
                .into(),
            step: Duration::from_millis(1).unwrap(),
            ..Spec::default()
        };
        let mut slabs = Slabs::new(day, spec, None, None);
        slabs.limits = limits;
        let (mut output, mut after, mut most) = (Output::default(), slabs.after, 0);
        while slabs.next(&Scalar, &mut output) {
            if slabs.after > after + NANOS_PER_MILLI {
                most = most.max(output.rows.len());
            }
            after = slabs.after;
            output.clear();
        }
        most
    }

    #[test]
    fn what_leaves_when_nothing_enters_is_bounded() {
        let limits = Limits {
            trades: 4,
            rows: 1,
            copied: 1,
        };
        // Thirty executions in as many ends, then quiet: each leaves two windows.
        let mut steps = vec![(1, 1, 1, 9); 30];
        steps.push((500, 1, 1, 9));
        let most = most_rows(day(&steps), limits);
        assert!(most <= 2 * 3 * limits.trades, "{most} rows");
    }
}
