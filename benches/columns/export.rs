//! The columns, our answers and our times, for `peers.py`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use widetape::columns::Resident;
use widetape::cpu::{Parallel, Simd};
use widetape::window::day::{Bars, BarsPart, DayKernel, Totals};

use super::{SLIDING, Setting, read_floor, second};

/// Times of each job; the median is written.
const RUNS: usize = 9;

/// A one-dimensional `.npy` file, version 1.0, little-endian.
fn array(
    folder: &Path,
    name: &str,
    kind: &str,
    size: usize,
    bytes: impl Iterator<Item = impl AsRef<[u8]>>,
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(folder.join(format!("{name}.npy")))?);
    let mut header =
        format!("{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({size},), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for value in bytes {
        out.write_all(value.as_ref())?;
    }
    out.flush()
}

fn words(folder: &Path, name: &str, values: &[&[u32]]) -> io::Result<()> {
    let bytes = values
        .iter()
        .flat_map(|v| v.iter().map(|v| v.to_le_bytes()));
    let size = values.iter().map(|v| v.len()).sum();
    array(folder, name, "u4", size, bytes)
}

fn longs(folder: &Path, name: &str, values: &[&[u64]]) -> io::Result<()> {
    let bytes = values
        .iter()
        .flat_map(|v| v.iter().map(|v| v.to_le_bytes()));
    let size = values.iter().map(|v| v.len()).sum();
    array(folder, name, "u8", size, bytes)
}

fn shorts(folder: &Path, name: &str, values: &[u16]) -> io::Result<()> {
    let bytes = values.iter().map(|v| v.to_le_bytes());
    array(folder, name, "u2", values.len(), bytes)
}

/// Bars of all symbols, one file a column. No notional here reaches 2^64.
fn write_bars(folder: &Path, prefix: &str, bars: &Bars) -> io::Result<()> {
    let locates: Vec<u16> = bars
        .symbols()
        .flat_map(|symbol| symbol.steps.iter().map(move |_| symbol.locate.0))
        .collect();
    shorts(folder, &format!("{prefix}_locate"), &locates)?;
    let parts = |field: fn(&BarsPart) -> &[u32]| bars.parts().iter().map(field).collect::<Vec<_>>();
    for (name, values) in [
        ("step", parts(|part| part.steps.as_slice())),
        ("trades", parts(|part| part.trades.as_slice())),
        ("open", parts(|part| part.opens.as_slice())),
        ("high", parts(|part| part.highs.as_slice())),
        ("low", parts(|part| part.lows.as_slice())),
        ("close", parts(|part| part.closes.as_slice())),
    ] {
        words(folder, &format!("{prefix}_{name}"), &values)?;
    }
    let parts = |field: fn(&BarsPart) -> &[u64]| bars.parts().iter().map(field).collect::<Vec<_>>();
    let notionals = parts(|part| part.notionals.as_slice());
    longs(folder, &format!("{prefix}_notional"), &notionals)?;
    let volumes = parts(|part| part.volumes.as_slice());
    longs(folder, &format!("{prefix}_volume"), &volumes)
}

fn median(mut job: impl FnMut()) -> f64 {
    job();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            job();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[RUNS / 2]
}

/// Writes everything to `folder`, which is made if need be.
pub(crate) fn write(folder: &Path, setting: &Setting) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let data = &setting.data;
    longs(folder, "time_ns", &[&data.times])?;
    shorts(folder, "locate", &data.locates)?;
    words(folder, "price", &[&data.prices])?;
    words(folder, "shares", &[&data.shares])?;

    let (simd, parallel) = (Simd::default(), Parallel::default());
    let mut totals = Totals::default();
    simd.totals(&data.slices(), &mut totals);
    let each: Vec<_> = totals.iter().collect();
    let locates: Vec<u16> = each.iter().map(|(locate, _)| locate.0).collect();
    shorts(folder, "totals_locate", &locates)?;
    let notionals: Vec<u64> = each.iter().map(|(_, t)| t.notional as u64).collect();
    let volumes: Vec<u64> = each.iter().map(|(_, t)| t.volume).collect();
    let trades: Vec<u64> = each.iter().map(|(_, t)| t.trades).collect();
    longs(folder, "totals_notional", &[&notionals])?;
    longs(folder, "totals_volume", &[&volumes])?;
    longs(folder, "totals_trades", &[&trades])?;
    write_bars(folder, "bars", &setting.bars)?;
    let mut windows = Bars::default();
    simd.slide(&setting.bars, SLIDING, &mut windows);
    write_bars(folder, "sliding", &windows)?;

    let slices = data.slices();
    let (mut day, mut bars) = (Resident::default(), Bars::default());
    let two = &setting.two;
    let resident = &setting.resident;
    let fill = |day: &mut Resident| day.fill(&[slices]).expect("a day");
    let times = [
        (
            "floor",
            median(|| {
                std::hint::black_box(read_floor(&slices));
            }),
        ),
        ("J1", median(|| simd.totals(&slices, &mut totals))),
        (
            "J1 two",
            median(|| two.install(|| parallel.totals(&slices, &mut totals))),
        ),
        ("resident", median(|| fill(&mut day))),
        ("J2", median(|| simd.bars(resident, second(), &mut bars))),
        (
            "J2 two",
            median(|| two.install(|| parallel.bars(resident, second(), &mut bars))),
        ),
        (
            "J3",
            median(|| simd.slide(&setting.bars, SLIDING, &mut windows)),
        ),
        (
            "J3 two",
            median(|| two.install(|| parallel.slide(&setting.bars, SLIDING, &mut windows))),
        ),
    ];
    let lines: Vec<String> = times
        .iter()
        .map(|(name, seconds)| format!("  \"{name}\": {seconds:.6}"))
        .collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    fs::write(folder.join("ours.json"), text)
}
