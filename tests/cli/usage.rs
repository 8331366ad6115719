//! Faults of usage, files and configuration.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::process::widetape;
use super::{dataset, folder, text};

const SUBCOMMANDS: [&str; 8] = [
    "run", "replay", "scan", "compare", "send", "generate", "inspect", "doctor",
];

#[test]
fn every_subcommand_helps() {
    let whole = widetape(&["--help"]).exits(0);
    for subcommand in SUBCOMMANDS {
        let line = format!("\n  {subcommand} ");
        assert!(whole.text().contains(&line), "{subcommand}");
        let done = widetape(&[subcommand, "--help"]).exits(0);
        let usage = format!("Usage: widetape {subcommand}");
        assert!(done.text().contains(&usage), "{}", done.text());
        assert!(done.err.is_empty(), "{:?}", done.err);
    }
    let version = widetape(&["--version"]).exits(0);
    let wanted = concat!("widetape ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version.text(), wanted);
}

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    let day = dataset("edge_cases.itch");
    for (arguments, told) in [
        (&["bogus"][..], "bogus"),
        (&["--bogus"], "--bogus"),
        (&["scan"], "<FILE>"),
        (&["replay"], "<FILE>"),
        (&["inspect"], "<FILE>"),
        (&["send"], "<FILE>"),
        (&["generate"], "--out"),
        (&["scan", &day, "--bogus"], "--bogus"),
        (&["scan", &day, "--window", "1x"], "`1x` is not a duration"),
        (&["scan", &day, "--window", "0s"], "out of range"),
        (&["scan", &day, "--window", "25h"], "out of range"),
        (&["scan", &day, "--window", "1s,1s"], "`1s` stands twice"),
        (&["scan", &day, "--step", "session"], "session"),
        (&["scan", &day, "--policy", "itch.some"], "itch.continuous"),
        #[cfg(not(feature = "gpu"))]
        (&["scan", &day, "--backend", "gpu"], "no GPU backend"),
        #[cfg(feature = "gpu")]
        (&["scan", &day, "--gpu-tier", "u16"], "subgroups"),
        (&["scan", &day, "--backend", "fast"], "fast"),
        (&["scan", &day, "--format", "xml"], "jsonl"),
        (&["replay", &day, "--explain"], "only scan"),
        (
            &["scan", &day, "--explain", "--backend", "simd"],
            "only scan",
        ),
        (&["scan", &day, "--top", "3"], "--every-end"),
        (&["scan", &day, "--every-end", "--top", "0"], "--top"),
        (&["scan", &day, "--every-end", "--by", "range"], "--top"),
        (&["scan", &day, "--by", "size"], "notional"),
        (&["scan", &day, "--deviation", "1s,1m,5bp"], "--every-end"),
        (&["scan", &day, "--deviation", "1s,1m"], "1m,30m,50bp"),
        (&["scan", &day, "--deviation", "1s,1m,5"], "1m,30m,50bp"),
        (
            &["scan", &day, "--every-end", "--deviation", "1s,2m,5bp"],
            "2m is not among",
        ),
        (
            &["scan", &day, "--every-end", "--deviation", "1m,60s,5bp"],
            "from itself",
        ),
        (&["replay", &day, "--every-end", "--top", "3"], "use scan"),
        (&["scan", &day, "--totals"], "--every-end"),
        (
            &["scan", &day, "--every-end", "--totals", "--top", "3"],
            "--totals",
        ),
        (&["scan", &day, "--corrections", "some"], "some"),
        (&["scan", &day, "--symbols", "TOOLONGNAME"], "TOOLONGNAME"),
        (&["send", &day, "--loss", "200%"], "200%"),
        (&["send", &day, "--speed", "fast"], "fast"),
        (&["send", &day, "--speed", "1x", "--rate", "5"], "--rate"),
        (&["send", &day, "--rate", "0"], "--rate"),
        (&["send", &day, "--packet-bytes", "65508"], "--packet-bytes"),
        (&["send", &day, "--packet-bytes", "21"], "--packet-bytes"),
        (&["send", &day, "--session", "ELEVEN_LONG"], "--session"),
        (&["generate", "--symbols", "0", "--out", "-"], "--symbols"),
        (&["run", "--fix", "nowhere"], "nowhere"),
        (&["--seconds", "0"], "--seconds"),
    ] {
        is_wrong(arguments, told);
    }
}

