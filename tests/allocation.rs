//! Steady state allocates nothing.
//!
//! Allocations are counted on the thread that makes them, so other tests of the binary don't
//! disturb. The load repeats itself: every cycle opens, executes, cuts, replaces and deletes the same
//! orders, only time and match numbers go on. Warmed up are the pages of the index of orders, the
//! ladders, the log's chunks for the widest window, and the queues of each symbol. What may still
//! allocate later, and is kept out: new symbols, references that open new pages, prices and bursts
//! beyond all before (amortised growth), breaks (their history is kept, and corrections plan anew),
//! and the session window, which keeps the log of the whole day.

#![expect(
    unsafe_code,
    reason = "a global allocator cannot be written without; it only counts and hands on"
)]

mod publishing;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddrV4;
use std::sync::Arc;

use bytes::BytesMut;
use widetape::buffer::Pool;
use widetape::columns::Batch;
use widetape::cpu::Scalar;
use widetape::engine::Normaliser;
use widetape::feed::sender::{Duty, Sender, SenderOptions, Tape};
use widetape::feed::{Framing, Packet, Poll, Receive, Source, UdpOptions, UdpSource};
use widetape::market::{Duration, Locate, Price, Symbol, Timestamp};
use widetape::session::{Delivery, Sequencer, SequencerOptions};
use widetape::window::{Applied, Corrections, Output, Policy, Sliding, Spec};
use widetape::wire::binaryfile::Blocks;
use widetape::wire::fix::{Body, Envelope, UtcText, seal};
use widetape::wire::itch50::{
    self, AddOrderFields, Header, OrderCancelFields, OrderDeleteFields, OrderExecutedFields,
    OrderReplaceFields, TradeFields,
};
use widetape::wire::moldudp64::{self, PacketBuilder, Pushed};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every request goes to `System` unchanged, which keeps the contract; counting touches a
// thread-local cell that neither allocates nor has a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises about `layout` are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises about `layout` are handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: `pointer` came from `System` by way of this allocator, with `layout`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` by way of this allocator, with `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations that `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    let mut kept = Vec::new();
    assert_eq!(allocations(|| kept.push(1_u64)), 1);
    assert_eq!(allocations(|| kept.reserve(1_000)), 1);
    assert_eq!(allocations(|| kept.push(2)), 0);
    assert_eq!(allocations(|| drop(vec![0_u8; 10])), 1);
}

const MILLI: u64 = 1_000_000;
const SYMBOLS: u64 = 20;

/// The messages of one cycle, which leaves no order behind: 6 for each symbol, 2 of them executions.
fn cycle(number: u64, mut push: impl FnMut(&[u8])) {
    let mut out = Vec::new();
    for symbol in 0..SYMBOLS {
        let header = Header {
            locate: Locate(symbol as u16),
            tracking_number: 0,
            timestamp: Timestamp(34_200_000 * MILLI + number * MILLI),
        };
        let reference = 1 + symbol * 2;
        let price = Price(10_000 + ((number * 13 + symbol) % 7) as u32);
        let stock = Symbol::new("STEADY").unwrap();
        let match_number = (number * SYMBOLS + symbol) * 2;
        let mut emit = |write: &dyn Fn(&mut Vec<u8>)| {
            out.clear();
            write(&mut out);
            push(&out);
        };
        let order = AddOrderFields {
            reference,
            buy_sell_indicator: if symbol % 2 == 0 { b'B' } else { b'S' },
            shares: 100,
            stock,
            price,
        };
        emit(&|out| order.emit(&header, out));
        let executed = OrderExecutedFields {
            reference,
            executed_shares: 40,
            match_number,
        };
        emit(&|out| executed.emit(&header, out));
        let cancel = OrderCancelFields {
            reference,
            cancelled_shares: 10,
        };
        emit(&|out| cancel.emit(&header, out));
        let replace = OrderReplaceFields {
            original_reference: reference,
            new_reference: reference + 1,
            shares: 70,
            price: Price(price.0 + 1),
        };
        emit(&|out| replace.emit(&header, out));
        let hidden = TradeFields {
            reference: 0,
            buy_sell_indicator: b'B',
            shares: 5,
            stock,
            price,
            match_number: match_number + 1,
        };
        emit(&|out| hidden.emit(&header, out));
        let delete = OrderDeleteFields {
            reference: reference + 1,
        };
        emit(&|out| delete.emit(&header, out));
    }
}

/// The stages from a packet to rows, and what each has allocated.
struct Stages {
    pool: Arc<Pool>,
    sequencer: Sequencer,
    normaliser: Normaliser,
    sliding: Sliding,
    deliveries: Vec<Delivery>,
    batch: Batch,
    output: Output,
    rows: usize,
    trades: usize,
    /// Allocations in parsing, in the sequencer, in book and columns, in the windows.
    allocated: [u64; 4],
}

impl Stages {
    /// `every_end`: all rows, in a table.
    fn new(every_end: bool) -> Self {
        let spec = Spec {
            windows: ["10ms", "100ms", "1s"]
                .map(|label| label.parse().unwrap())
                .to_vec(),
            step: Duration::from_millis(10).unwrap(),
            policy: Policy::All,
            every_end,
            corrections: Corrections::Off,
        };
        Self {
            pool: Pool::new(64, 16_384),
            sequencer: Sequencer::new(SequencerOptions::default()),
            normaliser: Normaliser::new(true),
            sliding: Sliding::new(spec, Box::new(Scalar)).with_rows_in_table(0),
            deliveries: Vec::new(),
            batch: Batch::default(),
            output: Output::default(),
            rows: 0,
            trades: 0,
            allocated: [0; 4],
        }
    }

