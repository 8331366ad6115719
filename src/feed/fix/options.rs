//! Whom to log on to, as whom, and what to ask for.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::wire::fix::{MAX_MESSAGE_BYTES, Version};

/// A feed over FIX. Only `server` has no default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixFeedOptions {
    /// Address of the acceptor.
    pub server: SocketAddr,
    /// Whether `server` may be beyond loopback although nothing is encrypted, default no.
    #[serde(default)]
    pub plain_text: bool,
    /// Version of FIX, default 4.4.
    #[serde(default)]
    pub version: Version,
    /// Our name, default `WIDETAPE-FEED`.
    #[serde(default = "sender")]
    pub sender_comp_id: String,
    /// The counterparty's name, default `WIDETAPE`.
    #[serde(default = "target")]
    pub target_comp_id: String,
    /// 553 of the Logon; none unless said.
    #[serde(default)]
    pub username: Option<String>,
    /// 554 of the Logon; none unless said.
    #[serde(default)]
    pub password: Option<String>,
    /// Symbols to subscribe to; all (`*`) if none.
    #[serde(default)]
    pub symbols: Vec<String>,
    /// 336 of the subscription; none unless said. `trades` asks a widetape for single executions.
    #[serde(default)]
    pub trading_session_id: Option<String>,
    /// Whether bids and offers are asked for beside trades, default yes.
    #[serde(default = "yes")]
    pub quotes: bool,
    /// Whether the first subscription begins before the day's first trade, so that nothing is missing
    /// before it; default no.
    #[serde(default)]
    pub from_start: bool,
    /// Whether the first Logon lets both sides count from 1 (141=Y), default yes. Later ones go on
    /// counting.
    #[serde(default = "yes")]
    pub reset_on_logon: bool,
    /// HeartBtInt in seconds, default 10.
    #[serde(default = "heartbeat")]
    pub heartbeat_s: u64,
    /// Milliseconds to the first new attempt to connect, twice as many to each one after it; default
    /// 250.
    #[serde(default = "reconnect")]
    pub reconnect_ms: u64,
    /// Most milliseconds between two attempts, default 30000.
    #[serde(default = "most")]
    pub reconnect_max_ms: u64,
    /// Longest BodyLength accepted, default 65536; longer messages are garbled.
    #[serde(default = "longest")]
    pub max_message_bytes: usize,
}

fn sender() -> String {
    "WIDETAPE-FEED".to_owned()
}

fn target() -> String {
    "WIDETAPE".to_owned()
}

fn yes() -> bool {
    true
}

fn heartbeat() -> u64 {
    10
}

fn reconnect() -> u64 {
    250
}

fn most() -> u64 {
    30_000
}

fn longest() -> usize {
    MAX_MESSAGE_BYTES
}

impl FixFeedOptions {
    /// Defaults towards `server`.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        Self {
            server,
            plain_text: false,
            version: Version::default(),
            sender_comp_id: sender(),
            target_comp_id: target(),
            username: None,
            password: None,
            symbols: Vec::new(),
            trading_session_id: None,
            quotes: true,
            from_start: false,
            reset_on_logon: true,
            heartbeat_s: heartbeat(),
            reconnect_ms: reconnect(),
            reconnect_max_ms: most(),
            max_message_bytes: longest(),
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The setting that is wrong, and what it must be.
    pub fn validate(&self) -> Result<(), String> {
        let wrong = |name: &str, must: &str| Err(format!("feed.fix.{name} must {must}"));
        if !self.server.ip().to_canonical().is_loopback() && !self.plain_text {
            return Err(format!(
                "feed.fix.server = {} would be reached over a network in plain text, passwords too: \
                 use a TLS proxy on loopback, or say plain_text = true",
                self.server
            ));
        }
        let is_text = |text: &String| {
            let printable = |byte: u8| (b' '..=b'~').contains(&byte);
            (1..=64).contains(&text.len()) && text.bytes().all(printable)
        };
        let names = [
            ("sender_comp_id", Some(&self.sender_comp_id)),
            ("target_comp_id", Some(&self.target_comp_id)),
            ("username", self.username.as_ref()),
            ("password", self.password.as_ref()),
            ("trading_session_id", self.trading_session_id.as_ref()),
        ];
        let symbols = self.symbols.iter().map(|symbol| ("symbols", Some(symbol)));
        for (name, value) in names.into_iter().chain(symbols) {
            if !value.is_none_or(is_text) {
                return wrong(name, "be 1 to 64 printable ASCII characters");
            }
        }
        if !(1..=3_600).contains(&self.heartbeat_s) {
            return wrong("heartbeat_s", "be from 1 to 3600");
        }
        let backoff = self.reconnect_ms..=86_400_000;
        if self.reconnect_ms == 0 || !backoff.contains(&self.reconnect_max_ms) {
            return wrong(
                "reconnect_ms",
                "be from 1 to reconnect_max_ms, which is at most a day",
            );
        }
        if !(512..=16 << 20).contains(&self.max_message_bytes) {
            return wrong("max_message_bytes", "be from 512 to 16777216");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_the_limits() {
        let read = |more: &str| {
            let text = format!("server = '127.0.0.1:1'\n{more}");
            toml::from_str::<FixFeedOptions>(&text).unwrap().validate()
        };
        read("").unwrap();
        for (text, wrong) in [
            ("heartbeat_s = 3600", None),
            ("heartbeat_s = 3601", Some("heartbeat_s")),
            ("heartbeat_s = 0", Some("heartbeat_s")),
            ("reconnect_ms = 30000", None),
            ("reconnect_ms = 30001", Some("reconnect_ms")),
            ("symbols = ['AAPL', '']", Some("symbols")),
            ("max_message_bytes = 511", Some("max_message_bytes")),
        ] {
            let found = read(text).err();
            assert_eq!(found.is_some(), wrong.is_some(), "{text}");
            let named =
                |reason: String| reason.starts_with(&format!("feed.fix.{}", wrong.unwrap()));
            assert!(found.is_none_or(named), "{text}");
        }
        let far = FixFeedOptions::new("192.0.2.1:9878".parse().unwrap());
        assert!(far.validate().unwrap_err().contains("plain_text"));
        let defaults: FixFeedOptions = toml::from_str("server = '127.0.0.1:1'").unwrap();
        assert_eq!(
            defaults,
            FixFeedOptions::new("127.0.0.1:1".parse().unwrap())
        );
    }
}
