//! The semantics once more, by brute force: sets of executions, made anew at every end.
//!
//! Where the text says that a set "is not the set of the previous end", both are judged with the
//! executions that are unbroken at the moment of writing.

use std::collections::BTreeMap;

use widetape::market::{Locate, Notional, Price, Symbol, Timestamp};
use widetape::window::{Corrections, Row, Spec, Sums, Width};

use super::days::{Event, Kind};

/// What an execution leaves behind.
struct Execution {
    time: u64,
    locate: u16,
    price: u32,
    shares: u32,
    number: u64,
    eligible: bool,
    broken: bool,
}

/// Everything known so far.
pub(crate) struct Model<'a> {
    spec: &'a Spec,
    executions: Vec<Execution>,
    names: BTreeMap<u16, (Symbol, u64)>,
    /// Holes as [after, before].
    gaps: Vec<(u64, u64)>,
    pending_gap: Option<u64>,
    /// Revisions of the rows written, by (locate, end, window).
    written: BTreeMap<(u16, u64, u8), u32>,
    now: u64,
    /// Newest end whose rows are written; `None` before the first message.
    passed: Option<u64>,
    /// Rows in the order of writing, with the time of their update.
    pub(crate) rows: Vec<(Timestamp, Row)>,
    /// Breaks applied, unknown, repeated, not published.
    pub(crate) breaks: [u64; 4],
}

/// The rows of a whole day.
pub(crate) fn run<'a>(spec: &'a Spec, events: &[Event]) -> Model<'a> {
    let mut model = Model {
        spec,
        executions: Vec::new(),
        names: BTreeMap::new(),
        gaps: Vec::new(),
        pending_gap: None,
        written: BTreeMap::new(),
        now: 0,
        passed: None,
        rows: Vec::new(),
        breaks: [0; 4],
    };
    for event in events {
        model.event(event);
    }
    model.finish();
    model
}

