//! The rules of DESIGN: who may import whom, one home for each dependency, pure stages, lengths.
//!
//! They read the source as text, so they hold for code that is compiled out as well. Each rule is
//! shown planted faults first, because a rule that never speaks is no rule.

mod lexer;
mod rules;

use std::fs;
use std::path::Path;

use lexer::tokens;
use rules::{FILE_LINES, FUNCTION_LINES, File, IMPORTS, MAIN_LINES, empty_homes, faults};

/// Every file of Rust below `folder`, which is relative to the root of the crate.
fn files(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap();
                let name = name.to_str().unwrap().replace('\\', "/");
                found.push(File::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn the_crate_keeps_the_rules() {
    let mut all = files("src");
    let parts: Vec<&str> = all.iter().filter_map(File::part).collect();
    for (part, _) in IMPORTS {
        assert!(parts.contains(part), "no file of {part} was read");
    }
    all.extend(files("tests"));
    all.extend(files("benches"));
    let found: Vec<String> = all.iter().flat_map(faults).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_home_is_lived_in() {
    let all = files("src");
    assert_eq!(empty_homes(&all), Vec::<String>::new());
    let moved: Vec<File> = all
        .into_iter()
        .filter(|file| !file.path.starts_with("src/cpu/parallel"))
        .collect();
    assert_eq!(empty_homes(&moved), ["src/cpu/parallel.rs has no rayon"]);
}

#[test]
fn the_table_has_no_circles() {
    for (row, (part, allowed)) in IMPORTS.iter().enumerate() {
        for module in *allowed {
            let top = module.split("::").next().unwrap();
            let above = IMPORTS[..row].iter().any(|(name, _)| *name == top);
            assert!(above, "{part} imports {module}, which is not above it");
        }
    }
}

/// The lines at which a planted file has faults.
fn lines(path: &str, text: &str) -> Vec<usize> {
    let found = faults(&File::new(path, text));
    let line = |fault: &String| fault.split(':').nth(1).unwrap().parse().unwrap();
    found.iter().map(line).collect()
}

#[test]
fn imports_that_go_up_or_across_are_found() {
    for (path, text) in [
        ("src/market/price.rs", "use crate::wire::itch50;"),
        ("src/cpu/simd.rs", "use crate::gpu::Device;"),
        ("src/feed/udp.rs", "use crate::session::Arbiter;"),
        ("src/window/row.rs", "fn f() { crate::metrics::count(); }"),
        (
            "src/window/row.rs",
            "use crate::{market::Price, book::Book};",
        ),
        (
            "src/publish/text/csv.rs",
            "use crate::wire::{fix::Tag, itch50::Add};",
        ),
        ("src/publish/mod.rs", "use crate::wire;"),
        ("src/window/row.rs", "use super::super::book::Book;"),
        (
            "src/window/row.rs",
            "mod tests { use super::super::super::book; }",
        ),
        ("src/window/mod.rs", "use super::book::Book;"),
        ("src/window/row.rs", "use crate::Book;"),
        ("src/window/row.rs", "use crate::*;"),
        ("src/main.rs", "fn main() { widetape::engine::run() }"),
        ("src/other/mod.rs", ""),
        ("src/other.rs", ""),
    ] {
        assert_eq!(lines(path, text), [1], "{path}: {text}");
    }
}

#[test]
fn imports_that_go_down_are_not() {
    for (path, text) in [
        (
            "src/window/row.rs",
            "use crate::{market::Price, columns::{Column, Trades}};",
        ),
        (
            "src/window/row.rs",
            "use super::Sums; use crate::window::Row;",
        ),
        ("src/window/row.rs", "mod tests { use super::super::Spec; }"),
        (
            "src/window/row.rs",
            "// use crate::book;\n/* crate::book /* */ crate::cli */",
        ),
        (
            "src/window/row.rs",
            "/// See [`crate::book`].\npub(crate) struct A;",
        ),
        (
            "src/window/row.rs",
            "const A: &str = \"\\\"crate::book\"; const B: char = '\"';",
        ),
        (
            "src/window/row.rs",
            "const A: &str = r#\"\" crate::book\"#;",
        ),
        (
            "src/publish/fix/session.rs",
            "use crate::wire::fix::Tag; use super::super::Update;",
        ),
        ("src/main.rs", "fn main() { widetape::cli::run() }"),
        ("src/lib.rs", "pub use crate::engine::Engine;"),
        ("tests/cli.rs", "use widetape::cli;"),
    ] {
        assert_eq!(lines(path, text), [0; 0], "{path}: {text}");
    }
}

#[test]
fn dependencies_away_from_home_are_found() {
    for (path, text) in [
        ("src/engine/agent.rs", "use wgpu::Device;"),
        ("src/cpu/parallel.rs", "use pulp::Arch;"),
        ("src/cpu/simd.rs", "use rayon::prelude::*;"),
        (
            "src/publish/fix/parse.rs",
            "fn f() { nom::bytes::take(1); }",
        ),
        ("src/feed/pcap.rs", "use socket2 as sockets;"),
        ("src/feed/udp.rs", "use libc::c_int;"),
        ("src/feed/udp.rs", "use crossbeam_channel::{Receiver};"),
        ("src/config.rs", "#[derive(clap::Args)] struct A;"),
        ("src/engine/agent.rs", "use hdrhistogram::Histogram;"),
        (
            "src/publish/fix/acceptor.rs",
            "fn f() { std::thread::spawn(g); }",
        ),
        ("src/feed/udp.rs", "use std::thread::{self, Builder};"),
    ] {
        assert_eq!(lines(path, text), [1], "{path}: {text}");
    }
    for (path, text) in [
        ("src/cpu/parallel.rs", "use rayon::prelude::*;"),
        ("src/feed/udp.rs", "use socket2::Socket;"),
        ("src/feed/udp/linux.rs", "use libc::c_int;"),
        ("src/feed/fix/source.rs", "use socket2::Socket;"),
        (
            "src/engine/agent.rs",
            "use std::thread; use crossbeam_channel::Sender;",
        ),
        (
            "src/buffer/pool.rs",
            "#[cfg(test)] mod tests { fn f() { thread::spawn(g); } }",
        ),
        (
            "src/cli/doctor.rs",
            "fn f() { std::thread::available_parallelism(); }",
        ),
        (
            "tests/fix.rs",
            "use socket2::Socket; use std::thread::spawn;",
        ),
    ] {
        assert_eq!(lines(path, text), [0; 0], "{path}: {text}");
    }
}

#[test]
fn clocks_threads_and_logs_in_pure_stages_are_found() {
    for text in [
        "use std::time::Instant;",
        "use std::{time::{Duration, SystemTime}};",
        "use std::fs;",
        "fn f() { std::thread::yield_now(); }",
        "use std::net::UdpSocket;",
        "use std::net;",
        "fn f() { println!(\"{}\", 1); }",
        "fn f() { tracing::info!(\"a\"); }",
        "mod tests { fn f() { std::env::args(); } }",
        "#[cfg(test)] mod tests {} fn f() { std::env::args(); }",
    ] {
        for path in ["src/wire/a.rs", "src/gpu/plan.rs", "src/engine/route.rs"] {
            assert_eq!(lines(path, text), [1], "{path}: {text}");
        }
        assert_eq!(lines("src/feed/udp.rs", text), [0; 0], "{text}");
    }
    for text in [
        "use std::net::{Ipv4Addr, SocketAddrV4}; use std::time::Duration;",
        "#[cfg(test)]\nmod tests { fn f() { println!(); std::fs::read(\"a\"); } }",
        "fn f(tracing: bool) -> bool { tracing }",
    ] {
        assert_eq!(lines("src/wire/a.rs", text), [0; 0], "{text}");
    }
}

#[test]
fn lengths_are_limited_on_both_sides() {
    let function = |lines: usize| format!("fn f() -> u8 {{\n{}}}\n", "\n".repeat(lines - 2));
    assert_eq!(lines("tests/a.rs", &function(FUNCTION_LINES)), [0; 0]);
    assert_eq!(lines("tests/a.rs", &function(FUNCTION_LINES + 1)), [1]);
    let inner = format!("trait A {{\n fn g(a: [u8; 2]);\n{}}}", "\n".repeat(90));
    assert_eq!(lines("benches/a.rs", &inner), [0; 0], "g has no body");
    let hidden = format!(
        "fn f() {{ let a = '}}'; let b = \"}}\";\n{}}}",
        "\n".repeat(70)
    );
    assert_eq!(lines("src/book/a.rs", &hidden), [1]);
    for (path, limit) in [("src/book/a.rs", FILE_LINES), ("src/main.rs", MAIN_LINES)] {
        assert_eq!(lines(path, &"\n".repeat(limit)), [0; 0]);
        assert_eq!(lines(path, &"\n".repeat(limit + 1)), [limit + 1]);
    }
}

#[test]
fn impls_in_a_mod_rs_are_found() {
    for text in [
        "impl A {}",
        "struct A; impl B for A {}",
        "#[cfg(test)] impl<T> A<T> {}",
    ] {
        assert_eq!(lines("src/window/mod.rs", text), [1], "{text}");
        assert_eq!(lines("src/window.rs", text), [0; 0], "{text}");
    }
    let naming = "mod a; pub trait A { fn f(&self, with: impl Fn()) -> impl Copy; }";
    assert_eq!(lines("src/window/mod.rs", naming), [0; 0]);
}

#[test]
fn unsafe_code_is_found() {
    assert_eq!(lines("tests/a.rs", "\nfn f() { unsafe { g() } }"), [2]);
    assert_eq!(lines("src/book/a.rs", "unsafe impl Send for A {}"), [1]);
    for path in ["tests/allocation.rs", "src/feed/udp/linux.rs"] {
        assert_eq!(lines(path, "unsafe fn f() {}"), [0; 0]);
    }
    assert_eq!(lines("src/book/allocation.rs", "unsafe fn f() {}"), [1]);
    let named = "#![deny(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";";
    assert_eq!(lines("src/book/a.rs", named), [0; 0]);
}

#[test]
fn source_becomes_tokens_with_their_lines() {
    let source = "a/*\n*/b'\\'' 'x' 'life r#\"\n\"#\nbr\"{\" c\"\\\"\" // d\n:e";
    let found = tokens(source);
    let found: Vec<(&str, usize)> = found.iter().map(|t| (t.text.as_str(), t.line)).collect();
    assert_eq!(found, [("a", 1), ("'", 2), ("life", 2), (":", 5), ("e", 5)]);
    for unfinished in ["\"abc\\", "r#\"abc", "/* abc", "'\\", "b'", "use a::{b::{c"] {
        let _no_panic = File::new("src/lib.rs", unfinished);
    }
}
