//! No output takes the place of what is read.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Error;

/// Refuses the file `out` of an option that is one of the inputs.
pub(super) fn overwrites_no_input(
    option: &str,
    out: &Path,
    inputs: &[PathBuf],
) -> Result<(), Error> {
    // A file has many names, but one device and number.
    let identity = |path: &Path| {
        let metadata = path.metadata().ok().filter(Metadata::is_file)?;
        Some((metadata.dev(), metadata.ino()))
    };
    let wanted = identity(out);
    let is_out = |file: &&PathBuf| wanted.is_some() && identity(file) == wanted;
    match inputs.iter().find(is_out) {
        Some(file) => Err(Error::Usage(format!(
            "{option} {} would overwrite an input file, {}",
            out.display(),
            file.display()
        ))),
        None => Ok(()),
    }
}
