//! Which cores the engine's threads may run on.
//!
//! Asked for is a list of cores, one for each thread in the order of the agents, a NUMA node, or
//! both. [`Topology`] says what there is and what this process may use; [`plan`] compares the two
//! before a thread starts, so that a core that cannot be had is an error and never a thread that
//! runs elsewhere without a word.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// Numbers of cores lie below this, as `cpu_set_t` has them.
const MAX_CORES: usize = 1_024;

/// Numbers of cores, in the order in which they were written: `2,3-5`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &[usize] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, core: usize) -> bool {
        self.0.contains(&core)
    }
}

impl From<Vec<usize>> for Cores {
    fn from(numbers: Vec<usize>) -> Self {
        Self(numbers)
    }
}

impl FromStr for Cores {
    type Err = PlacementError;

    /// Reads a list of numbers and ascending ranges, as the kernel writes them; nothing is an empty
    /// list.
    fn from_str(text: &str) -> Result<Self, PlacementError> {
        let text = text.trim();
        let mut cores = Vec::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let ends = [first, last].map(|end| end.trim().parse::<usize>().ok());
            match ends {
                [Some(first), Some(last)] if first <= last && last < MAX_CORES => {
                    cores.extend(first..=last);
                }
                _ => return Err(PlacementError::List { part: part.into() }),
            }
        }
        Ok(Self(cores))
    }
}

impl fmt::Display for Cores {
    /// Numbers that follow each other become a range again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|one, next| one + 1 == *next);
        for (index, run) in runs.enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match run {
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                _ => write!(f, "{comma}{}", run[0])?,
            }
        }
        Ok(())
    }
}

/// Why threads cannot be placed as asked.
#[derive(Debug, thiserror::Error)]
pub enum PlacementError {
    /// No list of cores.
    #[error("`{part}` is no core; write numbers below {MAX_CORES} and ranges, such as 2,3-5")]
    List {
        /// The part of the list at fault.
        part: String,
    },
    /// One core for each thread, or none.
    #[error(
        "engine.cores names {cores} cores for {threads} threads: name one for each, in the order of \
         the agents (receiver, decoder, analyst, publisher), that of wide windows last"
    )]
    Count {
        /// How many were named.
        cores: usize,
        /// How many threads there are.
        threads: usize,
    },
    /// The machine does not have it.
    #[error("engine.cores: core {core} does not exist; choose from {there}")]
    NoCore {
        /// Its number.
        core: usize,
        /// Those that are online.
        there: Cores,
    },
    /// This process may not use it.
    #[error(
        "engine.cores: core {core} is not allowed to this process; choose from {allowed}, or widen \
         its cpuset (taskset, systemd's AllowedCPUs, the container's limits)"
    )]
    NotAllowed {
        /// Its number.
        core: usize,
        /// Those that are.
        allowed: Cores,
    },
    /// The core belongs to another node.
    #[error(
        "engine.cores: core {core} is not on engine.numa_node = {node}, which has {cores}; choose \
         from these or leave one of the two keys out"
    )]
    ElsewhereThanNode {
        /// The core's number.
        core: usize,
        /// The node's number.
        node: usize,
        /// Cores of the node.
        cores: Cores,
    },
    /// The machine does not have the node.
    #[error("engine.numa_node: there is no node {node}; this machine has {there}")]
    NoNode {
        /// Its number.
        node: usize,
        /// Those that there are, as text.
        there: String,
    },
    /// None of the node's cores may be used.
    #[error(
        "engine.numa_node: this process may use no core of node {node}, only {allowed}; choose \
         another node or widen its cpuset"
    )]
    NodeNotAllowed {
        /// The node's number.
        node: usize,
        /// Cores that may be used.
        allowed: Cores,
    },
    /// The system refused at last.
    #[error("engine.cores: the system does not let a thread run on {cores} only: {error}")]
    Refused {
        /// Where it was to run.
        cores: Cores,
        /// What the system said.
        error: io::Error,
    },
}

