use super::*;
use crate::market::{Locate, Price, Shares, Timestamp};

fn trade(time: u64, match_number: u64) -> Trade {
    Trade {
        time: Timestamp(time),
        locate: Locate(1),
        price: Price(10),
        shares: Shares(1),
        match_number,
        policies: 1,
    }
}

fn push(log: &mut TradeLog, trade: &Trade) {
    let mut one = Trades::default();
    one.push(trade);
    assert_eq!(log.extend(&one, 0..1), Some(log.end() - 1));
}

#[test]
fn finds_by_match_number_sorted_and_not() {
    let mut log = TradeLog::new();
    for number in 0..40_000 {
        push(&mut log, &trade(number, number * 2));
    }
    assert_eq!(log.find(31_998), Some(15_999));
    assert_eq!(log.find(31_999), None);
    push(&mut log, &trade(50_000, 7));
    push(&mut log, &trade(50_000, 8));
    assert_eq!(log.find(7), Some(40_000));
    assert_eq!(log.find(8), Some(40_001), "the newest of two equal numbers");
    assert_eq!(log.first_at_or_after(39_999), 39_999);
    assert_eq!(log.first_at_or_after(60_000), 40_002);
}

#[test]
fn chunks_are_given_up_and_filled_again() {
    let (mut log, mut trades) = (TradeLog::new(), Trades::default());
    for number in 0..CHUNK as u64 * 3 {
        trades.push(&trade(number, number));
    }
    assert_eq!(log.extend(&trades, 0..7), Some(0));
    assert_eq!(log.extend(&trades, 7..trades.len()), Some(7));
    assert_eq!(log.get(CHUNK as u32 + 3).match_number, CHUNK as u64 + 3);
    log.drop_before(CHUNK as u32 * 2 - 1);
    assert_eq!(log.first(), CHUNK as u32);
    assert_eq!(log.find(5), None);
    assert_eq!(log.find(CHUNK as u64), Some(CHUNK as u32));
    push(&mut log, &trade(1 << 40, 1 << 40));
    assert_eq!(log.get(CHUNK as u32 * 3).match_number, 1 << 40);
    assert!(log.spare.is_empty());
    log.link(9, 3, None);
    assert_eq!(
        log.stretches().map(|(_, t)| t.len()).sum::<usize>(),
        CHUNK * 2 + 1
    );
}

#[test]
fn trades_are_walked_from_the_newest_on_up_to_what_has_been_given_up() {
    let (mut log, mut trades) = (TradeLog::new(), Trades::default());
    let end = CHUNK as u64 + 8;
    for number in 0..end {
        trades.push(&trade(number, number));
    }
    assert_eq!(log.extend(&trades, 0..trades.len()), Some(0));
    // These are of one symbol.
    let [a, b, c, d] = [3, CHUNK as u32, CHUNK as u32 + 2, CHUNK as u32 + 5];
    for (previous, position) in [(TradeLog::NONE, a), (a, b), (b, c), (c, d)] {
        log.link(previous, position, None);
    }
    let walked = |log: &TradeLog, from| log.backwards(from).collect::<Vec<_>>();
    assert_eq!(walked(&log, d), [d, c, b, a]);
    // Nor do those lead astray that are passed over, whatever went first.
    for taken in [b, c] {
        let trade = log.get(taken);
        assert_eq!(log.take_back(taken.into()), TakenBack::Now(taken, trade));
        assert_eq!(log.take_back(taken.into()), TakenBack::Repeated);
    }
    assert_eq!(log.take_back(end), TakenBack::Unknown);
    assert_eq!(walked(&log, d), [d, a]);
    assert_eq!((walked(&log, c), walked(&log, b)), (vec![a], vec![a]));
    log.drop_before(CHUNK as u32);
    assert_eq!(walked(&log, d), [d]);
    assert_eq!(
        (walked(&log, a), walked(&log, TradeLog::NONE)),
        (vec![], vec![])
    );
}
