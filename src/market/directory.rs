//! Which symbol a stock locate stands for, dense by locate.

use super::{Locate, Symbol, Timestamp};

/// A symbol and the moment of the message that named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The symbol.
    pub symbol: Symbol,
    /// Feed time of the naming message.
    pub since: Timestamp,
}

/// The day's symbols, indexed by locate. The first name that a locate receives stays: locates do
/// not change hands within a day, so a second name is a fault of the feed.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    names: Vec<Option<Named>>,
}

/// What [`Directory::learn`] did with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// The locate had no name before.
    New,
    /// The locate already had this name.
    Known,
    /// The locate already had another name, which stays.
    Conflict,
}

impl Directory {
    /// A directory without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records that `locate` stands for `symbol` from `now` on.
    #[inline]
    pub fn learn(&mut self, locate: Locate, symbol: Symbol, now: Timestamp) -> Learned {
        match self.names.get(locate.index()) {
            Some(Some(known)) if known.symbol == symbol => Learned::Known,
            Some(Some(_)) => Learned::Conflict,
            _ => {
                self.insert(locate, Named { symbol, since: now });
                Learned::New
            }
        }
    }

    fn insert(&mut self, locate: Locate, named: Named) {
        if self.names.len() <= locate.index() {
            self.names.resize(locate.index() + 1, None);
        }
        self.names[locate.index()] = Some(named);
    }

    /// The name of `locate`, if any message has given one.
    #[must_use]
    pub fn get(&self, locate: Locate) -> Option<Named> {
        self.names.get(locate.index()).copied().flatten()
    }

    /// The label of `locate` in the rows of `end`: its name when that was known before `end`, else
    /// `#` and the number. A function of the feed alone, so every path prints the same label.
    #[must_use]
    pub fn label_at(&self, locate: Locate, end: Timestamp) -> Symbol {
        match self.get(locate) {
            Some(named) if named.since < end => named.symbol,
            _ => Symbol::unnamed(locate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_name_stays_and_labels_depend_on_the_end() {
        let mut directory = Directory::new();
        let apple = Symbol::new("AAPL").unwrap();
        let other = Symbol::new("MSFT").unwrap();
        assert_eq!(
            directory.learn(Locate(7), apple, Timestamp(100)),
            Learned::New
        );
        assert_eq!(
            directory.learn(Locate(7), apple, Timestamp(200)),
            Learned::Known
        );
        assert_eq!(
            directory.learn(Locate(7), other, Timestamp(200)),
            Learned::Conflict
        );
        assert_eq!(directory.label_at(Locate(7), Timestamp(100)).name(), "#7");
        assert_eq!(directory.label_at(Locate(7), Timestamp(101)), apple);
        assert_eq!(directory.label_at(Locate(9), Timestamp(101)).name(), "#9");
    }
}
