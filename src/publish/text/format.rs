//! The layouts by the names that people type.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use super::super::Publisher;
use super::{Csv, Jsonl, Table, Writer};
use crate::window::Spec;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// Aligned columns, see [`Table`].
    #[default]
    Table,
    /// Comma-separated values, see [`Csv`].
    Csv,
    /// JSON lines, see [`Jsonl`].
    Jsonl,
}

/// A name that is no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format; there are table, csv, jsonl")]
pub struct FormatError(pub String);

impl Format {
    /// Every format.
    pub const EACH: [Format; 3] = [Format::Table, Format::Csv, Format::Jsonl];

    /// The name that people type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
        }
    }

    /// A writer of the rows of `spec` to `out`; `prompt` as in [`Writer::prompt`].
    pub fn writer<W: Write + Send + 'static>(
        self,
        spec: &Spec,
        out: W,
        prompt: bool,
    ) -> Box<dyn Publisher + Send> {
        match (self, prompt) {
            (Format::Table, false) => Box::new(Writer::<_, Table>::new(spec, out)),
            (Format::Table, true) => Box::new(Writer::<_, Table>::new(spec, out).prompt()),
            (Format::Csv, false) => Box::new(Writer::<_, Csv>::new(spec, out)),
            (Format::Csv, true) => Box::new(Writer::<_, Csv>::new(spec, out).prompt()),
            (Format::Jsonl, false) => Box::new(Writer::<_, Jsonl>::new(spec, out)),
            (Format::Jsonl, true) => Box::new(Writer::<_, Jsonl>::new(spec, out).prompt()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Format::EACH
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| FormatError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for format in Format::EACH {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!("CSV".parse::<Format>(), Err(FormatError("CSV".into())));
    }
}
