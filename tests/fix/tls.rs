//! FIX under TLS, seen by a client of its own: certificates, refusals, slow readers, and the session
//! rules once more.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use widetape::market::{Locate, Price, Symbol, Timestamp};
use widetape::publish::fix::{Acceptor, AcceptorOptions, FixError, TlsOptions};
use widetape::publish::{Publisher, Update};
use widetape::window::Row;

use super::client::{Desk, START_TEXT, Wire, framed, one_trade};
use super::scenarios::{Carrier, every_rule_over};

const PATIENCE: Duration = Duration::from_secs(20);

/// An authority, what it has signed, and the folder where the acceptor finds that.
pub(super) struct Authority {
    folder: PathBuf,
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("widetape-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let authority = Self {
            folder,
            certificate,
            issuer: Issuer::new(params, key),
        };
        let (server, key) = authority.sign("localhost");
        authority.write("server.pem", &server.pem());
        authority.write("server.key", &key.serialize_pem());
        authority.write("authority.pem", &authority.certificate.pem());
        authority
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// What the acceptor is told; clients need a certificate of ours if `asks`.
    fn options(&self, asks: bool) -> TlsOptions {
        TlsOptions {
            certificate: self.folder.join("server.pem"),
            key: self.folder.join("server.key"),
            client_authorities: asks.then(|| self.folder.join("authority.pem")),
        }
    }

    /// A client that trusts us, with a certificate of `signer` if there is one.
    fn client(
        &self,
        signer: Option<&Authority>,
        version: &'static SupportedProtocolVersion,
    ) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let config = match signer.map(|signer| signer.sign("desk")) {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
                let chain = vec![certificate.der().clone()];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        ClientConnection::new(Arc::new(config), name).unwrap()
    }
}

type Line = StreamOwned<ClientConnection, TcpStream>;

