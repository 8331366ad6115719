//! The command line: every subcommand, exit codes, one clear line for every fault.

/// Captures of a lossy feed: what they give is a function of their bytes.
mod captures;
/// Rows that are picked out of all that there are.
mod choices;
/// Every backend on one job, compared and timed.
mod compare;
/// Synthetic days and decoded lines.
mod day;
/// What the machine gives and withholds, by planted files.
mod doctor;
/// `password`, typed and piped.
mod password;
/// The built command as a child process that cannot outlive its test or hang it.
pub(crate) mod process;
/// Rows as they are asked for: formats, places, symbols.
mod rows;
/// The service and its sender as two processes, over real loopback multicast.
mod service;
/// Faults of usage, files and configuration.
mod usage;

use std::path::{Path, PathBuf};

fn dataset(name: &str) -> String {
    format!("{}/datasets/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cli")
        .join(name);
    // It may be left from an earlier run, or not be there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for scratch files");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
