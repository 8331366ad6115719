//! A broken execution leaves everything that windows hold of its symbol: its entry, the candidates, the price ranges
//! and the totals.

use std::ops::Range;

use super::entries::EntryNumber;
use super::sliding::Sliding;
use super::{Sums, Width};
use crate::columns::{Position, PriceRange, TradeLog};
use crate::market::{Locate, Notional, Price, Trade};

impl Sliding {
    /// Takes an eligible execution out of the windows that hold it now. The log has forgotten that it is eligible,
    /// so that the chain of its symbol passes over it.
    pub(super) fn remove(&mut self, position: Position, trade: &Trade) {
        let face = &mut self.symbols.faces[trade.locate.index()];
        let previous = self.log.backwards(position).next();
        if self.session.is_some() {
            mend_ranges(&mut self.log, previous, position, face.position);
        }
        if face.position == position {
            face.position = previous.unwrap_or(TradeLog::NONE);
        }
        let newest = (face.position != TradeLog::NONE).then_some(face.position);
        face.range = match (self.session, newest) {
            (Some(_), Some(newest)) => self.log.range(newest),
            _ => PriceRange::NONE,
        };
        let first_now = match (self.session, previous, newest) {
            (Some(_), None, Some(newest)) => self.log.backwards(newest).last(),
            _ => None,
        };
        let first_now = first_now.map(|first| self.log.get(first).price);
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
        // From the first of the next entry on: a symbol may have executed a million times since.
        let executions = self.log.backwards(held.end.min(face.position));
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
        // If symbols are to be ranked, every line is written anew.
        if self.spec.every_end && self.is_ranked {
            self.due_rows.add(first, u64::MAX);
        }
        let totals = &mut self.totals[first..][..self.spec.windows.len()];
        for (window, totals) in totals.iter_mut().enumerate() {
            let is_session = self.spec.windows[window].width == Width::Session;
            let held = lost.filter(|&(number, _)| {
                !is_session && number >= self.entries.first_of(self.cursors[window])
            });
            if has_entered && (is_session || held.is_some()) {
                let notional = Notional::of(trade.price, trade.shares);
                if totals.take_back(notional, trade.shares.0.into()) {
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

/// Sees to it that the price ranges of the executions behind `broken`, up to `newest`, are without its price. `previous`
/// is the execution before it.
fn mend_ranges(log: &mut TradeLog, previous: Option<Position>, broken: Position, newest: Position) {
    let mut range = previous.map_or(PriceRange::NONE, |previous| log.range(previous));
    if log.range(broken) == range {
        return;
    }
    let later = log.backwards(newest).take_while(|&later| later > broken);
    let later: Vec<_> = later.collect();
    for position in later.into_iter().rev() {
        range = range.with(log.get(position).price.0);
        if log.range(position) == range {
            return;
        }
        log.set_range(position, range);
    }
}
