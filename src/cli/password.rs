//! `password`: what a configuration keeps of a counterparty's password.

use std::io::{self, BufRead};

use super::Error;
use super::error::tell;
use crate::PasswordHash;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> Result<(), Error> {
    let mut line = String::new();
    let failed = |reason: String| Error::Failed(format!("no password: {reason}"));
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| failed(error.to_string()))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(failed("standard input must give it in one line".to_owned()));
    }
    let hash = PasswordHash::of(password.as_bytes()).map_err(failed)?;
    tell(format_args!("{hash}\n"))?;
    Ok(())
}
