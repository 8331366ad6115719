//! What the engine does with a GPU that keeps a day and fails: every window once, whatever happens.

mod faulty;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use widetape::Clock;
use widetape::columns::Resident;
use widetape::cpu::Scalar;
use widetape::engine::{DayAccelerator, DayOffload};
use widetape::gpu::{Error, Gpu, GpuOptions, Shaders, Tier};
use widetape::market::{Duration, Locate};
use widetape::metrics::{Counter, Counters};
use widetape::window::day::{Bars, DayKernel, Grid, GridBlock, Picked, Reduction, Visit, reduce};
use widetape::window::{Measure, Selection, Sums, Width};

use super::open;
use crate::common::random::Random;
use crate::common::reductions::{check, random, resident, suite};
pub(super) use faulty::Shared as SharedGpu;
use faulty::{Fault, Shared, faulty};

const SECOND_NS: u64 = 1_000_000_000;
const STEP: Duration = Duration::HUNDRED_MILLISECONDS;

/// A day whose devices come from `open`, with its counters and its clock.
fn offload<F>(open: F) -> (DayOffload, Arc<Counters>, Arc<AtomicU64>)
where
    F: Fn(Option<Tier>) -> Result<Box<dyn DayAccelerator>, Error> + Send + Sync + 'static,
{
    let now = Arc::new(AtomicU64::new(0));
    let clock = Clock::Simulated {
        now: Arc::clone(&now),
    };
    let counters = Counters::new();
    let day = DayOffload::new(Box::new(open), clock, Arc::clone(&counters));
    (day, counters, now)
}

fn small_day() -> Resident {
    let mut random = Random(11);
    let executions: Vec<_> = (0..900_u64)
        .map(|at| {
            let (price, shares) = (random.bits() as u32, random.bits() as u32);
            (at * 3, random.below(40) as u16 * 5, price, shares)
        })
        .collect();
    resident(&executions)
}

fn grid() -> Grid {
    Grid {
        first: 3,
        ends: 24,
        widths: vec![7, 1],
    }
}

fn reductions() -> Vec<Reduction> {
    let selections = [
        Selection::Totals,
        Selection::Top {
            count: 6,
            by: Measure::Range,
        },
        Selection::Deviation {
            short: 1,
            long: 0,
            basis_points: 500,
        },
    ];
    let reduction = |selection| Reduction {
        step: STEP,
        first: 2,
        ends: 25,
        widths: vec![Width::Session, Width::Finite(STEP)],
        selection,
    };
    selections.into_iter().map(reduction).collect()
}

/// Every window that holds an execution, in the order in which it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown(Vec<(Locate, usize, u32, Sums)>);

impl Visit for Shown {
    fn visit(&mut self, block: &GridBlock<'_>) {
        for index in (0..block.trades.len()).filter(|&index| block.trades[index] > 0) {
            let end = block.first + index as u32;
            self.0
                .push((block.locate, block.width, end, block.sums(index)));
        }
    }
}

/// What the oracle shows and tells of a day.
struct Wanted {
    shown: Shown,
    told: Vec<Vec<Picked>>,
}

impl Wanted {
    fn new(day: &Resident) -> Self {
        let mut bars = Bars::default();
        Scalar.bars(day, STEP, &mut bars);
        let parts = Scalar.grid(&bars, &grid(), Shown::default);
        let mut shown = Shown(parts.into_iter().flat_map(|part| part.0).collect());
        shown
            .0
            .sort_by_key(|&(locate, width, end, _)| (locate, width, end));
        let told = |reduction: &Reduction| {
            let mut told = Vec::new();
            reduce(&Scalar, day, reduction, |picked| told.push(picked));
            assert!(!told.is_empty());
            told
        };
        let told = reductions().iter().map(told).collect();
        Self { shown, told }
    }

