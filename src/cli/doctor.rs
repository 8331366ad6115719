//! `doctor`: what this machine gives, and what to change.

mod machine;
mod stalls;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

use super::Error;
use super::error::tell;
use crate::config::Config;
use crate::{Packet, Poll, Pool, Source, UdpOptions, UdpSource, multicast_sender};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration that the machine is held against; the defaults unless said.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that holds the proc and sys of the machine to look at, such as a copy of another's.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
    /// Keep every core busy for so long and say for how much of that it stood still; not where a service runs.
    #[arg(long, value_name = "DURATION")]
    watch: Option<crate::Duration>,
}

pub(super) fn run(args: &Args) -> Result<(), Error> {
    let config = args.config.as_deref().map(Config::read).transpose()?;
    let mut lines = vec![format!("widetape {}", env!("CARGO_PKG_VERSION"))];
    lines.push(format!("{:<12}{}", "cpu", processor()));
    let mut findings = machine::findings(&args.root, &config.unwrap_or_default());
    if let Some(watch) = args.watch {
        findings.extend(stalls::findings(Duration::from_nanos(watch.nanos())));
    }
    for finding in findings {
        lines.push(format!("{:<12}{}", finding.topic, finding.found));
        lines.push(format!("{:<12}{}", "", finding.advice));
    }
    lines.push(match round_trip() {
        Ok(()) => "multicast   works on loopback".to_owned(),
        Err(reason) => format!("multicast   does not work on loopback: {reason}"),
    });
    lines.extend(graphics().map(|found| format!("{:<12}{found}", "gpu")));
    tell(format_args!("{}\n", lines.join("\n")))
}

/// A line for each adapter.
#[cfg(feature = "gpu")]
fn graphics() -> impl Iterator<Item = String> {
    let line = |adapter: &crate::AdapterSummary| {
        let kind = match adapter.is_software {
            true => "software, which --backend gpu alone chooses",
            false => "hardware",
        };
        let (name, driver, tier) = (&adapter.name, &adapter.driver, adapter.tier);
        format!("{name}, {driver}, tier {tier}, {kind}")
    };
    let mut lines: Vec<String> = crate::adapters().iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no adapter: is a Vulkan driver installed?".to_owned());
    }
    lines.into_iter()
}

#[cfg(not(feature = "gpu"))]
fn graphics() -> impl Iterator<Item = String> {
    std::iter::once("this build has no GPU backend".to_owned())
}

/// What this machine's cores can do.
fn processor() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sets = instruction_sets().into_iter();
    let names: Vec<&str> = sets
        .filter_map(|(name, is_there)| is_there.then_some(name))
        .collect();
    format!("{cores} cores, {}", names.join(" "))
}

#[cfg(target_arch = "x86_64")]
fn instruction_sets() -> [(&'static str, bool); 4] {
    [
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ]
}

#[cfg(target_arch = "aarch64")]
fn instruction_sets() -> [(&'static str, bool); 1] {
    [("neon", std::arch::is_aarch64_feature_detected!("neon"))]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instruction_sets() -> [(&'static str, bool); 0] {
    []
}

/// Sends a datagram to a group on loopback and waits for it.
fn round_trip() -> Result<(), String> {
    let options = UdpOptions::new(SocketAddrV4::new([239, 192, 77, 77].into(), 0));
    let mut source = UdpSource::open(&[options], Pool::new(8, 2048)).map_err(|e| e.to_string())?;
    let group = source
        .bound_addresses()
        .next()
        .ok_or("no address was bound")?;
    let sender = multicast_sender(Ipv4Addr::LOCALHOST).map_err(|e| e.to_string())?;
    sender
        .send_to(b"widetape", group)
        .map_err(|e| e.to_string())?;
    source.wait(Duration::from_secs(1));
    let mut packets: Vec<Packet> = Vec::new();
    match source.poll(0, &mut packets) {
        Ok(Poll::Ready) => Ok(()),
        Ok(_) => Err("nothing came back within a second; is the route to lo up?".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
