//! The bad network does what it was told, and the same again for the same seed.

use std::collections::BTreeMap;

use widetape::buffer::{Buffer, Pool};
use widetape::feed::{
    Capture, FeedError, Framing, Impair, ImpairCounts, ImpairError, ImpairOptions, Packet, Poll,
    Source,
};

use super::capture::two_lines;
use super::files::Scratch;

/// Packets of two lines in turn; each says its line and number.
struct Numbered {
    next: u64,
    end: u64,
    batch: u64,
    live: bool,
    framing: Framing,
}

impl Numbered {
    fn new(end: u64, batch: u64) -> Self {
        Self {
            next: 0,
            end,
            batch,
            live: true,
            framing: Framing::MoldUdp64,
        }
    }
}

impl Source for Numbered {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let last = self.end.min(self.next + self.batch);
        for n in self.next..last {
            let line = (n % 2) as u8;
            let mut content = [line; 24];
            content[16..].copy_from_slice(&(n / 2).to_be_bytes());
            packets.push(Packet {
                bytes: Buffer::detached(&content),
                received_ns: now_ns,
                line,
                framing: self.framing,
            });
        }
        let ready = last > self.next;
        self.next = last;
        Ok(match ready {
            true => Poll::Ready,
            false => Poll::End,
        })
    }

    fn is_live(&self) -> bool {
        self.live
    }
}

type Seen = Vec<(Vec<u8>, u8)>;

fn run(packets: u64, batch: u64, options: ImpairOptions) -> (Seen, ImpairCounts) {
    let mut source = Impair::new(Numbered::new(packets, batch), options).unwrap();
    let mut out = Vec::new();
    while source.poll(0, &mut out).unwrap() != Poll::End {}
    let seen = out
        .iter()
        .map(|packet| (packet.bytes.to_vec(), packet.line))
        .collect();
    let counts = source.impair_counts();
    assert_eq!(source.counts().impaired, counts.lost, "losses are told");
    (seen, counts)
}

/// The numbers of one line's packets, in the order in which they came.
fn numbers(seen: &Seen, line: u8) -> Vec<u64> {
    seen.iter()
        .filter(|packet| packet.1 == line)
        .map(|(content, _)| u64::from_be_bytes(content[16..24].try_into().unwrap()))
        .collect()
}

fn everything(seed: u64) -> ImpairOptions {
    ImpairOptions {
        seed,
        loss: 0.1,
        lose: vec![3, 1],
        duplicate: 0.1,
        reorder: 0.1,
        reorder_depth: 5,
        delay: 0.1,
        delay_ns: 7,
        flip: 0.1,
        truncate: 0.1,
    }
}

#[test]
fn a_seed_decides_whatever_the_batches() {
    let without_delay = |seed| ImpairOptions {
        delay: 0.0,
        ..everything(seed)
    };
    let (first, counts) = run(5_000, 1, without_delay(1));
    assert_eq!(run(5_000, 1, without_delay(1)), (first.clone(), counts));
    let (other_batches, other_counts) = run(5_000, 137, without_delay(1));
    assert!(other_batches == first);
    assert_eq!(other_counts, counts);
    let (other_seed, _) = run(5_000, 1, without_delay(2));
    assert!(other_seed != first);
}

#[test]
fn lines_fail_independently() {
    let options = ImpairOptions {
        loss: 0.5,
        ..ImpairOptions::default()
    };
    let (seen, _) = run(20_000, 64, options);
    let (a, b) = (numbers(&seen, 0), numbers(&seen, 1));
    let both = a.iter().filter(|n| b.binary_search(n).is_ok()).count();
    assert!((2_200..2_800).contains(&both), "{both} of 10000 on both");
}

#[test]
fn rates_are_as_asked_and_counts_add_up() {
    const PACKETS: u64 = 100_000;
    let (seen, counts) = run(PACKETS, 64, everything(42));
    assert_eq!(counts.seen, PACKETS);
    assert_eq!(counts.passed, seen.len() as u64);
    assert_eq!(counts.passed, PACKETS - counts.lost + counts.duplicated);
    // Five standard deviations of a binomial count, 0.1 of those that were left for the decision.
    let near = |name: &str, count: u64, of: u64| {
        let wanted = of as f64 / 10.0;
        let distance = (count as f64 - wanted).abs();
        assert!(
            distance < 5.0 * (wanted * 0.9).sqrt(),
            "{name}: {count} of {of}"
        );
    };
    near("lost", counts.lost, PACKETS);
    let left = PACKETS - counts.lost;
    near("duplicated", counts.duplicated, left);
    near("delayed", counts.delayed, left);
    near("reordered", counts.reordered, left - counts.delayed);
    near("flipped", counts.flipped, left);
    near("truncated", counts.truncated, left);
}

#[test]
fn listed_packets_are_lost_on_every_line() {
    let options = ImpairOptions {
        lose: vec![99, 0, 50],
        ..ImpairOptions::default()
    };
    let (seen, counts) = run(200, 7, options);
    assert_eq!(counts.lost, 6);
    for line in [0, 1] {
        let wanted: Vec<u64> = (1..99).filter(|n| *n != 50).collect();
        assert_eq!(numbers(&seen, line), wanted);
    }
}

#[test]
fn reordered_packets_are_overtaken_by_no_more_than_the_depth() {
    let options = ImpairOptions {
        reorder: 0.2,
        reorder_depth: 3,
        ..ImpairOptions::default()
    };
    let (seen, counts) = run(4_000, 9, options);
    let order = numbers(&seen, 0);
    let mut most = 0;
    for (place, n) in order.iter().enumerate() {
        let overtakers = order[..place].iter().filter(|other| *other > n).count();
        most = most.max(overtakers);
    }
    assert_eq!(most, 3);
    assert!(counts.reordered > 0);
    let mut sorted = order;
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(0..2_000));
}