    /// Asks for everything; each window must come once. How many were asked for.
    fn check(&self, offload: &DayOffload) -> u64 {
        let mut shown = Shown::default();
        offload.grid(STEP, &grid(), &mut shown);
        shown
            .0
            .sort_by_key(|&(locate, width, end, _)| (locate, width, end));
        assert!(shown == self.shown, "the grid");
        for (reduction, wanted) in reductions().iter().zip(&self.told) {
            assert!(offload.reduce(reduction) == *wanted, "{reduction:?}");
        }
        40 * 2 * (24 + 3 * 25)
    }
}

#[test]
fn a_sound_gpu_answers_everything() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let gpu = Arc::new(Gpu::open(&GpuOptions::default()).unwrap());
    let (mut offload, counters, _) = offload(move |_| Ok(Shared::boxed(&gpu)));
    let day = small_day();
    let wanted = Wanted::new(&day);
    offload.hold(day);
    wanted.check(&offload);
    let passed = suite(&mut |day, asked| {
        offload.hold(day.clone());
        asked
            .iter()
            .map(|reduction| offload.reduce(reduction))
            .collect()
    });
    assert_eq!(passed, Ok(()));
    assert_eq!(offload.trouble(), None);
    assert!(counters.get(Counter::GpuWindows) > 1_000);
    assert_eq!(counters.get(Counter::RescuedWindows), 0);
}

#[test]
fn without_an_adapter_the_cpu_answers() {
    let (mut offload, counters, _) = offload(|_| Err(Error::NoAdapter));
    let day = small_day();
    let wanted = Wanted::new(&day);
    offload.hold(day);
    let asked = wanted.check(&offload) + wanted.check(&offload);
    for seed in 0..10 {
        let checked = check(
            &mut |day, asked| {
                offload.hold(day.clone());
                asked
                    .iter()
                    .map(|reduction| offload.reduce(reduction))
                    .collect()
            },
            &random(seed),
        );
        assert_eq!(checked, Ok(()));
    }
    assert_eq!(offload.trouble().as_deref(), Some("no GPU adapter"));
    assert_eq!(counters.get(Counter::GpuFailures), 1);
    assert!(counters.get(Counter::RescuedWindows) >= asked);
}

#[test]
fn a_device_destroyed_in_mid_run_shows_every_window_once() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    const TIMES: u64 = 100;
    let gpu: Arc<Mutex<Option<Arc<Gpu>>>> = Arc::default();
    let newest = Arc::clone(&gpu);
    let (mut offload, counters, now) = offload(move |_| {
        let opened = Arc::new(Gpu::open(&GpuOptions::default())?);
        *newest.lock().unwrap() = Some(Arc::clone(&opened));
        Ok(Shared::boxed(&opened))
    });
    let day = small_day();
    let wanted = Wanted::new(&day);
    offload.hold(day);
    let mut asked = 0;
    for time in 0..TIMES {
        // A device is open and holds the day, and is destroyed before, during or after the next requests.
        asked += wanted.check(&offload);
        let opened = gpu.lock().unwrap().clone().expect("it was asked");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..time * 500 {
                    std::hint::spin_loop();
                }
                opened.destroy();
            });
            asked += wanted.check(&offload);
        });
        asked += wanted.check(&offload);
        now.fetch_add(100 * SECOND_NS, Ordering::Relaxed);
    }
    assert_eq!(counters.get(Counter::GpuFailures), TIMES);
    assert_eq!(counters.get(Counter::GpuWrongAnswers), 0);
    let answered = counters.get(Counter::GpuWindows) + counters.get(Counter::RescuedWindows);
    assert_eq!(answered, asked, "every window once");
}

#[test]
fn wherever_a_device_stops_the_cpu_goes_on() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let gpu = Arc::new(gpu.0);
    let fault = Arc::new(Mutex::new(Fault::None));
    let planted = Arc::clone(&fault);
    let (mut offload, counters, now) = offload(move |_| faulty(&gpu, &planted));
    let day = small_day();
    let wanted = Wanted::new(&day);
    offload.hold(day);
    let mut failures = 0;
    for blocks in (0..80).step_by(7).chain([1, 79, 80]) {
        *fault.lock().unwrap() = Fault::None;
        wanted.check(&offload);
        *fault.lock().unwrap() = Fault::After(blocks);
        wanted.check(&offload);
        failures += 1;
        assert_eq!(counters.get(Counter::GpuFailures), failures, "{blocks}");
        now.fetch_add(100 * SECOND_NS, Ordering::Relaxed);
    }
    // A day for which there is no memory, once the device is open.
    *fault.lock().unwrap() = Fault::None;
    wanted.check(&offload);
    *fault.lock().unwrap() = Fault::Hold;
    offload.hold(small_day());
    wanted.check(&offload);
    assert_eq!(counters.get(Counter::GpuFailures), failures + 1);
    assert_eq!(counters.get(Counter::GpuWrongAnswers), 0);
}

