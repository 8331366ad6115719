//! The sender over real loopback multicast, on a clock of the test's own: after each round the
//! receiver empties its sockets, so nothing depends on how fast anyone is.

mod transmit;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::AtomicBool;

use widetape::buffer::Buffer;
use widetape::feed::sender::{Duty, Loss, Sender, SenderOptions, Speed, Tape};
use widetape::feed::{Framing, Packet};
use widetape::session::{
    Delivery, RETRANSMISSION, RerequestOptions, Rerequester, Sequencer, SequencerOptions,
};
use widetape::wire::moldudp64::{Blocks, Kind, Request, parse};

const SECOND: u64 = 1_000_000_000;

/// `count` messages of 11 to 50 bytes, `step_ns` apart, framed as in a file.
fn day(count: u64, step_ns: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let length = 11 + (number * 7 % 40) as u16;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[b'S', 0, 0, 0, 0]);
        bytes.extend_from_slice(&(34_200 * SECOND + number * step_ns).to_be_bytes()[2..]);
        bytes.resize(bytes.len() + usize::from(length) - 11, number as u8);
    }
    bytes
}

/// A line's socket, and the group to send to.
fn join(last: u8) -> (UdpSocket, SocketAddrV4) {
    let group = Ipv4Addr::new(239, 192, 77, last);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    socket
        .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .unwrap();
    socket.set_nonblocking(true).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, SocketAddrV4::new(group, port))
}

/// Everything that waits in a socket.
fn drain(socket: &UdpSocket) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut bytes = [0; 65_536];
    loop {
        match socket.recv(&mut bytes) {
            Ok(length) => packets.push(bytes[..length].to_vec()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return packets,
            Err(error) => panic!("{error}"),
        }
    }
}

fn sender(bytes: &[u8], options: SenderOptions) -> Sender {
    Sender::new(Tape::new(bytes.to_vec().into()).unwrap(), options).unwrap()
}

/// The blocks that were delivered, framed as in a file, and the gaps.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    gaps: Vec<(u64, u64)>,
    ended: bool,
}

impl Received {
    fn take(&mut self, deliveries: &mut Vec<Delivery>) {
        for delivery in deliveries.drain(..) {
            match delivery {
                Delivery::Messages {
                    packet,
                    start,
                    count,
                    ..
                } => {
                    let mut blocks = Blocks::at(&packet.bytes, start, count);
                    blocks.by_ref().for_each(drop);
                    self.bytes
                        .extend_from_slice(&packet.bytes[start..blocks.offset()]);
                }
                Delivery::Gap {
                    first_sequence,
                    count,
                } => self.gaps.push((first_sequence, count)),
                Delivery::EndOfSession => self.ended = true,
                Delivery::SessionStart { session } => assert_eq!(&session, b"WIDETAPE  "),
                Delivery::Blocks { .. } => panic!("no file here"),
            }
        }
    }
}

/// Runs a sender to its end with a receiver behind `lines`, and asks `server` for what is missing.
fn transmit(
    sender: &mut Sender,
    lines: &[UdpSocket],
    server: Option<SocketAddr>,
) -> (Received, Sequencer) {
    let mut sequencer = Sequencer::new(SequencerOptions::default());
    let mut asker = Rerequester::new(RerequestOptions::default());
    let asking = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asking.set_nonblocking(true).unwrap();
    let (mut received, mut out, mut requests) = (Received::default(), Vec::new(), Vec::new());
    let mut now_ns = 0;
    while sender.duty(now_ns).unwrap() != Duty::Done {
        let mut packets = vec![(RETRANSMISSION, drain(&asking))];
        packets.extend((0..).zip(lines.iter().map(drain)));
        for (line, packets) in packets {
            for bytes in packets {
                let packet = Packet {
                    bytes: Buffer::detached(&bytes),
                    received_ns: now_ns,
                    line,
                    framing: Framing::MoldUdp64,
                };
                sequencer.packet(packet, now_ns, &mut out);
            }
        }
        sequencer.tick(now_ns, &mut out);
        received.take(&mut out);
        if let (Some(server), Some(session)) = (server, sequencer.session()) {
            asker.poll(session, sequencer.holes(), now_ns, &mut requests);
            for request in requests.drain(..) {
                asking.send_to(&request.to_bytes(), server).unwrap();
            }
        }
        now_ns += 1_000_000;
    }
    (received, sequencer)
}

