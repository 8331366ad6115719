//! The engine's agents on threads: how many, where, and how an idle one waits.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::affinity::{self, Cores, Topology};
use super::agent::{Agent, Duty};
use super::precedence::{self, Precedence};
use super::wait::{Rest, Wait};
use super::{Clock, Error};

/// How the agents run on threads. The rows are the same whatever is said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadOptions {
    /// 4: one for each agent. 3: decoder and analyst share one. 2: one for the receiver, one for decoder,
    /// analyst and publisher. 1: all on one, so that nothing is handed from core to core. Wide windows take
    /// one more.
    pub count: usize,
    /// What a thread does while there is nothing to do.
    pub wait: Wait,
    /// Cores, one for each thread in the order of the agents; none: anywhere.
    pub cores: Cores,
    /// NUMA node that the threads stay on; none: anywhere.
    pub numa_node: Option<usize>,
    /// Real-time priority of the threads that the feed needs, all but those of the publisher alone and of wide
    /// windows: 1 to 99; none: they share cores with others.
    pub real_time_priority: Option<u8>,
}

impl Default for ThreadOptions {
    fn default() -> Self {
        Self {
            count: 4,
            wait: Wait::default(),
            cores: Cores::default(),
            numa_node: None,
            real_time_priority: None,
        }
    }
}

impl ThreadOptions {
    /// Agents on each thread, in their order.
    ///
    /// # Errors
    /// What is wrong with `count`.
    pub fn shares(&self) -> Result<&'static [usize], String> {
        match self.count {
            4 => Ok(&[1, 1, 1, 1]),
            3 => Ok(&[1, 2, 1]),
            2 => Ok(&[1, 3]),
            1 => Ok(&[4]),
            other => Err(format!(
                "engine.threads = {other}: there may be 4, 3, 2 or 1"
            )),
        }
    }

    /// Whether so urgent threads leave cores to others.
    fn check_priority(&self) -> Result<(), String> {
        precedence::check(self.real_time_priority)?;
        let polls = matches!(self.wait, Wait::Yield | Wait::Spin);
        match self.real_time_priority {
            Some(_) if polls && self.cores.is_empty() => Err(
                "engine.real_time_priority: threads that poll on would keep all others from their cores; name \
                 engine.cores for them, or let engine.wait be park or backoff"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Whether threads are kept to some cores.
    pub(super) fn places(&self) -> bool {
        !self.cores.is_empty() || self.numa_node.is_some()
    }
}

/// The threads of an engine, planned.
#[derive(Debug)]
pub(super) struct Threads {
    /// Agents on each, and where it may run.
    shares: Vec<(usize, Cores)>,
    wait: Wait,
    real_time_priority: Option<u8>,
}

impl Threads {
    /// Compares what was asked for with what this machine has. So many agents, the last ones, have a thread
    /// each beside those that are asked for.
    pub(super) fn plan(options: &ThreadOptions, beside: usize) -> Result<Self, Error> {
        let shared = options.shares().map_err(Error::Threads)?;
        options.check_priority().map_err(Error::Threads)?;
        let shares = [shared, &vec![1; beside]].concat();
        let topology = match options.places() {
            true => Topology::read(Path::new("/")),
            false => Topology::default(),
        };
        let cores = affinity::plan(shares.len(), &options.cores, options.numa_node, &topology)?;
        Ok(Self {
            shares: shares.into_iter().zip(cores).collect(),
            wait: options.wait,
            real_time_priority: options.real_time_priority,
        })
    }

    /// Runs the agents until all are done. The first error is returned, after the agents behind it
    /// have worked off what came before it. Where a thread cannot be started, those that have been are told by `stop`.
    pub(super) fn run(
        self,
        agents: Vec<Box<dyn Agent>>,
        clock: &Clock,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let mut agents = agents.into_iter();
        let mut threads = Vec::new();
        let mut outcome = Ok(());
        for (share, cores) in self.shares {
            let group: Vec<Box<dyn Agent>> = agents.by_ref().take(share).collect();
            let name = group.first().map_or("", |agent| agent.name());
            // One that must not wait does not for those that share its thread.
            let places = group.iter().map(|agent| agent.precedence());
            let place = places.max().unwrap_or(Precedence::Equal);
            let (clock, wait, priority) = (clock.clone(), self.wait, self.real_time_priority);
            let thread = std::thread::Builder::new()
                .name(format!("widetape-{name}"))
                .spawn(move || {
                    affinity::pin(&cores)?;
                    precedence::take(place, priority).map_err(Error::Threads)?;
                    until_done(group, &clock, Rest::new(wait))
                })
                .map_err(Error::Thread);
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    outcome = Err(error);
                    stop.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
        // Agents without a thread close their pipes.
        drop(agents);
        for thread in threads {
            let ended = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

/// Lets a thread's agents take turns in the order of the flow. One that is done is dropped, which
/// closes its outlets.
fn until_done(mut agents: Vec<Box<dyn Agent>>, clock: &Clock, mut rest: Rest) -> Result<(), Error> {
    let mut outcome = Ok(());
    while !agents.is_empty() {
        let mut idle = true;
        agents.retain_mut(|agent| {
            let duty = agent.duty(clock).unwrap_or_else(|error| {
                if outcome.is_ok() {
                    outcome = Err(error);
                }
                Duty::Done
            });
            idle &= duty == Duty::Idle;
            duty != Duty::Done
        });
        match idle {
            true => rest.idle(&mut agents),
            false => rest.worked(),
        }
    }
    outcome
}
