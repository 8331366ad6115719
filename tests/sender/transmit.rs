//! The ways to hand packets to the system, and the even pace.

use widetape::feed::sender::Transmit;

use super::*;

/// Messages of at least 30 bytes in runs of one length, so that some packets are of one length too.
fn runs(count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let length = 30 + (number / 37 * 11 % 50) as u16;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend((0..length).map(|at| (number + u64::from(at)) as u8));
    }
    bytes
}

#[test]
fn every_way_sends_the_same_packets_in_fewer_calls() {
    let bytes = runs(4_000);
    let ((a, group_a), (b, group_b)) = (join(8), join(9));
    let mut calls = Vec::new();
    let mut heard: Vec<[Vec<Vec<u8>>; 2]> = Vec::new();
    for transmit in [Transmit::Single, Transmit::Batched, Transmit::Segmented] {
        let mut sender = sender(
            &bytes,
            SenderOptions {
                group_b: Some(group_b),
                loss: Loss {
                    line_a: 0.05,
                    line_b: 0.1,
                    both_lines: vec![3, 60],
                    ..Loss::default()
                },
                payload_limit: 300,
                linger_ns: 0,
                transmit,
                ..SenderOptions::to(group_a)
            },
        );
        let mut lines = [Vec::new(), Vec::new()];
        while sender.duty(0).unwrap() != Duty::Done {
            lines[0].extend(drain(&a));
            lines[1].extend(drain(&b));
        }
        let counts = sender.counts();
        for (line, heard) in lines.iter().enumerate() {
            assert_eq!(counts.sent[line] + counts.ends, heard.len() as u64);
            assert_eq!(counts.sent[line] + counts.lost[line], counts.packets);
        }
        calls.push(counts.send_calls);
        heard.push(lines);
    }
    assert!(heard[0] == heard[1] && heard[0] == heard[2]);
    let packets: usize = heard[0].iter().map(Vec::len).sum();
    assert_eq!(calls[0], packets as u64);
    if cfg!(target_os = "linux") {
        assert!(
            calls[1] * 20 < calls[0] && calls[2] <= calls[1],
            "{calls:?}"
        );
    }
}

#[test]
fn an_even_rate_keeps_its_intended_times() {
    let (line, group) = join(10);
    let mut sender = sender(
        &day(2_000, 77),
        SenderOptions {
            speed: Speed::Rate(1_000_000),
            start_delay_ns: 500,
            ..SenderOptions::to(group)
        },
    );
    let mut heard = |now| {
        let duty = sender.duty(now).unwrap();
        let packets = drain(&line);
        let seen: u64 = packets
            .iter()
            .map(|bytes| u64::from(parse(bytes).unwrap().count()))
            .sum();
        (duty, seen)
    };
    assert_eq!(heard(0), (Duty::IdleUntil(500), 0), "a heartbeat");
    assert_eq!(heard(500), (Duty::IdleUntil(1_500), 1));
    assert_eq!(heard(1_499), (Duty::IdleUntil(1_500), 0));
    assert_eq!(heard(1_500), (Duty::IdleUntil(2_500), 1));
    // Half a millisecond late: what became due is sent at once, and the pace goes on.
    assert_eq!(heard(500_000), (Duty::IdleUntil(500_500), 498));
    assert_eq!(heard(500_500), (Duty::IdleUntil(501_500), 1));
    assert_eq!(heard(1_999_499), (Duty::IdleUntil(1_999_500), 1_498));
    assert_eq!(heard(1_999_500), (Duty::Busy, 1), "the last of 2,000");
    let counts = sender.counts();
    // The first of each packet; those of the 1,498 were due from 501,500 on.
    assert_eq!(counts.late_max_ns, 1_999_499 - 501_500);
    assert_eq!(counts.messages, 2_000);
    assert!(counts.late_p50_ns <= counts.late_p99_ns && counts.late_p99_ns <= counts.late_max_ns);
}

#[test]
fn packets_beyond_any_link_pass_loopback() {
    let bytes = runs(3_000);
    let (line, group) = join(11);
    let mut sender = sender(
        &bytes,
        SenderOptions {
            payload_limit: 65_507,
            ..SenderOptions::to(group)
        },
    );
    sender.duty(0).unwrap();
    let packets = drain(&line);
    let total: usize = packets.iter().map(|packet| packet.len() - 20).sum();
    assert_eq!(total, bytes.len());
    assert!(packets[0].len() > 65_507 - 82, "{}", packets[0].len());
}
