//! The service's wide windows on a GPU: the rows of the stream's path, also where devices are destroyed.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use widetape::columns::Resident;
use widetape::engine::{DayAccelerator, Engine, OpenDayAccelerator, Options, Wide};
use widetape::feed::ItchFile;
use widetape::gpu::{Error, Gpu, GpuOptions, Tier};
use widetape::market::{Duration, Locate, Symbol, Timestamp};
use widetape::metrics::{Counter, Counters};
use widetape::publish::{Publisher, Shared, Update};
use widetape::window::day::{Grid, Picked, Reduction, Visit};
use widetape::window::{Row, Spec};
use widetape::{Clock, Pool};

use super::day_offload::SharedGpu;
use super::open;
use crate::common::plumbing::Kept;

type Rows = Vec<(Timestamp, Row)>;

const LABELS: [&str; 3] = ["session", "90s", "5m"];

fn spec(labels: &[&str], step: &str) -> Spec {
    Spec {
        windows: labels.iter().map(|label| label.parse().unwrap()).collect(),
        step: step.parse().unwrap(),
        ..Spec::default()
    }
}

/// Moves a clock beyond every pause of a device with each update.
struct Ticking(Arc<AtomicU64>);

impl Publisher for Ticking {
    fn name(&self) -> String {
        "ticking".to_owned()
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {}

    fn publish(&mut self, _update: &Update<'_>) -> io::Result<()> {
        self.0.fetch_add(100_000_000_000, Ordering::Relaxed);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The sample day with windows of the stream, and others apart if somebody opens devices for them.
fn run(stream: Spec, wide: Option<(&Spec, OpenDayAccelerator)>) -> (Rows, Arc<Counters>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/sample_day.itch.gz");
    let source = ItchFile::open(&path, Pool::new(8, 1 << 12)).unwrap();
    let kept = Shared::new(Kept::default());
    let options = Options {
        wide: wide.as_ref().map(|(spec, _)| Wide {
            windows: spec.windows.clone(),
            every: spec.step,
        }),
        // Small batches, so that many are asked for.
        queue: 1,
        ..Options::new(stream)
    };
    let mut engine = Engine::new(Box::new(source), vec![Box::new(kept.clone())], options).unwrap();
    if let Some((_, open)) = wide {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Clock::Simulated {
            now: Arc::clone(&now),
        };
        engine.survey_by(open, clock);
        engine.add_publisher(Box::new(Ticking(now)));
    }
    let (summary, outcome) = engine.run_inline(&Clock::simulated(), Some(5));
    outcome.unwrap();
    let rows = std::mem::take(&mut kept.lock().rows);
    (rows, summary.counters)
}

/// Runs beside a narrow window and holds both against runs of either alone.
fn check(every: &str, open: OpenDayAccelerator) -> Arc<Counters> {
    let wide = spec(&LABELS, every);
    let (rows, counters) = run(spec(&["1s"], "1s"), Some((&wide, open)));
    let (narrow, mut apart): (Rows, Rows) = rows.into_iter().partition(|(_, row)| row.window == 0);
    apart.iter_mut().for_each(|(_, row)| row.window -= 1);
    assert!(narrow == run(spec(&["1s"], "1s"), None).0);
    let wanted = run(wide, None).0;
    assert!(wanted.iter().any(|(_, row)| row.revision > 0));
    let differs = std::iter::zip(&apart, &wanted).find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(apart.len(), wanted.len());
    counters
}

#[test]
fn every_tier_gives_the_rows_of_the_stream() {
    let Some(gpu) = open(&GpuOptions::default()) else {
        return;
    };
    let best = gpu.0.tier();
    drop(gpu);
    for tier in Tier::EACH.into_iter().filter(|&tier| tier <= best) {
        let options = GpuOptions {
            tier: Some(tier),
            ..GpuOptions::default()
        };
        let opener = move |_| Ok(SharedGpu::boxed(&Arc::new(Gpu::open(&options)?)));
        let counters = check("30s", Box::new(opener));
        assert!(counters.get(Counter::GpuWindows) > 10_000, "{tier}");
        assert_eq!(counters.get(Counter::RescuedWindows), 0, "{tier}");
    }
}

/// Selections that the trial of a device asks for.
const TRIAL: u32 = 6;

/// A GPU that is destroyed in every third call after its trial.
struct Doomed {
    gpu: Arc<Gpu>,
    inner: Box<dyn DayAccelerator>,
    calls: Arc<AtomicU64>,
    selections: u32,
}

impl Doomed {
    fn call(&mut self) {
        if self.selections >= TRIAL && self.calls.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            self.gpu.destroy();
        }
    }
}

impl DayAccelerator for Doomed {
    fn hold(&mut self, day: &Resident) -> Result<(), Error> {
        self.call();
        self.inner.hold(day)
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), Error> {
        self.call();
        self.inner.append(chunk)
    }

    fn grid(&mut self, step: Duration, grid: &Grid, visitor: &mut dyn Visit) -> Result<(), Error> {
        self.call();
        self.inner.grid(step, grid, visitor)
    }

    fn reduce(&mut self, reduction: &Reduction, tell: &mut dyn FnMut(Picked)) -> Result<(), Error> {
        self.selections += 1;
        self.inner.reduce(reduction, tell)
    }
}

#[test]
fn devices_destroyed_again_and_again_lose_no_row() {
    if open(&GpuOptions::default()).is_none() {
        return;
    }
    let calls = Arc::new(AtomicU64::new(0));
    let mut failures = 0;
    for _ in 0..3 {
        let calls = Arc::clone(&calls);
        let opener = move |_| {
            let gpu = Arc::new(Gpu::open(&GpuOptions::default())?);
            Ok(Box::new(Doomed {
                inner: SharedGpu::boxed(&gpu),
                gpu,
                calls: Arc::clone(&calls),
                selections: 0,
            }) as Box<dyn DayAccelerator>)
        };
        let counters = check("5m", Box::new(opener));
        failures += counters.get(Counter::GpuFailures);
        assert!(counters.get(Counter::GpuWindows) > 0);
        assert!(counters.get(Counter::RescuedWindows) > 1_000);
        assert_eq!(counters.get(Counter::GpuWrongAnswers), 0);
    }
    assert!(failures >= 12, "{failures}");
}
