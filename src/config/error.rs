//! Why a configuration cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// No TOML, an unknown key, or a value of the wrong kind.
    #[error("{path}:{line}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line of the fault, from 1.
        line: usize,
        /// What is wrong there, and the nearest known key if a key is unknown.
        reason: String,
    },
    /// Values that do not go together.
    #[error("{path}: {reason}")]
    Senseless {
        /// The file.
        path: PathBuf,
        /// Which, and why.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn invalid(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        let message = error.message().replace('\n', " ");
        let reason = match nearest(&message) {
            Some(key) => format!("{message}; did you mean `{key}`?"),
            None => message,
        };
        Self::Invalid {
            path: path.to_owned(),
            line,
            reason,
        }
    }
}

/// The known key nearest to an unknown one, from serde's list "unknown field `a`, expected ...".
fn nearest(message: &str) -> Option<&str> {
    let unknown = message.strip_prefix("unknown field `")?;
    let mut names = unknown.split('`').step_by(2);
    let unknown = names.next()?;
    let (distance, key) = names
        .filter(|key| !key.is_empty())
        .map(|key| (distance(unknown, key), key))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= unknown.len().max(3) / 2).then_some(key)
}

/// Least number of inserted, deleted and replaced bytes (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULT};

    fn fault(text: &str) -> String {
        Config::parse(text, Path::new("w.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_nearest_known_key_is_named() {
        let text = fault("[window]\npolicy = \"itch.all\"\nstap = \"1s\"\n");
        assert!(text.starts_with("w.toml:3: unknown field `stap`"), "{text}");
        assert!(text.ends_with("did you mean `step`?"), "{text}");
        assert!(!fault("zzzzzzzz = 1").contains("did you mean"));
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn values_are_checked_together() {
        assert!(fault("[window]\nwindows = []").contains("no window"));
        assert!(fault("[feed]\nbuffers = 10").contains("must exceed session.hold_packets"));
        assert!(fault("[window]\nstep = \"1d\"").contains("not a duration"));
        assert!(fault("[feed]\nlines = []").contains("at least one line"));
        if cfg!(feature = "gpu") {
            let gpu = |keys: &str| fault(&format!("[gpu]\nenabled = true\n{keys}"));
            assert!(gpu("").contains("gpu.windows: no window was asked for: write"));
            let shared = gpu("windows = [\"5m\", \"60s\"]");
            assert!(shared.contains("gpu.windows: window `60s` is as wide as one of"));
            assert!(gpu("windows = [\"5m\"]\nevery = \"1us\"").contains("not a duration"));
            assert!(gpu("tier = \"u8\"").contains("u8"));
        } else {
            let absent = fault("[gpu]\nenabled = true\nwindows = [\"5m\"]");
            assert!(absent.contains("gpu.enabled: this build has no GPU; build it"));
        }
        assert!(fault("[fix.acceptor]\nmax_sessions = 0").contains("fix.acceptor.max_sessions"));
    }

    #[test]
    fn the_printed_default_is_the_default() {
        let printed = Config::parse(DEFAULT, Path::new("default.toml")).unwrap();
        assert_eq!(format!("{printed:?}"), format!("{:?}", Config::default()));
    }
}