#[test]
fn certain_duplicates_come_twice_and_certain_loss_leaves_nothing() {
    let twice = ImpairOptions {
        duplicate: 1.0,
        ..ImpairOptions::default()
    };
    let (seen, _) = run(50, 50, twice);
    let mut times = BTreeMap::new();
    for packet in seen {
        *times.entry(packet).or_insert(0) += 1;
    }
    assert!(times.len() == 50 && times.values().all(|times| *times == 2));
    let never = ImpairOptions {
        loss: 1.0,
        ..ImpairOptions::default()
    };
    assert!(run(50, 50, never).0.is_empty());
    let (seen, counts) = run(50, 50, ImpairOptions::default());
    assert_eq!((seen.len(), counts.passed), (50, 50));
}

#[test]
fn damage_is_one_bit_or_a_lost_end() {
    let bits =
        |a: &[u8], b: &[u8]| -> u32 { a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum() };
    let (whole, _) = run(400, 64, ImpairOptions::default());
    let flip = ImpairOptions {
        flip: 1.0,
        ..ImpairOptions::default()
    };
    let (flipped, _) = run(400, 64, flip);
    assert_eq!(flipped.len(), whole.len());
    for ((damaged, _), (content, _)) in flipped.iter().zip(&whole) {
        assert_eq!(damaged.len(), content.len());
        assert_eq!(bits(damaged, content), 1);
    }
    let truncate = ImpairOptions {
        truncate: 1.0,
        ..ImpairOptions::default()
    };
    let (truncated, _) = run(400, 64, truncate);
    let lengths: Vec<usize> = truncated.iter().map(|(content, _)| content.len()).collect();
    assert_eq!(lengths.iter().min(), Some(&0));
    assert_eq!(lengths.iter().max(), Some(&23));
    for ((damaged, _), (content, _)) in truncated.iter().zip(&whole) {
        assert_eq!(**damaged, content[..damaged.len()]);
    }
}

#[test]
fn a_delayed_packet_comes_at_its_time_and_not_before() {
    let options = ImpairOptions {
        delay: 1.0,
        delay_ns: 100,
        ..ImpairOptions::default()
    };
    let mut source = Impair::new(Numbered::new(3, 1), options).unwrap();
    let mut out = Vec::new();
    assert_eq!(source.poll(1_000, &mut out).unwrap(), Poll::Idle);
    assert_eq!(source.poll(1_099, &mut out).unwrap(), Poll::Idle);
    assert_eq!(source.poll(1_100, &mut out).unwrap(), Poll::Ready);
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].received_ns, 1_100);
    assert_eq!(source.poll(1_101, &mut out).unwrap(), Poll::Ready);
    assert_eq!(out.len(), 3, "the end lets all go");
    assert_eq!(source.poll(1_101, &mut out).unwrap(), Poll::End);
}

#[test]
fn blocks_of_a_file_pass_as_they_are() {
    let numbered = Numbered {
        framing: Framing::Blocks { offset: 0 },
        ..Numbered::new(100, 10)
    };
    let mut source = Impair::new(numbered, everything(5)).unwrap();
    let mut out = Vec::new();
    while source.poll(0, &mut out).unwrap() != Poll::End {}
    let wanted = ImpairCounts {
        seen: 100,
        passed: 100,
        ..ImpairCounts::default()
    };
    assert_eq!((out.len(), source.impair_counts()), (100, wanted));
}

#[test]
fn a_file_whose_buffers_are_all_held_back_goes_on() {
    let file = Scratch::new(&two_lines(10));
    let options = ImpairOptions {
        reorder: 1.0,
        reorder_depth: 50,
        ..ImpairOptions::default()
    };
    let capture = Capture::open(file.path(), Pool::new(2, 100), None).unwrap();
    let boxed: Box<dyn Source> = Box::new(capture);
    let mut source = Impair::new(boxed, options).unwrap();
    let mut packets = Vec::new();
    let mut count = 0;
    for _ in 0..100 {
        let polled = source.poll(0, &mut packets).unwrap();
        count += packets.drain(..).count();
        if polled == Poll::End {
            break;
        }
    }
    assert_eq!(count, 20);
}

#[test]
fn impossible_options_are_refused_at_both_ends() {
    let with_loss = |loss| {
        let options = ImpairOptions {
            loss,
            ..ImpairOptions::default()
        };
        Impair::new(Numbered::new(0, 1), options).err()
    };
    assert_eq!(with_loss(0.0), None);
    assert_eq!(with_loss(1.0), None);
    for value in [-0.001, 1.001, f64::INFINITY] {
        let refused = Some(ImpairError::Probability {
            field: "loss",
            value,
        });
        assert_eq!(with_loss(value), refused);
    }
    assert!(with_loss(f64::NAN).is_some());
    let no_depth = ImpairOptions {
        reorder: 0.5,
        ..ImpairOptions::default()
    };
    let refused = Impair::new(Numbered::new(0, 1), no_depth).err();
    assert_eq!(refused, Some(ImpairError::ReorderDepth));
    assert!(toml::from_str::<ImpairOptions>("loss = 0.1\nlose = [1]").is_ok());
    assert!(toml::from_str::<ImpairOptions>("losses = 0.1").is_err());
}
