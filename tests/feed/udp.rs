//! Sockets over the loopback interface. A datagram sent there is queued at the receiver before
//! `send_to` returns, so nothing here waits.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use widetape::buffer::Pool;
use widetape::feed::{FeedError, Framing, Packet, Poll, Source, UdpCounts, UdpOptions, UdpSource};

/// A time of the caller, in nanoseconds, that is later than any test takes.
pub(super) const HOUR: u64 = 3_600_000_000_000;

/// A group and port that no other test has.
pub(super) fn group() -> SocketAddrV4 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    let address = Ipv4Addr::new(239, 192, (process >> 8) as u8, process as u8);
    SocketAddrV4::new(address, 21_000 + next)
}

pub(super) fn sender_from(address: Ipv4Addr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    socket.bind(&SocketAddrV4::new(address, 0).into()).unwrap();
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    socket
}

pub(super) fn send(to: SocketAddrV4, payload: &[u8]) {
    let sent = sender_from(Ipv4Addr::LOCALHOST)
        .send_to(payload, &to.into())
        .unwrap();
    assert_eq!(sent, payload.len());
}

fn listen(group: SocketAddrV4, pool: &std::sync::Arc<Pool>) -> UdpSource {
    UdpSource::open(&[UdpOptions::new(group)], pool.clone()).unwrap()
}

fn contents(packets: &[Packet]) -> Vec<&[u8]> {
    packets.iter().map(|packet| &packet.bytes[..]).collect()
}

#[test]
fn two_lines_bring_what_was_sent_with_line_and_time() {
    let (a, b) = (group(), group());
    let pool = Pool::new(300, 2000);
    let line = |group, line| UdpOptions {
        line,
        ..UdpOptions::new(group)
    };
    let mut source = UdpSource::open(&[line(a, 0), line(b, 1)], pool.clone()).unwrap();
    assert!(source.is_live());
    assert!(source.bound_addresses().eq([a, b]));
    let mut packets = Vec::new();
    assert_eq!(source.poll(1, &mut packets).unwrap(), Poll::Idle);
    for n in 0..100_u8 {
        send(a, &[n; 40]);
        send(b, &vec![n; usize::from(n)]);
    }
    let mut counts = Vec::new();
    while source.poll(HOUR, &mut packets).unwrap() == Poll::Ready {
        counts.push(packets.len());
    }
    assert_eq!(counts, [128, 200], "64 of each socket, then the rest");
    let of = |line| packets.iter().filter(move |packet| packet.line == line);
    assert!(
        of(0)
            .map(|p| p.bytes.to_vec())
            .eq((0..100).map(|n| vec![n; 40]))
    );
    assert!(
        of(1)
            .map(|p| p.bytes.to_vec())
            .eq((0..100).map(|n| vec![n; usize::from(n)]))
    );
    assert!(of(0).take(64).map(|p| p.received_ns).is_sorted());
    assert!(packets.iter().all(|p| p.received_ns <= HOUR));
    assert!(packets.iter().all(|p| p.framing == Framing::MoldUdp64));
    let bytes = 100 * 40 + (0..100).sum::<u64>();
    assert_eq!(source.socket_counts().bytes, bytes);
    assert!(source.line_counts().map(|c| c.delivered).eq([100, 100]));
    drop((packets, source));
    assert_eq!(pool.counts().outstanding, 0);
}

#[test]
fn an_empty_pool_drops_with_a_count_and_recovers() {
    let group = group();
    let pool = Pool::new(2, 100);
    let mut source = listen(group, &pool);
    for n in 0..5 {
        send(group, &[n]);
    }
    let mut packets = Vec::new();
    assert_eq!(source.poll(0, &mut packets).unwrap(), Poll::Ready);
    assert_eq!(contents(&packets), [[0], [1]]);
    let wanted = UdpCounts {
        received: 5,
        delivered: 2,
        dropped_pool_empty: 3,
        dropped_too_long: 0,
        bytes: 2,
        // One by one where the environment asks for it.
        calls: std::env::var_os("WIDETAPE_SAFE").map_or(1, |_| 5),
    };
    assert_eq!(source.socket_counts(), wanted);
    packets.clear();
    send(group, &[5]);
    source.poll(0, &mut packets).unwrap();
    assert_eq!(contents(&packets), [[5]]);
    assert_eq!(source.socket_counts().dropped_pool_empty, 3);
}

