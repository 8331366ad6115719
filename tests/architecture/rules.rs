//! The rules, each a function from a file to its faults.

use super::lexer::{Path, Token, is_name, paths, tokens};

/// What each part of the crate may import besides itself; every row names only rows above it.
pub(super) const IMPORTS: &[(&str, &[&str])] = &[
    ("market", &[]),
    ("memory", &[]),
    ("buffer", &["market"]),
    ("wire", &["market"]),
    ("book", &["market", "memory"]),
    ("columns", &["market", "memory"]),
    ("metrics", &["market"]),
    ("feed", &["market", "memory", "buffer", "wire"]),
    ("session", &["market", "buffer", "wire"]),
    ("window", &["market", "memory", "columns"]),
    ("cpu", &["market", "memory", "columns", "window"]),
    ("gpu", &["market", "columns", "window"]),
    ("publish", &["market", "window", "wire::fix"]),
    (
        "engine",
        &[
            "market", "memory", "buffer", "wire", "book", "columns", "metrics", "feed", "session",
            "window", "cpu", "gpu", "publish",
        ],
    ),
    (
        "config",
        &[
            "market", "buffer", "book", "columns", "metrics", "feed", "session", "window", "cpu",
            "gpu", "publish", "engine",
        ],
    ),
    ("cli", &["engine", "config", "metrics"]),
    ("main", &["cli"]),
];

/// Where each dependency lives: files, folders with a slash at the end, or how the names of both begin.
const HOMES: &[(&str, &[&str])] = &[
    ("wgpu", &["src/gpu/"]),
    ("pulp", &["src/cpu/simd"]),
    ("rayon", &["src/cpu/parallel.rs"]),
    ("nom", &["src/wire/"]),
    ("socket2", &["src/feed/udp", "src/feed/fix/source.rs"]),
    ("libc", &["src/feed/udp/linux.rs"]),
    ("thread_priority", &["src/engine/precedence.rs"]),
    ("crossbeam_channel", &["src/engine/"]),
    ("clap", &["src/cli/"]),
    ("hdrhistogram", &["src/metrics/"]),
    ("argon2", &["src/publish/fix/credentials.rs"]),
    ("crc32fast", &["src/publish/fix/store/journal.rs"]),
    ("jiff", &["src/publish/fix/schedule.rs"]),
    ("rustls", &["src/publish/fix/tls.rs"]),
    ("pcap_parser", &["src/feed/pcap/"]),
    ("flate2", &["src/feed/input.rs", "src/cli/"]),
    ("zstd", &["src/feed/input.rs", "src/cli/generate.rs"]),
    ("serde_json", &["src/cli/compare.rs"]),
    ("signal_hook", &["src/cli/live.rs"]),
];

/// Stages without I/O, clock, threads and logging.
const PURE: &[&str] = &[
    "src/market/",
    "src/wire/",
    "src/session/",
    "src/book/",
    "src/columns/",
    "src/window/",
    "src/cpu/",
    "src/gpu/plan",
    "src/engine/route",
];

/// Names in `std::net` that are values, not sockets.
const ADDRESSES: &[&str] = &[
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
];

/// Longest file, function and `main.rs`, in lines.
pub(super) const FILE_LINES: usize = 400;
pub(super) const FUNCTION_LINES: usize = 70;
pub(super) const MAIN_LINES: usize = 40;

/// One file of Rust, its path relative to the root of the crate.
pub(super) struct File {
    pub(super) path: String,
    lines: usize,
    tokens: Vec<Token>,
    paths: Vec<Path>,
}

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let mut paths = paths(&tokens);
        if path.ends_with("/tests.rs") || path.contains("/tests/") {
            paths.iter_mut().for_each(|path| path.in_tests = true);
        }
        Self {
            path: path.to_owned(),
            lines: text.lines().count(),
            tokens,
            paths,
        }
    }

    /// The part of the crate: `window` for `src/window/row.rs`, `main` for `src/main.rs`; `None` for
    /// `src/lib.rs` and for files outside `src`.
    pub(super) fn part(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let part = inside.split('/').next()?.trim_end_matches(".rs");
        (part != "lib").then_some(part)
    }

    /// How many `super`s lead from the file's top level to the crate's root.
    fn depth(&self) -> usize {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let parts = inside
            .split('/')
            .filter(|&part| part != "mod" && part != "main");
        parts.count()
    }

    fn in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    fn fault(&self, line: usize, reason: impl std::fmt::Display) -> String {
        format!("{}:{line}: {reason}", self.path)
    }
}

