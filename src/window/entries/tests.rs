use std::collections::BTreeMap;

use super::*;
use crate::market::{Shares, Timestamp};
use proptest::prelude::*;

const MILLI: u64 = 1_000_000;

fn spec(windows: &[u64], step: u64) -> Spec {
    Spec {
        windows: windows
            .iter()
            .map(|width| format!("{width}ms").parse().expect("a window"))
            .collect(),
        step: format!("{step}ms").parse().expect("a duration"),
        ..Spec::default()
    }
}

/// Executions of up to four symbols: how much later than the one before, of which symbol, at which price.
fn executions() -> impl Strategy<Value = Vec<(u64, u16, u32)>> {
    let later = prop_oneof![3 => Just(0), 3 => 0..3 * MILLI, 1 => 0..40 * MILLI];
    prop::collection::vec((later, 0..4_u16, 1..9_u32), 1..300)
}

fn trade(time: u64, locate: u16, price: u32) -> Trade {
    Trade {
        time: Timestamp(time),
        locate: Locate(locate),
        price: Price(price),
        shares: Shares(3),
        match_number: 0,
        policies: 1,
    }
}

proptest! {
    #[test]
    fn an_entry_has_what_enters_and_leaves_together(
        executions in executions(),
        (step, windows) in (1..9_u64, prop::collection::vec(1..40_u64, 0..4)),
    ) {
        let spec = spec(&windows, step);
        let mut entries = Entries::new(&spec);
        let (mut last, mut now) = ([0; 4], 34_200_000 * MILLI);
        // The symbol and the ends at which an execution enters and leaves, by which it must be told.
        let mut expected: BTreeMap<(Vec<u64>, u16), Sums> = BTreeMap::new();
        let mut told: BTreeMap<(Vec<u64>, u16), EntryNumber> = BTreeMap::new();
        for (position, (later, locate, price)) in (0..).zip(executions) {
            now += later;
            if !entries.is_open(now) {
                entries.open(now);
            }
            let trade = trade(now, locate, price);
            let number = entries.add(last[usize::from(locate)], position, &trade);
            last[usize::from(locate)] = number;
            let ends = spec.finite_widths().chain([0]).map(|width| first_end(now + width, spec.step.nanos()));
            let key = (ends.collect::<Vec<_>>(), locate);
            expected.entry(key.clone()).or_default().push(price, 3);
            prop_assert_eq!(*told.entry(key).or_insert(number), number);
            prop_assert_eq!(entries.holding(number, position).map(|(held, _)| held), Some(number));
        }
        prop_assert_eq!(told.len() as u32, entries.end() - 1);
        for (key, sums) in expected {
            prop_assert_eq!(entries.get(told[&key]).sums, sums);
        }
    }

    #[test]
    fn one_entry_leads_to_the_next_also_when_some_have_lost_all(
        count in 1..20_u32,
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        linked in any::<prop::sample::Index>(),
    ) {
        let mut entries = Entries::new(&spec(&[9], 1));
        let mut last = 0;
        for number in 1..=count {
            entries.open(u64::from(number) * MILLI);
            last = entries.add(last, number * 10, &trade(u64::from(number) * MILLI, 0, number));
        }
        // Those up to this one have entered.
        let mut linked = linked.index(count as usize + 1) as EntryNumber;
        (1..=linked).for_each(|number| entries.link(number));
        let mut left: Vec<EntryNumber> = (1..=count).collect();
        for lost in lost {
            if left.is_empty() {
                break;
            }
            let number = left.remove(lost.index(left.len()));
            entries.get_mut(number).sums = Sums::default();
            last = entries.unlink(number, last);
            if linked < count {
                linked += 1;
                if left.contains(&linked) {
                    entries.link(linked);
                }
            }
            let newest_first: Vec<_> = left.iter().rev().copied().collect();
            prop_assert_eq!(entries.backwards(last).collect::<Vec<_>>(), newest_first);
            let entered = left.iter().filter(|&&number| number <= linked);
            let behind = entered.clone().skip(1).map(|&next| Next::to(next, &entries.get(next).sums));
            for (&number, next) in entered.zip(behind.chain([Next::NONE])) {
                prop_assert_eq!(entries.get(number).next, next);
            }
        }
    }
}

#[test]
fn the_room_of_what_is_given_up_is_filled_again() {
    const ROOM: u32 = 2 * LEAST_ROOM as u32;
    let spec = spec(&[10], 1);
    let mut entries = Entries::new(&spec).with_memory(Memory::default(), ROOM as usize);
    let mut last = 0;
    // One in each period, three times as many as there is room for, of which less than the room are kept.
    for number in 1..=3 * ROOM {
        let time = u64::from(number) * MILLI;
        open_at(&mut entries, time);
        last = entries.add(last, number + 7, &trade(time, 0, number));
        assert_eq!(last, number);
        entries.drop_before(u64::from(number.saturating_sub(ROOM - 1)));
    }
    assert_eq!(entries.ring.len(), ROOM as usize);
    let oldest = 2 * ROOM + 2;
    assert_eq!(entries.backwards(last).last(), Some(oldest));
    for number in oldest..=last {
        let (period, price) = (u64::from(number) - 1, Price(number));
        assert_eq!(entries.get(number).sums.close, price);
        assert_eq!(entries.first_of(period), number);
        assert_eq!(entries.position_of(period), Some(number + 7));
    }
    assert_eq!(entries.holding(last, 5), None);
    // And with one more than there is room for there is more.
    for number in last + 1..last + 3 {
        open_at(&mut entries, u64::from(number) * MILLI);
        last = entries.add(
            last,
            number + 7,
            &trade(u64::from(number) * MILLI, 0, number),
        );
    }
    assert_eq!(entries.ring.len(), 2 * ROOM as usize);
    let there: Vec<_> = entries.backwards(last).collect();
    assert_eq!(there, (oldest..=last).rev().collect::<Vec<_>>());
    assert!(
        there
            .iter()
            .all(|&number| entries.get(number).sums.close == Price(number))
    );
    let next = u64::from(last);
    entries.drop_before(next);
    assert_eq!(
        (entries.first_of(next), entries.position_of(next)),
        (entries.end(), None)
    );
    open_at(&mut entries, u64::MAX - 1);
    assert_eq!(entries.add(last, 9, &trade(u64::MAX - 1, 0, 7)), last + 1);
}

fn open_at(entries: &mut Entries, time: u64) {
    assert!(!entries.is_open(time));
    entries.open(time);
}
