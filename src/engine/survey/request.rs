//! What is asked of a device that sums windows.

use super::{Asked, SymbolColumns};
use crate::columns::{Position, TradeLog, TradeSlices};
use crate::window::{Spec, Sums};

/// What somebody who sums windows is to know.
pub(in crate::engine) struct Request<'a> {
    pub(in crate::engine) spec: &'a Spec,
    pub(in crate::engine) log: &'a TradeLog,
    /// By locate.
    pub(in crate::engine) symbols: &'a [SymbolColumns],
    /// In ascending order of ends.
    pub(in crate::engine) asked: &'a [Asked],
}

/// Sums windows, or says that it did not.
pub(in crate::engine) trait Summing: Send {
    /// Opens what is to be opened before it is asked.
    fn prepare(&mut self);

    /// Writes one answer for each window that is asked. `false`: they mean nothing.
    fn sum(&mut self, request: &Request<'_>, sums: &mut [Sums]) -> bool;
}

impl Request<'_> {
    /// The executions that count from `position` on, in feed order.
    pub(in crate::engine) fn since(&self, position: Position) -> Vec<TradeSlices<'_>> {
        let mask = self.spec.policy.bit();
        let stretches = self.log.stretches().filter_map(|(first, trades)| {
            let before = position.saturating_sub(first) as usize;
            let all = TradeSlices::of(trades, mask);
            (before < all.len()).then(|| TradeSlices {
                times: &all.times[before..],
                locates: &all.locates[before..],
                prices: &all.prices[before..],
                shares: &all.shares[before..],
                policies: &all.policies[before..],
                mask,
            })
        });
        stretches.collect()
    }
}
