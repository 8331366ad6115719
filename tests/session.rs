//! The sequencer's rules, one by one, both sides of each boundary; `model` compares it with a naive
//! one over random lines.

mod bench;
mod model;

use bench::{Bench, DAY, NEXT_DAY, Seen, TIMEOUT, data, end, heartbeat, messages, options, wrap};
use widetape::feed::Framing;
use widetape::session::{Join, RETRANSMISSION, RerequestOptions, Rerequester, SequencerOptions};
use widetape::wire::moldudp64::Header;

#[test]
fn the_other_line_fills_the_hole() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(data(DAY, 0, 5, 2), 1), []);
    assert_eq!(bench.packet(data(DAY, 1, 1, 2), 2), []);
    assert_eq!(bench.packet(data(DAY, 1, 3, 2), 3), messages(3..7));
    assert_eq!(bench.packet(data(DAY, 1, 5, 2), 4), []);
    let counts = bench.sequencer.counts();
    assert_eq!((counts.line(0).packets, counts.line(0).used), (2, 2));
    assert_eq!((counts.line(1).used, counts.line(1).duplicates), (1, 2));
    assert_eq!(
        (counts.messages, counts.gaps, counts.held_high_water),
        (6, 0, 1)
    );
    let [a, b] = bench.sequencer.races();
    assert_eq!((a.first, b.first, b.second), (2, 1, 2));
}

#[test]
fn a_packet_that_starts_late_is_used_from_its_first_new_message() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(data(DAY, 1, 1, 6), 1), messages(3..7));
    assert_eq!(bench.packet(data(DAY, 0, 10, 5), 2), []);
    assert_eq!(bench.packet(data(DAY, 1, 7, 5), 3), messages(7..15));
}

#[test]
fn a_hole_is_declared_at_its_timeout_and_not_before() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(data(DAY, 0, 5, 1), 50), []);
    assert_eq!(bench.packet(data(DAY, 0, 9, 1), 60), []);
    assert_eq!(bench.tick(50 + TIMEOUT - 1), []);
    let mut first = vec![Seen::Lost(3, 2)];
    first.extend(messages(5..6));
    assert_eq!(bench.tick(50 + TIMEOUT), first);
    assert_eq!(bench.tick(60 + TIMEOUT - 1), []);
    let mut second = vec![Seen::Lost(6, 3)];
    second.extend(messages(9..10));
    assert_eq!(bench.tick(60 + TIMEOUT), second);
    let counts = bench.sequencer.counts();
    assert_eq!(
        (counts.gaps, counts.lost_messages, counts.forced_gaps),
        (2, 5, 0)
    );
    assert_eq!(bench.packet(data(DAY, 1, 3, 2), 300), [], "too late");
    assert_eq!(bench.sequencer.counts().line(1).duplicates, 1);
}

#[test]
fn the_packet_in_hand_comes_before_the_timeout() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(data(DAY, 0, 5, 1), 50), []);
    assert_eq!(
        bench.packet(data(DAY, 1, 3, 2), 50 + TIMEOUT),
        messages(3..6)
    );
    assert_eq!(bench.packet(data(DAY, 0, 8, 1), 200), []);
    let mut late = vec![Seen::Lost(6, 2)];
    late.extend(messages(8..9));
    assert_eq!(bench.packet(heartbeat(9), 200 + TIMEOUT), late);
}

#[test]
fn a_full_hold_gives_up_the_oldest_hole_no_further_than_the_packet_in_hand() {
    let mut bench = Bench::started();
    for first in [20, 22, 24] {
        assert_eq!(bench.packet(data(DAY, 0, first, 1), 1), []);
    }
    assert_eq!(
        bench.packet(data(DAY, 1, 24, 1), 1),
        [],
        "a copy needs no room"
    );
    let mut forced = vec![Seen::Lost(3, 7)];
    forced.extend(messages(10..12));
    assert_eq!(bench.packet(data(DAY, 0, 10, 2), 1), forced);
    assert_eq!(bench.sequencer.held(), 3);
    let mut forced = vec![Seen::Lost(12, 8)];
    forced.extend(messages(20..21));
    assert_eq!(bench.packet(data(DAY, 0, 30, 1), 1), forced);
    assert_eq!(bench.sequencer.held(), 3);
    assert_eq!(bench.sequencer.counts().forced_gaps, 2);
    assert_eq!(bench.sequencer.counts().held_high_water, 3);
}