/// All faults of one file.
pub(super) fn faults(file: &File) -> Vec<String> {
    let rules = [
        imports, homes, threads, purity, modules, lengths, functions, safety,
    ];
    rules.iter().flat_map(|rule| rule(file)).collect()
}

/// What a path names from the crate's root on; `None` for paths that do not go through the root.
fn from_root<'a>(file: &File, path: &'a Path) -> Option<&'a [String]> {
    let parts = match path.parts.split_first() {
        Some((first, rest)) if first == "self" => rest,
        _ => &path.parts[..],
    };
    let first = parts.first()?;
    if first == "crate" || (first == "widetape" && file.part() == Some("main")) {
        return Some(&parts[1..]).filter(|rest| !rest.is_empty());
    }
    let supers = parts.iter().take_while(|part| *part == "super").count();
    let to_root = file.depth() + path.nesting;
    (supers > 0 && supers >= to_root && parts.len() > supers).then(|| &parts[supers..])
}

/// Rule 1: only downward, siblings apart.
pub(super) fn imports(file: &File) -> Vec<String> {
    let Some(part) = file.part() else {
        return vec![];
    };
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == part) else {
        return vec![file.fault(1, format!("`{part}` has no row in the table of imports"))];
    };
    let mut found = vec![];
    for path in &file.paths {
        let Some(target) = from_root(file, path) else {
            continue;
        };
        let name = target.join("::");
        let within = |module: &str| name == module || name.starts_with(&format!("{module}::"));
        // The command is built on what the crate offers at its root, as any embedder is.
        let embedding = part == "cli" && !IMPORTS.iter().any(|(module, _)| within(module));
        if !within(part) && !embedding && !allowed.iter().any(|module| within(module)) {
            found.push(file.fault(path.line, format!("{part} may not import {name}")));
        }
    }
    found
}

/// Rule 2: one home for each dependency.
pub(super) fn homes(file: &File) -> Vec<String> {
    let mut found = vec![];
    for path in file.paths.iter().filter(|_| file.in_src()) {
        let home = HOMES.iter().find(|(name, _)| path.parts[0] == *name);
        let used = path.parts.len() > 1 || path.is_use;
        if let Some((name, homes)) = home.filter(|_| used)
            && !homes.iter().any(|home| file.path.starts_with(home))
        {
            let reason = format!("{name} lives in {}", homes.join(" and "));
            found.push(file.fault(path.line, reason));
        }
    }
    found
}

/// Homes in which none of `files` has their dependency.
pub(super) fn empty_homes(files: &[File]) -> Vec<String> {
    let each = HOMES
        .iter()
        .flat_map(|(name, homes)| homes.iter().map(move |home| (*name, *home)));
    let is_empty = |&(name, home): &(&str, &str)| {
        let mut inside = files.iter().filter(|file| file.path.starts_with(home));
        !inside.any(|file| file.paths.iter().any(|path| path.parts[0] == name))
    };
    let empty = each.filter(is_empty);
    empty
        .map(|(name, home)| format!("{home} has no {name}"))
        .collect()
}

