//! `compare`: equal answers, figures for people, machines and the eye, with and without a device.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::process::widetape;
use super::{dataset, folder, text};

const SMALL: [&str; 8] = [
    "compare",
    "--symbols",
    "20",
    "--seconds",
    "30",
    "--window",
    "1s,7s",
    "--json",
];

fn backends(size: &Value) -> Vec<&str> {
    let rows = size["rows"].as_array().expect("rows");
    let name = |row: &'_ Value| row["backend"].as_str().is_some();
    assert!(rows.iter().all(name));
    rows.iter()
        .filter_map(|row| row["backend"].as_str())
        .collect()
}

#[test]
fn one_size_is_told_to_people_machines_and_the_eye() {
    let folder = folder("compare");
    let (json, plot) = (folder.join("report.json"), folder.join("report.svg"));
    let columns = folder.join("columns");
    let options = [
        text(&json),
        "--plot",
        text(&plot),
        "--columns",
        text(&columns),
    ];
    let done = widetape(&[&SMALL[..], &options].concat()).exits(0);
    let report: Value = serde_json::from_slice(&fs::read(&json).expect("a report")).expect("JSON");
    let size = &report["sizes"][0];
    assert_eq!(size["windows"], 20 * 30 * 2);
    assert_eq!(backends(size)[..3], ["scalar", "simd", "parallel"]);
    for row in size["rows"].as_array().expect("rows") {
        let seconds = |name: &str| row[name].as_f64();
        let (total, resident) = (seconds("total"), seconds("resident"));
        assert!(resident > Some(0.0) && total > resident, "{row}");
        assert!(seconds("copy_fraction") > Some(0.0), "{row}");
        assert_eq!(seconds("upload").is_some(), seconds("read_back").is_some());
        let line = row["backend"].as_str().expect("a name");
        assert!(done.text().lines().any(|found| found.starts_with(line)));
    }
    let drawn = fs::read_to_string(&plot).expect("a plot");
    for mark in ["<polyline", "<circle"] {
        assert_eq!(drawn.matches(mark).count(), 2 * backends(size).len());
    }
    let is_software = report["adapter"]["is_software"] == true;
    assert_eq!(drawn.contains("SOFTWARE"), is_software);
    assert_eq!(done.text().contains("software: the processor"), is_software);
    let trades = size["trades"].as_u64().expect("trades");
    for (name, bytes) in [
        ("time_ns.u64", 8),
        ("locate.u16", 2),
        ("price.u32", 4),
        ("shares.u32", 4),
    ] {
        let written = fs::metadata(columns.join(name)).expect("a column");
        assert_eq!(written.len(), bytes * trades, "{name}");
    }
}

#[test]
fn the_digest_is_that_of_the_executions() {
    let folder = folder("compare_digest");
    let options = ["-", "--columns", text(&folder)];
    let done = widetape(&[&SMALL[..], &options].concat()).exits(0);
    let report: Value = serde_json::from_str(done.text()).expect("JSON alone");
    let size = &report["sizes"][0];
    let column = |name: &str, bytes: usize| -> Vec<u64> {
        let read = fs::read(folder.join(name)).expect("a column");
        let value = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |all, &b| all << 8 | u64::from(b))
        };
        read.chunks(bytes).map(value).collect()
    };
    let (times, locates) = (column("time_ns.u64", 8), column("locate.u16", 2));
    let (prices, shares) = (column("price.u32", 4), column("shares.u32", 4));
    let first = size["first"].as_u64().expect("the first end");
    for (index, width) in [1, 7].into_iter().enumerate() {
        let mut wanted = [0_u64; 8];
        for (locate, end) in (1..=20).flat_map(|l| (first..first + 30).map(move |end| (l, end))) {
            let inside = |&at: &usize| {
                let step = times[at] / 1_000_000_000;
                locates[at] == locate && step < end && step + width >= end
            };
            let held: Vec<usize> = (0..times.len()).filter(inside).collect();
            let weight = (locate << 32 | end).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let price = |at: Option<&usize>| at.map_or(0, |&at| prices[at]);
            let values = [
                held.iter().map(|&at| prices[at] * shares[at]).sum(),
                0,
                held.iter().map(|&at| shares[at]).sum(),
                held.len() as u64,
                price(held.first()),
                held.iter().map(|&at| prices[at]).max().unwrap_or(0),
                held.iter().map(|&at| prices[at]).min().unwrap_or(0),
                price(held.last()),
            ];
            for (sum, value) in wanted.iter_mut().zip(values) {
                *sum = sum.wrapping_add(weight.wrapping_mul(value));
            }
        }
        let told = size["answers"][index].as_array().expect("a width");
        let told: Vec<u64> = told.iter().filter_map(Value::as_u64).collect();
        assert_eq!(told, wanted, "width {width}");
    }
}

#[test]
fn without_a_device_the_cpu_is_measured_alone() {
    let day = dataset("sample_day.itch.gz");
    let done = Command::new(env!("CARGO_BIN_EXE_widetape"))
        .args(["compare", &day, "--step", "1m", "--window", "1m,5m"])
        .env("VK_DRIVER_FILES", "nowhere.json")
        .env("VK_ICD_FILENAMES", "nowhere.json")
        .output()
        .expect("the built command starts");
    assert!(done.status.success());
    let told = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(told.contains("the CPU alone is measured"), "{told}");
    assert!(told.contains("40 symbols x "), "{told}");
    for backend in ["scalar ", "simd ", "parallel "] {
        assert!(told.lines().any(|line| line.starts_with(backend)), "{told}");
    }
    assert!(!told.contains("gpu u32"), "{told}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let day = dataset("edge_cases.itch");
    for (options, code, told) in [
        (&["--window", "session"][..], 2, "`session` is no multiple"),
        (&["--window", "1500ms"], 2, "`1500ms` is no multiple"),
        (&["--up-to", "1"], 2, "no size is so small"),
        (&["--symbols", "0"], 2, "--symbols"),
        (&[&day, "--symbols", "3"], 2, "cannot be used with"),
        (&["nowhere.itch"], 1, "nowhere.itch"),
    ] {
        let done = widetape(&[&["compare"], options].concat()).exits(code);
        assert!(done.refused().contains(told), "{:?}", done.err);
    }
}
