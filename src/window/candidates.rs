//! High and low of the windows of a symbol: the entries that no later one equals or exceeds form one list
//! a direction, and the highest price of a window whose first entry is n is that of the first of them from
//! n on. An entry may be there with several of its prices, of which only the first is looked at.

use super::entries::EntryNumber;
use crate::market::Price;
use crate::memory::Memory;

/// An entry whose price is the highest or the lowest: the greater, the more extreme its price is and
/// then the newer it is. 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extreme {
    /// The price, or its complement where the lowest is asked for (32 bits), and the number of the entry (32).
    rank: u64,
}

impl Extreme {
    #[inline]
    fn new(rank: u32, number: EntryNumber) -> Self {
        Self {
            rank: u64::from(rank) << 32 | u64::from(number),
        }
    }

    /// The entry as one with the highest price.
    #[inline]
    pub(super) fn high(number: EntryNumber, price: u32) -> Self {
        Self::new(price, number)
    }

    /// The entry as one with the lowest price.
    #[inline]
    pub(super) fn low(number: EntryNumber, price: u32) -> Self {
        Self::new(!price, number)
    }

    /// Its price, if it is one of the highest.
    #[inline]
    pub(super) fn highest(self) -> Price {
        Price((self.rank >> 32) as u32)
    }

    /// Its price, if it is one of the lowest.
    #[inline]
    pub(super) fn lowest(self) -> Price {
        Price(!(self.rank >> 32) as u32)
    }

    #[inline]
    pub(super) fn entry(self) -> EntryNumber {
        self.rank as EntryNumber
    }

    /// Whether its price is as extreme as another's, or more so.
    #[inline]
    fn beats(self, other: Self) -> bool {
        self.price_rank() >= other.price_rank()
    }

    /// The greater, the more extreme its price is.
    #[inline]
    fn price_rank(self) -> u32 {
        (self.rank >> 32) as u32
    }
}

/// Entries that are kept where no pointer leads.
const NEWEST: usize = 4;
/// How many of them move where there is room when there are too many.
const HALF: usize = NEWEST / 2;

/// The entries that no later one equals or exceeds, for one direction, in one cache line: the newest are what an
/// entry that is new is compared with.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Extremes {
    newest: [Extreme; NEWEST],
    /// How many of `newest` there are, oldest first.
    count: u32,
    /// What is older than these, oldest first.
    older: Vec<Extreme>,
    /// Of the last of these as much as tells whether another beats it; the most where there is none.
    beaten_by: u32,
}

impl Default for Extremes {
    fn default() -> Self {
        Self {
            newest: [Extreme::default(); NEWEST],
            count: 0,
            older: Vec::new(),
            beaten_by: u32::MAX,
        }
    }
}

impl Extremes {
    /// Adds the newest entry. Candidates before `oldest` may be forgotten.
    #[inline]
    fn push(&mut self, newest: Extreme, oldest: EntryNumber) {
        // Those that it beats are the last ones. No processor foresees how many they are.
        let newer = self.newest.iter().enumerate();
        let kept = newer.fold(0, |kept, (place, old)| {
            kept + usize::from((place < self.count as usize) & !newest.beats(*old))
        });
        self.count = kept as u32;
        if (kept == 0) & (newest.price_rank() >= self.beaten_by) {
            self.pop_older(newest);
        } else if kept == NEWEST {
            self.make_room(oldest);
        }
        self.newest[self.count as usize] = newest;
        self.count += 1;
    }

    /// Takes off what is older than the newest and beaten by `newest`.
    #[inline(never)]
    fn pop_older(&mut self, newest: Extreme) {
        while self.older.last().is_some_and(|&old| newest.beats(old)) {
            self.older.pop();
        }
        self.older_has_changed();
    }

    fn older_has_changed(&mut self) {
        let last = self.older.last();
        self.beaten_by = last.map_or(u32::MAX, |last| last.price_rank());
    }

