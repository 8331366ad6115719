//! Many datagrams with one system call, each in a pool buffer of its own at the end.
//!
//! Each slot of a receive is a pool buffer and, behind it, memory for the longest datagram. A datagram
//! by itself lands in its buffer and stays there. The kernel may also merge consecutive datagrams of
//! one length into one; then the first stays in the slot's buffer and the others are copied to buffers
//! of their own. Where fewer buffers are at hand than there are slots, the rest of the slots have only the
//! memory behind: what lands there is copied to another buffer, or dropped if the pool is empty.

use std::io::{self, IoSliceMut};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Line;
use super::linux::{self, BATCH, Got};
use crate::buffer::{Buffer, Packet, Pool, Stock};

/// Memory behind the buffer of a slot: the longest datagram, or run of merged ones, fits.
const BEHIND: usize = 65_536;

/// Datagrams that one receive is to bring at most, about, where the kernel merges them: their bytes
/// are copied soon, and are to be in a cache until then.
const TARGET: u64 = 256;

/// Slots of a receive at least.
const LEAST_SLOTS: u64 = 4;

/// Buffers at hand for a receive at least. More are taken from the pool where the last receives brought
/// much, and given back, because others may use the pool: a quiet line is not to pay for that.
const LEAST_READY: usize = 8;

/// Receives in batches.
pub(super) struct Batch {
    stock: Stock,
    /// Bytes of a pool buffer.
    capacity: usize,
    behind: Vec<u8>,
    got: [Got; BATCH],
}

/// Two clocks read at the same time.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    now_ns: u64,
    realtime_ns: u64,
}

impl Clocks {
    /// Reads the system's clock; `now_ns` was read from the caller's just before.
    pub(super) fn read(now_ns: u64) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let realtime_ns = since.map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        });
        Self {
            now_ns,
            realtime_ns,
        }
    }

    /// A time of the system's clock on the caller's: never later than its now, nor below 0. Without
    /// one, now.
    fn received_ns(self, stamp_ns: Option<u64>) -> u64 {
        let age = stamp_ns.map_or(0, |stamp| self.realtime_ns.saturating_sub(stamp));
        self.now_ns.saturating_sub(age)
    }
}

/// A slot after a receive.
struct Slot<'a> {
    got: Got,
    /// The receive put its first bytes, a buffer full, into the first buffer of the stock.
    has_buffer: bool,
    /// What follows them.
    behind: &'a [u8],
    /// Buffers of the stock that belong to later slots.
    promised: usize,
}

impl Batch {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self {
            capacity: pool.capacity(),
            // Twice: those of the slots, and those that a merged run takes besides.
            stock: Stock::new(pool, 2 * BATCH),
            // Untouched until something is merged, or the pool is empty.
            behind: vec![0; BATCH * BEHIND],
            got: [Got::default(); BATCH],
        }
    }

    /// Appends what waits in the socket, at most a batch.
    pub(super) fn poll(
        &mut self,
        line: &mut Line,
        clocks: Clocks,
        packets: &mut Vec<Packet>,
    ) -> io::Result<()> {
        self.stock.fill(line.ready.min(line.slots));
        let filled = self.receive(line).map(|received| {
            let before = line.counts.received;
            let with_buffer = received.min(self.stock.len());
            for at in 0..received {
                let slot = Slot {
                    got: self.got[at],
                    has_buffer: at < with_buffer,
                    behind: &self.behind[at * BEHIND..][..BEHIND],
                    promised: with_buffer.saturating_sub(at + 1),
                };
                hand_on(&mut self.stock, self.capacity, slot, line, clocks, packets);
            }
            line.ready = (2 * received).max(line.ready / 2).clamp(LEAST_READY, BATCH);
            let datagrams = line.counts.received - before;
            if let Some(merged) = datagrams.checked_div(received as u64) {
                line.counts.calls += 1;
                line.slots = (TARGET / merged.max(1)).clamp(LEAST_SLOTS, BATCH as u64) as usize;
            }
        });
        self.stock.keep(1);
        filled
    }

    /// Fills the slots; gives how many.
    fn receive(&mut self, line: &Line) -> io::Result<usize> {
        loop {
            let mut buffers = self.stock.memory();
            let mut behind = self.behind.chunks_exact_mut(BEHIND);
            let mut slots: [[IoSliceMut<'_>; 2]; BATCH] = std::array::from_fn(|_| {
                [buffers.next(), behind.next()].map(|part| IoSliceMut::new(part.unwrap_or(&mut [])))
            });
            match linux::receive(&line.socket, &mut slots[..line.slots], &mut self.got) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                other => return other,
            }
        }
    }
}

