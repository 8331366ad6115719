//! What the engine does with a GPU that fails: the same answers, whatever happens to it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use widetape::Clock;
use widetape::engine::{Accelerator, Offload};
use widetape::gpu::{Error, Gpu, GpuOptions};
use widetape::market::Notional;
use widetape::metrics::{Counter, Counters};
use widetape::window::Job;

use super::open;
use crate::common::kernels::{Case, check, random, suite};

/// An accelerator whose every answer passes through `fault` before it is handed on.
struct Faulty<A, F> {
    inner: A,
    fault: F,
}

impl<A, F> Accelerator for Faulty<A, F>
where
    A: Accelerator,
    F: FnMut(&mut A, &mut [Job<'_>]) -> Result<(), Error> + Send,
{
    fn evaluate(&mut self, jobs: &mut [Job<'_>]) -> Result<(), Error> {
        (self.fault)(&mut self.inner, jobs)
    }
}

/// The kernel of an engine whose GPUs come from `open`, with its counters and its clock.
fn offload<F>(open: F) -> (Offload, Arc<Counters>, Arc<AtomicU64>)
where
    F: Fn() -> Result<Box<dyn Accelerator>, Error> + Send + Sync + 'static,
{
    let now = Arc::new(AtomicU64::new(0));
    let clock = Clock::Simulated {
        now: Arc::clone(&now),
    };
    let counters = Counters::new();
    let kernel = Offload::new(Box::new(move |_| open()), clock, Arc::clone(&counters));
    (kernel, counters, now)
}

fn cases() -> Vec<Case> {
    (300..340).map(random).collect()
}

fn windows(cases: &[Case]) -> u64 {
    cases.iter().map(|case| case.bounds.len() as u64).sum()
}

const SECOND_NS: u64 = 1_000_000_000;

#[test]
fn a_sound_gpu_answers_everything() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let (kernel, counters, _) = offload(|| Ok(Box::new(Gpu::open(&GpuOptions::default())?)));
    assert_eq!(suite(&kernel), Ok(()));
    assert_eq!(kernel.trouble(), None);
    assert!(counters.get(Counter::GpuWindows) > 1_000);
    assert_eq!(counters.get(Counter::RescuedWindows), 0);
}

#[test]
fn without_an_adapter_the_cpu_answers() {
    let (kernel, counters, _) = offload(|| Err(Error::NoAdapter));
    assert_eq!(suite(&kernel), Ok(()));
    assert_eq!(kernel.trouble().as_deref(), Some("no GPU adapter"));
    assert_eq!(counters.get(Counter::GpuWindows), 0);
    assert_eq!(
        counters.get(Counter::GpuFailures),
        1,
        "it is not sought for every request"
    );
}

#[test]
fn a_device_destroyed_in_mid_run_costs_no_answer() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    const TIMES: u64 = 100;
    let gpu: Arc<Mutex<Option<Arc<Gpu>>>> = Arc::default();
    let newest = Arc::clone(&gpu);
    let (kernel, counters, now) = offload(move || {
        let opened = Arc::new(Gpu::open(&GpuOptions::default())?);
        *newest.lock().unwrap() = Some(Arc::clone(&opened));
        Ok(Box::new(Shared(opened)))
    });
    let cases = cases();
    for time in 0..TIMES {
        // A device is open, and is destroyed before, during or after the next request.
        assert_eq!(check(&kernel, &cases), Ok(()));
        let opened = gpu.lock().unwrap().clone().expect("it was asked");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..time * 50 {
                    std::hint::spin_loop();
                }
                opened.destroy();
            });
            assert_eq!(check(&kernel, &cases), Ok(()), "time {time}");
        });
        assert_eq!(check(&kernel, &cases), Ok(()), "after time {time}");
        now.fetch_add(100 * SECOND_NS, Ordering::Relaxed);
    }
    assert_eq!(counters.get(Counter::GpuFailures), TIMES);
    assert_eq!(counters.get(Counter::GpuWrongAnswers), 0);
    let asked = 3 * TIMES * windows(&cases);
    let answered = counters.get(Counter::GpuWindows) + counters.get(Counter::RescuedWindows);
    assert_eq!(answered, asked, "every window once");
    assert!(kernel.trouble().is_some());
}

struct Shared(Arc<Gpu>);

