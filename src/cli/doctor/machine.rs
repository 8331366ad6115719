//! What the kernel's files say about the machine, held against what the configuration asks for.
//!
//! Everything is read below a root, so that a tree of planted files is as good as a machine. What
//! cannot be read is said and is no failure: containers hide much of it.

use std::fs;
use std::path::Path;

use crate::config::Config;
use crate::{Topology, Wait};

/// One thing that was looked at.
pub(super) struct Finding {
    pub(super) topic: &'static str,
    /// What is.
    pub(super) found: String,
    /// Whether that matters and, if so, what to do.
    pub(super) advice: String,
}

/// Everything that the files tell, in the order in which it is told.
pub(super) fn findings(root: &Path, config: &Config) -> Vec<Finding> {
    let topology = Topology::read(root);
    let mut found = vec![
        kernel(root),
        cores(config, &topology),
        stolen(root),
        isolated(root, config),
        nodes(config, &topology),
        governor(root, &topology),
        realtime(root, config),
    ];
    found.extend([huge_pages(root), defrag(root)]);
    found.extend([receive_buffers(root, config), default_buffers(root)]);
    found
}

/// The file's content, or why there is none.
fn read(root: &Path, path: &str) -> Result<String, String> {
    let whole = root.join(path);
    let read = fs::read_to_string(&whole).map(|text| text.trim().to_owned());
    read.map_err(|error| format!("{} cannot be read: {error}", whole.display()))
}

/// A finding from one file; `judge` turns its content into what is found and what to do.
fn from_file(
    topic: &'static str,
    root: &Path,
    path: &str,
    judge: impl FnOnce(&str) -> (String, String),
) -> Finding {
    let (found, advice) = match read(root, path) {
        Ok(text) => judge(&text),
        Err(reason) => (reason, "not known here".to_owned()),
    };
    Finding {
        topic,
        found,
        advice,
    }
}

fn kernel(root: &Path) -> Finding {
    from_file("kernel", root, "proc/sys/kernel/osrelease", |text| {
        let major: Option<u32> = text.split('.').next().and_then(|part| part.parse().ok());
        let advice = match major {
            Some(..5) => "older than 5.0: busy lines receive faster on a newer one",
            _ => "new enough",
        };
        (text.to_owned(), advice.to_owned())
    })
}

fn cores(config: &Config, topology: &Topology) -> Finding {
    let name = |cores: &Option<crate::Cores>| match cores {
        Some(cores) => cores.to_string(),
        None => "not readable".to_owned(),
    };
    let found = format!(
        "online {}, allowed to this process {}",
        name(&topology.online),
        name(&topology.allowed)
    );
    let allowed = topology.allowed.as_ref().map(|cores| cores.numbers());
    let threads = config.engine.threads + usize::from(config.gpu.enabled);
    let asked = format!(
        "engine.threads = {}{}",
        config.engine.threads,
        if config.gpu.enabled {
            " and that of gpu.windows"
        } else {
            ""
        }
    );
    let advice = match allowed.map(<[usize]>::len) {
        None => "not known here".to_owned(),
        Some(there) if there >= threads => {
            format!("enough for {asked}")
        }
        Some(there) if config.engine.wait == Wait::Spin => format!(
            "engine.wait = spin needs {threads} cores and there are {there}: threads wait for each \
             other's time slices; set engine.wait = yield or fewer engine.threads"
        ),
        Some(there) => format!(
            "{asked} share {there}: fewer engine.threads save hand-offs, more \
             cores keep the receiver undisturbed"
        ),
    };
    Finding {
        topic: "cores",
        found,
        advice,
    }
}

/// Where in the first line of `/proc/stat`, behind its name, the time stands in which the host ran something
/// else although there was work; the times before it are all others.
const STOLEN: usize = 7;

fn stolen(root: &Path) -> Finding {
    from_file("stolen", root, "proc/stat", |text| {
        let line = text.lines().next().unwrap_or_default();
        let numbers = line.split_whitespace().skip(1).take(STOLEN + 1);
        let times: Vec<u64> = numbers.map_while(|time| time.parse().ok()).collect();
        let all: f64 = times.iter().map(|&time| time as f64).sum();
        match times.get(STOLEN) {
            None => ("no number".to_owned(), "not known here".to_owned()),
            Some(0) => (
                "no time".to_owned(),
                "the host, if there is one, leaves the cores alone".to_owned(),
            ),
            Some(&stolen) => (
                format!("{:.2} % of the time", stolen as f64 * 100.0 / all),
                "the host ran something else while there was work: a core is away for milliseconds at \
                 once, which no setting here prevents; ask for cores that are not shared"
                    .to_owned(),
            ),
        }
    })
}

