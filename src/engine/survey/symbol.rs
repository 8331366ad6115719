//! The executions of one symbol, which grow, and the sums that the cores make of them.

use super::Asked;
use crate::columns::Position;
use crate::market::Trade;
use crate::window::bounds::{Break, Planned, Planner};
use crate::window::{Alive, Bounds, Corrections, Gaps, Job, Kernel, Spec, Sums, Width, first_end};

/// The eligible executions of one symbol in feed order, broken ones included.
#[derive(Debug)]
pub(in crate::engine) struct SymbolColumns {
    times: Vec<u64>,
    pub(in crate::engine) prices: Vec<u32>,
    pub(in crate::engine) shares: Vec<u32>,
    /// Where they stand in the log.
    positions: Vec<Position>,
    /// In the order of their executions.
    breaks: Vec<Break>,
    /// Sums of the first executions, and how many they are.
    carry: Sums,
    carried: usize,
    /// No end before this brings a row.
    pub(super) due: u64,
}

impl Default for SymbolColumns {
    fn default() -> Self {
        Self {
            times: Vec::new(),
            prices: Vec::new(),
            shares: Vec::new(),
            positions: Vec::new(),
            breaks: Vec::new(),
            carry: Sums::default(),
            carried: 0,
            due: u64::MAX,
        }
    }
}

impl SymbolColumns {
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn is_broken(&self) -> bool {
        !self.breaks.is_empty()
    }

    /// Appends an execution, which enters the windows of the next end.
    pub(super) fn push(&mut self, position: Position, trade: &Trade, step: u64) {
        self.times.push(trade.time.0);
        self.prices.push(trade.price.0);
        self.shares.push(trade.shares.0);
        self.positions.push(position);
        self.due = self.due.min(first_end(trade.time.0, step));
    }

    /// Times and breaks.
    pub(super) fn columns(&self) -> (&[u64], &[Break]) {
        (&self.times, &self.breaks)
    }

    /// Shows the rows of ends in `after < end <= last` with their windows, and finds out when the next may
    /// be due.
    pub(super) fn plan(
        &mut self,
        spec: &Spec,
        gaps: &Gaps,
        (after, last): (u64, u64),
        mut show: impl FnMut(Planned, u8),
    ) {
        let mut due = u64::MAX;
        for window in 0..spec.windows.len() {
            let planner = Planner::new(spec, window, gaps, &self.times, &self.breaks);
            planner.plan(after, last, |row| show(row, window as u8));
            due = planner.next(last).map_or(due, |next| next.min(due));
        }
        self.due = due;
    }

    /// Notes that the execution at `position` was broken at `now`; which of the symbol's it is.
    pub(super) fn take_back(
        &mut self,
        position: Position,
        now: u64,
        corrections: Corrections,
    ) -> usize {
        let index = self.positions.partition_point(|&at| at < position);
        let order = self.breaks.len() as u32;
        let broken = Break::new(index as u32, now, order, &self.times, corrections);
        let place = self
            .breaks
            .partition_point(|other| other.index < broken.index);
        self.breaks.insert(place, broken);
        index
    }

    /// The sums of these windows without what has been broken.
    pub(super) fn sums_of_unbroken(&self, kernel: &dyn Kernel, bounds: &[Bounds]) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); bounds.len()];
        let from = bounds.iter().map(|bounds| bounds.low).min().unwrap_or(0);
        let to = bounds.iter().map(|bounds| bounds.high).max().unwrap_or(0);
        let (prices, shares) = (&self.prices, &self.shares);
        let alive = Alive::within(from..to, prices, shares, &self.breaks, u32::MAX);
        let bounds = bounds.iter().map(|&bounds| alive.bounds(bounds));
        let bounds: Vec<Bounds> = bounds.collect();
        kernel.evaluate(&mut [Job {
            prices: &alive.prices,
            shares: &alive.shares,
            bounds: &bounds,
            sums: &mut sums,
        }]);
        sums
    }

    /// Carries executions before `to` into the session's sums.
    fn carry_to(&mut self, to: usize) {
        for index in self.carried..to {
            self.carry.push(self.prices[index], self.shares[index]);
        }
        self.carried = self.carried.max(to);
    }
}

/// What the kernel is asked about one symbol, and which of the answers these are.
struct Share {
    symbol: usize,
    places: Vec<usize>,
    bounds: Vec<Bounds>,
    sums: Vec<Sums>,
}

/// Sums windows by the cores, symbol by symbol. A session asks for what follows the last one alone.
pub(super) fn sum(
    spec: &Spec,
    symbols: &mut [SymbolColumns],
    asked: &[Asked],
    kernel: &dyn Kernel,
    sums: &mut [Sums],
) {
    let is_session =
        |asked: &Asked| spec.windows[usize::from(asked.window)].width == Width::Session;
    let mut places: Vec<usize> = (0..asked.len()).collect();
    // Window by window: so the bounds seldom go back, for which kernels are made.
    places.sort_by_key(|&place| (asked[place].locate, asked[place].window));
    let mut shares: Vec<Share> = Vec::new();
    for places in places.chunk_by(|&one, &next| asked[one].locate == asked[next].locate) {
        let index = asked[places[0]].locate.index();
        let symbol = &mut symbols[index];
        let sessions = places.iter().filter(|&&place| is_session(&asked[place]));
        if let Some(first) = sessions.map(|&place| asked[place].bounds.high).min() {
            symbol.carry_to(first as usize);
        }
        let bounds = |&place: &usize| match is_session(&asked[place]) {
            true => Bounds {
                low: symbol.carried as u32,
                ..asked[place].bounds
            },
            false => asked[place].bounds,
        };
        shares.push(Share {
            symbol: index,
            bounds: places.iter().map(bounds).collect(),
            sums: vec![Sums::default(); places.len()],
            places: places.to_vec(),
        });
    }
    let mut jobs: Vec<Job<'_>> = shares
        .iter_mut()
        .map(|share| Job {
            prices: &symbols[share.symbol].prices,
            shares: &symbols[share.symbol].shares,
            bounds: &share.bounds,
            sums: &mut share.sums,
        })
        .collect();
    kernel.evaluate(&mut jobs);
    drop(jobs);
    for share in shares {
        let carry = &symbols[share.symbol].carry;
        for (place, found) in share.places.into_iter().zip(share.sums) {
            sums[place] = match is_session(&asked[place]) {
                true => carry.then(&found),
                false => found,
            };
        }
    }
}
