//! `password`: what a configuration keeps of a counterparty's password.
//!
//! At a terminal it is asked for twice and not shown; otherwise it is the first line of standard input.

use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use super::Error;
use super::error::tell;
use crate::PasswordHash;

/// What Ctrl-C sends.
const CANCEL: u8 = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> Result<(), Error> {
    let failed = |reason: String| Error::Failed(format!("no password: {reason}"));
    let from_terminal = io::stdin().is_terminal();
    let password = match from_terminal {
        true => asked(),
        false => line(),
    };
    let password = password.map_err(|error| failed(error.to_string()))?;
    if password.is_empty() {
        let reason = match from_terminal {
            true => "nothing was typed",
            false => "standard input must give it in one line",
        };
        return Err(failed(reason.to_owned()));
    }
    let hash = PasswordHash::of(&password).map_err(failed)?;
    tell(format_args!("{hash}\n"))?;
    Ok(())
}

/// Asks for the password at the terminal, twice.
fn asked() -> io::Result<Vec<u8>> {
    let silence = Silence::new()?;
    let password = answer("Password: ")?;
    let again = match password.is_empty() {
        true => Vec::new(),
        false => answer("Again: ")?,
    };
    drop(silence);
    match password == again {
        true => Ok(password),
        false => Err(io::Error::other("the two are not the same")),
    }
}

fn answer(question: &str) -> io::Result<Vec<u8>> {
    let mut terminal = io::stderr();
    write!(terminal, "{question}")?;
    let line = line();
    writeln!(terminal)?;
    line
}

/// One line of standard input, without its end.
fn line() -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    for byte in io::stdin().lock().bytes() {
        match byte? {
            b'\n' => break,
            CANCEL => return Err(io::Error::other("cancelled")),
            byte => line.push(byte),
        }
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(line)
}

/// A terminal that shows nothing of what is typed, until this is dropped. Ctrl-C ends a line instead of
/// the process, which would leave the terminal silent.
struct Silence {
    before: Termios,
}

impl Silence {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = CANCEL;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
