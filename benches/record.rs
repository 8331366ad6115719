//! What is kept of a run: the closing table with machine, commit and date.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Where the table stands in docs/BENCHMARKS.md.
const MARKS: (&str, &str) = ("<!-- closing table -->\n", "<!-- end -->");

/// Writes the table to benches/record and puts it into docs/BENCHMARKS.md.
pub(crate) fn write(table: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let date = told("date", &["-u", "+%Y-%m-%d"]);
    let commit = told("git", &["rev-parse", "--short", "HEAD"]);
    let messages = crate::day::messages(false);
    let text = format!(
        "{}\n\nCommit {commit}, {date}; {messages} messages in the pipeline.\n\n{table}",
        machine()
    );
    let record = root.join("benches/record");
    fs::create_dir_all(&record).expect("benches/record can be made");
    fs::write(record.join(format!("{date}-{commit}.md")), &text).expect("a record is written");
    let docs = root.join("docs/BENCHMARKS.md");
    let before = fs::read_to_string(&docs).expect("docs/BENCHMARKS.md is there");
    let (head, rest) = before.split_once(MARKS.0).expect("the place of the table");
    let (_, tail) = rest.split_once(MARKS.1).expect("the end of the table");
    let after = format!("{head}{}{text}{}{tail}", MARKS.0, MARKS.1);
    fs::write(docs, after).expect("docs/BENCHMARKS.md is written");
}

/// Processors with family and model, as a name alone may stand for several generations, and system.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let fields = cpus.lines().filter_map(|line| line.split_once(':'));
    let fields: Vec<(&str, &str)> = fields
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let all = |asked| fields.iter().filter(move |(name, _)| *name == asked);
    let first = |asked| all(asked).next().map_or("unknown", |(_, value)| value);
    format!(
        "{} x {} (family {}, model {}{}), {}",
        all("model name").count(),
        first("model name"),
        first("cpu family"),
        first("model"),
        if first("flags").contains(" avx512f") {
            ", AVX-512"
        } else {
            ""
        },
        told("uname", &["-sr"])
    )
}

fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
