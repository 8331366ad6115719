//! A report for people.

use std::fmt::Write;

use crate::engine::compare::{Crossover, Measured, Report, SizeReport};

const HEADING: [&str; 10] = [
    "backend",
    "upload",
    "build",
    "compute",
    "read back",
    "total",
    "resident",
    "reduced",
    "GB/s",
    "of copy",
];

/// The whole report, ending with a line feed.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let gigabytes = |bytes: f64| format!("{:.1} GB/s", bytes / 1e9);
    let mut line = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(match &report.adapter {
        Some(adapter) => format!("GPU: {}, {}", adapter.name, adapter.driver),
        None => "GPU: none".to_owned(),
    });
    if report
        .adapter
        .as_ref()
        .is_some_and(|adapter| adapter.is_software)
    {
        line(
            "     software: the processor does its work, and its times say nothing of a GPU"
                .to_owned(),
        );
    }
    for note in &report.notes {
        line(format!("note: {note}"));
    }
    let copies = &report.copies;
    let threads = report.threads;
    line(format!(
        "copying memory, bytes read and written: {} on one thread, {} on {threads}{}",
        gigabytes(copies.one_thread),
        gigabytes(copies.all_threads),
        copies
            .devices
            .iter()
            .fold(String::new(), |all, (name, bytes)| {
                format!("{all}, {} within {name}", gigabytes(*bytes))
            })
    ));
    line("All answers are equal. Times in milliseconds; GB/s: executions read once and answers written once, by compute.".to_owned());
    for size in &report.sizes {
        line(String::new());
        line(format!("{}: {} windows", size.name, size.windows));
        line(columns(HEADING.map(str::to_owned)));
        for row in &size.rows {
            line(columns(cells(row)));
        }
        notes(size, &mut line);
    }
    if !report.crossovers.is_empty() {
        line(String::new());
        line("Windows from which on the GPU beats parallel at every size above:".to_owned());
    }
    for crossover in &report.crossovers {
        line(told(crossover));
    }
    text
}

fn notes(size: &SizeReport, line: &mut impl FnMut(String)) {
    for note in &size.notes {
        line(format!("note: {note}"));
    }
}

fn cells(row: &Measured) -> [String; 10] {
    let millis = |seconds: f64| format!("{:.3}", seconds * 1e3);
    let or_none = |seconds: Option<f64>| seconds.map_or("-".to_owned(), millis);
    let percent = |fraction| format!("{:.1} %", fraction * 100.0);
    [
        row.backend.clone(),
        or_none(row.upload),
        millis(row.build),
        millis(row.compute),
        or_none(row.read_back),
        millis(row.total),
        millis(row.resident),
        millis(row.reduced),
        format!("{:.2}", row.bytes_per_second / 1e9),
        row.copy_fraction.map_or("-".to_owned(), percent),
    ]
}

fn columns([backend, rest @ ..]: [String; 10]) -> String {
    rest.iter().fold(format!("{backend:<14}"), |line, cell| {
        format!("{line}{cell:>11}")
    })
}

fn told(crossover: &Crossover) -> String {
    let windows = |windows: Option<u64>| windows.map_or("none".to_owned(), |w| w.to_string());
    format!(
        "{:<14} in all: {}; with the day resident: {}",
        crossover.backend,
        windows(crossover.from_nothing),
        windows(crossover.resident)
    )
}
