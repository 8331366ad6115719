//! What the machine gives and withholds, by planted files.

use std::fs;
use std::path::{Path, PathBuf};

use super::process::widetape;
use super::{folder, text};

/// A machine of eight cores on two nodes that withholds what it can.
const STRICT: &[(&str, &str)] = &[
    ("proc/sys/kernel/osrelease", "4.18.0-553.el8"),
    ("proc/sys/kernel/sched_rt_runtime_us", "950000"),
    (
        "proc/stat",
        "cpu  100 0 100 700 50 0 25 25 0 0\ncpu0 100 0 100 700 50 0 25 25 0 0",
    ),
    ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-1\n"),
    ("proc/sys/net/core/rmem_max", "212992"),
    ("proc/sys/net/core/rmem_default", "212992"),
    ("sys/devices/system/cpu/online", "0-7"),
    ("sys/devices/system/cpu/isolated", ""),
    (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "performance",
    ),
    (
        "sys/devices/system/cpu/cpu7/cpufreq/scaling_governor",
        "powersave",
    ),
    ("sys/devices/system/node/node0/cpulist", "0-3"),
    ("sys/devices/system/node/node1/cpulist", "4-7"),
    (
        "sys/kernel/mm/transparent_hugepage/enabled",
        "always madvise [never]",
    ),
    (
        "sys/kernel/mm/transparent_hugepage/defrag",
        "[always] defer madvise never",
    ),
];

/// The same machine set right.
const TUNED: &[(&str, &str)] = &[
    ("proc/sys/kernel/osrelease", "6.12.1"),
    ("proc/sys/kernel/sched_rt_runtime_us", "-1"),
    ("proc/stat", "cpu  100 0 100 775 0 0 25 0 0 0"),
    ("proc/self/status", "Cpus_allowed_list:\t0-7\n"),
    ("proc/sys/net/core/rmem_max", "16777216"),
    ("sys/devices/system/cpu/isolated", "4-7"),
    (
        "sys/devices/system/cpu/cpu7/cpufreq/scaling_governor",
        "performance",
    ),
    (
        "sys/kernel/mm/transparent_hugepage/enabled",
        "[always] madvise never",
    ),
    (
        "sys/kernel/mm/transparent_hugepage/defrag",
        "always [defer+madvise] never",
    ),
];

fn plant(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, format!("{content}\n")).expect("a planted file");
    }
}

/// What is found and advised on each topic, one line each.
fn told(root: &Path, config: Option<&PathBuf>) -> Vec<String> {
    let mut arguments = vec!["--root", text(root)];
    arguments.extend(config.into_iter().flat_map(|path| ["--config", text(path)]));
    lines(&arguments)
}

fn lines(arguments: &[&str]) -> Vec<String> {
    let done = widetape(&[&["doctor"], arguments].concat()).exits(0);
    let mut lines: Vec<String> = Vec::new();
    for line in done.text().lines() {
        match (line.strip_prefix("            "), lines.last_mut()) {
            (Some(more), Some(last)) => *last = format!("{last} | {more}"),
            _ => lines.push(line.split_whitespace().collect::<Vec<_>>().join(" ")),
        }
    }
    lines
}

#[track_caller]
fn says(lines: &[String], beginning: &str, advice: &str) {
    let found = lines
        .iter()
        .any(|line| line.starts_with(beginning) && line.contains(advice));
    assert!(found, "{beginning} .. {advice}: {lines:#?}");
}

#[test]
fn doctor_says_what_this_machine_gives() {
    let lines = told(Path::new("/"), None);
    for topic in [
        "widetape ",
        "cpu ",
        "cores ",
        "sockets ",
        "multicast ",
        "gpu ",
    ] {
        says(&lines, topic, "");
    }
}

#[test]
fn doctor_watches_the_cores_if_asked() {
    let watched = lines(&["--watch", "50ms"]);
    says(&watched, "stalls ", "more than 1 ms");
    says(&watched, "preempted ", "more than 1 ms");
    let unasked = lines(&[]);
    assert!(!unasked.iter().any(|line| line.starts_with("stalls ")));
}

