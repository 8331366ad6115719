//! What a user asks for: windows, step, policy, corrections.

use std::fmt;
use std::str::FromStr;

use super::Policy;
use crate::market::{Duration, DurationError};

/// Most windows in one request.
const MAX_WINDOWS: usize = 64;

/// How far a window reaches back from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A fixed time.
    Finite(Duration),
    /// To midnight: everything so far.
    Session,
}

impl Width {
    /// First nanosecond of the window that ends at `end`.
    #[must_use]
    #[inline]
    pub fn start(self, end: u64) -> u64 {
        match self {
            Width::Finite(width) => end.saturating_sub(width.nanos()),
            Width::Session => 0,
        }
    }

    /// The last end at which a window holds an execution at `time`; the greatest number for the session, which loses
    /// nothing.
    #[must_use]
    #[inline]
    pub fn last_end(self, time: u64) -> u64 {
        match self {
            Width::Finite(width) => time.saturating_add(width.nanos()),
            Width::Session => u64::MAX,
        }
    }

    /// First end, among the multiples of `step`, whose window no longer holds an execution at
    /// `time`; `None` for the session.
    #[must_use]
    #[inline]
    pub fn first_end_without(self, time: u64, step: u64) -> Option<u64> {
        let last = self.last_end(time);
        (last < u64::MAX).then(|| first_end(last, step))
    }
}

/// First multiple of `step` after `time`: the end whose window `time` enters.
#[must_use]
#[inline]
pub(crate) fn first_end(time: u64, step: u64) -> u64 {
    (time / step).saturating_add(1).saturating_mul(step)
}

/// A width and the way it was typed, which is the way rows name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// As typed, for example `60s`.
    pub label: String,
    /// What it means.
    pub width: Width,
}

impl FromStr for Window {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let width = match text {
            "session" => Width::Session,
            _ => Width::Finite(text.parse()?),
        };
        Ok(Self {
            label: text.to_owned(),
            width,
        })
    }
}

/// How old a broken execution may be for rows that held it to be written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Corrections {
    /// However old.
    #[default]
    All,
    /// At most this old when the break arrives.
    Within(Duration),
    /// Never.
    Off,
}

impl Corrections {
    /// Whether a break at `broken_at` of an execution at `executed_at` is published.
    #[must_use]
    pub fn publishes(self, executed_at: u64, broken_at: u64) -> bool {
        match self {
            Corrections::All => true,
            Corrections::Within(age) => broken_at.saturating_sub(executed_at) <= age.nanos(),
            Corrections::Off => false,
        }
    }
}

impl FromStr for Corrections {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Corrections::All),
            "off" => Ok(Corrections::Off),
            _ => text
                .parse()
                .map(Corrections::Within)
                .map_err(|error| format!("{error}; or write all or off")),
        }
    }
}

impl fmt::Display for Corrections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Corrections::All => f.write_str("all"),
            Corrections::Within(age) => age.fmt(f),
            Corrections::Off => f.write_str("off"),
        }
    }
}

/// One request for rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Windows, in the order in which rows of one symbol are written.
    pub windows: Vec<Window>,
    /// Ends are the multiples of this since midnight.
    pub step: Duration,
    /// Which executions count.
    pub policy: Policy,
    /// Write a row at every end while its window holds an execution.
    pub every_end: bool,
    /// Which breaks are published as corrected rows.
    pub corrections: Corrections,
}

/// Why a request makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No window was asked for.
    #[error("no window was asked for: write for example 1s,1m,session")]
    NoWindow,
    /// A window stands twice in the list.
    #[error("window `{0}` stands twice in the list")]
    Repeated(String),
    /// A width is asked of both of two requests.
    #[error("window `{0}` is as wide as one of the others")]
    Shared(String),
    /// More windows than one request may have.
    #[error("{0} windows are more than the {MAX_WINDOWS} that one request may have")]
    TooMany(usize),
}

