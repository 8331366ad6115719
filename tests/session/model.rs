//! Random lines through the sequencer and through a naive model that keeps single messages.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::bench::{Bench, DAY, NEXT_DAY, Seen, content, data, end, heartbeat, wrap};
use widetape::session::{RETRANSMISSION, SequencerOptions};
use widetape::wire::moldudp64::Header;

/// Something that happens to the receiver.
#[derive(Clone, Copy, Debug)]
enum Event {
    Data { line: u8, first: u64, count: u64 },
    Heartbeat { next: u64 },
    End { next: u64 },
    Tick,
}

/// Sequencing written for clarity: a map of messages, a map of when each was known to exist.
#[derive(Default)]
struct Naive {
    timeout: u64,
    resolved: u64,
    arrived: BTreeMap<u64, Vec<u8>>,
    known_since: BTreeMap<u64, u64>,
    ending: bool,
    ended: bool,
}

impl Naive {
    /// What is delivered (one entry a message) because of `event` at `now`.
    fn step(&mut self, event: Event, now: u64) -> Vec<Seen> {
        let next = match event {
            _ if self.ended => return Vec::new(),
            Event::Data { first, count, .. } => {
                let numbers = first..first + count;
                self.arrived
                    .extend(numbers.map(|number| (number, content(number))));
                first + count
            }
            Event::Heartbeat { next } => next,
            Event::End { next } => {
                self.ending = true;
                next
            }
            Event::Tick => 1,
        };
        for number in 1..next {
            self.known_since.entry(number).or_insert(now);
        }
        self.drain(Some(now))
    }

    /// Delivers what can be; without a time, holes are lost whatever their age.
    fn drain(&mut self, now: Option<u64>) -> Vec<Seen> {
        let mut seen = Vec::new();
        let last = self.known_since.len() as u64;
        while self.resolved < last {
            let number = self.resolved + 1;
            let age = now.map_or(u64::MAX, |now| now - self.known_since[&number]);
            match self.arrived.get(&number) {
                Some(message) => seen.push(Seen::Message(number, message.clone())),
                None if age >= self.timeout => seen.push(Seen::Lost(number, 1)),
                None => return seen,
            }
            self.resolved = number;
        }
        if self.ending && !self.ended {
            self.ended = true;
            seen.push(Seen::End);
        }
        seen
    }
}

/// One entry a message, without the start of the session.
fn single(seen: Vec<Seen>) -> Vec<Seen> {
    seen.into_iter()
        .flat_map(|seen| match seen {
            Seen::Lost(first, count) => (first..first + count)
                .map(|number| Seen::Lost(number, 1))
                .collect(),
            Seen::Start(_) => Vec::new(),
            other => vec![other],
        })
        .collect()
}

/// One packet of a line: messages, fate (0 lost, 1 doubled), delay.
type Cut = (u64, u8, u64);

/// The arrivals of a line that sends messages 1 to `last`, message n at time 10 n.
fn arrivals(line: u8, cuts: &[Cut], last: u64) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    let mut first = 1;
    for &(count, fate, delay) in cuts.iter().cycle() {
        if first > last {
            break;
        }
        let count = count.min(last + 1 - first);
        let event = Event::Data { line, first, count };
        let time = first * 10 + delay;
        match fate {
            0 => {}
            1 => events.extend([(time, event), (time + delay * 2, event)]),
            _ => events.push((time, event)),
        }
        first += count;
    }
    events
}

/// A whole session as it arrives, sorted by time, the number of its last message, and whether its
/// end was heard.
fn sessions() -> impl Strategy<Value = (Vec<(u64, Event)>, u64)> {
    let cuts = || prop::collection::vec((1..7u64, 0..6u8, 0..90u64), 1..40);
    let extras = prop::collection::vec((0..4u8, any::<prop::sample::Index>(), 0..2_500u64), 0..25);
    (1..200u64, cuts(), cuts(), extras, any::<bool>()).prop_map(|(last, a, b, extras, ends)| {
        let mut events = arrivals(0, &a, last);
        events.extend(arrivals(1, &b, last));
        events.extend(extras.into_iter().map(|(kind, index, time)| {
            let number = 1 + index.index(last as usize) as u64;
            let event = match kind {
                0 => Event::Heartbeat { next: number },
                1 => Event::Data {
                    line: RETRANSMISSION,
                    first: number,
                    count: 3.min(last + 1 - number),
                },
                _ => Event::Tick,
            };
            (time, event)
        }));
        if ends {
            let next = last + 1;
            events.push((last * 10 + 30, Event::End { next }));
        }
        events.sort_by_key(|&(time, _)| time);
        (events, last)
    })
}

fn feed(bench: &mut Bench, event: Event, now: u64) -> Vec<Seen> {
    match event {
        Event::Data { line, first, count } => bench.packet(data(DAY, line, first, count), now),
        Event::Heartbeat { next } => bench.packet(heartbeat(next), now),
        Event::End { next } => bench.packet(end(next), now),
        Event::Tick => bench.tick(now),
    }
}

