//! TLS 1.2 and 1.3 under a connection, by rustls with the ring provider.
//!
//! Everything is done by the calls of the duty cycle, on sockets that do not block. Whether
//! certificates are in date is judged by the system's clock, inside rustls, which also bounds what a
//! handshake may hold. Sessions are not resumed, so nothing is kept of a connection that has ended.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::{FixError, TlsOptions};

/// Plain bytes encrypted at a time, a whole record.
const RECORD: usize = 16 * 1024;
/// Reads that may bring no plain bytes, before the next duty.
const READS: usize = 8;

/// Who we are, and whom we ask to say who they are.
#[derive(Debug)]
pub(super) struct Identity(Arc<ServerConfig>);

impl Identity {
    pub(super) fn new(options: &TlsOptions) -> Result<Self, FixError> {
        let chain = certificates(&options.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&options.key)
            .map_err(|error| refused(&options.key, &error))?;
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&options.certificate, &error))?;
        let builder = match &options.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots
                        .add(certificate)
                        .map_err(|error| refused(path, &error))?;
                }
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|error| refused(path, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| refused(&options.key, &error))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn accept(&self, socket: TcpStream) -> io::Result<Stream> {
        let tls = ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)?;
        Ok(Stream {
            socket,
            tls,
            handshake_bytes: 0,
        })
    }
}

fn refused(path: &Path, reason: &dyn std::fmt::Display) -> FixError {
    FixError::Certificate {
        path: path.into(),
        reason: reason.to_string(),
    }
}

/// All certificates in the file, one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FixError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| refused(path, &error));
    match found {
        Ok(found) if found.is_empty() => Err(refused(path, &"no certificate is in it")),
        found => found,
    }
}

/// A socket and the state of TLS on it.
#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    tls: ServerConnection,
    /// Bytes of the handshake that have come.
    handshake_bytes: usize,
}

impl Stream {
    /// Plain bytes that have come. What TLS itself has to answer is written meanwhile.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        for _ in 0..READS {
            match self.tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
            let came = self.tls.read_tls(&mut self.socket)?;
            if came == 0 {
                return Ok(0);
            }
            if self.tls.is_handshaking() {
                self.handshake_bytes += came;
            }
            let processed = self.tls.process_new_packets();
            let pushed = self.push();
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            pushed?;
        }
        Err(ErrorKind::WouldBlock.into())
    }

    /// Encrypts a record of `bytes` if the system has all records before it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        if !self.is_flushed() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let record = &bytes[..bytes.len().min(RECORD)];
        let taken = self.tls.writer().write(record)?;
        self.push()?;
        Ok(taken)
    }

    pub(super) fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if super::socket::is_for_later(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn is_flushed(&self) -> bool {
        !self.tls.wants_write()
    }

    pub(super) fn handshake_bytes(&self) -> Option<usize> {
        self.tls.is_handshaking().then_some(self.handshake_bytes)
    }

    /// Says goodbye within TLS and returns the socket.
    pub(super) fn finish(&mut self) -> &mut TcpStream {
        self.tls.send_close_notify();
        let _ = self.push();
        &mut self.socket
    }
}
