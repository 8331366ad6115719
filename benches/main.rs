//! Every bench of the crate in one program: criterion's groups, each row with its answer asserted
//! before it is timed; then the benches of the network, which print tables of their own; then the
//! closing table, which holds the figures against their bars and names those that are missed.
//!
//! `cargo bench` runs all, `cargo bench -- 'pipeline|columns/J1'` what is named so, `cargo bench -- --test` each once
//! for its answers. `WIDETAPE_BENCH_MESSAGES` (5 million unless said) sizes the day that pipeline and
//! decode read, `WIDETAPE_RECORD=1` writes the figures to benches/record and docs/BENCHMARKS.md.

/// Orders and ladders against maps.
mod book;
/// The jobs of a day over columns in memory.
mod columns;
/// What criterion measures.
mod cpu_time;
/// The day that benches share.
mod day;
/// What it costs to read every field.
mod decode;
/// Idle latency against a bare relay.
mod latency;
/// From framed bytes to sums and rows on one thread.
mod pipeline;
/// FIX messages.
mod publish;
/// What is kept of a run.
mod record;
/// The closing table.
mod table;
/// Rows that take turns.
mod turns;
/// Packets over loopback.
mod udp;
/// One end of the live windows.
mod window;

use criterion::Criterion;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let test = arguments.iter().any(|argument| argument == "--test");
    let named: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let parts = named.iter().flat_map(|name| name.split('|'));
    let wanted = |name: &str| named.is_empty() || parts.clone().any(|part| part.starts_with(name));
    let output = table::output_directory();
    let started = std::time::SystemTime::now();
    let mut criterion = Criterion::default()
        .with_measurement(cpu_time::CpuTime)
        .output_directory(&output)
        .configure_from_args();
    decode::bench(&mut criterion);
    book::bench(&mut criterion);
    window::bench(&mut criterion);
    publish::bench(&mut criterion);
    pipeline::bench(&mut criterion, test);
    criterion.final_summary();
    let mut rounds = match !test && wanted("pipeline") {
        true => pipeline::rounds(),
        false => Vec::new(),
    };
    if wanted("columns") {
        // Some of its rows use two threads, so wall time.
        let mut criterion = Criterion::default()
            .output_directory(&output)
            .configure_from_args();
        rounds.extend(columns::bench(&mut criterion, test));
    }
    if wanted("slow reader") {
        publish::stopped::bench(test);
    }
    if wanted("udp") {
        udp::bench(test);
    }
    if wanted("latency") {
        latency::bench(test);
    }
    if !test {
        let rows = table::rows(&output, started, &rounds);
        let text = table::text(&rows);
        println!("\n{text}");
        // A part of the table is no record of the whole.
        if std::env::var_os("WIDETAPE_RECORD").is_some() && named.is_empty() {
            record::write(&text);
        }
    }
}
