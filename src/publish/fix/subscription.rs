//! What a session has subscribed to.

use super::request::EntryTypes;
use crate::market::Locate;

/// Which symbols a subscription covers.
#[derive(Debug)]
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

/// One accepted request.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: Box<[u8]>,
    pub(super) types: EntryTypes,
    /// Windows by number; empty is all.
    pub(super) windows: Vec<u16>,
    pub(super) coverage: Coverage,
}

impl Subscription {
    /// Whether it wants rows of `window`.
    pub(super) fn wants_window(&self, window: u16) -> bool {
        self.windows.is_empty() || self.windows.contains(&window)
    }
}

/// The subscriptions of one session.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    pub(super) subscriptions: Vec<Subscription>,
}

impl Subscriber {
    /// The entry types that any of its subscriptions wants.
    pub(super) fn types(&self) -> EntryTypes {
        let types = self.subscriptions.iter().map(|one| one.types);
        types.fold(0, |all, one| all | one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
