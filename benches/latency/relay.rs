//! What a relay costs that does nothing else.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use widetape::UdpOptions;
use widetape::metrics::{Latency, Percentiles, Stage};

use super::{Schedule, drain, number_of, send};

/// The bare relay: reads and writes in one thread.
pub(super) fn relay(messages: u64, stall: bool) -> Percentiles {
    let group = Ipv4Addr::new(239, 192, 93, 1);
    let socket = UdpSocket::bind(SocketAddrV4::new(group, 0)).expect("a socket");
    socket
        .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .expect("loopback does multicast");
    // As much as the engine asks for, so that neither loses what waits for a time slice.
    let wanted = UdpOptions::new(SocketAddrV4::new(group, 0)).receive_buffer;
    let grant = socket2::SockRef::from(&socket).set_recv_buffer_size(wanted);
    grant.expect("an option");
    let limit = Some(Duration::from_secs(5));
    socket.set_read_timeout(limit).expect("a limit");
    let port = socket.local_addr().expect("its address").port();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("its address"));
    let drained = drain(client.expect("it listens"));
    let (mut out, _) = listener.accept().expect("a client");
    out.set_nodelay(true).expect("an option");
    let schedule = Schedule::soon(Instant::now(), 300);
    let relaying = std::thread::spawn(move || {
        let mut latency = Latency::new();
        let mut bytes = [0; 2_048];
        loop {
            let length = socket
                .recv(&mut bytes)
                .expect("the next message within five seconds");
            let number = number_of(&bytes[..length]).expect("a MoldUDP64 header");
            if number == messages {
                return latency;
            }
            out.write_all(&bytes[..length]).expect("it reads");
            let taken = schedule.now_ns().saturating_sub(schedule.due_ns(number));
            latency.record(Stage::ReceiptToFix, taken);
        }
    });
    send(
        SocketAddrV4::new(group, port),
        schedule,
        (messages, 1),
        stall,
    );
    let latency = relaying.join().expect("it relays");
    let bytes = drained.join().expect("it reads").len() as u64;
    let seen = latency.percentiles(Stage::ReceiptToFix);
    assert_eq!((seen.count, bytes % messages), (messages, 0), "all relayed");
    seen
}
