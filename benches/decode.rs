//! From framed bytes to fields: what it costs to read every field of every message.
//!
//! Three rows over one stream in memory, in the mix of a Nasdaq day. `hop` only walks from length to
//! length, so it is the floor. `raw offsets` is what one would write by hand without a codec: it
//! slices, and checks no length. `widetape` is `parse` and the accessors. The last two must give the
//! same checksum, in which every field has a weight of its own, before anything is timed. The
//! figure is messages a second.

use std::hint::black_box;

use crate::cpu_time::CpuTime;
use criterion::{Criterion, Throughput};
use widetape::market::{Locate, Price, Symbol, Timestamp};
use widetape::wire::itch50::{
    AddOrderFields, Header, Message, OrderCancelFields, OrderDeleteFields, OrderExecutedFields,
    OrderExecutedWithPriceFields, OrderReplaceFields, TradeFields, parse,
};

const MESSAGES: u32 = 200_000;

/// Type and share of the stream in tenths of a percent; the rare types of a day are left out.
const MIX: [(u8, u64); 7] = [
    (b'A', 420),
    (b'D', 390),
    (b'U', 100),
    (b'E', 38),
    (b'X', 16),
    (b'P', 10),
    (b'C', 3),
];

/// A small reproducible generator (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn kind(&mut self) -> u8 {
        let mut rest = self.roll() % MIX.iter().map(|&(_, share)| share).sum::<u64>();
        for (kind, share) in MIX {
            if rest < share {
                return kind;
            }
            rest -= share;
        }
        b'A'
    }
}

/// Appends one message with random fields.
fn emit(kind: u8, header: &Header, dice: &mut Dice, out: &mut Vec<u8>) {
    let (reference, match_number) = (dice.roll(), dice.roll());
    let (shares, price) = (dice.roll() as u32, Price(dice.roll() as u32));
    let stock = Symbol(dice.roll().to_be_bytes());
    let buy_sell_indicator = b"BS"[(dice.roll() % 2) as usize];
    match kind {
        b'A' => AddOrderFields {
            reference,
            buy_sell_indicator,
            shares,
            stock,
            price,
        }
        .emit(header, out),
        b'D' => OrderDeleteFields { reference }.emit(header, out),
        b'U' => OrderReplaceFields {
            original_reference: reference,
            new_reference: match_number,
            shares,
            price,
        }
        .emit(header, out),
        b'E' => OrderExecutedFields {
            reference,
            executed_shares: shares,
            match_number,
        }
        .emit(header, out),
        b'X' => OrderCancelFields {
            reference,
            cancelled_shares: shares,
        }
        .emit(header, out),
        b'P' => TradeFields {
            reference,
            buy_sell_indicator,
            shares,
            stock,
            price,
            match_number,
        }
        .emit(header, out),
        _ => OrderExecutedWithPriceFields {
            reference,
            executed_shares: shares,
            match_number,
            printable: b'Y',
            execution_price: price,
        }
        .emit(header, out),
    }
}

/// `Length u16 | message`, over and over.
fn stream() -> Vec<u8> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut out = Vec::new();
    for number in 0..MESSAGES {
        let kind = dice.kind();
        let header = Header {
            locate: Locate(dice.roll() as u16),
            tracking_number: dice.roll() as u16,
            timestamp: Timestamp(34_200_000_000_000 + u64::from(number) * 1_000),
        };
        let start = out.len();
        out.extend([0, 0]);
        emit(kind, &header, &mut dice, &mut out);
        let length = (out.len() - start - 2) as u16;
        out[start..start + 2].copy_from_slice(&length.to_be_bytes());
    }
    out
}

/// What a row makes of a message. No closure: those of two rows may be inlined in one and called in the
/// other, and then the call is what differs.
pub(crate) trait Row {
    fn read(message: &[u8]) -> u64;
}

/// The bytes of a message.
struct Hop;
/// The fields by hand-written offsets.
pub(crate) struct RawOffsets;
/// The fields by `parse` and the accessors.
pub(crate) struct Widetape;

impl Row for Hop {
    #[inline(always)]
    fn read(message: &[u8]) -> u64 {
        message.len() as u64
    }
}

/// Reads every message and adds up what that gives. A function of its own for each row.
#[inline(never)]
pub(crate) fn walk<R: Row>(stream: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let mut rest = stream;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (message, after) = after.split_at(u16::from_be_bytes(*length).into());
        sum = sum.wrapping_add(R::read(message));
        rest = after;
    }
    sum
}

