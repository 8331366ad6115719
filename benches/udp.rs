//! Packets over loopback multicast: what sending and receiving cost, one by one and many at a time.
//!
//! One thread takes turns: it sends a few hundred packets, then receives them, so nothing is lost and
//! nobody waits. The CPU time of either part is divided by the packets. The naive row is one system call
//! a packet on both sides. `equal` packets are of one length and can be merged; those of a `day` of
//! ITCH 5.0 rarely are of one length. The bytes received must be those of the tape before a row is
//! printed. The last two rows of each group have no receiver.
//!
//! `--test` sends little.

use std::net::SocketAddrV4;
use std::time::Duration;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use widetape::feed::Receive;
use widetape::feed::sender::{Duty, Transmit};
use widetape::{
    Poll, Pool, Profile, Sender, SenderOptions, Source, SyntheticDay, SyntheticOptions, Tape,
    UdpOptions, UdpSource,
};

/// Ways to send and to receive, the naive first.
const ROWS: [(Transmit, Option<Receive>); 8] = [
    (Transmit::Single, Some(Receive::Single)),
    (Transmit::Batched, Some(Receive::Single)),
    (Transmit::Batched, Some(Receive::Batched)),
    (Transmit::Segmented, Some(Receive::Single)),
    (Transmit::Segmented, Some(Receive::Batched)),
    (Transmit::Segmented, Some(Receive::Merged)),
    (Transmit::Batched, None),
    (Transmit::Segmented, None),
];

/// Batches of the sender, of 64 packets, between two turns of the receiver.
const BATCHES: usize = 4;

pub(crate) fn bench(quick: bool) {
    let messages = if quick { 20_000 } else { 1_000_000 };
    println!(
        "packets       sent      / received    sender ns  a call   receiver ns  a call   (CPU time of a packet)"
    );
    for (kind, framed) in [("equal", equal(messages)), ("day", day(messages))] {
        let framed = Bytes::from(framed);
        for limit in [1_400, 8_900] {
            for (transmit, receive) in ROWS {
                let mut best = run(&framed, limit, transmit, receive);
                for _ in 0..if quick { 0 } else { 4 } {
                    let again = run(&framed, limit, transmit, receive);
                    best.sender_ns = best.sender_ns.min(again.sender_ns);
                    best.receiver_ns = best.receiver_ns.min(again.receiver_ns);
                }
                let way = receive.map_or("nobody".to_owned(), |way| format!("{way:?}"));
                println!(
                    "{kind:<5} {limit:>5}   {:<9} / {way:<9} {:>11.0}  {:>6.1}  {:>11.0}  {:>6.1}",
                    format!("{transmit:?}"),
                    best.sender_ns,
                    best.sent_a_call,
                    best.receiver_ns,
                    best.received_a_call
                );
            }
        }
    }
}

/// Messages of 36 bytes, framed.
fn equal(messages: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..messages {
        bytes.extend_from_slice(&36_u16.to_be_bytes());
        bytes.extend_from_slice(&[0; 28]);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes
}

fn day(messages: u64) -> Vec<u8> {
    let options = SyntheticOptions {
        messages,
        symbols: 1_000,
        seed: 1,
        profile: Profile::Day,
    };
    let mut day = SyntheticDay::new(options).expect("enough messages for the symbols");
    let mut bytes = Vec::new();
    while day.next_block(&mut bytes) {}
    bytes
}

/// What a run cost.
struct Cost {
    sender_ns: f64,
    sent_a_call: f64,
    receiver_ns: f64,
    received_a_call: f64,
}

/// CPU time that `work` takes on this thread.
fn timed<T>(total: &mut Duration, work: impl FnOnce() -> T) -> T {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let before = now();
    let done = work();
    *total += now() - before;
    done
}

fn run(framed: &Bytes, limit: usize, transmit: Transmit, way: Option<Receive>) -> Cost {
    let mut group = SocketAddrV4::new([239, 192, 79, 1].into(), 0);
    let mut source = way.map(|way| {
        let pool = Pool::new(4_096, limit.next_multiple_of(2_048));
        let source = UdpSource::open_to(way, &[UdpOptions::new(group)], pool).expect("a socket");
        group = source.bound_addresses().next().expect("one socket");
        source
    });
    if source.is_none() {
        group.set_port(9);
    }
    let options = SenderOptions {
        payload_limit: limit,
        end_packets: 1,
        linger_ns: 0,
        transmit,
        ..SenderOptions::to(group)
    };
    let tape = Tape::new(framed.clone()).expect("short messages");
    let mut sender = Sender::new(tape, options).expect("a socket");
    let mut packets = Vec::with_capacity(BATCHES * 64);
    let mut heard = 0;
    let (mut sending, mut receiving) = (Duration::ZERO, Duration::ZERO);
    let mut done = false;
    while !done {
        timed(&mut sending, || {
            for _ in 0..BATCHES {
                done = sender.duty(0).expect("it sends") == Duty::Done;
            }
        });
        let Some(source) = &mut source else {
            continue;
        };
        timed(&mut receiving, || {
            while source.poll(0, &mut packets).expect("a socket") == Poll::Ready {}
        });
        for packet in &packets {
            let blocks = &packet.bytes[20..];
            assert!(framed[heard..].starts_with(blocks), "other bytes than sent");
            heard += blocks.len();
        }
        // Giving buffers back is a part of what a packet costs.
        timed(&mut receiving, || packets.clear());
    }
    let (sent, received) = (sender.counts(), source.map(|s| s.socket_counts()));
    let each = |time: Duration, packets: u64| time.as_nanos() as f64 / packets as f64;
    if let Some(received) = received {
        assert_eq!(received.delivered, sent.packets + sent.ends);
        assert_eq!(heard, framed.len());
    }
    let received = received.unwrap_or_default();
    Cost {
        sender_ns: each(sending, sent.packets),
        sent_a_call: sent.packets as f64 / sent.send_calls as f64,
        receiver_ns: each(receiving, received.received.max(1)),
        received_a_call: received.received as f64 / received.calls.max(1) as f64,
    }
}
