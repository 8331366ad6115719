//! One datagram with one system call: what every system can do, and what the batches are held against.

use std::io::{self, IoSliceMut, Read};
use std::sync::Arc;

use socket2::Socket;

use super::Line;
use crate::buffer::{Buffer, Packet, Pool};

/// Datagrams taken from one socket by one poll at most, so that no line starves another.
const BATCH: usize = 64;

/// Reads into one buffer after another.
pub(super) struct Single {
    pool: Arc<Pool>,
    /// A buffer taken for a datagram that did not come: the next one goes in here.
    spare: Option<Buffer>,
}

/// What one read from a socket brought.
enum Received {
    Datagram(Buffer),
    Dropped,
    Nothing,
}

impl Single {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool, spare: None }
    }

    /// Appends what waits in the socket, at most a batch.
    pub(super) fn poll(
        &mut self,
        line: &mut Line,
        now_ns: u64,
        packets: &mut Vec<Packet>,
    ) -> io::Result<()> {
        for _ in 0..BATCH {
            match self.receive(line)? {
                Received::Datagram(bytes) => {
                    let length = bytes.len();
                    line.deliver(bytes, length, now_ns, packets);
                }
                Received::Dropped => {}
                Received::Nothing => break,
            }
        }
        Ok(())
    }

    /// Reads one datagram into the spare or a pool buffer.
    fn receive(&mut self, line: &mut Line) -> io::Result<Received> {
        let buffer = self.spare.take().or_else(|| self.pool.take());
        let Some(mut buffer) = buffer else {
            return Ok(match read_datagram(&line.socket, &mut [])? {
                None => Received::Nothing,
                Some(_) => {
                    line.counts.calls += 1;
                    line.counts.received += 1;
                    line.counts.dropped_pool_empty += 1;
                    Received::Dropped
                }
            });
        };
        let read = read_datagram(&line.socket, &mut buffer);
        let length = match read {
            Ok(Some(length)) => length,
            Ok(None) => {
                self.spare = Some(buffer);
                return Ok(Received::Nothing);
            }
            Err(error) => {
                self.spare = Some(buffer);
                return Err(error);
            }
        };
        line.counts.calls += 1;
        line.counts.received += 1;
        if length > buffer.len() {
            line.counts.dropped_too_long += 1;
            self.spare = Some(buffer);
            return Ok(Received::Dropped);
        }
        buffer.set_length(length);
        Ok(Received::Datagram(buffer))
    }
}

/// Bytes of the next datagram, which is in `into`, or more than `into` holds if it is longer; `None`
/// if there is none. One byte behind `into` is read as well to tell the two apart.
fn read_datagram(mut socket: &Socket, into: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        let mut beyond = [0];
        let mut parts = [IoSliceMut::new(into), IoSliceMut::new(&mut beyond)];
        match socket.read_vectored(&mut parts) {
            Ok(length) => return Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}
