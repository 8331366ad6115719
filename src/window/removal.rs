//! A broken execution leaves everything that windows hold of its symbol: the chain in the log, its entry, the candidates
//! and the totals.

use std::ops::Range;

use super::entries::EntryNumber;
use super::sliding::Sliding;
use super::{Sums, Width};
use crate::columns::{Position, PriceRange, TradeLog};
use crate::market::{Locate, Notional, Price, Trade};

impl Sliding {
    /// Takes an unbroken, eligible execution out of the chain of its symbol, and of the windows that hold
    /// it now. The log has forgotten that it is eligible.
    pub(super) fn remove(&mut self, position: Position, trade: &Trade) {
        let locate = trade.locate.index();
        let face = &mut self.symbols.faces[locate];
        let previous = self.log.previous(position);
        let later = self.log.backwards(face.position);
        let later: Vec<_> = later.take_while(|&later| later > position).collect();
        if self.session.is_some() {
            for (position, range) in mended(&self.log, previous, later.iter().rev()) {
                self.log.set_range(position, range);
            }
        }
        match later.last() {
            Some(&next) => self.log.link(previous.unwrap_or(TradeLog::NONE), next),
            None => face.position = previous.unwrap_or(TradeLog::NONE),
        }
        let newest = (face.position != TradeLog::NONE).then_some(face.position);
        face.range = match (self.session, newest) {
            (Some(_), Some(newest)) => self.log.range(newest),
            _ => PriceRange::NONE,
        };
        let first_now = match previous {
            None => later.last().map(|&next| self.log.get(next).price),
            Some(_) => None,
        };
        let entry = self.entries.holding(face.entry, position);
        let lost =
            entry.map(|(number, held)| (number, self.reckon_again(trade.locate, number, held)));
        self.take_out(trade, lost, first_now, newest);
    }

    /// Reckons anew what the entry `number` of `locate` has, whose executions are at the positions `held`. Says which is
    /// the first entry, from that one on, that has executions.
    fn reckon_again(
        &mut self,
        locate: Locate,
        number: EntryNumber,
        held: Range<Position>,
    ) -> EntryNumber {
        let face = &mut self.symbols.faces[locate.index()];
        let executions = self.log.backwards(face.position);
        let held: Vec<_> = executions
            .skip_while(|&position| position >= held.end)
            .take_while(|&position| position >= held.start)
            .collect();
        let mut sums = Sums::default();
        for &position in held.iter().rev() {
            let trade = self.log.get(position);
            sums.push(trade.price.0, trade.shares.0);
        }
        let entry = self.entries.get_mut(number);
        entry.sums = sums;
        let next = entry.next.entry;
        if self.finite {
            let kept = self.entries.backwards(number);
            let kept = kept.take_while(|&older| older >= self.oldest);
            let prices = kept.map(|older| (older, self.entries.get(older).sums));
            let prices = prices.filter(|(_, sums)| sums.trades > 0);
            let prices = prices.map(|(older, sums)| (older, (sums.high, sums.low)));
            self.symbols.candidates[locate.index()].reconsider(number, prices);
        }
        if sums.trades == 0 {
            face.entry = self.entries.unlink(number, face.entry);
            return next;
        }
        if number < self.next_entry {
            self.entries.link(number);
        }
        number
    }

    /// Takes a broken execution out of the windows that hold it: its entry and the one that is there now are `lost`, if
    /// they are still there. `first_now` is the price of the symbol's first execution if it was that of the broken one,
    /// and `newest` is where its newest is.
    fn take_out(
        &mut self,
        trade: &Trade,
        lost: Option<(EntryNumber, EntryNumber)>,
        first_now: Option<Price>,
        newest: Option<Position>,
    ) {
        let locate = trade.locate.index();
        let first = self.firsts[locate] as usize;
        let close = newest.map_or(Price(0), |newest| self.log.get(newest).price);
        let range = self.symbols.faces[locate].range;
        let has_entered = lost.is_none_or(|(number, _)| number < self.next_entry);
        let totals = &mut self.totals[first..][..self.spec.windows.len()];
        for (window, totals) in totals.iter_mut().enumerate() {
            let is_session = self.spec.windows[window].width == Width::Session;
            let held = lost.filter(|&(number, _)| {
                !is_session && number >= self.entries.first_of(self.cursors[window])
            });
            if has_entered && (is_session || held.is_some()) {
                let notional = Notional::of(trade.price, trade.shares);
                if totals.take_back(notional, trade.shares.0.into()) {
                    self.due_rows.set(first + window, false);
                    continue;
                }
                if let Some((number, now)) = held {
                    if totals.head == number {
                        totals.head = now;
                        totals.sums.open = self.entries.get(now).sums.open;
                    }
                } else if let Some(open) = first_now {
                    totals.sums.open = open;
                }
            }
            if totals.sums.trades == 0 {
                continue;
            }
            totals.sums.close = close;
            if is_session {
                (totals.sums.high, totals.sums.low) = (Price(range.high), Price(range.low));
            } else if lost.is_some_and(|(number, _)| totals.has_extreme(number)) {
                // It need not have entered: an earlier break may have made it the high or the low already.
                let candidates = &self.symbols.candidates[locate];
                let (high, low) = candidates.extremes(totals.head);
                totals.set_high(high);
                totals.set_low(low);
            }
        }
    }
}

/// Those of the executions `later` whose price ranges are others when nothing is between them and `previous` any more.
fn mended<'a>(
    log: &TradeLog,
    previous: Option<Position>,
    later: impl Iterator<Item = &'a Position>,
) -> Vec<(Position, PriceRange)> {
    let before = previous.map_or(PriceRange::NONE, |previous| log.range(previous));
    let mended = later.scan(before, |range, &position| {
        *range = range.with(log.get(position).price.0);
        Some((position, *range))
    });
    mended
        .filter(|&(position, range)| log.range(position) != range)
        .collect()
}
