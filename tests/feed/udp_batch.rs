//! The three ways to receive, held against each other on the same datagrams of the same groups.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use widetape::buffer::Pool;
use widetape::feed::sender::{Duty, Sender, SenderOptions, Tape, Transmit};
use widetape::feed::{Packet, Poll, Receive, Source, UdpCounts, UdpOptions, UdpSource};

use super::udp::{HOUR, group, send, sender_from};

/// Bytes of a buffer.
const CAPACITY: usize = 1_000;

/// A small reproducible generator (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// Short, long, as long as a buffer, one longer, none, and the longest there is.
    fn length(&mut self) -> usize {
        match self.roll(12) {
            0 => 0,
            1 => CAPACITY,
            2 => CAPACITY + 1,
            3 => CAPACITY + self.roll(3_000) as usize,
            4 if self.roll(8) == 0 => 65_507,
            _ => self.roll(CAPACITY as u64) as usize,
        }
    }
}

/// A source, and what it has handed on.
struct Listener {
    source: UdpSource,
    held: Vec<Packet>,
    heard: Vec<Vec<u8>>,
}

impl Listener {
    fn open(receive: Receive, group: SocketAddrV4, buffers: usize) -> Self {
        let options = UdpOptions {
            // More than a kernel clips to by default; the rounds below need less.
            receive_buffer: 8 << 20,
            ..UdpOptions::new(group)
        };
        let pool = Pool::new(buffers, CAPACITY);
        Self {
            source: UdpSource::open_to(receive, &[options], pool).unwrap(),
            held: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn poll(&mut self) -> Poll {
        let before = self.held.len();
        let polled = self.source.poll(HOUR, &mut self.held).unwrap();
        let new = self.held[before..].iter();
        self.heard.extend(new.map(|packet| packet.bytes.to_vec()));
        polled
    }

    fn counts(&self) -> UdpCounts {
        let counts = self.source.socket_counts();
        let kept = counts.delivered + counts.dropped_pool_empty + counts.dropped_too_long;
        assert_eq!(counts.received, kept, "{counts:?}");
        assert_eq!(self.source.kernel_drops().unwrap_or(0), 0);
        UdpCounts { calls: 0, ..counts }
    }
}

const EACH: [Receive; 3] = [Receive::Single, Receive::Batched, Receive::Merged];

#[test]
fn every_way_brings_the_same_datagrams_and_counts() {
    let (mut empty, mut long) = (0, 0);
    for seed in 1..=12 {
        let mut dice = Dice(seed * 0x9E37_79B9);
        let group = group();
        let buffers = [400, 70, 20, 1, 0][seed as usize % 5];
        let mut listeners = EACH.map(|receive| Listener::open(receive, group, buffers));
        let socket = sender_from([127, 0, 0, 1].into());
        for round in 0..30_u8 {
            for n in 0..dice.roll(50) as u8 {
                let mut payload = vec![round; dice.length()];
                payload.iter_mut().for_each(|byte| *byte ^= n);
                socket.send_to(&payload, &group.into()).unwrap();
            }
            let (polls, release) = (1 + dice.roll(2), dice.roll(2) == 0);
            for listener in &mut listeners {
                for _ in 0..polls {
                    listener.poll();
                }
                if release {
                    listener.held.clear();
                }
            }
        }
        for listener in &mut listeners {
            while listener.poll() == Poll::Ready {}
        }
        let [single, batched, merged] = &listeners;
        assert_eq!(single.counts(), batched.counts(), "seed {seed}");
        assert_eq!(single.counts(), merged.counts(), "seed {seed}");
        assert!(single.heard == batched.heard, "seed {seed}");
        assert!(single.heard == merged.heard, "seed {seed}");
        empty += single.counts().dropped_pool_empty;
        long += single.counts().dropped_too_long;
    }
    assert!(empty > 100 && long > 100, "{empty}, {long}");
}

/// Messages in runs of one length, each to be a packet by itself.
fn runs(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in 0..60_u8 {
        let length = dice.length().min(3_000);
        for n in 0..=dice.roll(90) as u8 {
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
            bytes.extend((0..length).map(|at| run ^ n ^ at as u8));
        }
    }
    bytes
}

/// Sends `bytes` with as few system calls as can be, and polls after each round; gives the listeners
/// and the most datagrams that one poll of each brought.
fn transmit(bytes: Vec<u8>, buffers: usize) -> ([Listener; 3], [usize; 3]) {
    let group = group();
    let mut listeners = EACH.map(|receive| Listener::open(receive, group, buffers));
    let options = SenderOptions {
        payload_limit: 0,
        linger_ns: 0,
        end_packets: 1,
        transmit: Transmit::Segmented,
        ..SenderOptions::to(group)
    };
    let mut sender = Sender::new(Tape::new(bytes.into()).unwrap(), options).unwrap();
    let mut most = [0; 3];
    while sender.duty(0).unwrap() != Duty::Done {
        for (listener, most) in listeners.iter_mut().zip(&mut most) {
            loop {
                let before = listener.heard.len();
                let polled = listener.poll();
                *most = listener.heard.len().saturating_sub(before).max(*most);
                if polled == Poll::Idle {
                    break;
                }
            }
            listener.held.clear();
        }
    }
    (listeners, most)
}

#[cfg(target_os = "linux")]
#[test]
fn merged_datagrams_are_parted_as_they_were_sent() {
    let mut long = 0;
    for seed in 1..=6 {
        let bytes = runs(&mut Dice(seed * 0x1234_5677));
        let sent = Tape::new(bytes.clone().into()).unwrap().count();
        let (listeners, _) = transmit(bytes, 2_000);
        let [single, batched, merged] = &listeners;
        assert_eq!(single.counts(), batched.counts(), "seed {seed}");
        assert_eq!(single.counts(), merged.counts(), "seed {seed}");
        assert_eq!(single.counts().received, sent + 1, "an end too");
        assert!(single.heard == batched.heard, "seed {seed}");
        assert!(single.heard == merged.heard, "seed {seed}");
        let [one, many, fewest] = listeners.each_ref().map(|l| l.source.socket_counts().calls);
        assert!(one > 10 * many && many >= fewest, "{one} {many} {fewest}");
        long += single.counts().dropped_too_long;
    }
    assert!(long > 100, "{long}");
}

#[cfg(target_os = "linux")]
#[test]
fn merged_datagrams_come_in_fewer_receives() {
    let mut bytes = Vec::new();
    for n in 0..256_u16 {
        bytes.extend_from_slice(&50_u16.to_be_bytes());
        bytes.extend([n as u8; 50]);
    }
    let (_, [single, batched, merged]) = transmit(bytes.clone(), 2_000);
    assert_eq!((single, batched), (64, 64));
    assert_eq!(merged, 64, "a round of the sender in one poll");
    // All of it at once: a poll of 64 receives brings every packet.
    let group = group();
    let mut listeners = EACH.map(|receive| Listener::open(receive, group, 2_000));
    let options = SenderOptions {
        payload_limit: 0,
        transmit: Transmit::Segmented,
        ..SenderOptions::to(group)
    };
    let mut sender = Sender::new(Tape::new(bytes.into()).unwrap(), options).unwrap();
    for _ in 0..4 {
        sender.duty(0).unwrap();
    }
    let heard = listeners.each_mut().map(|listener| {
        listener.poll();
        listener.heard.len()
    });
    assert_eq!(heard, [64, 64, 256]);
    let calls = listeners.each_ref().map(|l| l.source.socket_counts().calls);
    assert_eq!(calls, [64, 1, 1]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_emptied_pool_drops_parts_of_merged_datagrams_with_a_count() {
    for buffers in [0, 1, 5, 63, 64, 65, 100] {
        let bytes = runs(&mut Dice(buffers * 7 + 5));
        let (listeners, _) = transmit(bytes.clone(), buffers as usize);
        let (whole, _) = transmit(bytes, 2_000);
        let [.., merged] = &listeners;
        let [sent, ..] = &whole;
        assert_eq!(merged.counts().received, sent.counts().received);
        assert_eq!(merged.counts().delivered as usize, merged.heard.len());
        assert!(merged.heard.len() >= buffers.min(30) as usize, "{buffers}");
        let mut rest = sent.heard.iter();
        for heard in &merged.heard {
            assert!(rest.any(|sent| sent == heard), "in order and whole");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_packets_time_is_that_of_its_receipt() {
    const WAIT: Duration = Duration::from_millis(200);
    let group = group();
    let [mut single, mut batched, mut merged] =
        EACH.map(|receive| Listener::open(receive, group, 9));
    let clock = Instant::now();
    let now = || HOUR + clock.elapsed().as_nanos() as u64;
    // The system begins to stamp some time after the first socket has asked for it, and until then
    // it gives the time at which a datagram is taken.
    let mut told = Vec::new();
    let mut is_right = || {
        let before = now();
        send(group, b"now");
        let after = now();
        // So much later that the two can be told apart.
        std::thread::sleep(WAIT);
        let polled_ns = now();
        single.source.poll(polled_ns, &mut single.held).unwrap();
        assert_eq!(single.held.pop().unwrap().received_ns, polled_ns);
        // The two clocks are not read at the very same time.
        let slack = WAIT.as_nanos() as u64 / 4;
        let possible = before - slack..=after + slack;
        told = Vec::from([&mut batched, &mut merged].map(|listener| {
            listener.source.poll(now(), &mut listener.held).unwrap();
            listener.held.pop().unwrap().received_ns
        }));
        told.iter()
            .all(|received_ns| possible.contains(received_ns))
    };
    let begins = (0..50).any(|_| is_right());
    // From then on every time is that of the receipt.
    let goes_on = is_right();
    assert!(begins && goes_on, "{told:?} at {}", now());
}
