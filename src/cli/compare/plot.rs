//! The times of all backends over the number of windows, as SVG with logarithmic axes.

use std::fmt::Write;

use crate::engine::compare::{Measured, Report};

/// Of the picture, in its own units.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 560.0;
/// Left, top, right, bottom.
const MARGINS: [f64; 4] = [80.0, 95.0, 200.0, 60.0];
const COLOURS: [&str; 6] = [
    "#888888", "#1b6ca8", "#111111", "#2a9d4a", "#d17a00", "#c0272d",
];

/// One axis: powers of ten from..to, over so many units from `start` on.
struct Axis {
    powers: (i32, i32),
    start: f64,
    length: f64,
}

impl Axis {
    /// The whole powers of ten round `values`.
    fn new(values: impl Iterator<Item = f64> + Clone, start: f64, length: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::MIN_POSITIVE, f64::max);
        let low = least.min(most).log10().floor() as i32;
        let high = (most.log10().ceil() as i32).max(low + 1);
        Self {
            powers: (low, high),
            start,
            length,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.powers.0), f64::from(self.powers.1));
        self.start + (value.log10() - low) / (high - low) * self.length
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, i32)> {
        (self.powers.0..=self.powers.1).map(|power| (self.at(10_f64.powi(power)), power))
    }
}

/// The picture. Solid lines are times with the day resident, dashed ones those in all.
pub(super) fn draw(report: &Report) -> String {
    let [left, top, right, bottom] = MARGINS;
    let rows = report.sizes.iter().flat_map(|size| &size.rows);
    let times = rows.flat_map(|row| [row.total, row.resident]);
    let windows = report.sizes.iter().map(|size| size.windows as f64);
    let x = Axis::new(windows, left, WIDTH - left - right);
    let y = Axis::new(times, HEIGHT - bottom, -(HEIGHT - top - bottom));
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
"#
    );
    let mut put = |element: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(svg, "{element}");
    };
    for (line, text) in titles(report).iter().enumerate() {
        put(label((left, 24.0 + 20.0 * line as f64), "start", text));
    }
    for (at, power) in x.ticks() {
        put(rule((at, y.start), (at, y.start + y.length), "#dddddd"));
        put(label((at, HEIGHT - bottom + 20.0), "middle", &ten(power)));
    }
    for (at, power) in y.ticks() {
        put(rule((x.start, at), (x.start + x.length, at), "#dddddd"));
        put(label((left - 8.0, at + 4.0), "end", &ten(power)));
    }
    put(label(
        (left + x.length / 2.0, HEIGHT - 16.0),
        "middle",
        "windows",
    ));
    put(label((left - 8.0, top - 12.0), "end", "seconds"));
    for crossover in &report.crossovers {
        if let Some(windows) = crossover.resident {
            let at = x.at(windows as f64);
            put(rule((at, y.start), (at, y.start + y.length), "#c0272d"));
        }
    }
    for (index, backend) in report.backends().iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        for (time, dash) in [
            ((|row| row.resident) as fn(&Measured) -> f64, "none"),
            (|row| row.total, "5 4"),
        ] {
            let points = report.sizes.iter().flat_map(|size| {
                let rows = size
                    .rows
                    .iter()
                    .filter(|row| row.backend == backend.backend);
                rows.map(|row| (x.at(size.windows as f64), y.at(time(row))))
            });
            for (x, y) in points.clone() {
                put(format!(
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#
                ));
            }
            let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            put(format!(
                r#"<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" points="{}"/>"#,
                points.join(" ")
            ));
        }
        let (from, at) = (WIDTH - right + 20.0, top + 10.0 + 20.0 * index as f64);
        put(rule((from, at - 4.0), (from + 24.0, at - 4.0), colour));
        put(label((from + 32.0, at), "start", &backend.backend));
    }
    put("</svg>".to_owned());
    svg
}

fn titles(report: &Report) -> [String; 3] {
    let device = match &report.adapter {
        None => "no GPU".to_owned(),
        Some(adapter) if adapter.is_software => format!(
            "{}: a SOFTWARE device, whose times say nothing of a GPU",
            adapter.name
        ),
        Some(adapter) => format!("{}, {}", adapter.name, adapter.driver),
    };
    let threads = report.threads;
    let crossovers = report.crossovers.iter().filter_map(|found| found.resident);
    let crossover = match crossovers.min() {
        Some(windows) => format!("the GPU is ahead from {windows} windows on (red line)"),
        None => "no crossover".to_owned(),
    };
    [
        format!("The dense grid by every backend, {threads} threads"),
        device,
        format!("solid: day resident, dashed: from columns on the host; {crossover}"),
    ]
}

fn rule((x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) -> String {
    format!(
        r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="1.5"/>"#
    )
}

fn label((x, y): (f64, f64), anchor: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#)
}

fn ten(power: i32) -> String {
    format!("1e{power}")
}