#[test]
fn without_a_hold_every_hole_is_declared_at_once() {
    let mut bench = Bench::new(SequencerOptions {
        hold_packets: 0,
        ..options()
    });
    let mut expected = vec![Seen::Start(DAY), Seen::Lost(1, 4)];
    expected.extend(messages(5..6));
    assert_eq!(bench.packet(data(DAY, 0, 5, 1), 0), expected);
}

#[test]
fn the_end_waits_for_the_tail() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(end(6), 10), []);
    assert_eq!(bench.packet(end(6), 20), []);
    assert_eq!(bench.packet(data(DAY, 1, 4, 2), 30), []);
    assert_eq!(bench.tick(10 + TIMEOUT - 1), []);
    let mut expected = vec![Seen::Lost(3, 1)];
    expected.extend(messages(4..6));
    expected.push(Seen::End);
    assert_eq!(bench.tick(10 + TIMEOUT), expected);
    assert_eq!(bench.packet(end(6), 200), []);
    assert_eq!(bench.packet(data(DAY, 0, 6, 1), 200), []);
    assert_eq!(bench.packet(data(DAY, 0, 5, 1), 200), []);
    let counts = bench.sequencer.counts();
    assert_eq!(
        (counts.after_end, counts.ends, counts.line(0).duplicates),
        (1, 3, 1)
    );
    assert_eq!(bench.finish(), []);
}

#[test]
fn an_end_without_a_hole_is_delivered_at_once() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(end(3), 10), [Seen::End]);
}

#[test]
fn heartbeats_reveal_the_tail_and_the_end_of_input_declares_it() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(heartbeat(3), 10), []);
    assert_eq!(bench.sequencer.holes().count(), 0);
    assert_eq!(bench.packet(heartbeat(5), 11), []);
    let hole = bench.sequencer.holes().next().unwrap();
    assert_eq!(
        (hole.first_sequence, hole.next_sequence, hole.since_ns),
        (3, 5, 11)
    );
    assert_eq!(bench.packet(data(DAY, 0, 9, 1), 12), []);
    let mut expected = vec![Seen::Lost(3, 2), Seen::Lost(5, 4)];
    expected.extend(messages(9..10));
    assert_eq!(bench.finish(), expected, "the input ended, not the session");
}

#[test]
fn announcements_without_end_open_a_bounded_number_of_holes() {
    let mut bench = Bench::started();
    for next in 4..10_000 {
        assert_eq!(bench.packet(heartbeat(next), 1), []);
    }
    assert_eq!(bench.sequencer.holes().count(), 3 + 256);
    assert_eq!(bench.sequencer.holes().last().unwrap().next_sequence, 9_999);
}

#[test]
fn joining_late_from_the_start_or_where_we_are() {
    let mut bench = Bench::new(options());
    assert_eq!(bench.packet(data(DAY, 0, 50, 1), 7), [Seen::Start(DAY)]);
    assert_eq!(bench.tick(7 + TIMEOUT - 1), []);
    assert_eq!(bench.tick(7 + TIMEOUT)[0], Seen::Lost(1, 49));

    let here = SequencerOptions {
        join: Join::FirstSeen,
        ..options()
    };
    let mut bench = Bench::new(here.clone());
    let mut expected = vec![Seen::Start(DAY), Seen::Lost(1, 49)];
    expected.extend(messages(50..51));
    assert_eq!(bench.packet(data(DAY, 0, 50, 1), 7), expected);
    assert_eq!(bench.packet(end(51), 8), [Seen::End]);
    assert_eq!(
        bench.packet(data(NEXT_DAY, 0, 2, 1), 9),
        [Seen::Start(NEXT_DAY)]
    );
    assert_eq!(
        bench.sequencer.holes().count(),
        1,
        "only the first session is joined"
    );

    let mut bench = Bench::new(here);
    let first = data(DAY, 0, 1, 1);
    assert_eq!(bench.packet(first, 0)[1..], messages(1..2));
}

