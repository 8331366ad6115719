//! The contract of the engine's agents, and how they run inline.
//!
//! An agent is a stage with its channels. Its duty cycle does a bounded amount of work and never
//! blocks. On threads ([`super::threads`]), an agent that found nothing to do waits for its input;
//! inline, the agents take turns on one thread, in an order that a seed may shuffle, with the same
//! results.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use super::precedence::Precedence;
use super::wait::CALM;
use super::{Clock, Error};

/// How far a simulated clock moves while nobody has anything to do.
const STEP: Duration = Duration::from_millis(1);

/// What a duty cycle came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Something was done; more may be there.
    Worked,
    /// There was nothing to do.
    Idle,
    /// There will never be anything to do again; the agent's outlets may be closed.
    Done,
}

/// One stage of the engine.
pub(super) trait Agent: Send {
    /// Name of its thread.
    fn name(&self) -> &'static str;

    /// When its thread runs where there are fewer cores than threads.
    fn precedence(&self) -> Precedence {
        Precedence::Equal
    }

    /// Does what there is to do.
    fn duty(&mut self, clock: &Clock) -> Result<Duty, Error>;

    /// How long it may wait before it must look at timers and sockets again.
    fn patience(&self) -> Duration {
        CALM
    }

    /// Waits for something to do, at most so long.
    fn wait(&mut self, timeout: Duration);
}

/// Runs `work` on a thread of its own, beside the engine.
///
/// # Errors
/// When the system refuses the thread.
pub fn beside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name(format!("widetape-{name}"))
        .spawn(work)
}

/// Lets the agents take turns on this thread until all are done. A seed shuffles whose turn it is.
pub(super) fn run_inline(
    agents: Vec<Box<dyn Agent>>,
    clock: &Clock,
    seed: Option<u64>,
) -> Result<(), Error> {
    let mut agents: Vec<Option<Box<dyn Agent>>> = agents.into_iter().map(Some).collect();
    let mut outcome = Ok(());
    let mut turn = seed.unwrap_or(0);
    let mut idle_in_a_row = 0;
    while agents.iter().any(Option::is_some) {
        let index = match seed {
            Some(_) => pick(&mut turn, agents.len()),
            None => {
                turn += 1;
                turn as usize % agents.len()
            }
        };
        let Some(agent) = &mut agents[index] else {
            continue;
        };
        let duty = agent.duty(clock).unwrap_or_else(|error| {
            if outcome.is_ok() {
                outcome = Err(error);
            }
            Duty::Done
        });
        idle_in_a_row = if duty == Duty::Idle {
            idle_in_a_row + 1
        } else {
            0
        };
        if duty == Duty::Done {
            agents[index] = None;
        } else if idle_in_a_row > agents.len() * 4 {
            clock.idle(STEP);
            idle_in_a_row = 0;
        }
    }
    outcome
}

/// The next index below `count` of a small pseudo-random sequence (SplitMix64).
fn pick(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) % count as u64) as usize
}