fn is_wrong(arguments: &[&str], told: &str) {
    let done = widetape(arguments).exits(2);
    assert_eq!(done.text(), "", "{arguments:?}");
    let said = done.err.join("\n");
    assert!(said.contains(told), "{arguments:?}: {said}");
}

#[test]
fn an_option_that_would_do_nothing_is_wrong_usage() {
    let config = folder("nothing").join("w.toml");
    fs::write(&config, "[fix]\ndisabled = true\n").expect("a configuration");
    let run = ["run", "--config", text(&config)];
    is_wrong(&[&run[..], &["--format", "csv"]].concat(), "--out");
    is_wrong(
        &[&run[..], &["--fix", "127.0.0.1:0"]].concat(),
        "fix.disabled",
    );
    is_wrong(
        &["generate", "--duration", "17h", "--out", "-"],
        "16h at most",
    );
}

#[test]
fn files_that_cannot_be_read_or_written_are_named_in_one_line() {
    let folder = folder("files");
    let missing = folder.join("missing.itch");
    let empty = folder.join("empty.itch");
    File::create(&empty).expect("an empty file");
    let closed = folder.join("closed.itch");
    fs::copy(dataset("edge_cases.itch"), &closed).expect("a copy");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).expect("closed");
    let mut bad = vec![&missing, &empty, &folder];
    match File::open(&closed) {
        Ok(_) => println!("SKIPPED: this user reads files without permission"),
        Err(_) => bad.push(&closed),
    }
    for path in bad {
        for command in ["scan", "replay", "inspect", "send"] {
            let done = widetape(&[command, text(path)]).exits(1);
            assert!(done.refused().contains(text(path)), "{:?}", done.err);
        }
    }
    let nowhere = folder.join("nowhere").join("rows.csv");
    let day = dataset("edge_cases.itch");
    for command in ["scan", "replay"] {
        let done = widetape(&[command, &day, "--out", text(&nowhere)]).exits(1);
        assert!(done.refused().contains(text(&nowhere)), "{:?}", done.err);
    }
    let done = widetape(&["generate", "--messages", "2000", "--out", text(&folder)]).exits(1);
    assert!(done.refused().contains(text(&folder)), "{:?}", done.err);
}

/// A service with this configuration is refused in one line that names the file and says this.
fn is_refused(path: &Path, content: &str, told: &str) {
    fs::write(path, content).expect("a configuration");
    let done = widetape(&["run", "--config", text(path)]).exits(78);
    let line = done.refused();
    assert!(line.contains(text(path)) && line.contains(told), "{line}");
}

#[test]
fn a_feed_that_cannot_be_is_refused_with_exit_code_78() {
    let folder = folder("config-feed");
    let many = "[[feed.lines]]\ngroup = \"239.192.0.1:5000\"\n".repeat(16);
    for (name, content, told) in [
        ("many.toml", many.as_str(), "15 at most"),
        (
            "line.toml",
            "[[feed.lines]]\ngroup = \"239.192.0.1:5000\"\nline = 255\n",
            "choose a lower number",
        ),
        (
            "impair.toml",
            "[feed.impair]\nloss = 2.0\n",
            "feed.impair.loss = 2: a probability",
        ),
        (
            "both.toml",
            "[feed.fix]\nserver = \"127.0.0.1:1\"\n[feed.impair]\nloss = 0.5\n",
            "feed.fix cannot",
        ),
    ] {
        is_refused(&folder.join(name), content, told);
    }
}

