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
    log.link(
        3,
        Link {
            position: 9,
            price: 10,
        },
    );
    assert_eq!(
        log.stretches().map(|(_, t)| t.len()).sum::<usize>(),
        CHUNK * 2 + 1
    );
}

#[test]
fn what_is_behind_a_trade_is_found_with_and_without_links_forward() {
    let behind = |mut log: TradeLog| {
        for number in 0..8 {
            push(&mut log, &trade(number, number));
        }
        let link = |position| Link {
            position,
            price: 10,
        };
        // Trades 0, 2, 5 and 7 are of one symbol, 1 and 4 of another; 5 is taken out.
        for (last, position) in [
            (TradeLog::NONE, 0),
            (TradeLog::NONE, 1),
            (0, 2),
            (1, 4),
            (2, 5),
            (5, 7),
        ] {
            log.link(last, link(position));
        }
        let forwards = |log: &TradeLog, position, newest| -> Vec<Position> {
            log.forwards(position, newest).collect()
        };
        let before = [forwards(&log, 0, 7), forwards(&log, 2, 7)];
        log.link(2, link(7));
        let after = [(0, 7), (2, 7), (7, 7), (1, 4), (4, 4)];
        let after = after.map(|(position, newest)| forwards(&log, position, newest));
        (before, after)
    };
    let expected = (
        [vec![2, 5, 7], vec![5, 7]],
        [vec![2, 7], vec![7], vec![], vec![4], vec![]],
    );
    for is_kept in [false, true] {
        assert_eq!(behind(TradeLog::new().with_next(is_kept)), expected);
    }
}
