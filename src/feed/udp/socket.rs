//! Opening a socket, and saying what to do when the system refuses.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use socket2::{Domain, Protocol, Socket, Type};

#[cfg(target_os = "linux")]
use super::linux;
use super::{Line, Receive, UdpCounts, UdpOptions};
use crate::feed::FeedError;

/// Opens, binds and joins.
pub(super) fn open(options: &UdpOptions, receive: Receive) -> Result<Line, FeedError> {
    let UdpOptions {
        group,
        interface,
        source,
        receive_buffer,
        line,
    } = *options;
    let failed = |step: Step| {
        move |error: io::Error| FeedError::Io {
            path: format!("udp {group} on {interface}").into(),
            error: io::Error::new(
                error.kind(),
                format!("{error}; {}", remedy(step, &error, group, interface)),
            ),
        }
    };
    let socket =
        Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).map_err(failed(Step::Open))?;
    let multicast = group.ip().is_multicast();
    if multicast {
        socket.set_reuse_address(true).map_err(failed(Step::Open))?;
    }
    ask_for_buffer(&socket, receive_buffer.min(i32::MAX as usize / 2))
        .map_err(failed(Step::Open))?;
    prepare(&socket, receive);
    socket.set_nonblocking(true).map_err(failed(Step::Open))?;
    socket.bind(&group.into()).map_err(failed(Step::Bind))?;
    if multicast {
        #[cfg(target_os = "linux")]
        socket
            .set_multicast_all_v4(false)
            .map_err(failed(Step::Join))?;
        match source {
            Some(source) => socket.join_ssm_v4(&source, group.ip(), &interface),
            None => socket.join_multicast_v4(group.ip(), &interface),
        }
        .map_err(failed(Step::Join))?;
    }
    let bound = socket
        .local_addr()
        .map_err(failed(Step::Bind))?
        .as_socket_ipv4()
        .unwrap_or(group);
    let granted = socket.recv_buffer_size().map_err(failed(Step::Open))?;
    Ok(Line {
        inode: inode(&socket),
        socket,
        line,
        bound,
        granted,
        counts: UdpCounts::default(),
        #[cfg(target_os = "linux")]
        slots: linux::BATCH,
        #[cfg(target_os = "linux")]
        ready: linux::BATCH,
    })
}

/// Asks for a receive buffer of so many bytes.
///
/// Linux grants twice that, because it counts its own bookkeeping in, but clamps to
/// `net.core.rmem_max` without a word; then it is asked again with the privilege to exceed it. What was
/// granted in the end is reported.
fn ask_for_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(bytes)?;
    #[cfg(target_os = "linux")]
    if socket.recv_buffer_size()? < 2 * bytes {
        let _without_the_privilege = linux::force_receive_buffer(socket, bytes);
    }
    Ok(())
}

/// Switches on what `receive` can use. A kernel that has it not hands datagrams on one by one, or
/// without a time.
fn prepare(socket: &Socket, receive: Receive) {
    #[cfg(target_os = "linux")]
    {
        if receive != Receive::Single {
            let _without_stamps = linux::stamp(socket);
        }
        if receive == Receive::Merged {
            let _one_by_one = linux::merge(socket);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, receive);
}

/// Takes over a bound socket.
pub(super) fn adopt(socket: UdpSocket, line: u8, receive: Receive) -> Result<Line, FeedError> {
    let socket = Socket::from(socket);
    let failed = |error: io::Error| FeedError::Io {
        path: "udp".into(),
        error,
    };
    socket.set_nonblocking(true).map_err(failed)?;
    prepare(&socket, receive);
    let bound = socket.local_addr().map_err(failed)?.as_socket_ipv4();
    let granted = socket.recv_buffer_size().map_err(failed)?;
    Ok(Line {
        inode: inode(&socket),
        socket,
        line,
        bound: bound.unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
        granted,
        counts: UdpCounts::default(),
        #[cfg(target_os = "linux")]
        slots: linux::BATCH,
        #[cfg(target_os = "linux")]
        ready: linux::BATCH,
    })
}

/// The socket's number in the kernel's tables.
fn inode(socket: &Socket) -> Option<u64> {
    let handle = File::from(OwnedFd::from(socket.try_clone().ok()?));
    Some(handle.metadata().ok()?.ino())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Open,
    Bind,
    Join,
}

fn remedy(step: Step, error: &io::Error, group: SocketAddrV4, interface: Ipv4Addr) -> String {
    match (step, error.kind()) {
        (_, io::ErrorKind::PermissionDenied) => format!(
            "choose a port above 1023 instead of {}, or let the process have CAP_NET_BIND_SERVICE",
            group.port()
        ),
        (Step::Bind, io::ErrorKind::AddrInUse) => format!(
            "another process has port {} for itself: stop it or choose another port (ss -lunp \
             tells which)",
            group.port()
        ),
        (Step::Bind, io::ErrorKind::AddrNotAvailable) => format!(
            "{} is neither a multicast group nor an address of this machine (ip address lists \
             them)",
            group.ip()
        ),
        (Step::Join, io::ErrorKind::AddrInUse) => {
            format!("{} is joined on {interface} already", group.ip())
        }
        (Step::Join, _) => format!(
            "is {interface} the address of an interface of this machine that is up and does \
             multicast? (ip address lists them)"
        ),
        (Step::Open, _) => "check the limits on open files and sockets (ulimit -n)".to_owned(),
        (Step::Bind, _) => "check the address".to_owned(),
    }
}

/// A socket whose multicast leaves by the interface with this address and is heard on this machine
/// too.
///
/// # Errors
/// When the system refuses the socket or the interface.
pub fn multicast_sender(interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&interface)?;
    socket.set_multicast_loop_v4(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into())?;
    Ok(socket.into())
}