/// A checksum that notices fields changing places.
#[inline(always)]
fn mix<const N: usize>(values: [u64; N]) -> u64 {
    let mut sum = 0_u64;
    for (index, value) in values.into_iter().enumerate() {
        sum = sum.wrapping_add(value.wrapping_mul(2 * index as u64 + 3));
    }
    sum
}

impl Row for RawOffsets {
    #[inline(always)]
    fn read(m: &[u8]) -> u64 {
        let u16_at = |at: usize| u64::from(u16::from_be_bytes(m[at..at + 2].try_into().unwrap()));
        let u32_at = |at: usize| u64::from(u32::from_be_bytes(m[at..at + 4].try_into().unwrap()));
        let u64_at = |at: usize| u64::from_be_bytes(m[at..at + 8].try_into().unwrap());
        let u8_at = |at: usize| u64::from(m[at]);
        let time = u16_at(5) << 32 | u32_at(7);
        let header = mix([u8_at(0), u16_at(1), u16_at(3), time]);
        let body = match m[0] {
            b'A' | b'F' => mix([u64_at(11), u8_at(19), u32_at(20), u64_at(24), u32_at(32)]),
            b'D' => mix([u64_at(11)]),
            b'U' => mix([u64_at(11), u64_at(19), u32_at(27), u32_at(31)]),
            b'E' => mix([u64_at(11), u32_at(19), u64_at(23)]),
            b'X' => mix([u64_at(11), u32_at(19)]),
            b'P' => mix([
                u64_at(11),
                u8_at(19),
                u32_at(20),
                u64_at(24),
                u32_at(32),
                u64_at(36),
            ]),
            b'C' => mix([u64_at(11), u32_at(19), u64_at(23), u8_at(31), u32_at(32)]),
            _ => 0,
        };
        header.wrapping_add(body)
    }
}

impl Row for Widetape {
    #[inline(always)]
    fn read(bytes: &[u8]) -> u64 {
        let Ok(message) = parse(bytes) else { return 0 };
        let name = |stock: Symbol| u64::from_be_bytes(stock.0);
        let body = match message {
            Message::AddOrder(m) => mix([
                m.reference(),
                m.buy_sell_indicator().into(),
                m.shares().into(),
                name(m.stock()),
                m.price().0.into(),
            ]),
            Message::AddOrderWithAttribution(m) => mix([
                m.reference(),
                m.buy_sell_indicator().into(),
                m.shares().into(),
                name(m.stock()),
                m.price().0.into(),
            ]),
            Message::OrderDelete(m) => mix([m.reference()]),
            Message::OrderReplace(m) => mix([
                m.original_reference(),
                m.new_reference(),
                m.shares().into(),
                m.price().0.into(),
            ]),
            Message::OrderExecuted(m) => {
                mix([m.reference(), m.executed_shares().into(), m.match_number()])
            }
            Message::OrderCancel(m) => mix([m.reference(), m.cancelled_shares().into()]),
            Message::Trade(m) => mix([
                m.reference(),
                m.buy_sell_indicator().into(),
                m.shares().into(),
                name(m.stock()),
                m.price().0.into(),
                m.match_number(),
            ]),
            Message::OrderExecutedWithPrice(m) => mix([
                m.reference(),
                m.executed_shares().into(),
                m.match_number(),
                m.printable().into(),
                m.execution_price().0.into(),
            ]),
            _ => 0,
        };
        let Header {
            locate,
            tracking_number,
            timestamp,
        } = message.header();
        let kind = u64::from(message.kind());
        let header = mix([kind, locate.0.into(), tracking_number.into(), timestamp.0]);
        header.wrapping_add(body)
    }
}

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let stream = stream();
    let payload = walk::<Hop>(&stream);
    assert_eq!(payload + 2 * u64::from(MESSAGES), stream.len() as u64);
    assert_eq!(walk::<RawOffsets>(&stream), walk::<Widetape>(&stream));

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(MESSAGES.into()));
    group.bench_function("hop", |b| {
        b.iter(|| walk::<Hop>(black_box(&stream)));
    });
    group.bench_function("raw offsets", |b| {
        b.iter(|| walk::<RawOffsets>(black_box(&stream)))
    });
    group.bench_function("widetape", |b| {
        b.iter(|| walk::<Widetape>(black_box(&stream)))
    });
    group.finish();
}