fn isolated(root: &Path, config: &Config) -> Finding {
    let path = "sys/devices/system/cpu/isolated";
    from_file("isolated", root, path, |text| {
        let isolated: crate::Cores = text.parse().unwrap_or_default();
        let asked = config.engine.cores.numbers();
        let shared = asked.iter().any(|core| !isolated.numbers().contains(core));
        let found = match isolated.is_empty() {
            true => "no cores".to_owned(),
            false => isolated.to_string(),
        };
        let advice = match (asked.is_empty(), shared) {
            (true, _) if isolated.is_empty() => "matters only where engine.cores names cores",
            (true, _) => "nothing runs there unless engine.cores names them",
            (false, true) => {
                "other threads may be put on the cores that engine.cores names: boot with isolcpus= \
                 and nohz_full= of these"
            }
            (false, false) => "engine.cores has them for itself",
        };
        (found, advice.to_owned())
    })
}

fn nodes(config: &Config, topology: &Topology) -> Finding {
    let each = topology
        .nodes
        .iter()
        .map(|(number, cores)| format!("node {number} has {cores}"));
    let found = each.collect::<Vec<_>>().join(", ");
    let placed = config.engine.numa_node.is_some() || !config.engine.cores.is_empty();
    let (found, advice) = match topology.nodes.len() {
        0 => ("no nodes can be read".to_owned(), "not known here"),
        1 => (found, "one node: all memory is near"),
        _ if placed => (
            found,
            "threads are placed: choose the node of the network card",
        ),
        _ => (
            found,
            "threads may be far from their memory: set engine.numa_node to that of the network card \
             (/sys/class/net/*/device/numa_node)",
        ),
    };
    Finding {
        topic: "numa",
        found,
        advice: advice.to_owned(),
    }
}

fn governor(root: &Path, topology: &Topology) -> Finding {
    let online = topology.online.clone().unwrap_or_default();
    let path = |core: &usize| format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor");
    let read: Vec<String> = online
        .numbers()
        .iter()
        .filter_map(|core| read(root, &path(core)).ok())
        .collect();
    let slow = read.iter().find(|name| *name != "performance");
    let (found, advice) = match (read.is_empty(), slow) {
        (true, _) => (
            "no cpufreq/scaling_governor can be read".to_owned(),
            "the firmware or the host of this machine chooses frequencies",
        ),
        (false, None) => ("performance".to_owned(), "cores keep their frequency"),
        (false, Some(slow)) => (
            slow.clone(),
            "cores slow down between packets: cpupower frequency-set -g performance",
        ),
    };
    Finding {
        topic: "governor",
        found,
        advice: advice.to_owned(),
    }
}

fn realtime(root: &Path, config: &Config) -> Finding {
    let path = "proc/sys/kernel/sched_rt_runtime_us";
    let advice = match config.engine.real_time_priority {
        None => "matters only with engine.real_time_priority",
        Some(_) => {
            "the feed waits for the rest of it: sysctl -w kernel.sched_rt_runtime_us=-1, if \
             other threads have cores of their own"
        }
    };
    from_file("realtime", root, path, |text| match text {
        "-1" => ("no throttling".to_owned(), "as it should be".to_owned()),
        _ => (
            format!("real-time threads are stopped after {text} us of their period"),
            advice.to_owned(),
        ),
    })
}

/// The choice in brackets of a file such as `always [madvise] never`.
fn chosen(text: &str) -> &str {
    let inside = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or(text, |(choice, _)| choice)
}

fn huge_pages(root: &Path) -> Finding {
    let path = "sys/kernel/mm/transparent_hugepage/enabled";
    from_file("huge pages", root, path, |text| {
        let advice = match chosen(text) {
            "always" | "madvise" => "the book gets them",
            _ => "the book pays with TLB misses: write madvise or always into the file",
        };
        (chosen(text).to_owned(), advice.to_owned())
    })
}

fn defrag(root: &Path) -> Finding {
    let path = "sys/kernel/mm/transparent_hugepage/defrag";
    from_file("defrag", root, path, |text| {
        let advice = match chosen(text) {
            "always" => "an allocation may wait for compaction: write defer+madvise into the file",
            _ => "no allocation waits for compaction unasked",
        };
        (chosen(text).to_owned(), advice.to_owned())
    })
}

fn receive_buffers(root: &Path, config: &Config) -> Finding {
    let path = "proc/sys/net/core/rmem_max";
    let lines = config.feed.lines.iter();
    let wanted = lines.map(|line| line.receive_buffer).max().unwrap_or(0);
    from_file("sockets", root, path, |text| {
        let advice = match text.parse::<usize>() {
            Ok(most) if most < wanted => format!(
                "a line asks for {wanted} bytes and bursts beyond the limit are lost: sysctl -w \
                 net.core.rmem_max={wanted}"
            ),
            Ok(_) => format!("lines get the {wanted} bytes that they ask for"),
            Err(_) => "no number".to_owned(),
        };
        (format!("net.core.rmem_max = {text}"), advice)
    })
}

fn default_buffers(root: &Path) -> Finding {
    let path = "proc/sys/net/core/rmem_default";
    from_file("sockets", root, path, |text| {
        let advice = "does not matter: every line asks for its own".to_owned();
        (format!("net.core.rmem_default = {text}"), advice)
    })
}
