//! What long work shares: stopping on signals, and progress on a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Error;
use crate::metrics::{Counter, Counters};
use crate::{Locate, Now, Publisher, Symbol, Update};

/// Ctrl-C and SIGTERM set `stop`; a second one ends the process at once. The flag that is returned
/// says whether there was one.
pub(super) fn stop_on_signal(stop: Arc<AtomicBool>) -> Result<Arc<AtomicBool>, Error> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};
    let failed = |error| Error::Failed(format!("signals cannot be handled: {error}"));
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        register_conditional_shutdown(signal, 130, Arc::clone(&interrupted)).map_err(failed)?;
        register(signal, Arc::clone(&interrupted)).map_err(failed)?;
        register(signal, Arc::clone(&stop)).map_err(failed)?;
    }
    Ok(interrupted)
}

/// Nanoseconds between two redraws.
const REDRAW_NS: u64 = 500_000_000;

/// One line on standard error, redrawn as the work goes on; nothing where that is no terminal.
pub(super) struct Progress {
    counters: Arc<Counters>,
    terminal: bool,
    drawn_ns: u64,
}

impl Progress {
    /// Shows messages and rows as `counters` has them.
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            terminal: io::stderr().is_terminal(),
            drawn_ns: 0,
        }
    }
}

impl Publisher for Progress {
    fn name(&self) -> String {
        "progress".to_owned()
    }

    fn duty(&mut self, now: Now) -> io::Result<bool> {
        if self.terminal && now.monotonic_ns > self.drawn_ns + REDRAW_NS {
            self.drawn_ns = now.monotonic_ns;
            let messages = self.counters.get(Counter::Messages);
            let rate = messages as f64 * 1e3 / now.monotonic_ns as f64;
            let rows = self.counters.get(Counter::Rows);
            redraw(format_args!(
                "{messages} messages, {rate:.1} M/s, {rows} rows"
            ));
        }
        Ok(false)
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    fn publish(&mut self, _update: &Update<'_>) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.drawn_ns > 0 {
            redraw(format_args!(""));
        }
        Ok(())
    }
}

/// Columns of the terminal behind standard output; where it is none, or does not tell, as many as a
/// table with three windows needs.
pub(super) fn columns() -> usize {
    rustix::termios::tcgetwinsize(io::stdout()).map_or(120, |size| usize::from(size.ws_col).max(80))
}

/// Replaces the line of progress on standard error. Progress is no reason to fail.
pub(super) fn redraw(line: std::fmt::Arguments<'_>) {
    let _ = write!(io::stderr(), "\r{line}\x1b[K");
}