#[test]
fn a_bad_configuration_is_told_with_file_and_line_and_exit_code_78() {
    let folder = folder("config");
    for (name, content, told) in [
        (
            "key.toml",
            "[window]\nstap = \"1s\"\n",
            "key.toml:2: unknown field `stap`",
        ),
        ("near.toml", "[windw]\n", "did you mean `window`?"),
        ("value.toml", "[window]\nstep = \"1x\"\n", "value.toml:2: "),
        ("kind.toml", "[engine]\nqueue = \"a\"\n", "kind.toml:2: "),
        ("toml.toml", "\n[engine\n", "toml.toml:2: "),
        (
            "twice.toml",
            "[window]\nwindows = [\"1s\", \"1s\"]\n",
            "stands twice",
        ),
        (
            "backend.toml",
            "[window]\nbackend = \"fast\"\n",
            "backend.toml:2: ",
        ),
        ("lines.toml", "[feed]\nlines = []\n", "at least one line"),
        ("queue.toml", "[engine]\nqueue = 0\n", "engine.queue"),
        ("threads.toml", "[engine]\nthreads = 5\n", "4, 3, 2 or 1"),
        (
            "orders.toml",
            "[engine]\norders = 268435457\n",
            "engine.orders must be at most",
        ),
        (
            "executions.toml",
            "[engine]\nexecutions = 4294967296\n",
            "engine.executions must be at most",
        ),
        (
            "wait.toml",
            "[engine]\nwait = \"nap\"\n",
            "wait.toml:2: `nap`",
        ),
        (
            "list.toml",
            "[engine]\ncores = \"1-x\"\n",
            "list.toml:2: `1-x`",
        ),
    ] {
        is_refused(&folder.join(name), content, told);
    }
    for path in [folder.join("missing.toml"), folder.clone()] {
        let done = widetape(&["run", "--config", text(&path)]).exits(78);
        assert!(done.refused().contains(text(&path)), "{:?}", done.err);
    }
}

#[test]
fn fix_for_a_network_without_tls_is_refused_with_the_remedy_and_exit_code_78() {
    let folder = folder("plain");
    let path = folder.join("wide.toml");
    let wide = "[recovery]\ndisabled = true\n[fix.acceptor]\nlisten = \"0.0.0.0:0\"\n";
    fs::write(&path, wide).expect("a configuration");
    let done = widetape(&["run", "--config", text(&path)]).exits(78);
    let line = done.refused();
    assert!(
        line.contains("[fix.acceptor.tls]") && line.contains("plain_text = true"),
        "{line}"
    );
}

#[test]
fn threads_that_cannot_run_as_asked_are_told_with_key_and_exit_code_78() {
    let path = folder("cores").join("w.toml");
    let line =
        "[[feed.lines]]\ngroup = \"239.192.92.1:0\"\n[recovery]\ndisabled = true\n[engine]\n";
    for (engine, told) in [
        (
            "cores = \"1023\"\nthreads = 1\n",
            "engine.cores: core 1023 does not exist",
        ),
        (
            "cores = \"0\"\n",
            "engine.cores names 1 cores for 2 threads",
        ),
        (
            "numa_node = 1023\n",
            "engine.numa_node: there is no node 1023",
        ),
        (
            "real_time_priority = 100\n",
            "engine.real_time_priority = 100: there are 1 to 99",
        ),
        (
            "real_time_priority = 1\nwait = \"spin\"\n",
            "let engine.wait be park or backoff",
        ),
    ] {
        fs::write(&path, format!("{line}{engine}")).expect("a configuration");
        let done = widetape(&["run", "--config", text(&path), "--fix", "127.0.0.1:0"]).exits(78);
        assert!(done.refused().contains(told), "{:?}", done.err);
    }
}

#[test]
fn the_printed_configuration_parses_back_to_the_default() {
    use widetape::config::Config;
    let done = widetape(&["run", "--print-config"]).exits(0);
    let printed = Config::parse(done.text(), Path::new("printed")).expect("it parses");
    assert_eq!(format!("{printed:?}"), format!("{:?}", Config::default()));
}

#[test]
fn a_fix_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let path = folder("fix_in_use").join("w.toml");
    let line = "[[feed.lines]]\ngroup = \"239.192.91.1:0\"\nline = 0\n";
    fs::write(&path, line).expect("a configuration");
    for arguments in [
        &["run", "--config", text(&path), "--fix", &address][..],
        &["--fix", &address],
    ] {
        let done = widetape(arguments).exits(1);
        let last = done.err.last().expect("a line");
        assert!(last.contains(&address), "{last}");
    }
}
