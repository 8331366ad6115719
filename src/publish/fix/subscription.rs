//! What a session has subscribed to.

use std::sync::{Arc, Weak};

use super::conflate::Behind;
use super::request::EntryTypes;
use crate::market::Locate;

/// Which symbols a subscription covers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    Universe,
    /// One bit for each locate.
    Some(Vec<u64>),
}

impl Coverage {
    pub(super) fn of(locates: impl Iterator<Item = Locate>) -> Self {
        let mut bits = Vec::new();
        for locate in locates {
            let word = locate.index() / 64;
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (locate.index() % 64);
        }
        Coverage::Some(bits)
    }

    pub(super) fn holds(&self, locate: Locate) -> bool {
        match self {
            Coverage::Universe => true,
            Coverage::Some(bits) => bits
                .get(locate.index() / 64)
                .is_some_and(|word| word & 1 << (locate.index() % 64) != 0),
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Interest {
    /// The same for all that ask for the same.
    pub(super) number: u64,
    pub(super) types: EntryTypes,
    /// Windows by number; empty is all.
    pub(super) windows: Vec<u8>,
    pub(super) coverage: Coverage,
}

impl Interest {
    /// Whether it wants rows of `window`.
    pub(super) fn wants_window(&self, window: u8) -> bool {
        self.windows.is_empty() || self.windows.contains(&window)
    }
}

/// Every interest once, however many sessions have it.
#[derive(Debug, Default)]
pub(super) struct Interests {
    known: Vec<Weak<Interest>>,
    numbers: u64,
}

impl Interests {
    /// The one interest in this.
    pub(super) fn share(
        &mut self,
        types: EntryTypes,
        windows: &[u8],
        coverage: Coverage,
    ) -> Arc<Interest> {
        self.known.retain(|one| one.strong_count() > 0);
        let same = |one: &Arc<Interest>| {
            one.types == types && one.windows == windows && one.coverage == coverage
        };
        if let Some(known) = self.known.iter().filter_map(Weak::upgrade).find(same) {
            return known;
        }
        self.numbers += 1;
        let interest = Arc::new(Interest {
            number: self.numbers,
            types,
            windows: windows.into(),
            coverage,
        });
        self.known.push(Arc::downgrade(&interest));
        interest
    }
}

/// One accepted request.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: Box<[u8]>,
    pub(super) interest: Arc<Interest>,
    /// Symbols to be told of when the socket takes bytes again.
    pub(super) behind: Behind,
}

/// The subscriptions of one session.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    pub(super) subscriptions: Vec<Subscription>,
    /// Symbols whose trading states are to be told when the socket takes bytes again.
    pub(super) untold: Behind,
}

impl Subscriber {
    /// Whether any symbol is marked.
    pub(super) fn is_behind(&self) -> bool {
        let mut subscriptions = self.subscriptions.iter();
        !self.untold.is_empty() || subscriptions.any(|one| !one.behind.is_empty())
    }

    /// Whether anything of `locate` is subscribed to.
    pub(super) fn covers(&self, locate: Locate) -> bool {
        let mut subscriptions = self.subscriptions.iter();
        subscriptions.any(|one| one.interest.coverage.holds(locate))
    }

    /// The entry types that any of its subscriptions wants.
    pub(super) fn types(&self) -> EntryTypes {
        let types = self.subscriptions.iter().map(|one| one.interest.types);
        types.fold(0, |all, one| all | one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_twice_is_one_interest() {
        let mut interests = Interests::default();
        let some = || Coverage::of([Locate(3)].into_iter());
        let first = interests.share(1, &[0], some());
        let numbers = [
            interests.share(1, &[0], some()).number,
            interests.share(2, &[0], some()).number,
            interests.share(1, &[1], some()).number,
            interests.share(1, &[0], Coverage::Universe).number,
        ];
        assert_eq!(
            numbers.map(|number| number == first.number),
            [true, false, false, false]
        );
        drop(first);
        assert_eq!(interests.share(1, &[0], some()).number, 5);
        assert_eq!(interests.known.len(), 1, "what nobody has is forgotten");
    }

    #[test]
    fn coverage_holds_what_was_named() {
        let some = Coverage::of([Locate(63), Locate(64), Locate(u16::MAX)].into_iter());
        for (locate, held) in [(62, false), (63, true), (64, true), (65, false)] {
            assert_eq!(some.holds(Locate(locate)), held, "{locate}");
        }
        assert!(some.holds(Locate(u16::MAX)) && Coverage::Universe.holds(Locate(9)));
        assert!(!Coverage::of(std::iter::empty()).holds(Locate(0)));
    }
}
