//! Names and passwords of counterparties. Passwords are kept as Argon2 hashes only.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Params, Version};
use serde::Deserialize;

/// Memory of the hashes made here, in KiB, and passes over it. A check takes the thread that also
/// publishes, so it must be short; what it costs an attacker who has the hash is in proportion.
const MEMORY_KIB: u32 = 4_096;
const PASSES: u32 = 2;
/// Largest memory times passes of a hash that is accepted, in KiB: about 20 ms.
const MOST_WORK_KIB: u64 = 24_576;

/// The hash of a password: an Argon2 string such as `$argon2id$v=19$m=4096,t=2,p=1$salt$hash`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PasswordHash(Phc);

impl PasswordHash {
    /// The hash of `password` with a random salt, as a configuration takes it.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn of(password: &[u8]) -> Result<String, String> {
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(&error))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2
            .hash_password(password)
            .map_err(|error| failed(&error))?;
        Ok(hash.to_string())
    }

    /// Whether it is the hash of `password`.
    #[must_use]
    pub fn fits(&self, password: &[u8]) -> bool {
        let argon2 = Argon2::default();
        argon2.verify_password(password, &self.0).is_ok()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fault = "no Argon2 hash such as $argon2id$v=19$m=4096,t=2,p=1$salt$hash";
        let hash = Phc::new(&text).map_err(|_| fault.to_owned())?;
        let params = Params::try_from(&hash).map_err(|_| fault.to_owned())?;
        let known = Algorithm::try_from(hash.algorithm.as_str()).is_ok();
        if !known || hash.salt.is_none() || hash.hash.is_none() {
            return Err(fault.to_owned());
        }
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if work > MOST_WORK_KIB {
            return Err(format!(
                "a hash whose check would hold up market data: m times t is {work}, at most {MOST_WORK_KIB} is accepted"
            ));
        }
        Ok(Self(hash))
    }
}

/// What a Logon must carry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Username (553).
    pub username: String,
    /// Hash of Password (554).
    pub password_hash: PasswordHash,
}

impl Credentials {
    /// Whether a Logon's Username and Password are right. A wrong name costs as much time as a wrong
    /// password.
    #[must_use]
    pub fn fit(&self, username: Option<&[u8]>, password: Option<&[u8]>) -> bool {
        let password_fits = self.password_hash.fits(password.unwrap_or_default());
        password_fits && username == Some(self.username.as_bytes()) && password.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only() {
        let text = PasswordHash::of(b"open sesame").unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=4096,t=2,p=1$"), "{text}");
        assert_ne!(text, PasswordHash::of(b"open sesame").unwrap(), "salted");
        let credentials = Credentials {
            username: "desk".to_owned(),
            password_hash: text.try_into().unwrap(),
        };
        let fits = |name: Option<&str>, word: Option<&str>| {
            credentials.fit(name.map(str::as_bytes), word.map(str::as_bytes))
        };
        assert!(fits(Some("desk"), Some("open sesame")));
        for (name, word) in [
            (Some("desk"), Some("open sesam")),
            (Some("desk"), None),
            (Some("desks"), Some("open sesame")),
            (None, Some("open sesame")),
            (None, None),
        ] {
            assert!(!fits(name, word), "{name:?} {word:?}");
        }
    }

    #[test]
    fn a_hash_made_by_another_program_fits() {
        // Of "password" with the salt "somesalt", from the reference implementation's tests.
        let text =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let hash = PasswordHash::try_from(text.to_owned()).unwrap();
        assert!(hash.fits(b"password") && !hash.fits(b"Password"));
    }

    #[test]
    fn plain_text_and_slow_hashes_are_refused() {
        for text in [
            "secret",
            "",
            "$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ",
            "$2b$12$abc",
        ] {
            let error = PasswordHash::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains("no Argon2 hash"), "{text}: {error}");
        }
        let rest = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let text = |memory: u32| format!("$argon2id$v=19$m={memory},t=2,p=1{rest}");
        assert!(PasswordHash::try_from(text(12_288)).is_ok());
        let error = PasswordHash::try_from(text(12_289)).unwrap_err();
        assert!(error.contains("hold up market data"), "{error}");
    }
}
