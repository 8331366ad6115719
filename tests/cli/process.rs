//! The built command as a child process that cannot outlive its test or hang it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a child may take before it is killed and its test fails.
const LIMIT: Duration = Duration::from_secs(60);

/// A child that runs.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    out: Receiver<Vec<u8>>,
    deadline: Instant,
    command: String,
}

/// A child that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    /// Lines of standard error.
    pub(crate) err: Vec<String>,
    command: String,
}

/// Runs `widetape` with these arguments to its end.
pub(crate) fn widetape(arguments: &[&str]) -> Finished {
    Running::start(arguments).finish()
}

/// As [`widetape`], but its standard output is closed after so many bytes.
pub(crate) fn widetape_cut_off(arguments: &[&str], bytes: u64) -> Finished {
    Running::start_reading(arguments, bytes).finish()
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_reading(arguments, u64::MAX)
    }

    fn start_reading(arguments: &[&str], limit: u64) -> Self {
        let command = format!("widetape {}", arguments.join(" "));
        let mut child = Command::new(env!("CARGO_BIN_EXE_widetape"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the built command starts");
        let stderr = child.stderr.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for bytes in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let _ = line.send(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        let (whole, out) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.take(limit).read_to_end(&mut bytes);
            let _ = whole.send(bytes);
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            out,
            deadline: Instant::now() + LIMIT,
            command,
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for a line on standard error that begins so.
    pub(crate) fn line(&mut self, beginning: &str) -> String {
        loop {
            match self.lines.recv_timeout(self.left()) {
                Ok(line) => self.seen.push(line),
                Err(error) => panic!("{}: {error}: {:?}", self.command, self.seen),
            }
            if let Some(line) = self.seen.last().filter(|line| line.starts_with(beginning)) {
                return line.clone();
            }
        }
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> Finished {
        loop {
            match self.lines.recv_timeout(self.left()) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{}: {error}: {:?}", self.command, self.seen),
            }
        }
        let out = self.out.recv_timeout(self.left());
        let out = out.unwrap_or_else(|error| panic!("{}: {error}", self.command));
        // Both its outputs are closed, so it is about to end.
        let status = self.child.wait().expect("the child can be waited for");
        Finished {
            code: status.code(),
            out,
            err: std::mem::take(&mut self.seen),
            command: std::mem::take(&mut self.command),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail harmlessly if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Standard output.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("UTF-8 on standard output")
    }

    /// The exit code is this one, and nothing panicked.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        if self.code != Some(code) {
            let text = String::from_utf8_lossy(&self.out);
            let tail: Vec<&str> = text.lines().rev().take(40).collect();
            panic!(
                "{}: exit code {:?}, not {code}\n{:#?}\nand, last line first, {tail:#?}",
                self.command, self.code, self.err
            );
        }
        let panicked = self.err.iter().any(|line| line.contains("panicked"));
        assert!(!panicked, "{}: {:?}", self.command, self.err);
        self
    }

    /// It said one line and nothing on standard output; the line.
    #[track_caller]
    pub(crate) fn refused(&self) -> &str {
        assert_eq!(self.text(), "", "{}", self.command);
        assert_eq!(self.err.len(), 1, "{}: {:?}", self.command, self.err);
        &self.err[0]
    }
}