#[test]
fn what_a_device_shows_and_tells_wrongly_is_seen() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let gpu = Arc::new(gpu.0);
    let day = small_day();
    let wanted = Wanted::new(&day);
    for planted in [
        Fault::Flips(0),
        Fault::Flips(31),
        Fault::Flips(63),
        Fault::Late,
        Fault::Loses(100),
        Fault::Swaps,
    ] {
        let is_sound_at_first = [false, true];
        for is_sound in is_sound_at_first {
            let fault = Arc::new(Mutex::new(if is_sound { Fault::None } else { planted }));
            let (gpu, of_device) = (Arc::clone(&gpu), Arc::clone(&fault));
            let (mut offload, counters, now) = offload(move |_| faulty(&gpu, &of_device));
            offload.hold(day.clone());
            if is_sound {
                wanted.check(&offload);
                *fault.lock().unwrap() = planted;
                // Told first: what a grid leaves out is no window that a sample could look at.
                for (reduction, told) in reductions().iter().zip(&wanted.told).skip(1) {
                    assert!(offload.reduce(reduction) == *told, "{planted:?}");
                }
            }
            for _ in 0..3 {
                wanted.check(&offload);
                now.fetch_add(1_000 * SECOND_NS, Ordering::Relaxed);
            }
            assert_eq!(counters.get(Counter::GpuWrongAnswers), 1, "{planted:?}");
            let said = offload.trouble();
            assert_eq!(said.as_deref(), Some("the GPU's answers are wrong"));
        }
    }
}

#[test]
fn a_tier_that_answers_wrongly_when_it_is_opened_gives_way_to_the_next() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    // A fault of the scan over subgroups, of all that has integers of 64 bits, of everything.
    for (right, wrong, left) in [
        (
            "before = total;",
            "before = tally_zero();",
            Some(Tier::Longs),
        ),
        ("return a - b;", "return a - b + 1lu;", Some(Tier::Words)),
        ("end - first,\n", "end - first + 1u,\n", None),
    ] {
        let shaders = Shaders::default().replacing(right, wrong);
        let options = GpuOptions {
            shaders,
            ..GpuOptions::default()
        };
        let tiers = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::clone(&tiers);
        let (mut offload, counters, now) = offload(move |highest| {
            let gpu = Arc::new(Gpu::open(&options.clone().below(highest))?);
            opened.lock().unwrap().push(gpu.tier());
            Ok(Shared::boxed(&gpu))
        });
        let day = small_day();
        let wanted = Wanted::new(&day);
        offload.hold(day);
        for _ in 0..3 {
            wanted.check(&offload);
            now.fetch_add(1_000 * SECOND_NS, Ordering::Relaxed);
        }
        let tried: Vec<Tier> = Tier::EACH.into_iter().rev().collect();
        let lowest = left.unwrap_or(Tier::Words);
        let steps = tried.iter().position(|&tier| tier == lowest).unwrap();
        assert_eq!(*tiers.lock().unwrap(), tried[..=steps], "{wrong}");
        assert_eq!(counters.get(Counter::GpuTiersGivenUp), steps as u64);
        let is_wrong = u64::from(left.is_none());
        assert_eq!(counters.get(Counter::GpuWrongAnswers), is_wrong);
        assert_eq!(counters.get(Counter::GpuWindows) > 0, left.is_some());
        let said = offload.trouble();
        let first = "the GPU's answers in tier subgroups are wrong";
        assert_eq!(said.as_deref(), Some(first));
    }
}
