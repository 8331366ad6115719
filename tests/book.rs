//! The book against a naive one, and against LOBSTER's own tops of book.
//!
//! The naive book is a map of orders and a sorted map of levels. Both are given the same operations,
//! sensible and hostile; every answer, every top and the number of live orders must agree.

/// LOBSTER's tops of book of a real hour.
mod lobster;
/// The book as one would write it first.
mod naive;

use naive::Naive;
use proptest::collection::vec;
use proptest::prelude::*;
use widetape::book::{Book, BookError, Change, Oddity, Step};
use widetape::market::{Locate, Price, Shares, Side};
use widetape::memory::Memory;

/// Bytes of an order's slot.
const SLOT: u64 = 16;
const LOCATES: [Locate; 4] = [Locate(0), Locate(1), Locate(2), Locate(u16::MAX)];

/// Which reference an operation names.
#[derive(Clone, Copy, Debug)]
enum Named {
    Exactly(u64),
    /// The one used so many operations ago.
    Recent(usize),
    /// So far behind the newest.
    Next(u64),
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Add(Named, Locate, Side, u32, u32),
    Execute(Named, Locate, u32),
    Cancel(Named, Locate, u32),
    Delete(Named, Locate),
    Replace(Named, Named, Locate, u32, u32),
    /// Adds at a new place: references that far apart, and which of them stay.
    Burst {
        from: u64,
        apart: u64,
        count: u64,
        kept: u64,
    },
}

