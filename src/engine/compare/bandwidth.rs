//! How fast this machine copies memory.

use std::hint::black_box;
use std::time::Instant;

/// Bytes that all threads copy together: more than caches hold.
const BYTES: usize = 256 << 20;
/// Runs, of which the fastest counts.
const RUNS: usize = 5;

/// Bytes a second that `threads` threads read and write while they copy: twice those that are copied.
pub(super) fn copy_bandwidth(threads: usize) -> f64 {
    let from = vec![1_u8; BYTES];
    let mut to = vec![2_u8; BYTES];
    let share = BYTES.div_ceil(threads.max(1));
    let mut fastest = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (from, to) in from.chunks(share).zip(to.chunks_mut(share)) {
                scope.spawn(|| to.copy_from_slice(black_box(from)));
            }
        });
        black_box(&mut to);
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    2.0 * BYTES as f64 / fastest
}