    /// Moves the older half of the newest, which are all there. Candidates before `oldest` are forgotten if they
    /// are the greater part, so that moving the others is paid for by those that came since they were last moved.
    #[cold]
    fn make_room(&mut self, oldest: EntryNumber) {
        if self.older.capacity() - self.older.len() < HALF {
            let forgotten = before(&self.older, oldest);
            if 2 * forgotten > self.older.len() {
                self.older.drain(..forgotten);
            }
        }
        self.older.extend_from_slice(&self.newest[..HALF]);
        self.newest.copy_within(HALF.., 0);
        self.count -= HALF as u32;
        self.older_has_changed();
    }

    /// Takes the entry `number` away, with all its prices. If it was a candidate, those of `older` take its place that no later one equals
    /// or exceeds now: what it still is, and the entries before it, from the newest on.
    fn remove(&mut self, number: EntryNumber, older: impl Iterator<Item = Extreme>) {
        let mut candidates = std::mem::take(&mut self.older);
        candidates.extend_from_slice(&self.newest[..self.count as usize]);
        self.count = 0;
        put_right(&mut candidates, number, older);
        self.older = candidates;
        self.older_has_changed();
    }

    /// The extreme of the entries from `start` on; none where there are none, and from none on.
    #[inline]
    fn since(&self, start: EntryNumber) -> Extreme {
        if start == 0 {
            return Extreme::default();
        }
        let newest = &self.newest[..self.count as usize];
        let older = match newest.first() {
            Some(first) if first.entry() < start => &[],
            _ => &self.older[before(&self.older, start)..],
        };
        let newest = || newest.iter().find(|old| old.entry() >= start);
        older.first().or_else(newest).copied().unwrap_or_default()
    }

    /// All of them, oldest first.
    #[cfg(test)]
    fn all(&self) -> Vec<Extreme> {
        [&self.older, &self.newest[..self.count as usize]].concat()
    }
}

/// How many of `candidates` are before `number`.
#[inline]
fn before(candidates: &[Extreme], number: EntryNumber) -> usize {
    candidates.partition_point(|candidate| candidate.entry() < number)
}

/// Takes the entry `number` out of `candidates`, as [`Extremes::remove`] says.
fn put_right(
    candidates: &mut Vec<Extreme>,
    number: EntryNumber,
    older: impl Iterator<Item = Extreme>,
) {
    let place = before(candidates, number);
    let newer = candidates.split_off(before(candidates, number + 1));
    let Some(&candidate) = candidates.get(place) else {
        candidates.extend(newer);
        return;
    };
    candidates.truncate(place);
    // What is older than that candidate is beaten by it, or one already: of its own price only the newest
    // takes its place, and nothing behind that.
    let before = candidates.last().map(|before| before.entry());
    let mut best = newer.first().copied();
    for old in older.take_while(|old| Some(old.entry()) > before) {
        if best.is_none_or(|best| !best.beats(old)) {
            best = Some(old);
            candidates.insert(place, old);
            if old.beats(candidate) {
                break;
            }
        }
    }
    candidates.extend(newer);
}

/// The candidates for high and low of one symbol's windows, in two cache lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    highs: Extremes,
    lows: Extremes,
}

impl Candidates {
    /// Takes note of the price of the newest unbroken execution, which is in the entry `number`, as a candidate for the
    /// high and the low of windows whose first entry is `oldest` or later.
    #[inline]
    pub(super) fn consider(&mut self, number: EntryNumber, price: u32, oldest: EntryNumber) {
        self.highs.push(Extreme::high(number, price), oldest);
        self.lows.push(Extreme::low(number, price), oldest);
    }

    /// Asks for what [`Candidates::consider`] will look at.
    #[inline]
    pub(super) fn prefetch(&self, memory: Memory) {
        for extremes in [&self.highs, &self.lows] {
            memory.prefetch(std::slice::from_ref(extremes), 0);
        }
    }

    /// The entry `number` is between other prices, as it has lost an execution. `older` is that entry if it has any left,
    /// and those with executions before it that a window may hold, from the newest on, each with its high and low.
    pub(super) fn reconsider(
        &mut self,
        number: EntryNumber,
        older: impl Iterator<Item = (EntryNumber, (Price, Price))> + Clone,
    ) {
        let highs = older
            .clone()
            .map(|(at, (high, _))| Extreme::high(at, high.0));
        self.highs.remove(number, highs);
        let lows = older.map(|(at, (_, low))| Extreme::low(at, low.0));
        self.lows.remove(number, lows);
    }