/// First number and count of the messages in each packet of at most 1,400 bytes.
fn packing(bytes: &[u8]) -> Vec<(u64, u64)> {
    let (mut packets, mut room, mut number) = (vec![(1, 0)], 1_380, 1);
    let mut rest = bytes;
    while let [high, low, ..] = *rest {
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        if length > room {
            packets.push((number, 0));
            room = 1_380;
        }
        packets.last_mut().unwrap().1 += 1;
        (room, number, rest) = (room - length, number + 1, &rest[length..]);
    }
    packets
}

#[test]
fn both_lines_bring_the_file_byte_for_byte() {
    let bytes = day(5_000, 1);
    let ((a, group_a), (b, group_b)) = (join(1), join(2));
    let mut sender = sender(
        &bytes,
        SenderOptions {
            group_b: Some(group_b),
            ..SenderOptions::to(group_a)
        },
    );
    let (received, sequencer) = transmit(&mut sender, &[a, b], None);
    assert!(received.bytes == bytes, "other bytes than the file's");
    assert!(received.ended && received.gaps.is_empty());
    let (counts, packets) = (sender.counts(), packing(&bytes).len() as u64);
    assert_eq!((counts.messages, counts.packets), (5_000, packets));
    assert_eq!((counts.sent, counts.ends), ([packets; 2], 5));
    assert_eq!(sequencer.counts().line(0).used, packets);
    assert_eq!(sequencer.counts().line(1).duplicates, packets);
}

#[test]
fn packets_lost_on_both_lines_are_exactly_the_gaps() {
    let bytes = day(2_000, 1);
    let ((a, group_a), (b, group_b)) = (join(3), join(4));
    let options = SenderOptions {
        group_b: Some(group_b),
        loss: Loss {
            line_a: 0.1,
            both_lines: vec![2, 5],
            ..Loss::default()
        },
        // Longer than a hole is waited for.
        linger_ns: SECOND,
        ..SenderOptions::to(group_a)
    };
    let packets = packing(&bytes);
    let lines = [a, b];
    let mut lossy = sender(&bytes, options.clone());
    let (received, _) = transmit(&mut lossy, &lines, None);
    assert_eq!(received.gaps, [packets[1], packets[4]]);
    assert!(received.ended && lossy.counts().lost[0] > 2);
    assert_eq!(lossy.counts().lost[1], 2);

    lines.iter().for_each(|line| drop(drain(line)));
    let mut healed = sender(
        &bytes,
        SenderOptions {
            rerequest: Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)),
            ..options
        },
    );
    let server = healed.rerequest_address();
    let (received, sequencer) = transmit(&mut healed, &lines, server);
    assert!(received.bytes == bytes && received.gaps.is_empty());
    let lost = packets[1].1 + packets[4].1;
    assert_eq!(sequencer.counts().recovered_messages, lost);
    assert!(healed.counts().server.answers >= 2);
}

#[test]
fn the_server_answers_what_was_sent_and_counts_the_rest() {
    let (line, group) = join(5);
    let mut sender = sender(
        &day(200, SECOND),
        SenderOptions {
            speed: Speed::Multiple(1.0),
            rerequest: Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)),
            answers_per_second: 3,
            ..SenderOptions::to(group)
        },
    );
    let server = sender.rerequest_address().unwrap();
    let asking = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asking.set_nonblocking(true).unwrap();
    sender.duty(0).unwrap();
    sender.duty(99 * SECOND).unwrap();
    let mut ask = |first, count, session: &[u8; 10], at| {
        let request = Request {
            session: *session,
            first,
            count,
        };
        asking.send_to(&request.to_bytes(), server).unwrap();
        sender.duty(at).unwrap();
        let mut answers = drain(&asking);
        assert!(answers.len() <= 1);
        let answer = answers.pop()?;
        let answer = parse(&answer).unwrap();
        Some((answer.sequence(), answer.count()))
    };
    let (ours, at) = (b"WIDETAPE  ", 99 * SECOND + 1);
    assert_eq!(ask(98, 2, ours, at), Some((98, 2)));
    assert_eq!(ask(100, 9, ours, at), Some((100, 1)), "100 have been sent");
    assert_eq!(ask(101, 1, ours, at), None, "not sent yet");
    assert_eq!(ask(1, 1, b"OTHER     ", at), None);
    let (first, count) = ask(1, 1_000, ours, at).unwrap();
    assert_eq!(first, 1);
    assert!((20..100).contains(&count), "as many as fit: {count}");
    assert_eq!(
        ask(1, 1, ours, 100 * SECOND - 1),
        None,
        "three answers a second"
    );
    assert_eq!(ask(1, 1, ours, 100 * SECOND), Some((1, 1)));
    asking.send_to(b"what?", server).unwrap();
    sender.duty(100 * SECOND).unwrap();
    let counts = sender.counts().server;
    assert_eq!((counts.requests, counts.answers), (8, 4));
    assert_eq!((counts.beyond, counts.foreign), (1, 1));
    assert_eq!((counts.malformed, counts.over_rate), (1, 1));
    drop(line);
}

