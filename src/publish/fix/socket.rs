//! What a connection reads from and writes to: a TCP socket, as it is or under TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use bytes::{Buf, BytesMut};

#[cfg(feature = "tls")]
use super::tls;
use super::{AcceptorOptions, FixCounts, FixError};

/// What new connections are wrapped in.
#[derive(Debug)]
pub(super) struct Security {
    #[cfg(feature = "tls")]
    identity: Option<tls::Identity>,
}

impl Security {
    /// Reads what `options` names, and refuses to go beyond loopback without it.
    pub(super) fn new(options: &AcceptorOptions) -> Result<Self, FixError> {
        let address = options.listen;
        let is_local = address.ip().to_canonical().is_loopback();
        if !is_local && options.tls.is_none() && !options.plain_text {
            return Err(FixError::PlainText { address });
        }
        #[cfg(feature = "tls")]
        let security = Self {
            identity: options.tls.as_ref().map(tls::Identity::new).transpose()?,
        };
        #[cfg(not(feature = "tls"))]
        let security = match options.tls {
            None => Self {},
            Some(_) => return Err(FixError::NoTls),
        };
        Ok(security)
    }

    /// A socket that was just accepted.
    pub(super) fn wrap(&self, stream: TcpStream) -> io::Result<Socket> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        #[cfg(feature = "tls")]
        if let Some(identity) = &self.identity {
            return Ok(Socket::Tls(Box::new(identity.accept(stream)?)));
        }
        Ok(Socket::Plain(stream))
    }
}

/// One client's end.
#[derive(Debug)]
pub(super) enum Socket {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tls::Stream>),
}

impl Socket {
    /// Reads what is there; `Ok(0)` is the end. A step of a TLS handshake takes one of `handshakes`;
    /// without one the bytes wait.
    pub(super) fn read(
        &mut self,
        into: &mut [u8],
        handshakes: &mut usize,
        counts: &mut FixCounts,
    ) -> io::Result<usize> {
        let before = self.handshake_bytes();
        if before.is_some() && *handshakes == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let done = match self {
            Socket::Plain(stream) => stream.read(into),
            #[cfg(feature = "tls")]
            Socket::Tls(stream) => stream.read(into),
        };
        if before.is_some() && self.handshake_bytes() != before {
            *handshakes -= 1;
            let failed = |error: &io::Error| error.kind() == ErrorKind::InvalidData;
            counts.handshakes_refused += u64::from(done.as_ref().is_err_and(failed));
        }
        done
    }

    /// Writes what the system takes of `out`. Returns how often it took something.
    pub(super) fn write_some(
        &mut self,
        out: &mut BytesMut,
        counts: &mut FixCounts,
    ) -> io::Result<usize> {
        self.push()?;
        let mut writes = 0;
        while !out.is_empty() {
            let done = match self {
                Socket::Plain(stream) => stream.write(out),
                #[cfg(feature = "tls")]
                Socket::Tls(stream) => stream.write(out),
            };
            match done {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => {
                    out.advance(length);
                    counts.bytes_written += length as u64;
                    writes += 1;
                }
                Err(error) if is_for_later(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(writes)
    }

    /// Hands records on that are encrypted and not written yet.
    fn push(&mut self) -> io::Result<()> {
        match self {
            Socket::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Socket::Tls(stream) => stream.push(),
        }
    }

    /// Whether the system has everything that was written.
    pub(super) fn is_flushed(&self) -> bool {
        match self {
            Socket::Plain(_) => true,
            #[cfg(feature = "tls")]
            Socket::Tls(stream) => stream.is_flushed(),
        }
    }

    /// Bytes of a handshake that have come so far; `None` when there is none, or no longer.
    fn handshake_bytes(&self) -> Option<usize> {
        match self {
            Socket::Plain(_) => None,
            #[cfg(feature = "tls")]
            Socket::Tls(stream) => stream.handshake_bytes(),
        }
    }

    /// Says that nothing more will be written. A peer that has gone needs no telling.
    pub(super) fn finish(&mut self) {
        let _ = match self {
            Socket::Plain(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(feature = "tls")]
            Socket::Tls(stream) => stream.finish().shutdown(Shutdown::Write),
        };
    }
}

/// Whether `error` only says that there is nothing to be done now.
pub(super) fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
