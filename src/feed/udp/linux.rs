//! Linux: many datagrams with one system call, merged and cut by the kernel, stamped at their receipt.
//!
//! `nix` has safe wrappers, but its `recvmmsg` does not give the room for control messages back
//! between two calls, so that what a datagram without them left is too little for the next one with
//! them; its `sendmmsg` has one segment length for a whole call, and its `sendmsg` allocates. Here the
//! headers are made anew on the stack for each call, and nothing outlives it. The safe twins are the
//! reads of [`single`](super::single) and the sends of [`Outbox`](super::Outbox) one by one.

#![expect(
    unsafe_code,
    reason = "recvmmsg, sendmmsg and their control messages have no safe wrapper that can be reused"
)]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::{size_of, size_of_val, zeroed};
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use libc::{c_int, c_uint, cmsghdr, mmsghdr, msghdr, timespec};
use socket2::SockAddr;

/// Datagrams of one call at most.
pub(super) const BATCH: usize = 64;

/// Room for the control messages of one datagram: a timestamp and a length of segments, each behind
/// its header of at most 16 bytes, aligned.
const CONTROL: usize = 64;

/// Control messages, aligned as the kernel's macros expect it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// What one receive brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Got {
    /// Bytes, all segments together.
    pub(super) length: usize,
    /// Bytes of each segment but the last, which may be shorter; `None` for a datagram by itself.
    pub(super) segment: Option<usize>,
    /// When the kernel received it, in nanoseconds since 1970 (`CLOCK_REALTIME`).
    pub(super) stamp_ns: Option<u64>,
}