/// Rule 2: threads are started in `engine`.
pub(super) fn threads(file: &File) -> Vec<String> {
    if !file.in_src() || file.path.starts_with("src/engine/") {
        return vec![];
    }
    let starts = |path: &&Path| {
        let mut pairs = path.parts.windows(2);
        let starts = ["spawn", "scope", "Builder"];
        !path.in_tests && pairs.any(|p| p[0] == "thread" && starts.contains(&p[1].as_str()))
    };
    let started = file.paths.iter().filter(starts);
    started
        .map(|path| file.fault(path.line, "threads are started in src/engine/"))
        .collect()
}

/// Rule 3: no I/O, clock, threads and logging in the pure stages.
pub(super) fn purity(file: &File) -> Vec<String> {
    if !PURE.iter().any(|stage| file.path.starts_with(stage)) {
        return vec![];
    }
    let impure = file
        .paths
        .iter()
        .filter(|path| !path.in_tests && is_impure(path));
    impure
        .map(|path| {
            let name = path.parts.join("::");
            file.fault(path.line, format!("a pure stage may not use {name}"))
        })
        .collect()
}

fn is_impure(path: &Path) -> bool {
    let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
    let clock = parts
        .iter()
        .any(|part| ["Instant", "SystemTime"].contains(part));
    let prints = path.is_macro && ["print", "println", "eprint", "eprintln"].contains(&parts[0]);
    let outside = match parts[..] {
        ["std", "thread" | "fs" | "process" | "env", ..] => true,
        ["std", "net", name, ..] => !ADDRESSES.contains(&name),
        ["std", "net"] | ["tracing"] => path.is_use,
        ["tracing" | "tracing_subscriber", ..] => true,
        _ => false,
    };
    clock || prints || outside
}

/// A `mod.rs` implements nothing: it says what a module is for and what it has.
pub(super) fn modules(file: &File) -> Vec<String> {
    if !file.in_src() || !file.path.ends_with("/mod.rs") {
        return vec![];
    }
    let before = std::iter::once("}").chain(file.tokens.iter().map(|token| token.text.as_str()));
    let each = before.zip(&file.tokens);
    let begins =
        each.filter(|(before, token)| token.text == "impl" && ["}", ";", "]"].contains(before));
    begins
        .map(|(_, token)| file.fault(token.line, "a mod.rs implements nothing"))
        .collect()
}

/// No file is too long.
pub(super) fn lengths(file: &File) -> Vec<String> {
    let limit = if file.path == "src/main.rs" {
        MAIN_LINES
    } else {
        FILE_LINES
    };
    let long = file.lines > limit;
    let reason = format!("{} lines are more than {limit}", file.lines);
    long.then(|| file.fault(file.lines, reason))
        .into_iter()
        .collect()
}

/// No function is too long.
pub(super) fn functions(file: &File) -> Vec<String> {
    let tokens = &file.tokens;
    let mut found = vec![];
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || !is_name(&pair[1]) {
            continue;
        }
        let lines = body_end(tokens, at).map_or(1, |end| end + 1 - pair[0].line);
        if lines > FUNCTION_LINES {
            let reason = format!("fn {}: {lines} lines are more than 70", pair[1].text);
            found.push(file.fault(pair[0].line, reason));
        }
    }
    found
}

/// Line of the brace that closes the function at `at`; `None` without a body.
fn body_end(tokens: &[Token], at: usize) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for token in &tokens[at..] {
        match token.text.as_str() {
            "(" | "[" => others += 1,
            ")" | "]" => others = others.saturating_sub(1),
            ";" if braces == 0 && others == 0 => return None,
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

/// Files that a measurement has given `unsafe`, and the counting allocator of the tests. That each
/// block says why it is sound is clippy's to check.
const UNSAFE: &[&str] = &[
    "src/memory.rs",
    "src/feed/udp/linux.rs",
    "tests/allocation.rs",
];

/// No `unsafe` anywhere else.
pub(super) fn safety(file: &File) -> Vec<String> {
    if UNSAFE.contains(&file.path.as_str()) {
        return vec![];
    }
    let found = file.tokens.iter().filter(|token| token.text == "unsafe");
    found
        .map(|token| file.fault(token.line, "unsafe is not used here"))
        .collect()
}
