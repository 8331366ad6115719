//! Orders and ladders against a hash map and tree maps: the same changes, the same answers.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;

use crate::cpu_time::CpuTime;
use criterion::{Criterion, Throughput};
use widetape::book::Book;
use widetape::market::{Locate, Price, Shares, Side, Top};

const CHANGES: u64 = 1_000_000;
const SYMBOLS: u64 = 1_000;

#[derive(Clone, Copy)]
enum Op {
    Add(u64, Locate, Side, Shares, Price),
    Execute(u64, Locate, Shares),
    Delete(u64, Locate),
}

/// References increase; half of the orders leave soon, a third later, the rest stays.
fn changes() -> Vec<Op> {
    let mut random = 7_u64;
    let mut next = move |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut live: Vec<(u64, Locate)> = Vec::new();
    (0..CHANGES)
        .map(|reference| {
            let recent = live.len().saturating_sub(1 + next(64) as usize);
            let any = if live.is_empty() {
                0
            } else {
                next(live.len() as u64) as usize
            };
            match next(20) {
                0..=8 if !live.is_empty() => {
                    let (reference, locate) =
                        live.swap_remove(if next(3) > 0 { recent } else { any });
                    Op::Delete(reference, locate)
                }
                9 if !live.is_empty() => {
                    let (reference, locate) = live[recent];
                    Op::Execute(reference, locate, Shares(1))
                }
                _ => {
                    let locate = Locate(next(SYMBOLS) as u16);
                    let side = if next(2) == 0 { Side::Buy } else { Side::Sell };
                    let away = next(40) as u32;
                    let price = if side == Side::Buy {
                        10_000 - away
                    } else {
                        10_001 + away
                    };
                    live.push((reference, locate));
                    Op::Add(reference, locate, side, Shares(100_000), Price(price))
                }
            }
        })
        .collect()
}

/// Σ of the executions' prices, and the tops of all symbols.
type Answer = (u64, Vec<Top>);

fn widetape(changes: &[Op]) -> Answer {
    let mut book = Book::new();
    let mut prices = 0;
    for change in changes {
        match *change {
            Op::Add(reference, locate, side, shares, price) => {
                black_box(book.add(reference, locate, side, shares, price).is_ok());
            }
            Op::Execute(reference, locate, shares) => {
                prices += book
                    .execute(reference, locate, shares)
                    .map_or(0, |c| u64::from(c.price.0));
            }
            Op::Delete(reference, locate) => {
                black_box(book.delete(reference, locate).is_ok());
            }
        }
    }
    (
        prices,
        (0..SYMBOLS as u16)
            .map(|locate| book.top(Locate(locate)))
            .collect(),
    )
}

fn naive(changes: &[Op]) -> Answer {
    let mut orders: HashMap<u64, (Side, u32, Price)> = HashMap::new();
    let mut books: HashMap<Locate, [BTreeMap<Price, u64>; 2]> = HashMap::new();
    let mut prices = 0;
    let take = |levels: &mut BTreeMap<Price, u64>, price: Price, shares: u32| {
        let size = levels
            .get_mut(&price)
            .expect("a level for every live order");
        *size -= u64::from(shares);
        if *size == 0 {
            levels.remove(&price);
        }
    };
    for change in changes {
        match *change {
            Op::Add(reference, locate, side, shares, price) => {
                orders.insert(reference, (side, shares.0, price));
                let levels = &mut books.entry(locate).or_default()[side as usize];
                *levels.entry(price).or_default() += u64::from(shares.0);
            }
            Op::Execute(reference, locate, shares) => {
                let order = orders.get_mut(&reference).expect("a live order");
                order.1 -= shares.0;
                prices += u64::from(order.2.0);
                take(
                    &mut books.entry(locate).or_default()[order.0 as usize],
                    order.2,
                    shares.0,
                );
            }
            Op::Delete(reference, locate) => {
                let (side, shares, price) = orders.remove(&reference).expect("a live order");
                take(
                    &mut books.entry(locate).or_default()[side as usize],
                    price,
                    shares,
                );
            }
        }
    }
    let top = |locate| {
        let [bids, asks] = books.get(&Locate(locate)).cloned().unwrap_or_default();
        let (bid, bid_size) = bids
            .last_key_value()
            .map_or_else(Default::default, |(p, s)| (*p, *s));
        let (ask, ask_size) = asks
            .first_key_value()
            .map_or_else(Default::default, |(p, s)| (*p, *s));
        Top {
            bid,
            bid_size,
            ask,
            ask_size,
        }
    };
    (prices, (0..SYMBOLS as u16).map(top).collect())
}

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let changes = changes();
    assert_eq!(widetape(&changes), naive(&changes));
    let mut group = criterion.benchmark_group("book");
    group
        .throughput(Throughput::Elements(CHANGES))
        .sample_size(10);
    group.bench_function("naive: hash map and tree maps", |b| {
        b.iter(|| naive(black_box(&changes)))
    });
    group.bench_function("widetape", |b| b.iter(|| widetape(black_box(&changes))));
    group.finish();
}
