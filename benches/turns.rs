//! What rows cost beside each other: the machine drifts by more between criterion's rows than some of them differ by,
//! so where a bar is a ratio of the same work they take turns, and the median of the rounds' ratios counts.

use std::hint::black_box;
use std::time::Instant;

use crate::cpu_time;

/// Ratios by the row that they belong to.
pub(crate) type Ratios = Vec<(&'static str, f64)>;

/// The medians of the ratios that each of so many rounds tells.
pub(crate) fn medians<const RATIOS: usize>(
    rounds: usize,
    names: [&'static str; RATIOS],
    mut round: impl FnMut() -> [f64; RATIOS],
) -> Ratios {
    let mut told: [Vec<f64>; RATIOS] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (ratios, ratio) in told.iter_mut().zip(round()) {
            ratios.push(ratio);
        }
    }
    let medians = told.map(|mut ratios| {
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[rounds / 2]
    });
    names.into_iter().zip(medians).collect()
}

/// Seconds of CPU time that this thread takes to run `row`.
pub(crate) fn cpu<T>(row: impl FnOnce() -> T) -> f64 {
    let start = cpu_time::now();
    black_box(row());
    (cpu_time::now() - start).as_secs_f64()
}

/// Seconds on the wall, for rows of several threads, of a second run: what the first has read is in those caches that it
/// fits into, whichever row ran before.
pub(crate) fn wall<T>(mut row: impl FnMut() -> T) -> f64 {
    black_box(row());
    let start = Instant::now();
    black_box(row());
    start.elapsed().as_secs_f64()
}