#[test]
fn a_datagram_as_long_as_the_buffer_fits_and_a_longer_one_is_counted() {
    let group = group();
    let pool = Pool::new(8, 100);
    let mut source = listen(group, &pool);
    for length in [100, 101, 65_507, 0, 99] {
        send(group, &vec![7; length]);
    }
    let mut packets = Vec::new();
    source.poll(0, &mut packets).unwrap();
    let lengths: Vec<_> = packets.iter().map(|packet| packet.bytes.len()).collect();
    assert_eq!(lengths, [100, 0, 99]);
    assert_eq!(source.socket_counts().dropped_too_long, 2);
    assert_eq!(source.socket_counts().received, 5);
}

#[test]
fn what_the_kernel_drops_is_read_from_the_kernel() {
    let group = group();
    let pool = Pool::new(300, 1100);
    let options = UdpOptions {
        receive_buffer: 16 * 1024,
        ..UdpOptions::new(group)
    };
    let mut source = UdpSource::open(&[options], pool).unwrap();
    assert!(source.granted_receive_buffer() >= 16 * 1024);
    if source.kernel_drops().is_none() {
        println!("SKIPPED: the system has no /proc/net/udp");
        return;
    }
    assert_eq!(source.kernel_drops(), Some(0));
    for _ in 0..200 {
        send(group, &[1; 1000]);
    }
    let mut packets = Vec::new();
    while source.poll(0, &mut packets).unwrap() == Poll::Ready {}
    assert!(packets.len() < 200);
    let dropped = 200 - packets.len() as u64;
    assert_eq!(source.kernel_drops(), Some(dropped));
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let port = format!(":{:04X}", group.port());
    let of_the_port = |line: &&str| line.split(' ').any(|field| field.ends_with(&port));
    let line = table.lines().find(of_the_port).unwrap();
    let last = line.split_ascii_whitespace().last().unwrap();
    assert_eq!(last, dropped.to_string());
}

#[test]
fn a_buffer_beyond_the_systems_limit_is_forced_or_clipped() {
    let Ok(limit) = std::fs::read_to_string("/proc/sys/net/core/rmem_max") else {
        println!("SKIPPED: the system has no such limit");
        return;
    };
    let limit: usize = limit.trim().parse().unwrap();
    let options = UdpOptions {
        receive_buffer: limit * 2,
        ..UdpOptions::new(group())
    };
    let source = UdpSource::open(&[options], Pool::new(1, 10)).unwrap();
    let granted = source.granted_receive_buffer();
    assert!([limit * 2, limit * 4].contains(&granted), "{granted}");
}

#[test]
fn other_groups_on_the_same_port_do_not_come_in() {
    let wanted = group();
    let [a, b, c, d] = wanted.ip().octets();
    let other = SocketAddrV4::new([a, b ^ 1, c, d].into(), wanted.port());
    let pool = Pool::new(9, 100);
    let mut source = listen(wanted, &pool);
    let mut neighbour = listen(other, &pool);
    send(other, b"other");
    send(wanted, b"wanted");
    let mut packets = Vec::new();
    source.poll(0, &mut packets).unwrap();
    assert_eq!(contents(&packets), [b"wanted"]);
    neighbour.poll(0, &mut packets).unwrap();
    assert_eq!(packets.len(), 2);
}

#[test]
fn two_sources_share_a_group() {
    let group = group();
    let pool = Pool::new(9, 100);
    let mut sources = [listen(group, &pool), listen(group, &pool)];
    send(group, b"both");
    for source in &mut sources {
        let mut packets = Vec::new();
        source.poll(0, &mut packets).unwrap();
        assert_eq!(contents(&packets), [b"both"]);
    }
}

