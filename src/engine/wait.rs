//! What a thread does while none of its agents has anything to do.

use std::str::FromStr;
use std::time::{Duration, Instant};

use super::agent::Agent;

/// Longest wait of an idle agent that has nothing pending. Not less: a timer that would fire before
/// the kernel's next tick is programmed and taken back around every wake-up.
pub(super) const CALM: Duration = Duration::from_millis(10);
/// Longest wait of an agent that has a timer or a socket to look after.
pub(super) const WATCHFUL: Duration = Duration::from_millis(1);

/// How long [`Wait::Backoff`] polls after the last work: some wake-ups of a parked thread, far below a
/// time slice.
const POLL_FOR: Duration = Duration::from_micros(100);

/// What `engine.wait` may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Sleeps until something comes, at most ten milliseconds. Takes no core, and a wake-up to begin.
    #[default]
    Park,
    /// Yields for 100 us after the last work, then parks.
    Backoff,
    /// Polls on and lets other threads go first after each look.
    Yield,
    /// Polls on. Needs a core for each thread; with fewer, threads wait for each other's time slices.
    Spin,
}

impl Wait {
    /// Every way to wait with its name.
    pub const EACH: [(&'static str, Wait); 4] = [
        ("park", Wait::Park),
        ("backoff", Wait::Backoff),
        ("yield", Wait::Yield),
        ("spin", Wait::Spin),
    ];
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Wait::EACH.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, wait)| wait).ok_or_else(|| {
            format!("`{text}` is no way to wait; there are park, backoff, yield and spin")
        })
    }
}

/// One thread's waiting.
#[derive(Debug)]
pub(super) struct Rest {
    wait: Wait,
    /// When the agents were first seen idle since the last work.
    idle_since: Option<Instant>,
}

impl Rest {
    pub(super) fn new(wait: Wait) -> Self {
        Self {
            wait,
            idle_since: None,
        }
    }

    /// Something was done.
    pub(super) fn worked(&mut self) {
        self.idle_since = None;
    }

    /// Nothing was to do for any of the thread's agents. The first of them gets its input from another
    /// thread or from outside, so that is the one to wait. A publisher that shares the thread gets the rows of wide
    /// windows from outside, too: they may lie for as long as the first one waits, 10 ms at most.
    pub(super) fn idle(&mut self, agents: &mut [Box<dyn Agent>]) {
        match self.wait {
            Wait::Park => park(agents),
            Wait::Yield => std::thread::yield_now(),
            Wait::Spin => std::hint::spin_loop(),
            Wait::Backoff => {
                let since = *self.idle_since.get_or_insert_with(Instant::now);
                match since.elapsed() < POLL_FOR {
                    true => std::thread::yield_now(),
                    false => park(agents),
                }
            }
        }
    }
}

/// Waits as long as the most hurried of the agents allows.
fn park(agents: &mut [Box<dyn Agent>]) {
    let patience = agents.iter().map(|agent| agent.patience()).min();
    if let (Some(first), Some(patience)) = (agents.first_mut(), patience) {
        first.wait(patience);
    }
}
