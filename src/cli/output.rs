//! Where rows are written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Error;
use crate::{Format, Only, Publisher, Spec, Symbol};

/// The file `out`, made or emptied; for `-` standard output.
pub(super) fn open(out: &Path) -> Result<Box<dyn Write + Send>, Error> {
    if out == Path::new("-") {
        return Ok(Box::new(io::stdout()));
    }
    let file =
        File::create(out).map_err(|error| Error::Failed(format!("{}: {error}", out.display())))?;
    Ok(Box::new(file))
}

/// A publisher that writes `format` to `out`: the rows of the symbols in `only`.
pub(super) fn writer(
    spec: &Spec,
    format: Format,
    out: &Path,
    only: Option<BTreeSet<Symbol>>,
) -> Result<Box<dyn Publisher + Send>, Error> {
    let publisher = format.writer(spec, open(out)?, false);
    Ok(match only {
        Some(symbols) => Box::new(Only::new(symbols, publisher)),
        None => publisher,
    })
}