    /// The newest entry with the highest price of those from `start` on, and the newest with the lowest.
    pub(super) fn extremes(&self, start: EntryNumber) -> (Extreme, Extreme) {
        (self.high(start), self.low(start))
    }

    /// The newest entry with the highest price of those from `start` on, of which there is one at least.
    #[inline(never)]
    pub(super) fn high(&self, start: EntryNumber) -> Extreme {
        self.highs.since(start)
    }

    /// The newest of the same with the lowest.
    #[inline(never)]
    pub(super) fn low(&self, start: EntryNumber) -> Extreme {
        self.lows.since(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An entry between these prices.
    type Held = (EntryNumber, (Price, Price));

    fn prices(below: u32) -> impl Strategy<Value = (Price, Price)> {
        let price = move || prop_oneof![3 => 0..8_u32.min(below), 1 => 0..below];
        (price(), price()).prop_map(|(a, b)| (Price(a.max(b)), Price(a.min(b))))
    }

    /// The two prices arrive one after the other, the high first where the number of the entry is even.
    fn push(
        candidates: &mut Candidates,
        number: EntryNumber,
        prices: (Price, Price),
        oldest: EntryNumber,
    ) {
        let (high, low) = prices;
        let in_order = if number.is_multiple_of(2) {
            [high, low]
        } else {
            [low, high]
        };
        for price in in_order {
            candidates.consider(number, price.0, oldest);
        }
    }

    /// Of all candidates what matters: the first of each entry.
    fn firsts(extremes: &Extremes) -> Vec<Extreme> {
        let mut all = extremes.all();
        all.dedup_by_key(|extreme| extreme.entry());
        all
    }

    proptest! {
        #[test]
        fn highs_and_lows_are_those_of_all_entries_that_are_left(
            prices in prop::collection::vec(prices(1_000), 1..200),
            (start, kept) in (1..200 as EntryNumber, 1..200 as EntryNumber),
        ) {
            let mut candidates = Candidates::default();
            let mut alive: Vec<Held> = Vec::new();
            for (number, prices) in (1 as EntryNumber..).zip(prices) {
                let oldest = (number + 1).saturating_sub(kept).max(1);
                push(&mut candidates, number, prices, oldest);
                alive.push((number, prices));
                let start = start.clamp(oldest, number);
                let held = &alive[start as usize - 1..];
                let high = held.iter().max_by_key(|&&(at, (high, _))| (high, at)).expect("one");
                let low = held.iter().min_by_key(|&&(at, (_, low))| (low, !at)).expect("one");
                let (highest, lowest) = candidates.extremes(start);
                prop_assert_eq!((highest.entry(), highest.highest()), (high.0, high.1.0));
                prop_assert_eq!((lowest.entry(), lowest.lowest()), (low.0, low.1.1));
            }
        }

        #[test]
        fn with_less_of_an_entry_the_candidates_are_as_if_it_had_never_had_more(
            held in prop::collection::vec(prices(20), 1..40),
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(prices(20))), 1..10),
        ) {
            let mut alive: Vec<Held> = (1..).zip(held).collect();
            let consider = |entries: &[Held]| {
                let mut candidates = Candidates::default();
                for &(number, prices) in entries {
                    push(&mut candidates, number, prices, 0);
                }
                candidates
            };
            let mut candidates = consider(&alive);
            for (place, left) in changes {
                if alive.is_empty() {
                    break;
                }
                let place = place.index(alive.len());
                let (number, (high, low)) = alive[place];
                // What is left of it is within what there was.
                let left = left.map(|(more, less)| (more.clamp(low, high), less.clamp(low, high)));
                match left {
                    Some(left) => alive[place].1 = left,
                    None => {
                        alive.remove(place);
                    }
                }
                let older = place + usize::from(left.is_some());
                candidates.reconsider(number, alive[..older].iter().rev().copied());
                let expected = consider(&alive);
                prop_assert_eq!(firsts(&candidates.highs), firsts(&expected.highs));
                prop_assert_eq!(firsts(&candidates.lows), firsts(&expected.lows));
            }
        }
    }
}