/// No window yet, ends every 100 ms, every execution counts, every break is published.
impl Default for Spec {
    fn default() -> Self {
        Self {
            windows: Vec::new(),
            step: Duration::HUNDRED_MILLISECONDS,
            policy: Policy::All,
            every_end: false,
            corrections: Corrections::All,
        }
    }
}

impl Spec {
    /// Checks the list of windows.
    ///
    /// # Errors
    /// See [`SpecError`].
    pub fn check(&self) -> Result<(), SpecError> {
        if self.windows.is_empty() {
            return Err(SpecError::NoWindow);
        }
        if self.windows.len() > MAX_WINDOWS {
            return Err(SpecError::TooMany(self.windows.len()));
        }
        for (index, window) in self.windows.iter().enumerate() {
            if self.windows[..index]
                .iter()
                .any(|earlier| earlier.label == window.label)
            {
                return Err(SpecError::Repeated(window.label.clone()));
            }
        }
        Ok(())
    }

    /// The same request with more windows behind its own.
    ///
    /// # Errors
    /// When one of them is as wide as one of its own, or they are too many.
    pub fn followed_by(&self, more: &[Window]) -> Result<Spec, SpecError> {
        let is_own = |window: &&Window| self.windows.iter().any(|own| own.width == window.width);
        if let Some(shared) = more.iter().find(is_own) {
            return Err(SpecError::Shared(shared.label.clone()));
        }
        let all = Spec {
            windows: [&self.windows[..], more].concat(),
            ..self.clone()
        };
        all.check().map(|()| all)
    }

    /// The longest finite width in nanoseconds, 0 when there is none.
    #[must_use]
    pub fn widest(&self) -> u64 {
        self.finite_widths().max().unwrap_or(0)
    }

    /// The shortest finite width in nanoseconds, the greatest number when there is none.
    pub(super) fn narrowest(&self) -> u64 {
        self.finite_widths().min().unwrap_or(u64::MAX)
    }

    /// The finite widths in nanoseconds.
    pub(crate) fn finite_widths(&self) -> impl Iterator<Item = u64> + '_ {
        let finite = |window: &Window| match window.width {
            Width::Finite(width) => Some(width.nanos()),
            Width::Session => None,
        };
        self.windows.iter().filter_map(finite)
    }

    /// Which window is the session, if one is.
    #[must_use]
    pub fn session(&self) -> Option<usize> {
        let mut widths = self.windows.iter().map(|window| window.width);
        widths.position(|width| width == Width::Session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_enter_and_leave_on_multiples_of_the_step() {
        assert_eq!(first_end(0, 100), 100);
        assert_eq!(first_end(99, 100), 100);
        assert_eq!(first_end(100, 100), 200);
        let width = Width::Finite(Duration::from_millis(1).unwrap());
        assert_eq!(width.first_end_without(0, 1_000_000), Some(2_000_000));
        assert_eq!(width.start(1_500_000), 500_000);
        assert_eq!(width.start(5), 0);
        assert_eq!(Width::Session.first_end_without(0, 100), None);
    }

    #[test]
    fn requests_are_checked() {
        let mut spec = Spec {
            windows: vec![],
            step: Duration::from_millis(100).unwrap(),
            policy: Policy::All,
            every_end: false,
            corrections: "5m".parse().unwrap(),
        };
        assert_eq!(spec.check(), Err(SpecError::NoWindow));
        spec.windows = vec!["1s".parse().unwrap(), "session".parse().unwrap()];
        assert_eq!(spec.check(), Ok(()));
        assert_eq!(spec.widest(), 1_000_000_000);
        spec.windows.push("1s".parse().unwrap());
        assert_eq!(spec.check(), Err(SpecError::Repeated("1s".into())));
        assert!("never".parse::<Corrections>().is_err());
        assert!(spec.corrections.publishes(0, 300_000_000_000));
        assert!(!spec.corrections.publishes(0, 300_000_000_001));
    }
}