#[test]
fn a_source_specific_join_brings_that_source_alone() {
    let group = group();
    let options = UdpOptions {
        source: Some(Ipv4Addr::new(127, 0, 0, 2)),
        ..UdpOptions::new(group)
    };
    let mut source = UdpSource::open(&[options], Pool::new(9, 100)).unwrap();
    send(group, b"of 127.0.0.1");
    sender_from(Ipv4Addr::new(127, 0, 0, 2))
        .send_to(b"of 127.0.0.2", &group.into())
        .unwrap();
    let mut packets = Vec::new();
    source.poll(0, &mut packets).unwrap();
    assert_eq!(contents(&packets), [b"of 127.0.0.2"]);
}

#[test]
fn unicast_is_bound_plainly_and_alone() {
    let pool = Pool::new(9, 100);
    let any_port = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let mut source = listen(any_port, &pool);
    let bound = source.bound_addresses().next().unwrap();
    assert_ne!(bound.port(), 0);
    send(bound, b"unicast");
    let mut packets = Vec::new();
    source.poll(0, &mut packets).unwrap();
    assert_eq!(contents(&packets), [b"unicast"]);
    let text = refusal(UdpOptions::new(bound));
    assert!(text.contains(&bound.to_string()), "{text}");
    assert!(text.contains("choose another port"), "{text}");
}

fn refusal(options: UdpOptions) -> String {
    match UdpSource::open(&[options], Pool::new(1, 10)).err() {
        Some(error @ FeedError::Io { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn refusals_name_the_address_and_what_to_do() {
    let elsewhere = UdpOptions::new("203.0.113.1:5000".parse().unwrap());
    let text = refusal(elsewhere);
    assert!(text.contains("203.0.113.1:5000"), "{text}");
    assert!(
        text.contains("neither a multicast group nor an address"),
        "{text}"
    );
    let no_interface = UdpOptions {
        interface: Ipv4Addr::new(203, 0, 113, 1),
        ..UdpOptions::new(group())
    };
    let text = refusal(no_interface);
    assert!(
        text.contains("is 203.0.113.1 the address of an interface"),
        "{text}"
    );
    let pool = Pool::new(1, 10);
    assert!(UdpSource::open(&[], pool.clone()).is_err());
    let any_port = UdpOptions::new(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    assert!(UdpSource::open(&vec![any_port.clone(); 16], pool.clone()).is_ok());
    assert!(UdpSource::open(&vec![any_port; 17], pool).is_err());
}

#[test]
fn waiting_ends_with_a_datagram_on_any_socket_or_in_time() {
    let (a, b) = (group(), group());
    let options = [UdpOptions::new(a), UdpOptions::new(b)];
    let mut source = UdpSource::open(&options, Pool::new(9, 100)).unwrap();
    assert!(!source.wait_readable(Duration::from_millis(1)).unwrap());
    for group in [a, b] {
        send(group, b"x");
        assert!(source.wait_readable(Duration::from_secs(3600)).unwrap());
        let mut packets = Vec::new();
        source.poll(0, &mut packets).unwrap();
        assert_eq!(packets.len(), 1);
        assert!(!source.wait_readable(Duration::ZERO).unwrap());
    }
    send(a, b"x");
    assert!(source.wait_readable(Duration::MAX).unwrap());
}

#[test]
fn options_have_defaults_and_no_unknown_fields() {
    let read = |text: &str| toml::from_str::<UdpOptions>(text);
    let least = read("group = '239.192.0.1:5000'").unwrap();
    assert_eq!(least, UdpOptions::new("239.192.0.1:5000".parse().unwrap()));
    assert_eq!(least.interface, Ipv4Addr::LOCALHOST);
    assert_eq!(
        (least.source, least.line, least.receive_buffer),
        (None, 0, 8 << 20)
    );
    let full = "group = '239.192.0.1:5000'\ninterface = '10.0.0.1'\nsource = '10.0.0.2'\n\
                receive_buffer = 1000\nline = 1";
    let full = read(full).unwrap();
    assert_eq!(full.source, Some(Ipv4Addr::new(10, 0, 0, 2)));
    assert_eq!((full.interface, full.line), (Ipv4Addr::new(10, 0, 0, 1), 1));
    assert!(read("line = 1").is_err(), "no group");
    let typo = read("group = '239.192.0.1:5000'\ninterfaces = '10.0.0.1'").unwrap_err();
    assert!(typo.to_string().contains("interfaces"));
}