/// Appends the datagrams of one slot.
fn hand_on(
    stock: &mut Stock,
    capacity: usize,
    slot: Slot<'_>,
    line: &mut Line,
    clocks: Clocks,
    packets: &mut Vec<Packet>,
) {
    let received_ns = clocks.received_ns(slot.got.stamp_ns);
    let in_front = if slot.has_buffer { capacity } else { 0 };
    let total = slot.got.length.min(in_front + BEHIND);
    let step = slot.got.segment.unwrap_or(total).max(1);
    let mut home = None;
    let mut begin = 0;
    loop {
        let end = total.min(begin + step);
        let length = end - begin;
        line.counts.received += 1;
        let fits = length <= capacity;
        if slot.has_buffer && begin == 0 {
            if !fits {
                line.counts.dropped_too_long += 1;
                stock.set_first_aside();
            } else if let Some(buffer) = stock.take_first() {
                home = Some((packets.len(), length));
                line.deliver(buffer, length, received_ns, packets);
            }
        } else if let Some(mut buffer) = spare(stock, slot.promised) {
            if fits {
                let front = home.map_or(&[][..], |(at, _): (usize, _)| &packets[at].bytes[..]);
                copy(front, slot.behind, in_front, begin, &mut buffer[..length]);
                buffer.set_length(length);
                line.deliver(buffer, length, received_ns, packets);
            } else {
                line.counts.dropped_too_long += 1;
            }
        } else {
            line.counts.dropped_pool_empty += 1;
        }
        begin = end;
        if begin >= total {
            break;
        }
    }
    // All of it was visible until here, because later datagrams begin in it.
    if let Some((at, length)) = home {
        packets[at].bytes.set_length(length);
    }
}

/// A buffer that no later slot needs.
fn spare(stock: &mut Stock, promised: usize) -> Option<Buffer> {
    if stock.len() <= promised {
        stock.fill(promised + BATCH);
    }
    if stock.len() > promised {
        stock.take_last()
    } else {
        None
    }
}

/// Copies what begins at `begin` of a slot: its first `in_front` bytes are `front` (which nobody asks
/// for where it is empty), the others `behind`.
fn copy(front: &[u8], behind: &[u8], in_front: usize, begin: usize, into: &mut [u8]) {
    let here = front.get(begin..).unwrap_or(&[]);
    let (first, rest) = into.split_at_mut(here.len().min(into.len()));
    first.copy_from_slice(&here[..first.len()]);
    let from = (begin + first.len()).saturating_sub(in_front);
    rest.copy_from_slice(&behind[from..][..rest.len()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_times_become_times_of_the_caller() {
        let clocks = Clocks {
            now_ns: 1_000,
            realtime_ns: 5_000_000,
        };
        assert_eq!(clocks.received_ns(Some(4_999_900)), 900);
        assert_eq!(clocks.received_ns(Some(5_000_000)), 1_000);
        assert_eq!(clocks.received_ns(Some(5_000_001)), 1_000, "never later");
        assert_eq!(clocks.received_ns(Some(0)), 0, "before the caller's clock");
        assert_eq!(clocks.received_ns(None), 1_000);
    }

    #[test]
    fn bytes_are_found_on_both_sides_of_a_buffers_end() {
        let (front, behind) = ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]);
        let mut into = [0; 3];
        for begin in 0..=7 {
            copy(&front, &behind, 5, begin, &mut into);
            let wanted = [begin as u8, begin as u8 + 1, begin as u8 + 2];
            assert_eq!(into, wanted);
        }
        copy(&[], &behind, 0, 1, &mut into);
        assert_eq!(into, [6, 7, 8], "nothing in front");
        copy(&[], &behind, 5, 7, &mut into);
        assert_eq!(into, [7, 8, 9], "too long in front");
    }
}
