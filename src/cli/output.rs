//! Writers for rows.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Error;
use crate::{Format, Only, Publisher, Spec, Symbol};

/// A publisher that writes `format` to `out`: the rows of the symbols in `only`.
/// With `prompt`, each update is written at once.
pub(super) fn writer(
    spec: &Spec,
    format: Format,
    out: &Path,
    only: Option<BTreeSet<Symbol>>,
    prompt: bool,
) -> Result<Box<dyn Publisher + Send>, Error> {
    let sink: Box<dyn Write + Send> = if out == Path::new("-") {
        Box::new(io::stdout())
    } else {
        let file = File::create(out)
            .map_err(|error| Error::Failed(format!("{}: {error}", out.display())))?;
        Box::new(file)
    };
    let publisher = format.writer(spec, sink, prompt);
    Ok(match only {
        Some(symbols) => Box::new(Only::new(symbols, publisher)),
        None => publisher,
    })
}
