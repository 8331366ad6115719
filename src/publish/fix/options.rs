//! What can be set, and what can be wrong with it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use super::{Counterparty, Schedule, StoreError, StoreOptions};

/// TLS under every connection of a listener. Files are PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    /// Our certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// Authorities, one of which must have signed the certificate that a client shows; without this
    /// none is asked for.
    pub client_authorities: Option<PathBuf>,
}

/// Settings of the acceptor. Every field may be left out of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcceptorOptions {
    /// Address to listen on; default 127.0.0.1:9878, port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be wider than loopback although nothing is encrypted, default no.
    pub plain_text: bool,
    /// TLS; none unless said.
    pub tls: Option<TlsOptions>,
    /// Our name, SenderCompID of what we send; default `WIDETAPE`.
    pub sender_comp_id: String,
    /// Names that counterparties may have, `*` and `?` as in [`Counterparty::comp_id`]. If none is
    /// listed here nor among `counterparties`, which is the default, anybody is admitted.
    pub target_comp_ids: Vec<String>,
    /// Counterparties with terms of their own; the first that fits decides.
    pub counterparties: Vec<Counterparty>,
    /// Whether numbers start at 1 at every Logon, default no.
    pub reset_on_logon: bool,
    /// When counterparties may be logged on; always unless said.
    pub schedule: Option<Schedule>,
    /// Where numbers and messages are kept; default in memory, and no messages.
    pub store: StoreOptions,
    /// Whether best bids and offers are offered, default yes. Where nobody takes them no ladders of prices
    /// are kept, and messages cost a third.
    pub quotes: bool,
    /// Whether every single execution is offered to those who ask for it, default no.
    pub trades: bool,
    /// Connections at a time, default 64. For one more the oldest that has not logged on is closed; if
    /// all have, the new one.
    pub max_sessions: usize,
    /// Connections at a time that have not logged on, default 16; for one more the oldest is closed.
    pub max_pending_logons: usize,
    /// Longest BodyLength accepted, default 65536; longer messages are garbled.
    pub max_message_bytes: usize,
    /// Bytes that may wait for one slow reader before its symbols are conflated, default 256 KiB, below
    /// `max_pending_bytes`: they are marked, and when the socket takes bytes again their newest values go
    /// out.
    pub conflate_bytes: usize,
    /// Milliseconds that bytes may wait for one slow reader, default 30000; beyond it the session is
    /// logged out.
    pub max_pending_ms: u64,
    /// Bytes that may wait for one slow reader, default 16 MiB; beyond it the session is logged out.
    pub max_pending_bytes: usize,
    /// Market data subscriptions of one session, default 16, 1 to 65536.
    pub max_subscriptions: usize,
    /// Milliseconds that a new connection has for its Logon, a TLS handshake included, default 10000.
    pub logon_timeout_ms: u64,
    /// Seconds by which SendingTime may differ from our clock (MaxLatency), default 120.
    pub clock_tolerance_s: u64,
    /// Milliseconds that a closing connection has to take its last bytes and answer our Logout,
    /// default 1000. [`finish`](crate::publish::Publisher::finish) waits no longer either.
    pub linger_ms: u64,
}

impl Default for AcceptorOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9878),
            plain_text: false,
            tls: None,
            sender_comp_id: "WIDETAPE".to_owned(),
            target_comp_ids: Vec::new(),
            counterparties: Vec::new(),
            reset_on_logon: false,
            schedule: None,
            store: StoreOptions::default(),
            quotes: true,
            trades: false,
            max_sessions: 64,
            max_pending_logons: 16,
            max_message_bytes: crate::wire::fix::MAX_MESSAGE_BYTES,
            conflate_bytes: 256 << 10,
            max_pending_ms: 30_000,
            max_pending_bytes: 16 << 20,
            max_subscriptions: 16,
            logon_timeout_ms: 10_000,
            clock_tolerance_s: 120,
            linger_ms: 1_000,
        }
    }
}

/// Longest CompID.
pub(super) const MAX_COMP_ID: usize = 64;

