//! The command with `--backend gpu` writes the bytes that `--backend scalar` writes.

use std::process::Command;

use widetape::gpu::{GpuOptions, Tier};

use super::open;

const INPUTS: [&str; 2] = ["edge_cases.itch", "sample_day.itch.gz"];

const FLAGS: [&str; 22] = [
    "",
    "--format jsonl",
    "--format table",
    "--window 250ms,1s,5m,session --step 250ms",
    "--window 24h,1ms --step 1s",
    "--window 1s,10s --step 1s --every-end",
    "--window session --every-end --step 10s",
    "--policy itch.continuous",
    "--policy itch.auction --every-end --step 1m",
    "--policy itch.displayed --corrections off",
    "--corrections 1s --symbols ONE,AAPL",
    "--corrections 5s --window 5s,session --step 5s",
    "--every-end --step 1m --window 1m,session --top 3",
    "--every-end --step 7s --window 2m,10s,session --top 1 --by notional --corrections off",
    "--every-end --step 1m --window 90s --top 5 --by trades --format jsonl --symbols ONE,TWO,A,AA,AB",
    "--every-end --step 1m --window 1m,5m,session --top 128 --by range --policy itch.displayed",
    "--every-end --step 1m --window 1m --top 129",
    "--every-end --step 1m --window 1m,30m,session --deviation 1m,30m,5bp",
    "--every-end --step 10s --window session,1ms,10s --deviation 10s,session,0bp --corrections 1s",
    "--every-end --step 1m --window 1s,1m,24h --totals",
    "--every-end --step 1m --totals --corrections off --format table",
    "--every-end --step 90s --totals --symbols ONE,A,AB --policy itch.continuous --format jsonl",
];

/// Standard output, and the lines of standard error that are the command's own and not the driver's.
fn run(arguments: &str, flags: &str, has_driver: bool) -> (Vec<u8>, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_widetape"));
    let arguments = arguments.split_whitespace();
    command.args(arguments.chain(flags.split_whitespace()));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/datasets"));
    if !has_driver {
        command.env("VK_DRIVER_FILES", "nowhere.json");
        command.env("VK_ICD_FILENAMES", "nowhere.json");
    }
    let done = command.output().expect("the built command starts");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{flags}: {said}");
    let own = said.lines().filter(|line| line.starts_with("widetape"));
    (done.stdout, own.map(str::to_owned).collect())
}

#[test]
fn every_tier_writes_the_bytes_of_the_oracle() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    for input in INPUTS {
        for (index, flags) in FLAGS.into_iter().enumerate() {
            let wanted = run(&format!("scan {input} --backend scalar"), flags, true);
            assert!(!wanted.0.is_empty());
            // Every tier meets every input, and every combination of flags a tier.
            let tier = Tier::EACH[index % 3];
            let on_gpu = format!("scan {input} --backend gpu --gpu-tier {tier}");
            let found = run(&on_gpu, flags, true);
            assert!(found == wanted, "{on_gpu} {flags}: {:?}", found.1);
        }
    }
}

#[test]
fn streaming_on_a_gpu_writes_the_bytes_of_the_oracle() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let wanted = run("replay edge_cases.itch --backend scalar", "", true);
    let found = run("replay edge_cases.itch --backend gpu", "", true);
    assert!(found == wanted, "{:?}", found.1);
}

#[test]
fn without_a_driver_one_line_is_said_and_the_bytes_are_the_same() {
    let selected = "--window 1m,session --step 1m --every-end --format csv --top";
    let mut asked = Vec::new();
    for flags in [
        "--window 1s,session --format csv",
        &format!("{selected} 3"),
        // More than a device ranks: rows are computed, and the selection is made among them.
        &format!("{selected} 129"),
    ] {
        let (wanted, said) = run("scan sample_day.itch.gz --backend scalar", flags, false);
        let (found, warned) = run("scan sample_day.itch.gz --backend gpu", flags, false);
        assert!(found == wanted);
        let [line, rest @ ..] = &warned[..] else {
            panic!("nothing was said");
        };
        assert_eq!(rest, said);
        let start = "widetape: warning: no GPU adapter; the CPU computed ";
        let count = line
            .strip_prefix(start)
            .and_then(|rest| rest.split(' ').next());
        asked.push(
            count
                .and_then(|count| count.parse::<u64>().ok())
                .expect(line),
        );
    }
    assert!(
        asked[1] > asked[2],
        "empty windows are asked too where ends are reduced"
    );
}