/// Receives at most one datagram, or one run of merged ones, into each of `slots`, which are filled
/// part by part; tells in `got` what each brought, and gives their number. It never waits.
///
/// # Errors
/// What the system says, `WouldBlock` where there is nothing.
pub(super) fn receive(
    socket: &impl AsFd,
    slots: &mut [[IoSliceMut<'_>; 2]],
    got: &mut [Got; BATCH],
) -> io::Result<usize> {
    let count = slots.len().min(BATCH);
    let mut controls = [Control([0; CONTROL]); BATCH];
    // SAFETY: a header is integers and pointers, for which 0 is a value.
    let mut headers: [mmsghdr; BATCH] = unsafe { zeroed() };
    for ((header, slot), control) in headers.iter_mut().zip(slots).zip(&mut controls) {
        let header = &mut header.msg_hdr;
        // `IoSliceMut` has the layout of `iovec`, which the standard library guarantees.
        header.msg_iov = slot.as_mut_ptr().cast();
        header.msg_iovlen = slot.len() as _;
        header.msg_control = control.0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL as _;
    }
    // SAFETY: the first `count` headers point to as many pairs of slices and control buffers, which
    // are borrowed mutably or owned here until the call is over and tell their true lengths; no
    // address is asked for, and without a timeout none is written.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_fd().as_raw_fd(),
            headers.as_mut_ptr(),
            count as c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (got, header) in got.iter_mut().zip(&headers[..received]) {
        *got = read(header);
    }
    Ok(received)
}

/// What a header says after the kernel has filled it.
fn read(header: &mmsghdr) -> Got {
    let mut got = Got {
        length: header.msg_len as usize,
        ..Got::default()
    };
    let header: &msghdr = &header.msg_hdr;
    // SAFETY: the header's control buffer is alive, aligned, and filled by the kernel up to
    // `msg_controllen`; each pointer of the walk is null or a whole `cmsghdr` inside it.
    let mut control = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !control.is_null() {
        // SAFETY: as above; the data of the two kinds that were asked for are a `timespec` and a
        // `c_int`, read unaligned, and other kinds are not looked at.
        unsafe {
            let cmsghdr {
                cmsg_level,
                cmsg_type,
                ..
            } = *control;
            let data = libc::CMSG_DATA(control);
            match (cmsg_level, cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    got.stamp_ns = nanoseconds(&data.cast::<timespec>().read_unaligned());
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let segment = data.cast::<c_int>().read_unaligned();
                    got.segment = usize::try_from(segment).ok().filter(|length| *length > 0);
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    got
}

fn nanoseconds(time: &timespec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u64::try_from(time.tv_nsec).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Consecutive packets that leave as one message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Packets.
    pub(super) count: usize,
    /// Bytes of each but the last, which may be shorter.
    pub(super) segment: u16,
}

/// Sends `runs` of `packets`, each in two parts, one behind the other; those of a run are gathered, and cut again by the
/// kernel or the interface. Gives how many runs the system took.
///
/// # Errors
/// What the system says to the first of them.
pub(super) fn send(
    socket: &impl AsFd,
    to: SocketAddrV4,
    packets: &[[IoSlice<'_>; 2]],
    runs: &[Run],
) -> io::Result<usize> {
    let to = SockAddr::from(to);
    let mut controls = [Control([0; CONTROL]); BATCH];
    // SAFETY: a header is integers and pointers, for which 0 is a value.
    let mut headers: [mmsghdr; BATCH] = unsafe { zeroed() };
    let mut rest = packets;
    let mut count = 0;
    for ((header, run), control) in headers.iter_mut().zip(runs).zip(&mut controls) {
        let (gathered, after) = rest.split_at(run.count);
        let parts = gathered.as_flattened();
        rest = after;
        count += 1;
        let header = &mut header.msg_hdr;
        header.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_namelen = to.len();
        // `IoSlice` has the layout of `iovec`, which the standard library guarantees.
        header.msg_iov = parts.as_ptr().cast_mut().cast();
        header.msg_iovlen = parts.len() as _;
        if run.count > 1 {
            segmented(header, control, run.segment);
        }
    }
    // SAFETY: the first `count` headers point to the address, to slices of `packets` and to control
    // messages, all alive until the call is over; sending writes to none of them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_fd().as_raw_fd(),
            headers.as_mut_ptr(),
            count as c_uint,
            0,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Puts the length of segments into `control`, and that into `header`.
fn segmented(header: &mut msghdr, control: &mut Control, segment: u16) {
    let length = size_of::<u16>() as c_uint;
    header.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: the two macros only add up lengths; the first header of a buffer that is aligned and
    // longer than one control message is its beginning, and 2 bytes of data follow it.
    unsafe {
        header.msg_controllen = libc::CMSG_SPACE(length) as _;
        let first = libc::CMSG_FIRSTHDR(header);
        (*first).cmsg_level = libc::SOL_UDP;
        (*first).cmsg_type = libc::UDP_SEGMENT;
        (*first).cmsg_len = libc::CMSG_LEN(length) as _;
        libc::CMSG_DATA(first)
            .cast::<u16>()
            .write_unaligned(segment);
    }
}

/// Has the kernel stamp what it receives.
pub(super) fn stamp(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
}

/// Has the kernel hand on consecutive datagrams of one sender and one length as one.
pub(super) fn merge(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Sets the receive buffer whatever `net.core.rmem_max` says, which takes `CAP_NET_ADMIN`.
pub(super) fn force_receive_buffer(socket: &impl AsFd, bytes: usize) -> io::Result<()> {
    let bytes = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
}

/// Sends without checksums, and with that without segments either: what a poor interface refuses.
#[cfg(test)]
pub(super) fn without_checksums(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)
}

fn set(socket: &impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the option is read from `value`, which is alive and has the length that is told.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            ptr::from_ref(&value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Datagrams that the socket has dropped so far, modulo 2^32; `None` before Linux 4.12.
pub(super) fn drops(socket: &impl AsFd) -> Option<u32> {
    const FIELDS: usize = libc::SK_MEMINFO_DROPS as usize + 1;
    let mut fields = [0_u32; FIELDS];
    let mut length = size_of_val(&fields) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `fields`, which is as long, and to `length`
    // how many it wrote.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            fields.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    (outcome == 0 && length as usize == size_of_val(&fields)).then_some(fields[FIELDS - 1])
}