/// The cores and nodes of a machine, as `/sys` and `/proc` tell. What cannot be read is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Cores that run.
    pub online: Option<Cores>,
    /// Cores that this process may use.
    pub allowed: Option<Cores>,
    /// NUMA nodes with their cores, by number.
    pub nodes: Vec<(usize, Cores)>,
}

impl Topology {
    /// Reads `/sys` and `/proc` below `root`.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let list = |path: &str| fs::read_to_string(root.join(path)).ok()?.parse().ok();
        let status = fs::read_to_string(root.join("proc/self/status")).unwrap_or_default();
        let allowed = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let folder = fs::read_dir(root.join("sys/devices/system/node"));
        let names = folder.into_iter().flatten().flatten();
        let mut nodes: Vec<(usize, Cores)> = names
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let number = name.strip_prefix("node")?.parse().ok()?;
                let cores = list(&format!("sys/devices/system/node/{name}/cpulist"))?;
                Some((number, cores))
            })
            .collect();
        nodes.sort_unstable_by_key(|(number, _)| *number);
        Self {
            online: list("sys/devices/system/cpu/online"),
            allowed: allowed.and_then(|list| list.parse().ok()),
            nodes,
        }
    }

    /// Those of the node's cores that may be used.
    fn usable(&self, node: usize) -> Result<Cores, PlacementError> {
        let Some((_, cores)) = self.nodes.iter().find(|(number, _)| *number == node) else {
            let numbers: Vec<String> = self.nodes.iter().map(|(n, _)| n.to_string()).collect();
            let there = match &numbers[..] {
                [] => "no NUMA nodes that can be read: leave the key out".to_owned(),
                numbers => numbers.join(", "),
            };
            return Err(PlacementError::NoNode { node, there });
        };
        let Some(allowed) = &self.allowed else {
            return Ok(cores.clone());
        };
        let both = cores.0.iter().copied().filter(|&core| allowed.has(core));
        let both = Cores(both.collect());
        if both.is_empty() {
            let allowed = allowed.clone();
            return Err(PlacementError::NodeNotAllowed { node, allowed });
        }
        Ok(both)
    }

    fn check(&self, core: usize) -> Result<(), PlacementError> {
        if let Some(there) = self.online.clone().filter(|online| !online.has(core)) {
            return Err(PlacementError::NoCore { core, there });
        }
        if let Some(allowed) = self.allowed.clone().filter(|allowed| !allowed.has(core)) {
            return Err(PlacementError::NotAllowed { core, allowed });
        }
        Ok(())
    }
}

/// Where each of `threads` threads may run: on one core each, anywhere on a node, or, with neither
/// said, anywhere (an empty list).
pub(super) fn plan(
    threads: usize,
    cores: &Cores,
    node: Option<usize>,
    topology: &Topology,
) -> Result<Vec<Cores>, PlacementError> {
    let usable = node.map(|node| topology.usable(node)).transpose()?;
    if cores.is_empty() {
        return Ok(vec![usable.unwrap_or_default(); threads]);
    }
    if cores.0.len() != threads {
        let cores = cores.0.len();
        return Err(PlacementError::Count { cores, threads });
    }
    for &core in &cores.0 {
        topology.check(core)?;
        if let (Some(node), Some(cores)) = (node, &usable)
            && !cores.has(core)
        {
            let cores = cores.clone();
            return Err(PlacementError::ElsewhereThanNode { core, node, cores });
        }
    }
    Ok(cores.0.iter().map(|&core| Cores(vec![core])).collect())
}

/// Keeps the calling thread on `cores`; an empty list leaves it where it is.
#[cfg(target_os = "linux")]
pub(super) fn pin(cores: &Cores) -> Result<(), PlacementError> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = rustix::thread::CpuSet::new();
    cores.0.iter().for_each(|&core| set.set(core));
    rustix::thread::sched_setaffinity(None, &set).map_err(|error| PlacementError::Refused {
        cores: cores.clone(),
        error: error.into(),
    })
}

