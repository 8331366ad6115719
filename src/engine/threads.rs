//! The engine's agents on threads: how many, where, and how an idle one waits.

use std::path::Path;

use super::affinity::{self, Cores, Topology};
use super::agent::{Agent, Duty};
use super::wait::{Rest, Wait};
use super::{Clock, Error};

/// By how much a thread that gives way is nicer than others, and the nicest that there is.
#[cfg(target_os = "linux")]
const LATER: i32 = 10;
#[cfg(target_os = "linux")]
const LAST: i32 = 19;

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
}

impl Default for ThreadOptions {
    fn default() -> Self {
        Self {
            count: 4,
            wait: Wait::default(),
            cores: Cores::default(),
            numa_node: None,
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
}

impl Threads {
    /// Compares what was asked for with what this machine has. So many agents, the last ones, have a thread
    /// each beside those that are asked for.
    pub(super) fn plan(options: &ThreadOptions, beside: usize) -> Result<Self, Error> {
        let shared = options.shares().map_err(Error::Threads)?;
        let shares = [shared, &vec![1; beside]].concat();
        let topology = match options.places() {
            true => Topology::read(Path::new("/")),
            false => Topology::default(),
        };
        let cores = affinity::plan(shares.len(), &options.cores, options.numa_node, &topology)?;
        Ok(Self {
            shares: shares.into_iter().zip(cores).collect(),
            wait: options.wait,
        })
    }

    /// Runs the agents until all are done. The first error is returned, after the agents behind it
    /// have worked off what came before it.
    pub(super) fn run(self, agents: Vec<Box<dyn Agent>>, clock: &Clock) -> Result<(), Error> {
        let mut agents = agents.into_iter();
        let mut threads = Vec::new();
        for (share, cores) in self.shares {
            let group: Vec<Box<dyn Agent>> = agents.by_ref().take(share).collect();
            let name = group.first().map_or("", |agent| agent.name());
            let gives_way = group.iter().any(|agent| agent.gives_way());
            let (clock, wait) = (clock.clone(), self.wait);
            let thread = std::thread::Builder::new()
                .name(format!("widetape-{name}"))
                .spawn(move || {
                    affinity::pin(&cores)?;
                    if gives_way {
                        give_way();
                    }
                    until_done(group, &clock, Rest::new(wait))
                })
                .map_err(Error::Thread)?;
            threads.push(thread);
        }
        let mut outcome = Ok(());
        for thread in threads {
            let ended = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

/// Lets the calling thread, and those that it starts, run after others. Where the system refuses, rows
/// are the same.
#[cfg(target_os = "linux")]
fn give_way() {
    let own = rustix::process::getpriority_process(None).unwrap_or(0);
    let later = (own + LATER).min(LAST);
    let _ = rustix::process::setpriority_process(None, later);
}

/// On other systems the call would hold for the whole process.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_way_is_alone_with_those_it_starts() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let nicer = std::thread::spawn(move || {
            give_way();
            (priority(), std::thread::spawn(priority).join().unwrap())
        });
        let later = (before + LATER).min(LAST);
        assert_eq!(nicer.join().unwrap(), (later, later));
        assert_eq!(priority(), before);
    }
}