impl Accelerator for Shared {
    fn evaluate(&mut self, jobs: &mut [Job<'_>]) -> Result<(), Error> {
        self.0.evaluate(jobs)
    }
}

#[test]
fn a_gpu_whose_bits_flip_is_not_asked_again() {
    let Some(pristine) = open(&GpuOptions::default()) else {
        return;
    };
    let gpu = Arc::new(pristine.0);
    for bit in [0, 31, 63, 95] {
        // The first requests are right: the windows that are tried when a device is opened are not enough.
        for sound in [0, 2, 7] {
            let gpu = Arc::clone(&gpu);
            let (kernel, counters, now) = offload(move || {
                let asked = AtomicU32::new(0);
                Ok(Box::new(Faulty {
                    inner: Shared(Arc::clone(&gpu)),
                    fault: move |gpu: &mut Shared, jobs: &mut [Job<'_>]| {
                        gpu.evaluate(jobs)?;
                        if asked.fetch_add(1, Ordering::Relaxed) >= sound {
                            let sums = jobs.iter_mut().flat_map(|job| job.sums.iter_mut());
                            sums.for_each(|sums| {
                                let flipped = sums.notional.get() ^ 1 << bit;
                                sums.notional = Notional::new(flipped);
                            });
                        }
                        Ok(())
                    },
                }))
            });
            for _ in 0..10 {
                assert_eq!(check(&kernel, &cases()), Ok(()));
                now.fetch_add(1_000 * SECOND_NS, Ordering::Relaxed);
            }
            assert_eq!(counters.get(Counter::GpuWrongAnswers), 1);
            assert_eq!(
                kernel.trouble().as_deref(),
                Some("the GPU's answers are wrong")
            );
            let right = u64::from(sound.saturating_sub(2)) * windows(&cases());
            assert_eq!(counters.get(Counter::GpuWindows), right);
        }
    }
}

#[test]
fn an_allocation_refused_is_tried_again_after_a_pause() {
    let Some(pristine) = open(&GpuOptions::default()) else {
        return;
    };
    let gpu = Arc::new(pristine.0);
    let refusals = Arc::new(AtomicU32::new(0));
    let (left, opened) = (Arc::clone(&refusals), Arc::new(AtomicU32::new(0)));
    let openings = Arc::clone(&opened);
    let (kernel, counters, now) = offload(move || {
        openings.fetch_add(1, Ordering::Relaxed);
        let left = Arc::clone(&left);
        Ok(Box::new(Faulty {
            inner: Shared(Arc::clone(&gpu)),
            fault: move |gpu: &mut Shared, jobs: &mut [Job<'_>]| {
                let refuse = |left: u32| left.checked_sub(1);
                let order = Ordering::Relaxed;
                match left.fetch_update(order, order, refuse) {
                    Ok(_) => Err(Error::OutOfMemory),
                    Err(_) => gpu.evaluate(jobs),
                }
            },
        }))
    });
    let cases = cases();
    let ask = |opened_by_now: u32| {
        assert_eq!(check(&kernel, &cases), Ok(()));
        assert_eq!(opened.load(Ordering::Relaxed), opened_by_now);
    };
    ask(1);
    refusals.store(3, Ordering::Relaxed);
    ask(1);
    // Pauses of 1, 2 and 4 seconds follow, and a request within one of them does not open the device.
    for (opened_by_now, pause) in [(1, 1), (2, 2), (3, 4)] {
        now.fetch_add(pause * SECOND_NS - 1, Ordering::Relaxed);
        ask(opened_by_now);
        now.fetch_add(1, Ordering::Relaxed);
        ask(opened_by_now + 1);
    }
    ask(4);
    assert_eq!(counters.get(Counter::GpuFailures), 3);
    assert_eq!(
        kernel.trouble().as_deref(),
        Some("the GPU is out of memory")
    );
    assert_eq!(counters.get(Counter::GpuWindows), 3 * windows(&cases));
}

#[test]
fn work_that_takes_too_long_is_given_up() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    drop(gpu);
    let options = GpuOptions {
        time_limit: Duration::ZERO,
        ..GpuOptions::default()
    };
    let (kernel, counters, _) = offload(move || Ok(Box::new(Gpu::open(&options)?)));
    assert_eq!(check(&kernel, &cases()), Ok(()));
    assert_eq!(counters.get(Counter::GpuFailures), 1);
    assert_eq!(
        kernel.trouble().as_deref(),
        Some("no answer from the GPU within 0ns")
    );
}