fn named() -> impl Strategy<Value = Named> {
    prop_oneof![
        6 => (0..12_usize).prop_map(Named::Recent),
        3 => (1..40_u64).prop_map(Named::Next),
        1 => (900..1_200_u64).prop_map(Named::Next),
        2 => (0..20_u64).prop_map(Named::Exactly),
        1 => (0..20_u64).prop_map(|back| Named::Exactly(u64::MAX - back)),
        1 => any::<u64>().prop_map(Named::Exactly),
        1 => Just(Named::Next(1 << 45)),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let locate = || proptest::sample::select(LOCATES.to_vec());
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let shares = || prop_oneof![8 => 1..400_u32, 1 => Just(0), 1 => Just(u32::MAX)];
    let price = || prop_oneof![8 => 1_000..1_020_u32, 1 => any::<u32>(), 1 => Just(0)];
    prop_oneof![
        12 => (named(), locate(), side, shares(), price())
            .prop_map(|(named, locate, side, shares, price)| {
                Operation::Add(named, locate, side, shares, price)
            }),
        6 => (named(), locate(), shares()).prop_map(|(n, l, s)| Operation::Execute(n, l, s)),
        4 => (named(), locate(), shares()).prop_map(|(n, l, s)| Operation::Cancel(n, l, s)),
        4 => (named(), locate()).prop_map(|(n, l)| Operation::Delete(n, l)),
        4 => (named(), named(), locate(), shares(), price())
            .prop_map(|(old, new, l, s, p)| Operation::Replace(old, new, l, s, p)),
        1 => (any::<u64>(), 1..40_u64, 1_000..1_100_u64, 1..50_u64)
            .prop_map(|(from, apart, count, kept)| Operation::Burst { from, apart, count, kept }),
    ]
}

/// The books, and the references used so far.
struct Pair {
    book: Book,
    /// Does what it can by steps.
    stepping: Book,
    naive: Naive,
    used: Vec<u64>,
    newest: u64,
}

impl Pair {
    fn new(memory: Memory) -> Self {
        Self {
            book: Book::with_ring_bits(4, memory),
            stepping: Book::with_ring_bits(4, memory),
            naive: Naive::default(),
            used: Vec::new(),
            newest: 100,
        }
    }

    fn reference(&mut self, named: Named) -> u64 {
        let reference = match named {
            Named::Exactly(reference) => reference,
            Named::Recent(back) => match self.used.len() {
                0 => self.newest,
                used => self.used[used - 1 - back % used],
            },
            Named::Next(step) => {
                self.newest = self.newest.wrapping_add(step);
                self.newest
            }
        };
        self.used.push(reference);
        reference
    }

    /// Lets both books do the same, by `step` where that can be.
    fn both(
        &mut self,
        step: Option<Step>,
        operate: impl Fn(&mut Book) -> Result<Change, BookError>,
    ) -> Result<Change, BookError> {
        let found = operate(&mut self.book);
        // Looking ahead changes nothing, whatever is looked at.
        if let Some(step) = &step {
            self.stepping.slots().prefetch(step);
            self.stepping.prefetch_more(step);
        }
        match step.and_then(|step| self.stepping.step(&step)) {
            Some(top_changed) => {
                let change = found.expect("what a step does is no error");
                assert_eq!((change.top_changed, change.oddity), (top_changed, None));
            }
            None => assert_eq!(operate(&mut self.stepping), found),
        }
        found
    }

    fn apply(&mut self, operation: Operation) {
        let tops = LOCATES.map(|locate| self.naive.top(locate));
        // A change that takes nothing, or takes and gives back, may be called a change of the top.
        let mut exact = true;
        let (found, wanted) = match operation {
            Operation::Add(named, locate, side, shares, price) => {
                let reference = self.reference(named);
                let (shares, price) = (Shares(shares), Price(price));
                let order = (side == Side::Sell, shares.0, price);
                let (step, odd) = Step::new(u64::MAX, (reference, locate), order);
                let step = (odd == 0).then_some(step);
                (
                    self.both(step, |book| {
                        book.add(reference, locate, side, shares, price)
                    }),
                    self.naive.add(reference, locate, side, shares, price),
                )
            }
            Operation::Execute(named, locate, shares) => {
                let reference = self.reference(named);
                exact = shares > 0;
                (
                    self.both(None, |book| book.execute(reference, locate, Shares(shares))),
                    self.naive.reduce(reference, locate, shares),
                )
            }
            Operation::Cancel(named, locate, shares) => {
                let reference = self.reference(named);
                exact = shares > 0;
                (
                    self.both(None, |book| book.cancel(reference, locate, Shares(shares))),
                    self.naive.reduce(reference, locate, shares),
                )
            }
            Operation::Delete(named, locate) => {
                let reference = self.reference(named);
                let (step, odd) = Step::new(0, (reference, locate), (false, 0, Price(0)));
                let step = (odd == 0).then_some(step);
                (
                    self.both(step, |book| book.delete(reference, locate)),
                    self.naive.delete(reference, locate),
                )
            }
            Operation::Replace(old, new, locate, shares, price) => {
                let (old, new) = (self.reference(old), self.reference(new));
                let (shares, price) = (Shares(shares), Price(price));
                exact = false;
                (
                    self.both(None, |book| book.replace(old, new, locate, shares, price)),
                    self.naive.replace(old, new, locate, shares, price),
                )
            }
            Operation::Burst {
                from,
                apart,
                count,
                kept,
            } => return self.burst(from, apart, count, kept),
        };
        let wanted = wanted.map(|mut change| {
            let at = LOCATES.iter().position(|locate| *locate == change.locate);
            change.top_changed = at.is_some_and(|at| tops[at] != self.naive.top(LOCATES[at]));
            exact &= change.oddity != Some(Oddity::ReusedReference);
            change.top_changed |= !exact && found.is_ok_and(|found| found.top_changed);
            change
        });
        assert_eq!(found, wanted, "{operation:?}");
        self.compare();
    }

    fn burst(&mut self, from: u64, apart: u64, count: u64, kept: u64) {
        for step in 0..count {
            let reference = from.wrapping_add(apart * step);
            let named = Named::Exactly(reference);
            let price = 1_000 + (step % 20) as u32;
            self.apply(Operation::Add(named, LOCATES[1], Side::Buy, 7, price));
            if !step.is_multiple_of(kept) {
                self.apply(Operation::Execute(named, LOCATES[1], 7));
            }
        }
        self.newest = from.wrapping_add(apart * count);
    }

    fn compare(&self) {
        for locate in LOCATES {
            assert_eq!(self.book.top(locate), self.naive.top(locate), "{locate:?}");
        }
        assert_eq!(self.book.counts().live, self.naive.live());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_give_what_the_naive_book_gives(
        operations in vec(operation(), 1..300),
        memory in prop_oneof![Just(Memory::Fast), Just(Memory::Plain)],
    ) {
        compare(&operations, memory);
    }
}

/// Applies the operations to both books, then takes every order out.
fn compare(operations: &[Operation], memory: Memory) {
    let mut pair = Pair::new(memory);
    for &operation in operations {
        pair.apply(operation);
    }
    for reference in pair.naive.references() {
        pair.apply(Operation::Delete(Named::Exactly(reference), LOCATES[2]));
    }
    assert_eq!(pair.book.counts().live + pair.book.counts().in_table, 0);
    assert_eq!(pair.stepping.counts(), pair.book.counts());
    let empty = |&locate: &Locate| pair.book.top(locate) == Default::default();
    assert!(LOCATES.iter().all(empty));
}

#[test]
fn references_used_again_and_unknown_ones_give_what_the_naive_book_gives() {
    let operations = [
        Operation::Add(Named::Exactly(1), LOCATES[0], Side::Buy, 1, 1_000),
        Operation::Add(Named::Recent(0), LOCATES[0], Side::Buy, 1, 1_000),
        Operation::Add(Named::Next(5), LOCATES[0], Side::Buy, 1, 1_000),
        Operation::Execute(Named::Exactly(615_428_780_275), LOCATES[3], 0),
        Operation::Add(Named::Recent(8), LOCATES[3], Side::Sell, 295, 1_018),
    ];
    for memory in [Memory::Fast, Memory::Plain] {
        compare(&operations, memory);
    }
}

#[test]
fn survivors_move_out_of_the_ring_and_are_still_found() {
    let mut pair = Pair::new(Memory::default());
    // All in one slot of the first ring.
    for step in 0..80_000_u64 {
        let named = Named::Next(16);
        let price = 1_000 + (step % 40) as u32;
        pair.apply(Operation::Add(named, LOCATES[1], Side::Sell, 9, price));
        if step % 50 != 0 {
            pair.apply(Operation::Cancel(Named::Recent(0), LOCATES[1], 9));
        }
    }
    let counts = pair.book.counts();
    assert!(counts.moved > 200 && counts.in_table > 200, "{counts:?}");
    assert!(counts.live > counts.in_table, "{counts:?}");
    for reference in pair.naive.references() {
        let named = Named::Exactly(reference);
        pair.apply(Operation::Execute(named, LOCATES[1], 4));
        pair.apply(Operation::Delete(named, LOCATES[1]));
        pair.apply(Operation::Delete(named, LOCATES[1]));
    }
    assert_eq!(pair.book.counts().in_table, 0);
}

#[test]
fn a_jump_of_the_references_keeps_the_old_orders() {
    let mut pair = Pair::new(Memory::default());
    for from in [1_000, 1 << 50, 100_000, 1 << 63] {
        pair.burst(from, 3, 2_500, 100);
    }
    assert_eq!(pair.naive.live(), 100);
    let counts = pair.book.counts();
    assert!(
        counts.moved >= 25 && counts.in_table > counts.moved,
        "{counts:?}"
    );
    for reference in pair.naive.references() {
        pair.apply(Operation::Execute(Named::Exactly(reference), LOCATES[1], 7));
    }
}

#[test]
fn memory_is_bounded_by_the_live_orders_not_by_the_day() {
    let mut book = Book::with_ring_bits(11, Memory::Fast);
    let one = Locate(1);
    let mut most = 0;
    for step in 0..1_000_000_u64 {
        let reference = 3 * step + 1;
        let price = Price(10_000 + (step % 64) as u32);
        book.add(reference, one, Side::Buy, Shares(5), price)
            .expect("a new order");
        if step % 5_000 != 0 {
            let change = book.execute(reference, one, Shares(5)).expect("it is live");
            assert_eq!(change.price, price);
        }
        most = most.max(book.counts().bytes);
    }
    let counts = book.counts();
    assert_eq!(counts.live, 200);
    // 3,000,000 references were used; the first ring and a table of 200 orders hold.
    assert!(most <= (2048 + 512) * SLOT, "{most}");
    assert!(
        counts.in_table > 100 && counts.in_table == counts.moved,
        "{counts:?}"
    );
    for step in (0..1_000_000_u64).step_by(5_000) {
        let change = book.execute(3 * step + 1, one, Shares(5)).expect("kept");
        assert_eq!(change.price, Price(10_000 + (step % 64) as u32));
    }
    assert_eq!(book.counts().live, 0);
}
