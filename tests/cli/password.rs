//! `password` at a terminal, which shows nothing of it, and from a pipe.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use widetape::publish::fix::PasswordHash;

/// Both ends of a terminal: what a person sees and types, and what the command has.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let name = name.to_str().unwrap();
    let command = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    (File::from(person), command)
}

fn start(input: Stdio, error: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_widetape"))
        .arg("password")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(error)
        .spawn()
        .unwrap()
}

/// Types each answer when its question has come. Exit code, standard output, and all that was seen.
fn converse(answers: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let (mut person, command) = terminal();
    let shows = || {
        tcgetattr(&command)
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
    };
    assert!(shows(), "a fresh terminal shows what is typed");
    let twin = || Stdio::from(command.try_clone().unwrap());
    let child = start(twin(), twin());
    let mut seen = String::new();
    let mut chunk = [0; 256];
    for (question, answer) in answers {
        while !seen.ends_with(question) {
            let length = person.read(&mut chunk).unwrap();
            seen += std::str::from_utf8(&chunk[..length]).unwrap();
        }
        person.write_all(answer.as_bytes()).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(shows(), "the terminal is as it was");
    drop(command);
    // The terminal ends with an error when nobody holds its other end.
    while let Ok(length @ 1..) = person.read(&mut chunk) {
        seen += std::str::from_utf8(&chunk[..length]).unwrap();
    }
    let out = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), out, seen)
}

#[test]
fn a_terminal_is_asked_twice_and_shows_nothing() {
    let sesame = "open sesame\n";
    let (code, out, seen) = converse(&[("Password: ", sesame), ("Again: ", sesame)]);
    assert_eq!(
        (code, seen.as_str()),
        (Some(0), "Password: \r\nAgain: \r\n")
    );
    let hash = PasswordHash::try_from(out.trim_end().to_owned()).unwrap();
    assert!(hash.fits(b"open sesame"));

    for (answers, reason) in [
        (
            &[("Password: ", sesame), ("Again: ", "open\n")][..],
            "the two are not the same",
        ),
        (&[("Password: ", "open\x03")][..], "cancelled"),
        (&[("Password: ", "\n")][..], "nothing was typed"),
    ] {
        let (code, out, seen) = converse(answers);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        let last = format!("widetape: no password: {reason}\r\n");
        assert!(seen.ends_with(&last) && !seen.contains("open"), "{seen}");
    }
}

#[test]
fn a_pipe_is_read_without_a_question() {
    let mut child = start(Stdio::piped(), Stdio::piped());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"open sesame\r\nrest").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stderr, b"");
    let out = String::from_utf8(output.stdout).unwrap();
    let hash = PasswordHash::try_from(out.trim_end().to_owned()).unwrap();
    assert!(hash.fits(b"open sesame"));
}
