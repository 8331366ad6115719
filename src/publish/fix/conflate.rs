//! Readers that fall behind: while a session's socket is full its symbols are only marked, and when it
//! takes bytes again the newest values of the marked ones go out.

use super::entries::Entries;
use super::market_data::{Desk, relieve};
use super::outgoing::{Outgoing, Turn};
use super::selection::Selection;
use crate::market::{Locate, Top};
use crate::wire::fix::tag;

/// Symbols that are taken up at a time.
pub(super) const SYMBOLS: usize = 32;

/// The symbols that a subscription has not been told the newest values of.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// One bit for each locate.
    words: Vec<u64>,
    count: usize,
}

impl Behind {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Marks `locate`. Whether it was not yet.
    pub(super) fn mark(&mut self, locate: Locate) -> bool {
        let (word, bit) = (locate.index() / 64, 1 << (locate.index() % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += usize::from(fresh);
        fresh
    }

    /// Takes up to `most` marked locates away.
    pub(super) fn take(&mut self, most: usize, into: &mut Vec<Locate>) {
        into.clear();
        for (index, word) in self.words.iter_mut().enumerate() {
            while *word != 0 && into.len() < most {
                let place = index * 64 + word.trailing_zeros() as usize;
                *word &= *word - 1;
                into.push(Locate(place as u16));
            }
        }
        self.count -= into.len();
    }
}

/// What catching up works with.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    entries: Entries,
    selection: Selection,
    pub(super) locates: Vec<Locate>,
}

impl Desk<'_> {
    /// Sends the trading states and then the newest values of marked symbols until none is left or the socket is full again. They
    /// come as 35=X: for each window its newest end, for each side of the book its state (279=1, or 2
    /// where it is empty).
    pub(super) fn catch_up(&mut self, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        self.tell_untold(outgoing, turn);
        for place in 0..self.subscriber.subscriptions.len() {
            while !self.subscriber.subscriptions[place].behind.is_empty() && !turn.is_behind() {
                self.catch_up_some(place, outgoing, turn);
            }
        }
    }

    fn catch_up_some(&mut self, place: usize, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        let subscription = &mut self.subscriber.subscriptions[place];
        let market = &mut *self.market;
        let CatchUp {
            entries,
            selection,
            locates,
        } = &mut market.catch_up;
        subscription.behind.take(SYMBOLS, locates);
        entries.clear();
        let types = subscription.interest.types;
        for &locate in locates.iter() {
            for row in market.newest.rows(locate) {
                let name = &market.windows[usize::from(row.window)];
                entries.add_row(row, name, types);
            }
            if let Some((symbol, top, time)) = market.newest.top(locate) {
                let before = Top {
                    bid_size: 1,
                    ask_size: 1,
                    ..Top::default()
                };
                entries.add_top((locate, symbol), Some(before), &top, time.0, types);
            }
        }
        selection.clear(subscription.interest.number);
        entries.select(&subscription.interest, selection);
        for group in selection.groups() {
            let head = &mut market.head;
            head.clear();
            head.text(tag::MD_REQ_ID, &subscription.id);
            head.uint(tag::NO_MD_ENTRIES, group.count as u64);
            let sum = head.sum().wrapping_add(group.sum);
            outgoing.send(b"X", &[head.bytes(), selection.bytes(group)], sum, turn);
            turn.counts.increments += 1;
        }
        relieve(turn, self.drain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_once() {
        let mut behind = Behind::default();
        let marked = [3, 64, 65, 9_999].map(Locate);
        for locate in marked {
            assert!(behind.mark(locate) && !behind.mark(locate));
        }
        let mut taken = Vec::new();
        behind.take(3, &mut taken);
        assert_eq!(taken, marked[..3]);
        assert!(!behind.is_empty());
        behind.take(3, &mut taken);
        assert_eq!(taken, marked[3..]);
        assert!(behind.is_empty());
    }
}