#[test]
fn another_session_waits_for_the_end_or_for_silence() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(data(NEXT_DAY, 0, 1, 1), 999), []);
    let mut expected = vec![Seen::Start(NEXT_DAY)];
    expected.extend(messages(1..2));
    assert_eq!(bench.packet(data(NEXT_DAY, 1, 1, 1), 1_000), expected);
    assert_eq!(bench.packet(data(DAY, 0, 3, 1), 99_000), [], "no way back");
    assert_eq!(bench.sequencer.counts().foreign, 2);

    let mut bench = Bench::started();
    bench.packet(data(DAY, 0, 4, 1), 1);
    bench.packet(end(5), 2);
    assert_eq!(
        bench.packet(data(NEXT_DAY, 0, 1, 1), 3),
        [],
        "the old tail is still open"
    );
    bench.packet(data(DAY, 0, 3, 1), 4);
    let mut expected = vec![Seen::Start(NEXT_DAY)];
    expected.extend(messages(1..2));
    assert_eq!(bench.packet(data(NEXT_DAY, 0, 1, 1), 5), expected);

    let mut bench = Bench::started();
    bench.packet(end(4), 1);
    let late = 1 + options().gap_timeout_ns;
    let seen = bench.packet(data(NEXT_DAY, 0, 1, 1), late);
    assert!(
        seen.ends_with(&expected),
        "nothing can fill the old hole: {seen:?}"
    );
    assert_eq!(bench.sequencer.counts().foreign, 0);

    let mut bench = Bench::new(SequencerOptions {
        session: Some(NEXT_DAY),
        ..options()
    });
    assert_eq!(bench.packet(data(DAY, 0, 1, 1), 0), []);
    assert_eq!(
        bench.packet(data(NEXT_DAY, 0, 1, 1), 1)[0],
        Seen::Start(NEXT_DAY)
    );
}

#[test]
fn numbers_up_to_the_last_one() {
    let mut bench = Bench::new(SequencerOptions {
        join: Join::FirstSeen,
        ..options()
    });
    let last = u64::MAX - 1;
    bench.packet(data(DAY, 0, last - 2, 1), 0);
    assert_eq!(bench.packet(data(DAY, 0, last, 1), 1), []);
    assert_eq!(
        bench.packet(data(DAY, 1, last - 1, 1), 2),
        messages(last - 1..u64::MAX)
    );
    assert_eq!(bench.packet(end(u64::MAX), 3), [Seen::End]);
    let mut bench = Bench::started();
    assert_eq!(bench.packet(heartbeat(u64::MAX), 0), []);
    assert_eq!(bench.finish(), [Seen::Lost(3, u64::MAX - 3)]);
}

#[test]
fn malformed_packets_and_blocks_of_files() {
    let mut bench = Bench::started();
    assert_eq!(bench.packet(wrap(b"short", 1), 1), []);
    let request = Header {
        session: DAY,
        sequence: 3,
        count: 4,
    };
    assert_eq!(bench.packet(wrap(&request.to_bytes(), 1), 1), []);
    let malformed = bench.sequencer.counts().malformed;
    assert_eq!((malformed.too_short, malformed.echoed_requests), (1, 1));
    assert_eq!(
        (malformed.total(), bench.sequencer.counts().line(1).packets),
        (2, 2)
    );
    let mut blocks = wrap(b"\0\x01a", 0);
    blocks.framing = Framing::Blocks { offset: 0 };
    assert_eq!(bench.packet(blocks, 1), [Seen::Blocks(3)]);
}

#[test]
fn a_requested_answer_fills_the_hole() {
    let mut bench = Bench::new(SequencerOptions::default());
    let mut asker = Rerequester::new(RerequestOptions::default());
    let delay = RerequestOptions::default().first_delay_ns;
    bench.packet(data(DAY, 0, 1, 2), 0);
    bench.packet(data(DAY, 0, 6, 1), 0);
    let mut requests = Vec::new();
    asker.poll(DAY, bench.sequencer.holes(), delay, &mut requests);
    let request = requests.pop().unwrap();
    assert_eq!((request.session, request.first, request.count), (DAY, 3, 3));
    assert_eq!(
        bench.packet(data(DAY, RETRANSMISSION, 3, 2), delay),
        messages(3..5)
    );
    asker.poll(DAY, bench.sequencer.holes(), delay + 1, &mut requests);
    let request = requests.pop().unwrap();
    assert_eq!((request.first, request.count), (5, 1));
    assert_eq!(
        bench.packet(data(DAY, RETRANSMISSION, 5, 1), delay),
        messages(5..7)
    );
    assert_eq!(bench.sequencer.counts().recovered_messages, 3);
    assert_eq!(bench.sequencer.counts().line(RETRANSMISSION).used, 2);
}
