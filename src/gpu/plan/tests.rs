//! Passes checked piece by piece, up to a day of 20,000 symbols, 57,600 seconds and 8 widths.

use super::*;

const TINY: Limits = Limits {
    executions: 8,
    windows: 5,
};

fn size(executions: usize, windows: usize) -> JobSize {
    JobSize {
        executions,
        windows,
    }
}

/// Every execution of every job meets every window once, in ascending order, and no pass is too large.
fn holds(jobs: &[JobSize], limits: &Limits) -> Vec<Pass> {
    let passes = passes(jobs, limits);
    let mut reached = vec![(0, 0); jobs.len()];
    for pass in &passes {
        let count = |length: fn(&Piece) -> usize| pass.pieces.iter().map(length).sum::<usize>();
        assert_eq!(
            count(|piece| piece.executions.len()),
            pass.executions as usize
        );
        assert_eq!(count(|piece| piece.windows.len()), pass.windows as usize);
        assert!(pass.executions <= limits.executions && pass.windows <= limits.windows);
        for piece in &pass.pieces {
            let (executions, windows) = &mut reached[piece.job];
            assert_eq!(
                (piece.executions.start, piece.windows.start),
                (*executions, *windows)
            );
            assert!(!piece.executions.is_empty() && !piece.windows.is_empty());
            *windows = piece.windows.end;
            if *windows == jobs[piece.job].windows {
                (*executions, *windows) = (piece.executions.end, 0);
            }
        }
    }
    for (job, (executions, windows)) in jobs.iter().zip(reached) {
        let wanted = if job.windows == 0 { 0 } else { job.executions };
        assert_eq!((executions, windows), (wanted, 0), "{job:?}");
    }
    passes
}

#[test]
fn jobs_share_a_pass_up_to_its_limits() {
    assert_eq!(holds(&[], &TINY), []);
    assert_eq!(holds(&[size(0, 3), size(3, 0)], &TINY), []);
    assert_eq!(holds(&[size(4, 2), size(4, 3)], &TINY).len(), 1);
    assert_eq!(holds(&[size(4, 2), size(5, 3)], &TINY).len(), 2);
    assert_eq!(holds(&[size(4, 2), size(4, 4)], &TINY).len(), 2);
}

#[test]
fn large_jobs_are_cut_into_shards_and_stretches() {
    assert_eq!(holds(&[size(8, 5)], &TINY).len(), 1);
    assert_eq!(holds(&[size(9, 5)], &TINY).len(), 2);
    assert_eq!(holds(&[size(8, 6)], &TINY).len(), 2);
    assert_eq!(
        holds(&[size(17, 11), size(1, 1), size(9, 1)], &TINY).len(),
        11
    );
}

#[test]
fn planes_stay_below_the_binding_limit_and_no_larger_power_would() {
    for binding in [1 << 12, 1 << 20, 128 << 20, (2 << 30) - 1] {
        let limits = Limits::new(binding);
        let shape = Shape::new(limits.executions, limits.windows);
        for plane in Plane::EACH {
            assert!(shape.bytes(plane) <= binding, "{plane:?} of {binding}");
        }
        if limits.executions < MOST_EXECUTIONS {
            let twice = Shape::new(2 * limits.executions, 1);
            assert!(
                Plane::EACH
                    .iter()
                    .any(|&plane| twice.bytes(plane) > binding)
            );
        }
    }
    assert_eq!(
        Limits::new(128 << 20).executions,
        1 << 23,
        "the limits of every device"
    );
    assert_eq!(Limits::new(0).executions, 0);
}

#[test]
fn prefix_sums_reach_one_entry_past_the_executions() {
    for (executions, blocks) in [
        (0, 1),
        (4095, 1),
        (4096, 2),
        (4097, 2),
        (8191, 2),
        (8192, 3),
    ] {
        assert_eq!(Shape::new(executions, 1).sum_blocks, blocks, "{executions}");
    }
    for (executions, levels) in [(0, 1), (16, 1), (17, 2), (48, 2), (49, 3), (64, 3), (65, 3)] {
        assert_eq!(Shape::new(executions, 1).levels, levels, "{executions}");
    }
}

#[test]
fn a_day_of_everything_is_planned_within_all_limits() {
    const WINDOWS: usize = 57_600 * 8;
    // 50 million executions, of which each symbol has two thirds as many as the one before, or 100.
    let mut left = 16_000_000_f64;
    let jobs: Vec<JobSize> = (0..20_000)
        .map(|_| {
            left /= 1.5;
            size((left as usize).max(100), WINDOWS)
        })
        .collect();
    let limits = Limits::new(128 << 20);
    let passes = holds(&jobs, &limits);
    assert!(passes.len() < 3_000, "{}", passes.len());
    for pass in &passes {
        let shape = Shape::new(pass.executions, pass.windows);
        for stage in Stage::EACH {
            assert!(shape.iterations(stage) <= MOST_ITERATIONS);
        }
    }
    let one = [size(50_000_000, WINDOWS)];
    assert_eq!(holds(&one, &limits).len(), 6, "one symbol with everything");
}