    fn packet(&mut self, bytes: &[u8], line: u8) {
        let mut count = [0; 4];
        count[0] = allocations(|| {
            let packet = moldudp64::parse(bytes).unwrap();
            for block in packet.blocks() {
                itch50::parse(block.data).unwrap();
            }
        });
        count[1] = allocations(|| {
            let mut buffer = self.pool.take().unwrap();
            buffer[..bytes.len()].copy_from_slice(bytes);
            buffer.set_length(bytes.len());
            let packet = Packet {
                bytes: buffer,
                received_ns: 1,
                line,
                framing: Framing::MoldUdp64,
            };
            self.sequencer.packet(packet, 1, &mut self.deliveries);
        });
        count[2] = allocations(|| {
            self.batch.clear();
            for delivery in self.deliveries.drain(..) {
                if let Delivery::Messages {
                    packet,
                    start,
                    count,
                    ..
                } = delivery
                {
                    let mut blocks = Blocks::new(&packet.bytes[start..]);
                    let fail = |_, error| Err(error);
                    self.normaliser
                        .messages(&mut blocks, count.into(), &mut self.batch, fail)
                        .unwrap();
                }
            }
        });
        count[3] = allocations(|| {
            self.output.clear();
            let applied = self.sliding.apply(&self.batch, &mut self.output);
            assert_eq!(applied.unwrap(), Applied::Whole);
        });
        self.rows += self.output.len();
        self.trades += self.batch.trades.len();
        for (total, more) in self.allocated.iter_mut().zip(count) {
            *total += more;
        }
    }

    /// Cycles on both lines, in order but for every eighth, which the next one overtakes.
    fn cycles(&mut self, numbers: std::ops::Range<u64>) {
        let mut builder = PacketBuilder::new(*b"STEADY    ", 16_384);
        let mut overtaken = Vec::new();
        for number in numbers {
            builder.start(1 + number * SYMBOLS * 6);
            cycle(number, |message| {
                assert_eq!(builder.push(message), Pushed::Added)
            });
            if number % 8 == 3 {
                overtaken = builder.packet().to_vec();
                continue;
            }
            self.packet(builder.packet(), 0);
            if number % 8 == 4 {
                self.packet(&overtaken, 1);
            }
            self.packet(builder.packet(), 1);
        }
    }
}

#[test]
fn a_packet_costs_no_allocation_from_parsing_to_rows() {
    for every_end in [false, true] {
        let mut stages = Stages::new(every_end);
        stages.cycles(0..2_400);
        assert!(
            stages.allocated[2] > 0 && stages.allocated[3] > 0,
            "warming up"
        );
        (stages.rows, stages.trades, stages.allocated) = (0, 0, [0; 4]);
        stages.cycles(2_400..4_800);
        assert_eq!(stages.allocated, [0; 4]);
        // Several chunks of the log (2^14) were given up and filled again, and rows were written.
        assert_eq!(stages.trades, 2_400 * 2 * SYMBOLS as usize);
        assert_eq!(stages.rows, 240 * 3 * SYMBOLS as usize);
        assert_eq!(stages.pool.counts().outstanding, 0);
        let counts = stages.sequencer.counts();
        assert_eq!((counts.lost_messages, counts.line(1).used), (0, 600));
    }
}

#[test]
fn sending_and_receiving_many_packets_costs_no_allocation() {
    let pool = Pool::new(2_000, 2_048);
    let group = SocketAddrV4::new([239, 192, 78, 1].into(), 0);
    for receive in [Receive::Single, Receive::Batched, Receive::Merged] {
        let options = [UdpOptions::new(group)];
        let mut source = UdpSource::open_to(receive, &options, pool.clone()).unwrap();
        let mut bytes = Vec::new();
        for number in 0..40_000_u64 {
            // Packets of one length and of many.
            let length = 40 - u16::from(number % 2_000 > 1_000 && number % 3 == 0);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.resize(bytes.len() + usize::from(length), number as u8);
        }
        let options = SenderOptions::to(source.bound_addresses().next().unwrap());
        let mut sender = Sender::new(Tape::new(bytes.into()).unwrap(), options).unwrap();
        let mut packets = Vec::with_capacity(4_096);
        let mut made = 0;
        for round in 0..15 {
            let count = allocations(|| {
                assert_eq!(sender.duty(round).unwrap(), Duty::Busy);
                while source.poll(round, &mut packets).unwrap() == Poll::Ready {}
                packets.clear();
            });
            made += if round < 2 { 0 } else { count };
        }
        assert_eq!(made, 0, "{receive:?}");
        assert_eq!(source.socket_counts().delivered, 15 * 64);
    }
}

#[test]
fn a_fix_message_costs_no_allocation() {
    let (mut body, mut out) = (Body::with_capacity(512), BytesMut::with_capacity(1_024));
    let sending_time = UtcText::new(1_700_000_000 * 1_000_000_000);
    let made = allocations(|| {
        for sequence in 1..10_000 {
            body.clear();
            body.text(55, b"STEADY");
            body.uint(268, sequence);
            body.price(270, Price(sequence as u32));
            body.micros(270, sequence * 977);
            body.time(273, sequence * 1_000_000_007);
            let envelope = Envelope {
                begin_string: b"FIX.4.4",
                msg_type: b"X",
                sender: b"WIDETAPE",
                target: b"CLIENT",
                sequence,
                sending_time: &sending_time,
                original_time: None,
            };
            out.clear();
            let sum = body.sum();
            seal(&mut out, &envelope, &[body.bytes()], sum);
        }
    });
    assert_eq!(made, 0);
    assert!(out.starts_with(b"8=FIX.4.4\x01"));
}
