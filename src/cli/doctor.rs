//! `doctor`: what this machine gives, and what to change.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::Error;
use super::error::tell;
use crate::{Packet, Poll, Pool, Source, UdpOptions, UdpSource, multicast_sender};

pub(super) fn run() -> Result<(), Error> {
    let mut lines = vec![format!("widetape {}", env!("CARGO_PKG_VERSION"))];
    processor(&mut lines);
    sockets(&mut lines);
    lines.push(match round_trip() {
        Ok(()) => "multicast   works on loopback".to_owned(),
        Err(reason) => format!("multicast   does not work on loopback: {reason}"),
    });
    lines.push("gpu         this build has no GPU backend".to_owned());
    tell(format_args!("{}\n", lines.join("\n")))
}

fn processor(lines: &mut Vec<String>) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut features = Vec::new();
    #[cfg(target_arch = "x86_64")]
    for (name, there) in [
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ] {
        if there {
            features.push(name);
        }
    }
    lines.push(format!("cpu         {cores} cores, {}", features.join(" ")));
    if cores < 4 {
        lines.push(
            "            the service runs four threads; with fewer cores they share".to_owned(),
        );
    }
    let governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    if let Ok(governor) = fs::read_to_string(governor)
        && governor.trim() != "performance"
    {
        lines.push(format!(
            "            the frequency governor is {}: choose performance",
            governor.trim()
        ));
    }
    if let Ok(pages) = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled") {
        lines.push(format!("huge pages  {}", pages.trim()));
    }
}

fn sockets(lines: &mut Vec<String>) {
    let wanted = UdpOptions::new(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).receive_buffer;
    let path = "/proc/sys/net/core/rmem_max";
    let Some(most) = fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
    else {
        lines.push(format!("sockets     {path} cannot be read"));
        return;
    };
    lines.push(format!("sockets     net.core.rmem_max = {most}"));
    if most < wanted {
        lines.push(format!(
            "            a line asks for {wanted}: sysctl -w net.core.rmem_max={wanted}"
        ));
    }
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