#[test]
fn what_is_withheld_is_told_with_the_remedy() {
    let root = folder("doctor-strict");
    plant(&root, STRICT);
    let config = root.join("w.toml");
    fs::write(&config, "[engine]\nthreads = 4\n").expect("a configuration");
    let lines = told(&root, Some(&config));
    for (beginning, advice) in [
        ("kernel 4.18.0-553.el8", "older than 5.0"),
        (
            "cores online 0-7, allowed to this process 0-1",
            "engine.threads = 4 share 2",
        ),
        ("stolen 2.50 % of the time", "cores that are not shared"),
        ("isolated no cores", "only where engine.cores names cores"),
        (
            "numa node 0 has 0-3, node 1 has 4-7",
            "set engine.numa_node",
        ),
        (
            "governor powersave",
            "cpupower frequency-set -g performance",
        ),
        (
            "realtime real-time threads are stopped after 950000 us",
            "matters only with engine.real_time_priority",
        ),
        ("huge pages never", "write madvise or always"),
        ("defrag always", "write defer+madvise"),
        (
            "sockets net.core.rmem_max = 212992",
            "sysctl -w net.core.rmem_max=8388608",
        ),
        ("sockets net.core.rmem_default = 212992", "does not matter"),
    ] {
        says(&lines, beginning, advice);
    }
}

#[test]
fn the_configuration_is_held_against_the_machine() {
    let root = folder("doctor-asked");
    plant(&root, STRICT);
    let config = root.join("w.toml");
    let line = "[[feed.lines]]\ngroup = \"239.192.94.1:0\"\nreceive_buffer = 1000\n";
    let engine =
        "[engine]\nwait = \"spin\"\nthreads = 4\ncores = \"0-3\"\nreal_time_priority = 1\n";
    fs::write(&config, format!("{line}{engine}")).expect("a configuration");
    let lines = told(&root, Some(&config));
    says(&lines, "cores ", "spin needs 4 cores and there are 2");
    says(&lines, "isolated no cores", "isolcpus=");
    says(&lines, "numa ", "threads are placed");
    says(&lines, "realtime ", "kernel.sched_rt_runtime_us=-1");
    says(
        &lines,
        "sockets net.core.rmem_max",
        "lines get the 1000 bytes",
    );
}

#[test]
fn a_machine_that_is_set_right_needs_nothing() {
    let root = folder("doctor-tuned");
    plant(&root, STRICT);
    plant(&root, TUNED);
    let config = root.join("w.toml");
    fs::write(
        &config,
        "[engine]\nwait = \"spin\"\nthreads = 4\ncores = \"4-7\"\n",
    )
    .expect("a configuration");
    let lines = told(&root, Some(&config));
    for (beginning, advice) in [
        ("kernel 6.12.1", "new enough"),
        (
            "cores online 0-7, allowed to this process 0-7",
            "enough for engine.threads = 4",
        ),
        ("stolen no time", "leaves the cores alone"),
        ("isolated 4-7", "for itself"),
        ("governor performance", "keep their frequency"),
        ("realtime no throttling", "as it should be"),
        ("huge pages always", "the book gets them"),
        ("defrag defer+madvise", "no allocation waits"),
        (
            "sockets net.core.rmem_max = 16777216",
            "lines get the 8388608 bytes",
        ),
    ] {
        says(&lines, beginning, advice);
    }
}

#[test]
fn files_that_cannot_be_read_are_told_and_no_error() {
    let root = folder("doctor-bare");
    let lines = told(&root, None);
    for topic in [
        "kernel ",
        "stolen ",
        "isolated ",
        "realtime ",
        "huge pages ",
        "defrag ",
        "sockets ",
    ] {
        says(&lines, topic, "cannot be read");
    }
    says(&lines, "cores online not readable", "not known here");
    says(&lines, "numa no nodes", "not known here");
    says(&lines, "governor no cpufreq", "host of this machine");
}