#[test]
fn the_pace_is_that_of_the_timestamps() {
    let (line, group) = join(6);
    let mut sender = sender(
        &day(5, 3 * SECOND),
        SenderOptions {
            speed: Speed::Multiple(2.0),
            start_delay_ns: 250,
            linger_ns: 1_000,
            end_packets: 2,
            ..SenderOptions::to(group)
        },
    );
    let start = 40 + 250;
    let mut heard = |now, duty| {
        assert_eq!(sender.duty(now).unwrap(), duty, "at {now}");
        let seen: Vec<_> = drain(&line)
            .iter()
            .map(|bytes| {
                let packet = parse(bytes).unwrap();
                (packet.kind(), packet.sequence(), packet.count())
            })
            .collect();
        seen
    };
    let step = 3 * SECOND / 2;
    assert_eq!(heard(40, Duty::IdleUntil(start)), [(Kind::Heartbeat, 1, 0)]);
    assert_eq!(heard(start - 1, Duty::IdleUntil(start)), []);
    let beat = start + SECOND;
    assert_eq!(
        heard(start, Duty::IdleUntil(beat)),
        [(Kind::Messages, 1, 1)]
    );
    assert_eq!(heard(beat - 1, Duty::IdleUntil(beat)), []);
    assert_eq!(
        heard(beat, Duty::IdleUntil(start + step)),
        [(Kind::Heartbeat, 2, 0)]
    );
    let late = start + 2 * step + 7;
    let beat = late + SECOND;
    assert_eq!(heard(late, Duty::IdleUntil(beat)), [(Kind::Messages, 2, 2)]);
    let end = start + 4 * step;
    assert_eq!(heard(end, Duty::Busy), [(Kind::Messages, 4, 2)]);
    assert_eq!(heard(end, Duty::Busy), [(Kind::EndOfSession, 6, 0)]);
    assert_eq!(heard(end + 499, Duty::IdleUntil(end + 500)), []);
    assert_eq!(heard(end + 500, Duty::Busy), [(Kind::EndOfSession, 6, 0)]);
    assert_eq!(heard(end + 999, Duty::IdleUntil(end + 1_000)), []);
    assert_eq!(heard(end + 1_000, Duty::Done), []);
    let counts = sender.counts();
    assert_eq!(
        (counts.late_max_ns, counts.late_total_ns),
        (step + 7, 2 * step + 7)
    );
    assert_eq!((counts.heartbeats, counts.ends), (2, 2));
}

#[test]
fn a_limited_rate_and_a_stop() {
    let (line, group) = join(7);
    let options = SenderOptions {
        packets_per_second: Some(1_000),
        linger_ns: 0,
        ..SenderOptions::to(group)
    };
    let bytes = day(2_000, 1);
    let mut limited = sender(&bytes, options.clone());
    limited.duty(0).unwrap();
    assert_eq!(limited.counts().packets, 1);
    assert_eq!(limited.duty(999_999).unwrap(), Duty::IdleUntil(1_000_000));
    limited.duty(1_000_000).unwrap();
    assert_eq!(limited.counts().packets, 2);

    let stopped = sender(&bytes, options.clone())
        .run(&AtomicBool::new(true), |_| ())
        .unwrap();
    assert_eq!(stopped.packets + stopped.ends, 0);
    drain(&line);
    let clock = std::time::Instant::now();
    let done = sender(&bytes, options)
        .run(&AtomicBool::new(false), |_| ())
        .unwrap();
    let packets = packing(&bytes).len() as u64;
    assert_eq!((done.packets, done.ends), (packets, 5));
    let least = std::time::Duration::from_millis(packets - 3);
    assert!(
        clock.elapsed() >= least,
        "{packets} packets at 1,000 a second"
    );
    assert_eq!(drain(&line).len() as u64, packets + 5);
}