impl Model<'_> {
    fn step(&self) -> u64 {
        self.spec.step.nanos()
    }

    fn event(&mut self, event: &Event) {
        let Some(time) = event.time else {
            self.pending_gap.get_or_insert(self.now);
            return;
        };
        self.now = self.now.max(time);
        if let Some(after) = self.pending_gap.take() {
            self.gaps.push((after, self.now));
        }
        let last = self.now / self.step();
        let first = self.passed.map_or(last, |passed| passed / self.step());
        for number in first + 1..=last {
            self.write(number * self.step());
        }
        self.passed = Some(last * self.step());
        match event.kind {
            Kind::Nothing | Kind::Lost => {}
            Kind::Name { locate, symbol } => self.name(locate, symbol),
            Kind::Executed(trade) | Kind::NonDisplayed(trade) | Kind::Cross(trade) => {
                self.name(trade.locate, super::days::symbol_of(trade.locate));
                self.execute(event, trade);
            }
            Kind::WithPrice(trade) => self.execute(event, trade),
            Kind::Break { number } => self.take_back(number),
        }
    }

    fn finish(&mut self) {
        if let Some(after) = self.pending_gap.take() {
            self.gaps.push((after, u64::MAX));
        }
        if self.passed.is_some() {
            self.write((self.now / self.step() + 1) * self.step());
        }
    }

    fn name(&mut self, locate: u16, symbol: Symbol) {
        self.names.entry(locate).or_insert((symbol, self.now));
    }

    fn execute(&mut self, event: &Event, trade: super::days::Trade) {
        if trade.shares == 0 {
            return;
        }
        self.executions.push(Execution {
            time: self.now,
            locate: trade.locate,
            price: trade.price,
            shares: trade.shares,
            number: trade.number,
            eligible: event.kind.counts_under(self.spec.policy),
            broken: false,
        });
    }

    fn label(&self, locate: u16, end: u64) -> Symbol {
        match self.names.get(&locate) {
            Some(&(symbol, since)) if since < end => symbol,
            _ => Symbol::unnamed(Locate(locate)),
        }
    }

    fn start(&self, end: u64, window: u8) -> u64 {
        match self.spec.windows[usize::from(window)].width {
            Width::Finite(width) => end.saturating_sub(width.nanos()),
            Width::Session => 0,
        }
    }

    fn complete(&self, end: u64, window: u8) -> bool {
        let start = self.start(end, window);
        let overlaps = |&(after, before): &(u64, u64)| after < end && before >= start;
        !self.gaps.iter().any(overlaps)
    }

    /// The unbroken eligible executions of a window.
    fn set(&self, locate: u16, end: u64, window: u8) -> Vec<usize> {
        let inside = self.start(end, window)..end;
        let held = |execution: &Execution| {
            execution.locate == locate
                && execution.eligible
                && !execution.broken
                && inside.contains(&execution.time)
        };
        let all = self.executions.iter().enumerate();
        all.filter(|(_, execution)| held(execution))
            .map(|(index, _)| index)
            .collect()
    }

    fn row(&self, locate: u16, end: u64, window: u8, revision: u32) -> Row {
        let set = self.set(locate, end, window);
        let of = |index: usize| &self.executions[index];
        let price = |index: Option<&usize>| Price(index.map_or(0, |&index| of(index).price));
        let prices = || set.iter().map(|&index| of(index).price);
        let product = |&index: &usize| u128::from(of(index).price) * u128::from(of(index).shares);
        Row {
            end: Timestamp(end),
            locate: Locate(locate),
            symbol: self.label(locate, end),
            window,
            sums: Sums {
                notional: Notional::new(set.iter().map(product).sum()),
                volume: set.iter().map(|&index| u64::from(of(index).shares)).sum(),
                trades: set.len() as u32,
                open: price(set.first()),
                high: Price(prices().max().unwrap_or(0)),
                low: Price(prices().min().unwrap_or(0)),
                close: price(set.last()),
            },
            complete: self.complete(end, window),
            revision,
        }
    }

    fn write(&mut self, end: u64) {
        let previous = end - self.step();
        let mut locates: Vec<u16> = self.executions.iter().map(|one| one.locate).collect();
        locates.sort_unstable_by_key(|&locate| (self.label(locate, end), locate));
        locates.dedup();
        for locate in locates {
            for window in 0..self.spec.windows.len() as u8 {
                let set = self.set(locate, end, window);
                let changed = set != self.set(locate, previous, window)
                    || self.complete(end, window) != self.complete(previous, window);
                if !set.is_empty() && (changed || self.spec.every_end) {
                    self.written.insert((locate, end, window), 0);
                    let row = self.row(locate, end, window, 0);
                    self.rows.push((Timestamp(end), row));
                }
            }
        }
    }

    fn take_back(&mut self, number: u64) {
        let newest = self.executions.iter().rposition(|one| one.number == number);
        let Some(index) = newest else {
            self.breaks[1] += 1;
            return;
        };
        if std::mem::replace(&mut self.executions[index].broken, true) {
            self.breaks[2] += 1;
            return;
        }
        self.breaks[0] += 1;
        let Execution {
            time,
            locate,
            eligible,
            ..
        } = self.executions[index];
        let late = self.passed.is_some_and(|passed| time < passed);
        if !eligible || !late {
            return;
        }
        let published = match self.spec.corrections {
            Corrections::All => true,
            Corrections::Off => false,
            Corrections::Within(age) => self.now - time <= age.nanos(),
        };
        if !published {
            self.breaks[3] += 1;
            return;
        }
        let keys: Vec<(u16, u64, u8)> = self
            .written
            .keys()
            .filter(|&&(of, end, window)| {
                of == locate && (self.start(end, window)..end).contains(&time)
            })
            .copied()
            .collect();
        for key in keys {
            let revision = self.written[&key] + 1;
            self.written.insert(key, revision);
            let row = self.row(key.0, key.1, key.2, revision);
            self.rows.push((Timestamp(self.now), row));
        }
    }
}