/// Connects and shakes hands, or fails to.
fn dial(desk: &mut Desk, mut client: ClientConnection) -> Line {
    let mut stream = TcpStream::connect(desk.acceptor.local_address().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let start = Instant::now();
    while client.is_handshaking() {
        assert!(start.elapsed() < PATIENCE, "no end of the handshake");
        match client.complete_io(&mut stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => break,
            _ => desk.duty(),
        };
    }
    StreamOwned::new(client, stream)
}

/// What comes until `enough` or the end, `|` for the separator.
fn read(desk: &mut Desk, line: &mut Line, enough: impl Fn(&str) -> bool) -> String {
    let (mut text, mut chunk) = (String::new(), vec![0; 65_536]);
    let start = Instant::now();
    while !enough(&text) {
        assert!(start.elapsed() < PATIENCE, "only this came: {text}");
        desk.duty();
        match line.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => text += &String::from_utf8_lossy(&chunk[..length]).replace('\x01', "|"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    text
}

fn message(number: u64, msg_type: &str, fields: &str) -> Vec<u8> {
    let header = format!("35={msg_type}|49=ME|56=WIDETAPE|34={number}|52={START_TEXT}|");
    framed("FIX.4.4", &(header + fields))
}

fn desk(authority: &Authority, asks: bool) -> Desk {
    Desk::new(|options| options.tls = Some(authority.options(asks)))
}

#[test]
fn a_session_under_either_version_of_tls() {
    let authority = Authority::new("versions");
    let mut desk = desk(&authority, false);
    for (number, version) in [&TLS12, &TLS13].into_iter().enumerate() {
        let mut line = dial(&mut desk, authority.client(None, version));
        assert_eq!(line.conn.protocol_version(), Some(version.version));
        line.write_all(&message(1, "A", "98=0|108=30|141=Y|"))
            .unwrap();
        let answer = read(&mut desk, &mut line, |text| text.contains("|10="));
        assert!(answer.contains("|35=A|"), "{answer}");
        line.write_all(&message(2, "5", "")).unwrap();
        let goodbye = read(&mut desk, &mut line, |_| false);
        assert!(goodbye.contains("|35=5|"), "{goodbye}");
        drop(line);
        desk.until(|acceptor| acceptor.connections() == 0);
        assert_eq!(desk.acceptor.counts().logons, number as u64 + 1);
    }
    let mut plain = desk.connect("ME");
    plain.send(&desk, "A", "98=0|108=30|");
    desk.until(|acceptor| acceptor.counts().disconnects == 3);
    let counts = desk.acceptor.counts();
    assert_eq!((counts.handshakes_refused, counts.logons), (1, 2));
}

#[test]
fn clients_must_show_the_certificate_that_is_asked_for() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let mut desk = desk(&ours, true);
    for version in [&TLS12, &TLS13] {
        for (signer, welcome) in [(Some(&ours), true), (Some(&other), false), (None, false)] {
            let before = desk.acceptor.counts();
            let mut line = dial(&mut desk, ours.client(signer, version));
            // What is refused in TLS 1.3 is told after the client's last step.
            let _ = line.write_all(&message(1, "A", "98=0|108=30|141=Y|"));
            let answer = read(&mut desk, &mut line, |text| text.contains("|10="));
            assert_eq!(answer.contains("|35=A|"), welcome, "{answer}");
            drop(line);
            desk.until(|acceptor| acceptor.connections() == 0);
            let after = desk.acceptor.counts();
            let refused = after.handshakes_refused - before.handshakes_refused;
            let logons = after.logons - before.logons;
            assert_eq!((refused == 1, logons == 1), (!welcome, welcome));
        }
    }
}

#[test]
fn half_a_handshake_ends_with_the_time_for_a_logon() {
    let authority = Authority::new("half");
    let mut desk = desk(&authority, false);
    let mut hello = Vec::new();
    authority
        .client(None, &TLS13)
        .write_tls(&mut hello)
        .unwrap();
    let mut quiet = desk.connect("ME");
    let mut half = desk.connect("ME");
    half.send_bytes(&hello[..hello.len() / 2]);
    desk.until(|acceptor| acceptor.connections() == 2);
    desk.elapsed_ms = 9_999;
    desk.duty();
    assert_eq!(desk.acceptor.connections(), 2);
    desk.elapsed_ms = 10_000;
    quiet.closed(&mut desk);
    half.closed(&mut desk);
    assert_eq!(desk.acceptor.counts().logons_refused, 2);
}

#[test]
fn nothing_is_lost_or_altered_where_the_reader_is_slow() {
    let authority = Authority::new("slow");
    let mut desk = Desk::new(|options| {
        options.tls = Some(authority.options(false));
        options.conflate_bytes = 8 << 20;
    });
    let symbols: Vec<Symbol> = (0..500_u16)
        .map(|number| Symbol::new(&format!("S{number}")).unwrap())
        .collect();
    for (number, symbol) in symbols.iter().enumerate() {
        desk.acceptor.listing(Locate(number as u16), *symbol);
    }
    let mut line = dial(&mut desk, authority.client(None, &TLS13));
    line.write_all(&message(1, "A", "98=0|108=0|")).unwrap();
    let wish = "262=R|263=1|264=0|267=1|269=9|146=1|55=*|";
    line.write_all(&message(2, "V", wish)).unwrap();
    desk.until(|acceptor| acceptor.counts().requests == 1);
    let mut ends = 0;
    while desk.acceptor.counts().bytes_waiting < 1 << 20 {
        ends += 1;
        publish(&mut desk.acceptor, &symbols, ends);
    }
    let last = format!("|34={}|", desk.acceptor.counts().messages_sent);
    let text = read(&mut desk, &mut line, |text| {
        text.rfind(&last)
            .is_some_and(|at| text[at..].contains("|10="))
    });
    let mut rest = &text[..];
    let mut number = 0;
    while let Some(at) = rest.find("|10=") {
        let (one, after) = rest.split_at(at + 1);
        let sum = one.bytes().map(|byte| if byte == b'|' { 1 } else { byte });
        let sum = sum.fold(0_u8, u8::wrapping_add);
        number += 1;
        assert!(after.starts_with(&format!("10={sum:03}|")), "{one}");
        assert!(one.contains(&format!("|34={number}|")), "{number}: {one}");
        rest = &after["10=000|".len()..];
    }
    assert_eq!(rest, "");
    assert_eq!(
        text.matches("|270=").count() as u64,
        ends * symbols.len() as u64
    );
}

/// One row of each symbol.
fn publish(acceptor: &mut Acceptor, symbols: &[Symbol], number: u64) {
    let end = Timestamp(number * 1_000_000_000);
    let row = |(locate, symbol): (usize, &Symbol)| Row {
        end,
        locate: Locate(locate as u16),
        symbol: *symbol,
        window: 0,
        sums: one_trade(Price(10_000), number as u32),
        complete: true,
        revision: 0,
    };
    let rows: Vec<Row> = symbols.iter().enumerate().map(row).collect();
    let update = Update {
        time: end,
        rows: (&rows).into(),
        tops: &[],
    };
    acceptor.publish(&update).unwrap();
}

#[test]
fn files_that_do_not_fit_are_named() {
    let authority = Authority::new("files");
    authority.write("empty.pem", "");
    let bind = |tls: TlsOptions| {
        let options = AcceptorOptions {
            listen: ([0, 0, 0, 0], 0).into(),
            tls: Some(tls),
            ..AcceptorOptions::default()
        };
        Acceptor::bind(options, Vec::new())
    };
    let good = authority.options(true);
    assert!(bind(good.clone()).is_ok(), "TLS may go beyond loopback");
    let named = |file: &str| Some(authority.folder.join(file));
    for (file, wrong) in [
        (
            "absent.pem",
            TlsOptions {
                certificate: named("absent.pem").unwrap(),
                ..good.clone()
            },
        ),
        (
            "empty.pem",
            TlsOptions {
                certificate: named("empty.pem").unwrap(),
                ..good.clone()
            },
        ),
        (
            "server.pem",
            TlsOptions {
                key: named("server.pem").unwrap(),
                ..good.clone()
            },
        ),
        (
            "empty.pem",
            TlsOptions {
                client_authorities: named("empty.pem"),
                ..good.clone()
            },
        ),
    ] {
        let error = bind(wrong).unwrap_err();
        let is_named = matches!(&error, FixError::Certificate { path, .. } if path.ends_with(file));
        assert!(is_named, "{file}: {error}");
    }
}

impl Carrier for Authority {
    fn settings(&self, options: &mut AcceptorOptions) {
        options.tls = Some(self.options(false));
    }

    fn dial(&self, desk: &mut Desk) -> Box<dyn Wire> {
        Box::new(dial(desk, self.client(None, &TLS13)))
    }
}

#[test]
fn the_session_rules_hold_under_tls() {
    every_rule_over(&Authority::new("rules"));
}