/// Every packet is counted once as a packet and once as what became of it.
fn assert_accounts_balance(bench: &Bench) {
    let counts = bench.sequencer.counts();
    let lines = counts.lines.iter();
    let packets: u64 = lines.clone().map(|line| line.packets).sum();
    let data: u64 = lines.map(|line| line.used + line.duplicates).sum();
    let rest = counts.heartbeats + counts.ends + counts.foreign + counts.after_end;
    assert_eq!(packets, data + rest + counts.malformed.total());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn with_room_enough_every_step_is_the_models((events, last) in sessions(), timeout in 0..300u64) {
        let mut bench = Bench::new(SequencerOptions {
            gap_timeout_ns: timeout,
            session_timeout_ns: u64::MAX,
            ..SequencerOptions::default()
        });
        let mut naive = Naive { timeout, ..Naive::default() };
        for (now, event) in events {
            let seen = single(feed(&mut bench, event, now));
            prop_assert_eq!(seen, naive.step(event, now), "{:?} at {}", event, now);
        }
        prop_assert_eq!(single(bench.finish()), naive.drain(None));
        prop_assert!(naive.resolved <= last);
        prop_assert_eq!(bench.sequencer.expected(), naive.resolved + 1);
        prop_assert_eq!(bench.sequencer.held(), 0);
        assert_accounts_balance(&bench);
    }

    #[test]
    fn with_little_room_nothing_that_arrived_is_lost((events, _) in sessions(), hold in 0..6usize, timeout in 0..300u64) {
        let mut bench = Bench::new(SequencerOptions {
            hold_packets: hold,
            gap_timeout_ns: timeout,
            ..SequencerOptions::default()
        });
        let mut naive = Naive { timeout: u64::MAX, ..Naive::default() };
        let mut resolved = 0;
        for (now, event) in events {
            let full = bench.sequencer.held() == hold;
            let ended = naive.ended;
            naive.step(event, now);
            for seen in single(feed(&mut bench, event, now)) {
                prop_assert!(!ended);
                match seen {
                    Seen::Message(number, message) => {
                        prop_assert_eq!(number, resolved + 1);
                        prop_assert_eq!(message, content(number));
                        resolved = number;
                    }
                    Seen::Lost(number, _) => {
                        prop_assert_eq!(number, resolved + 1);
                        prop_assert!(!naive.arrived.contains_key(&number), "{} was there", number);
                        prop_assert!(full || now - naive.known_since[&number] >= timeout);
                        resolved = number;
                    }
                    other => {
                        prop_assert_eq!(other, Seen::End);
                        naive.ended = true;
                    }
                }
            }
            prop_assert!(bench.sequencer.held() <= hold);
        }
        resolved += single(bench.finish()).iter().filter(|seen| **seen != Seen::End).count() as u64;
        prop_assert_eq!(resolved, naive.known_since.len() as u64, "everything is resolved");
        let counts = *bench.sequencer.counts();
        prop_assert_eq!(counts.messages + counts.lost_messages, resolved);
        prop_assert!(counts.held_high_water <= hold as u64);
        assert_accounts_balance(&bench);
    }

    #[test]
    fn hostile_packets_never_break_the_order(packets in hostile(), hold in 0..4usize) {
        let mut bench = Bench::new(SequencerOptions {
            hold_packets: hold,
            gap_timeout_ns: 20,
            session_timeout_ns: 50,
            ..SequencerOptions::default()
        });
        let mut expected = 0;
        let mut now = 0;
        for (bytes, line, elapsed) in packets {
            now += elapsed;
            for seen in bench.packet(wrap(&bytes, line), now) {
                match seen {
                    Seen::Start(_) => expected = 1,
                    Seen::Message(number, _) => {
                        prop_assert_eq!(number, expected);
                        expected += 1;
                    }
                    Seen::Lost(first, count) => {
                        prop_assert_eq!(first, expected);
                        prop_assert!(count > 0);
                        expected += count;
                    }
                    Seen::End | Seen::Blocks(_) => {}
                }
            }
            prop_assert!(bench.sequencer.held() <= hold);
            prop_assert!(bench.sequencer.holes().count() <= 2 * hold + 257);
        }
        bench.finish();
        assert_accounts_balance(&bench);
    }
}

/// Bytes, line and time since the last packet: headers with extreme numbers before random bytes or
/// empty blocks, and plain noise.
fn hostile() -> impl Strategy<Value = Vec<(Vec<u8>, u8, u64)>> {
    let sequence = prop_oneof![0..40u64, (u64::MAX - 40)..=u64::MAX, any::<u64>()];
    let count = prop_oneof![0..9u16, Just(0xFFFF), any::<u16>()];
    let session = prop_oneof![Just(DAY), Just(NEXT_DAY), Just([0xFF; 10])];
    let payload = prop_oneof![
        3 => (0..9usize).prop_map(|blocks| vec![0; 2 * blocks]),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    let shaped = (session, sequence, count, payload, any::<bool>()).prop_map(
        |(session, sequence, count, payload, honest)| {
            let count = if honest {
                payload.len() as u16 / 2
            } else {
                count
            };
            let header = Header {
                session,
                sequence,
                count,
            };
            [header.to_bytes().as_slice(), &payload].concat()
        },
    );
    let noise = prop::collection::vec(any::<u8>(), 0..60);
    let bytes = prop_oneof![9 => shaped, 1 => noise];
    prop::collection::vec((bytes, any::<u8>(), 0..30u64), 0..120)
}