/// Other systems have no such call.
#[cfg(not(target_os = "linux"))]
pub(super) fn pin(cores: &Cores) -> Result<(), PlacementError> {
    match cores.is_empty() {
        true => Ok(()),
        false => Err(PlacementError::Refused {
            cores: cores.clone(),
            error: io::ErrorKind::Unsupported.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(text: &str) -> Cores {
        text.parse().unwrap()
    }

    /// Two nodes of four cores; this process may use 1 to 5.
    fn machine() -> Topology {
        Topology {
            online: Some(cores("0-7")),
            allowed: Some(cores("1-5")),
            nodes: vec![(0, cores("0-3")), (1, cores("4-7"))],
        }
    }

    #[test]
    fn lists_are_read_and_written() {
        for (text, numbers, written) in [
            ("", &[][..], ""),
            ("\n", &[], ""),
            ("7", &[7], "7"),
            ("2,3-5", &[2, 3, 4, 5], "2-5"),
            ("0-1,4,6-7\n", &[0, 1, 4, 6, 7], "0-1,4,6-7"),
            ("5,2,3", &[5, 2, 3], "5,2-3"),
            ("1, 1", &[1, 1], "1,1"),
            ("1023", &[1_023], "1023"),
        ] {
            assert_eq!(cores(text).numbers(), numbers, "{text}");
            assert_eq!(cores(text).to_string(), written, "{text}");
        }
        for text in ["x", ",", "1,", "3-2", "-1", "1-", "1024", "0-1024", "1;2"] {
            let error = text.parse::<Cores>().unwrap_err().to_string();
            assert!(error.contains("such as 2,3-5"), "{text}: {error}");
        }
    }

    #[test]
    fn threads_get_the_cores_that_were_asked_for() {
        let plan = |threads, list, node| plan(threads, &cores(list), node, &machine()).unwrap();
        assert_eq!(plan(4, "", None), vec![cores(""); 4]);
        assert_eq!(plan(2, "5,1", None), [cores("5"), cores("1")]);
        assert_eq!(plan(2, "", Some(0)), vec![cores("1-3"); 2]);
        assert_eq!(plan(1, "4", Some(1)), [cores("4")]);
    }

    #[test]
    fn what_cannot_be_had_is_told_with_key_and_remedy() {
        for (threads, list, node, told) in [
            (4, "1-3", None, "engine.cores names 3 cores for 4 threads"),
            (1, "1-2", None, "engine.cores names 2 cores for 1 threads"),
            (1, "8", None, "core 8 does not exist; choose from 0-7"),
            (1, "0", None, "not allowed to this process; choose from 1-5"),
            (1, "6", None, "not allowed to this process; choose from 1-5"),
            (
                1,
                "4",
                Some(0),
                "not on engine.numa_node = 0, which has 1-3",
            ),
            (4, "", Some(2), "no node 2; this machine has 0, 1"),
        ] {
            let error = plan(threads, &cores(list), node, &machine()).unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
        }
        let mut narrow = machine();
        narrow.allowed = Some(cores("4"));
        let error = plan(1, &cores(""), Some(0), &narrow).unwrap_err();
        assert!(error.to_string().contains("only 4"), "{error}");
        let unknown = Topology::default();
        let error = plan(1, &cores(""), Some(0), &unknown).unwrap_err();
        assert!(error.to_string().contains("leave the key out"), "{error}");
        assert_eq!(plan(1, &cores("900"), None, &unknown).unwrap().len(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_is_known_and_a_thread_stays_where_it_is_put() {
        let there = Topology::read(Path::new("/"));
        let allowed = there.allowed.expect("/proc/self/status says");
        let first = Cores(vec![allowed.numbers()[0]]);
        let pinned = std::thread::spawn(move || {
            pin(&first).unwrap();
            let set = rustix::thread::sched_getaffinity(None).unwrap();
            (set.count(), set.is_set(first.0[0]))
        });
        assert_eq!(pinned.join().unwrap(), (1, true));
    }
}
