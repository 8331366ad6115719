//! Who may log on, and on which terms.

use std::net::IpAddr;

use serde::Deserialize;

use super::{AcceptorOptions, AddressRange, Credentials, Period, Schedule, Version};

/// One counterparty, or all whose names fit a pattern. Every field but the name may be left out of a
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counterparty {
    /// Its CompID; `*` stands for any characters and `?` for one. Default `*`.
    pub comp_id: String,
    /// Our CompID towards it; the acceptor's unless said.
    pub sender_comp_id: Option<String>,
    /// Versions that it may speak; default all.
    pub versions: Vec<Version>,
    /// Addresses that it may call from; default none listed, which admits any.
    pub addresses: Vec<AddressRange>,
    /// What its Logon must carry; nothing unless said.
    pub credentials: Option<Credentials>,
    /// Whether numbers start at 1 at every Logon; the acceptor's answer unless said.
    pub reset_on_logon: Option<bool>,
    /// Seconds by which SendingTime may differ from our clock (MaxLatency); the acceptor's unless
    /// said.
    pub clock_tolerance_s: Option<u64>,
    /// When it may be logged on; the acceptor's schedule unless said.
    pub schedule: Option<Schedule>,
    /// Whether no schedule applies to it, not even the acceptor's.
    pub always_open: bool,
}

impl Default for Counterparty {
    fn default() -> Self {
        Self {
            comp_id: "*".to_owned(),
            sender_comp_id: None,
            versions: Version::ALL.to_vec(),
            addresses: Vec::new(),
            credentials: None,
            reset_on_logon: None,
            clock_tolerance_s: None,
            schedule: None,
            always_open: false,
        }
    }
}

/// Who calls, as its first message and its socket say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) version: Version,
    /// SenderCompID.
    pub(super) name: &'a [u8],
    /// TargetCompID.
    pub(super) addressed: &'a [u8],
    pub(super) address: IpAddr,
}

/// What holds for one session.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) credentials: Option<Credentials>,
    pub(super) reset_on_logon: bool,
    pub(super) clock_tolerance_s: u64,
    pub(super) schedule: Option<Schedule>,
    /// The period that the session was opened in.
    pub(super) period: Period,
}

impl AcceptorOptions {
    /// The terms of the first counterparty that fits `caller`; `None` for strangers.
    pub(super) fn terms(&self, caller: &Caller<'_>) -> Option<Terms> {
        let anybody = Counterparty::default();
        let fitting = |one: &&Counterparty| one.fits(caller, &self.sender_comp_id);
        let named = |pattern: &String| matches(pattern.as_bytes(), caller.name);
        let invited = self.target_comp_ids.iter().any(named)
            || (self.target_comp_ids.is_empty() && self.counterparties.is_empty());
        let found = self.counterparties.iter().find(fitting);
        let one = found.or_else(|| Some(&anybody).filter(|one| invited && fitting(one)))?;
        let schedule = one.schedule.as_ref().or(self.schedule.as_ref());
        Some(Terms {
            credentials: one.credentials.clone(),
            reset_on_logon: one.reset_on_logon.unwrap_or(self.reset_on_logon),
            clock_tolerance_s: one.clock_tolerance_s.unwrap_or(self.clock_tolerance_s),
            schedule: schedule.filter(|_| !one.always_open).cloned(),
            period: Period::ALWAYS,
        })
    }
}

impl Counterparty {
    fn fits(&self, caller: &Caller<'_>, sender_comp_id: &str) -> bool {
        let ours = self.sender_comp_id.as_deref().unwrap_or(sender_comp_id);
        let addresses = &self.addresses;
        matches(self.comp_id.as_bytes(), caller.name)
            && caller.addressed == ours.as_bytes()
            && self.versions.contains(&caller.version)
            && (addresses.is_empty() || addresses.iter().any(|one| one.holds(caller.address)))
    }
}

/// Whether `name` fits `pattern`. Looks back to the newest `*` only, so it takes no longer than the
/// product of the lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut done) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while done < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, done));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[done] => {
                at += 1;
                done += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                (at, done) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("DESK", "DESK", true),
            ("DESK", "DESK1", false),
            ("DESK?", "DESK1", true),
            ("DESK?", "DESK", false),
            ("*", "ANY", true),
            ("D*K*", "DESK", true),
            ("D*K*", "DESKS", true),
            ("*A*A", "BANANAS", false),
            ("*A*A", "BANANA", true),
            ("", "X", false),
        ] {
            let found = matches(pattern.as_bytes(), name.as_bytes());
            assert_eq!(found, fits, "{pattern} {name}");
        }
        let slow = "a*".repeat(30) + "b";
        assert!(!matches(slow.as_bytes(), &[b'a'; 64]));
    }

    fn options(text: &str) -> AcceptorOptions {
        toml::from_str(text).unwrap()
    }

    fn caller<'a>(name: &'a str, version: Version, address: &str) -> Caller<'a> {
        Caller {
            version,
            name: name.as_bytes(),
            addressed: b"WIDETAPE",
            address: address.parse().unwrap(),
        }
    }

    #[test]
    fn the_first_that_fits_decides() {
        let options = options(
            "reset_on_logon = true
             target_comp_ids = ['GUEST*']
             schedule = { start = '08:00', end = '17:00' }
             [[counterparties]]
             comp_id = 'DESK1'
             versions = ['FIX.5.0SP2']
             addresses = ['10.0.0.0/8']
             clock_tolerance_s = 5
             reset_on_logon = false
             always_open = true
             [[counterparties]]
             comp_id = 'DESK?'
             [[counterparties]]
             comp_id = 'OTHER'
             sender_comp_id = 'NAME2'",
        );
        let terms = |name, version, address| {
            let found = options.terms(&caller(name, version, address));
            found.map(|one| {
                (
                    one.clock_tolerance_s,
                    one.reset_on_logon,
                    one.schedule.is_some(),
                )
            })
        };
        let inside = "10.1.1.1";
        let special = Some((5, false, false));
        let usual = Some((120, true, true));
        assert_eq!(terms("DESK1", Version::Fix50Sp2, inside), special);
        assert_eq!(terms("DESK1", Version::Fix44, inside), usual);
        assert_eq!(terms("DESK1", Version::Fix50Sp2, "11.0.0.1"), usual);
        assert_eq!(terms("GUEST9", Version::Fix42, "11.0.0.1"), usual);
        assert_eq!(terms("STRANGER", Version::Fix44, inside), None);
        assert_eq!(
            terms("OTHER", Version::Fix44, inside),
            None,
            "56 is not NAME2"
        );
        let other = Caller {
            addressed: b"NAME2",
            ..caller("OTHER", Version::Fix44, inside)
        };
        assert!(options.terms(&other).is_some());
    }

    #[test]
    fn nobody_listed_admits_anybody() {
        let options = AcceptorOptions::default();
        assert!(options.terms(&caller("X", Version::Fix42, "::1")).is_some());
    }
}