/// Whether `name` can stand in SenderCompID: 1 to 64 printable ASCII characters.
pub(super) fn is_comp_id(name: &[u8]) -> bool {
    let printable = |byte: &u8| (b' '..=b'~').contains(byte);
    (1..=MAX_COMP_ID).contains(&name.len()) && name.iter().all(printable)
}

impl AcceptorOptions {
    fn validate_names(&self) -> Result<(), FixError> {
        let ours = self.counterparties.iter();
        let ours = ours.filter_map(|one| one.sender_comp_id.as_ref());
        let theirs = self.counterparties.iter().map(|one| &one.comp_id);
        let names = [("sender_comp_id", &self.sender_comp_id)];
        let targets = self.target_comp_ids.iter();
        let names = names
            .into_iter()
            .chain(targets.map(|name| ("target_comp_ids", name)))
            .chain(theirs.map(|name| ("counterparties.comp_id", name)))
            .chain(ours.map(|name| ("counterparties.sender_comp_id", name)));
        for (name, value) in names {
            if !is_comp_id(value.as_bytes()) {
                let reason = "must be 1 to 64 printable ASCII characters";
                return Err(FixError::Option { name, reason });
            }
        }
        let unspoken = |one: &Counterparty| one.versions.is_empty();
        if self.counterparties.iter().any(unspoken) {
            let name = "counterparties.versions";
            let reason = "must name one version at least";
            return Err(FixError::Option { name, reason });
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<(), FixError> {
        let to_65_536 = (1..=1 << 16, "must be 1 to 65536");
        let to_a_gibibyte = |least| least..=1 << 30;
        for (name, value, (range, reason)) in [
            ("max_sessions", self.max_sessions, to_65_536.clone()),
            (
                "max_pending_logons",
                self.max_pending_logons,
                to_65_536.clone(),
            ),
            ("max_subscriptions", self.max_subscriptions, to_65_536),
            (
                "max_message_bytes",
                self.max_message_bytes,
                (to_a_gibibyte(512), "must be 512 to 1073741824"),
            ),
            (
                "max_pending_bytes",
                self.max_pending_bytes,
                (to_a_gibibyte(65_536), "must be 65536 to 1073741824"),
            ),
            (
                "store.messages",
                self.store.messages,
                (0..=1_000_000, "must be 1000000 at most"),
            ),
        ] {
            if !range.contains(&value) {
                return Err(FixError::Option { name, reason });
            }
        }
        Ok(())
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`FixError::Option`] names the first setting that is out of range.
    pub fn validate(&self) -> Result<(), FixError> {
        let refuse = |name, reason| Err(FixError::Option { name, reason });
        self.validate_names()?;
        self.validate_numbers()?;
        if self.conflate_bytes >= self.max_pending_bytes {
            return refuse("conflate_bytes", "must be below max_pending_bytes");
        }
        let day_ms = 86_400_000;
        let at_most = [
            ("logon_timeout_ms", self.logon_timeout_ms),
            ("linger_ms", self.linger_ms),
            ("max_pending_ms", self.max_pending_ms),
            (
                "clock_tolerance_s",
                self.clock_tolerance_s.saturating_mul(1_000),
            ),
        ];
        let tolerances = self.counterparties.iter();
        let tolerances = tolerances
            .filter_map(|one| one.clock_tolerance_s)
            .map(|seconds| {
                let millis = seconds.saturating_mul(1_000);
                ("counterparties.clock_tolerance_s", millis)
            });
        for (name, millis) in at_most.into_iter().chain(tolerances) {
            if millis > day_ms {
                return refuse(name, "must not exceed a day");
            }
        }
        Ok(())
    }
}

/// Why there is no acceptor.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// A setting is out of range.
    #[error("fix.acceptor.{name} {reason}")]
    Option {
        /// Field of [`AcceptorOptions`].
        name: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// The address is wider than loopback, and nobody has said that plain text may go there.
    #[error(
        "FIX on {address} would go over a network in plain text, passwords too: give it a certificate under [fix.acceptor.tls], or say plain_text = true under [fix.acceptor]"
    )]
    PlainText {
        /// The address asked for.
        address: SocketAddr,
    },
    /// This program was built without the feature `tls`.
    #[error("fix.acceptor.tls is set, and this program was built without the feature `tls`")]
    NoTls,
    /// A file of TLS cannot be read, or does not hold what it should.
    #[error("fix.acceptor.tls: {}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Numbers cannot be kept where they should be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else listens there.
    #[error(
        "FIX address {address} is in use: stop the program that holds it or choose another address (--fix, or listen under [fix.acceptor])"
    )]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system refuses the address.
    #[error("cannot listen for FIX on {address}: {error}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_and_unknown_settings_are_refused() {
        let options: AcceptorOptions = toml::from_str("").unwrap();
        assert_eq!(options, AcceptorOptions::default());
        assert_eq!(options.listen.to_string(), "127.0.0.1:9878");
        options.validate().unwrap();
        assert!(toml::from_str::<AcceptorOptions>("sender = 'X'").is_err());
    }

    #[test]
    fn both_sides_of_the_limits() {
        let name = |length: usize| format!("sender_comp_id = '{}'", "N".repeat(length));
        let cases = [
            (name(64), None),
            (name(65), Some("sender_comp_id")),
            (name(0), Some("sender_comp_id")),
            ("target_comp_ids = ['A', 'B C']".to_owned(), None),
            (
                "target_comp_ids = ['A', 'é']".to_owned(),
                Some("target_comp_ids"),
            ),
            ("max_sessions = 1".to_owned(), None),
            ("max_sessions = 0".to_owned(), Some("max_sessions")),
            ("max_pending_logons = 1".to_owned(), None),
            (
                "max_pending_logons = 0".to_owned(),
                Some("max_pending_logons"),
            ),
            (
                "max_message_bytes = 511".to_owned(),
                Some("max_message_bytes"),
            ),
            (
                "max_pending_bytes = 65535".to_owned(),
                Some("max_pending_bytes"),
            ),
            (
                "max_pending_bytes = 65536\nconflate_bytes = 65535".to_owned(),
                None,
            ),
            (
                "max_pending_bytes = 65536\nconflate_bytes = 65536".to_owned(),
                Some("conflate_bytes"),
            ),
            (
                "max_pending_bytes = 262144".to_owned(),
                Some("conflate_bytes"),
            ),
            ("max_subscriptions = 1".to_owned(), None),
            (
                "max_subscriptions = 0".to_owned(),
                Some("max_subscriptions"),
            ),
            ("linger_ms = 86400000".to_owned(), None),
            ("linger_ms = 86400001".to_owned(), Some("linger_ms")),
            (
                "clock_tolerance_s = 86401".to_owned(),
                Some("clock_tolerance_s"),
            ),
        ];
        cases.iter().for_each(|(text, wrong)| refuses(text, *wrong));
    }

    /// Sees that of these options this one is refused, or none.
    fn refuses(text: &str, wrong: Option<&str>) {
        let options: AcceptorOptions = toml::from_str(text).unwrap();
        let found = match options.validate() {
            Err(FixError::Option { name, .. }) => Some(name),
            _ => None,
        };
        assert_eq!(found, wrong, "{text}");
    }

    #[test]
    fn upper_limits() {
        for (option, most, name) in [
            ("max_sessions = ", 65_536, "max_sessions"),
            ("max_pending_logons = ", 65_536, "max_pending_logons"),
            ("max_subscriptions = ", 65_536, "max_subscriptions"),
            ("max_message_bytes = ", 1_073_741_824, "max_message_bytes"),
            ("max_pending_bytes = ", 1_073_741_824, "max_pending_bytes"),
            ("store.messages = ", 1_000_000, "store.messages"),
        ] {
            refuses(&format!("{option}{most}"), None);
            refuses(&format!("{option}{}", most + 1), Some(name));
        }
    }
}
