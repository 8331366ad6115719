//! Days of many lengths and widths.

use widetape::Duration;
use widetape::buffer::Pool;
use widetape::feed::{
    Framing, Poll, Profile, Source, SyntheticDay, SyntheticError, SyntheticSource,
};

use super::naive::Naive;
use super::{blocks, options, whole};

#[test]
fn same_seed_same_bytes() {
    let day = |seed| whole(options(20_000, 100, seed, Profile::Day));
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
}

/// The bytes are the same on every machine and in every build: FNV-1a of a small day.
#[test]
fn the_bytes_of_a_seed_are_pinned() {
    let bytes = whole(options(5_000, 50, 7, Profile::Sample));
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!((bytes.len(), hash), (163_713, 7_619_196_966_389_305_447));
}

#[test]
fn exactly_as_many_messages_as_asked_for() {
    for (messages, symbols) in [
        (17, 1),
        (100, 1),
        (1_000, 40),
        (5_016, 5_000),
        (12_345, 700),
        (65_551, 65_535),
    ] {
        for profile in [Profile::Day, Profile::Sample] {
            let bytes = whole(options(messages, symbols, 3, profile));
            let mut exchange = Naive::default();
            blocks(&bytes).for_each(|message| exchange.apply(message));
            assert_eq!(exchange.messages(), messages, "{symbols} symbols");
            assert_eq!(exchange.count(b"R"), u64::from(symbols));
            assert_eq!(exchange.count(b"S"), 6);
        }
    }
}

/// Nanoseconds since midnight of each message.
fn times(bytes: &[u8]) -> Vec<u64> {
    let time = |message: &[u8]| {
        message[5..11]
            .iter()
            .fold(0, |time, &byte| time << 8 | u64::from(byte))
    };
    blocks(bytes).map(time).collect()
}

#[test]
fn a_day_drawn_together_keeps_its_course_and_has_an_even_pace() {
    const START: u64 = 4 * 3_600_000_000_000;
    let lasting = |millis| {
        let day = SyntheticDay::new(options(50_000, 200, 3, Profile::Day)).unwrap();
        let mut day = day.lasting(Duration::from_millis(millis).unwrap());
        let mut bytes = Vec::new();
        while day.next_block(&mut bytes) {}
        bytes
    };
    let usual = whole(options(50_000, 200, 3, Profile::Day));
    for longest in [16 * 3_600_000, 24 * 3_600_000] {
        assert!(lasting(longest) == usual);
    }
    let bytes = lasting(2_000);
    let mut exchange = Naive::default();
    blocks(&bytes).for_each(|message| exchange.apply(message));
    assert_eq!(exchange.messages(), 50_000);
    let times = times(&bytes);
    assert!(times.is_sorted());
    let mut each_tenth = [0; 20];
    for time in times.iter().filter(|&&time| time >= START) {
        // The session ends five minutes of 16 hours after the day.
        let tenth = ((time - START) / 100_000_000).min(19) as usize;
        assert!(time - START <= 2_011_000_000, "{time}");
        each_tenth[tenth] += 1;
    }
    // The crosses come in a moment each.
    let usual = each_tenth
        .iter()
        .filter(|&&count| (2_200..2_700).contains(&count))
        .count();
    assert!(usual >= 17, "{each_tenth:?}");
}

#[test]
fn both_sides_of_the_fewest_messages() {
    let day = |messages, symbols| SyntheticDay::new(options(messages, symbols, 0, Profile::Day));
    assert!(day(1_016, 1_000).is_ok());
    assert_eq!(
        day(1_015, 1_000).err(),
        Some(SyntheticError::TooFewMessages {
            messages: 1_015,
            symbols: 1_000,
            needed: 1_016,
        })
    );
    assert_eq!(day(1_000, 0).err(), Some(SyntheticError::NoSymbols));
    assert_eq!("sample".parse(), Ok(Profile::Sample));
    assert!("Sample".parse::<Profile>().is_err());
}

/// The naive exchange asserts order of times, references and matches, lengths, an uncrossed book
/// and executions of what rests at the best price; here only the mix is left to see.
#[test]
fn a_day_is_consistent_and_mixed_like_a_real_one() {
    let bytes = whole(options(400_000, 100, 11, Profile::Day));
    let mut exchange = Naive::default();
    blocks(&bytes).for_each(|message| exchange.apply(message));
    let total = exchange.messages() as f64;
    for (kinds, percent, tolerance) in [
        (&b"AF"[..], 42.0, 1.5),
        (b"D", 39.0, 1.5),
        (b"U", 10.0, 0.5),
        (b"E", 3.8, 0.3),
        (b"X", 1.6, 0.2),
        (b"P", 1.0, 0.1),
        (b"C", 0.3, 0.15),
    ] {
        let found = 100.0 * exchange.count(kinds) as f64 / total;
        let name = kinds.escape_ascii();
        assert!((found - percent).abs() < tolerance, "{name}: {found} %");
    }
    let live = 100.0 * exchange.live() as f64 / total;
    assert!((live - 2.4).abs() < 0.1, "{live} % live");
    assert!(exchange.count(b"F") > 0 && exchange.count(b"I") > 0);
    assert_eq!(exchange.count(b"Q"), 200 + exchange.count(b"J"));
    assert!(exchange.unprinted > 0 && exchange.empty_crosses > 0);
}

#[test]
fn memory_follows_the_live_orders() {
    let mut day = SyntheticDay::new(options(300_000, 300, 5, Profile::Day)).unwrap();
    let mut block = Vec::new();
    loop {
        block.clear();
        if !day.next_block(&mut block) {
            break;
        }
        assert!(block.len() <= SyntheticDay::MAX_BLOCK_BYTES);
        let expected = 64 + day.messages() * 24 / 1_000;
        let live = day.live_orders() as u64;
        assert!(live < expected + expected / 10 + 64, "{live} live orders");
    }
    assert!(!day.next_block(&mut block) && block.is_empty());
}

#[test]
fn a_source_hands_on_the_same_bytes() {
    let options = options(5_000, 20, 9, Profile::Day);
    let pool = Pool::new(1, 4_096);
    let day = SyntheticDay::new(options.clone()).unwrap();
    let mut source = SyntheticSource::new(day, pool);
    assert!(!source.is_live());
    let (mut bytes, mut packets) = (Vec::new(), Vec::new());
    while source.poll(1, &mut packets).unwrap() == Poll::Ready {
        let offset = bytes.len() as u64;
        assert_eq!(packets[0].framing, Framing::Blocks { offset });
        assert_eq!(source.poll(2, &mut packets).unwrap(), Poll::Idle);
        let packet = packets.pop().unwrap();
        bytes.extend_from_slice(&packet.bytes);
        assert_eq!((packet.received_ns, packet.line), (1, 0));
    }
    assert_eq!(source.poll(3, &mut packets).unwrap(), Poll::End);
    assert_eq!(bytes, whole(options));
}
