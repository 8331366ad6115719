//! Drawn days through the engine with wide windows apart: the model's rows, whoever sums them.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use widetape::Clock;
use widetape::columns::Resident;
use widetape::engine::{self, DayAccelerator, Engine, Mode, Options, ThreadOptions, Wide};
use widetape::feed::Framing;
use widetape::gpu::Error;
use widetape::market::{Duration, Locate, Symbol, Timestamp};
use widetape::metrics::{Counter, Counters};
use widetape::publish::{Publisher, Shared, Update};
use widetape::window::day::{Grid, GridBlock, Picked, Reduction, Visit};
use widetape::window::{Corrections, Row, Selection, Spec, Wanted};

use super::days::{day, messages, spec};
use super::model;
use crate::common::host_day::HostDay;
use crate::common::plumbing::{Kept, Scripted, pack, packet};
use crate::common::random::Random;

type Rows = Vec<(Timestamp, Row)>;

/// Sees that no row comes before the name of its symbol, and moves a clock beyond every pause of a device.
struct Named {
    names: HashSet<Symbol>,
    now: Arc<AtomicU64>,
}

impl Publisher for Named {
    fn name(&self) -> String {
        "named".to_owned()
    }

    fn listing(&mut self, _locate: Locate, symbol: Symbol) {
        self.names.insert(symbol);
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.now.fetch_add(100_000_000_000, Ordering::Relaxed);
        for row in update.rows {
            let is_unnamed = row.symbol == Symbol::unnamed(row.locate);
            assert!(is_unnamed || self.names.contains(&row.symbol), "{row:?}");
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who sums the wide windows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Device {
    None,
    Sound,
    /// Stops in every third call or so.
    Weak,
    /// Counts an execution too many.
    Wrong,
}

/// A sound device inside, which fails as drawn.
struct Faulty {
    inner: HostDay,
    device: Device,
    random: Random,
    /// Calls that are still answered without a fault: those of the trial.
    sound: u32,
}

impl Faulty {
    fn stops(&mut self) -> Result<(), Error> {
        self.sound = self.sound.saturating_sub(1);
        if self.device == Device::Weak && self.sound == 0 && self.random.one_in(3) {
            return Err(Error::Lost("planted".to_owned()));
        }
        Ok(())
    }
}

/// Counts too much in every block.
struct Miscounted<'a>(&'a mut dyn Visit);

impl Visit for Miscounted<'_> {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let trades: Vec<u32> = block.trades.iter().map(|trades| trades + 1).collect();
        self.0.visit(&GridBlock {
            trades: &trades,
            ..*block
        });
    }
}

impl DayAccelerator for Faulty {
    fn hold(&mut self, day: &Resident) -> Result<(), Error> {
        self.stops()?;
        self.inner.hold(day)
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), Error> {
        self.stops()?;
        self.inner.append(chunk)
    }

    fn grid(&mut self, step: Duration, grid: &Grid, visitor: &mut dyn Visit) -> Result<(), Error> {
        let is_wrong = self.device == Device::Wrong && self.sound == 0;
        match is_wrong {
            true => self.inner.grid(step, grid, &mut Miscounted(visitor))?,
            false => self.inner.grid(step, grid, visitor)?,
        }
        // What has been shown means nothing.
        self.stops()
    }

    fn reduce(&mut self, reduction: &Reduction, tell: &mut dyn FnMut(Picked)) -> Result<(), Error> {
        self.stops()?;
        self.inner.reduce(reduction, tell)
    }
}

/// Calls of the trial: a day in two pieces, a grid and three selections, twice.
const TRIAL: u32 = 12;

/// Windows of the stream and others beside them; `None` where all drawn widths are the same.
fn specs(random: &mut Random) -> Option<(Spec, Wide)> {
    let (stream, other) = (spec(random), spec(random));
    let is_new = |width| stream.windows.iter().all(|window| window.width != width);
    let mut windows = other.windows;
    windows.retain(|window| is_new(window.width));
    windows.dedup_by_key(|window| window.width);
    let every = other.step;
    (!windows.is_empty()).then_some((stream, Wide { windows, every }))
}

/// How an engine runs.
struct Way {
    device: Device,
    threads: bool,
    seed: u64,
}

/// What came of it.
struct Ran {
    /// Rows of the stream and the wide ones, each in their order.
    narrow: Rows,
    apart: Rows,
    /// Whether wide rows came before the last one of the stream.
    is_early: bool,
    counters: Arc<Counters>,
}

/// Runs a day through an engine.
fn engine(stream: &Spec, wide: Option<&Wide>, messages: &[Option<Vec<u8>>], way: &Way) -> Ran {
    let mut random = Random(way.seed);
    let most = random.pick(&[1, 3, 100]);
    let packets = pack(messages, || 1 + random.below(most) as usize);
    let packets = packets
        .iter()
        .map(|bytes| (0, packet(bytes, 0, Framing::MoldUdp64)));
    let source = Scripted {
        packets: packets.collect(),
        at_most: random.pick(&[1, 2, 64]),
        live: false,
    };
    let kept = Shared::new(Kept::default());
    let options = Options {
        wide: wide.cloned(),
        threads: ThreadOptions {
            count: random.pick(&[1, 2, 3, 4]),
            ..ThreadOptions::default()
        },
        queue: random.pick(&[1, 64]),
        ..Options::new(stream.clone())
    };
    let now = Arc::new(AtomicU64::new(0));
    let named = Named {
        names: HashSet::new(),
        now: Arc::clone(&now),
    };
    let publishers: Vec<Box<dyn Publisher + Send>> = vec![Box::new(named), Box::new(kept.clone())];
    let mut engine = Engine::new(Box::new(source), publishers, options).unwrap();
    let (device, clock) = (way.device, Clock::Simulated { now });
    let opened = AtomicU64::new(way.seed);
    let open = move |_| match device {
        Device::None => Err(Error::NoAdapter),
        _ => Ok(Box::new(Faulty {
            inner: HostDay::default(),
            device,
            random: Random(opened.fetch_add(1, Ordering::Relaxed)),
            sound: TRIAL + 1,
        }) as Box<dyn DayAccelerator>),
    };
    engine.survey_by(Box::new(open), clock);
    let (summary, outcome) = match way.threads {
        true => engine.run(&Clock::machine()),
        false => engine.run_inline(&Clock::simulated(), Some(way.seed)),
    };
    outcome.unwrap();
    assert!(kept.lock().finished);
    let rows = std::mem::take(&mut kept.lock().rows);
    let offset = stream.windows.len() as u8;
    let first = rows.iter().position(|(_, row)| row.window >= offset);
    let last = rows.iter().rposition(|(_, row)| row.window < offset);
    let is_early = first.is_some() && first < last;
    let (narrow, mut apart): (Rows, Rows) =
        rows.into_iter().partition(|(_, row)| row.window < offset);
    apart.iter_mut().for_each(|(_, row)| row.window -= offset);
    Ran {
        narrow,
        apart,
        is_early,
        counters: summary.counters,
    }
}

#[test]
fn wide_rows_are_those_of_the_model_whoever_sums_them() {
    let devices = [Device::None, Device::Sound, Device::Weak, Device::Wrong];
    let mut seen = [0; 4];
    let (mut rows, mut corrections, mut early) = (0, 0, 0);
    for seed in 0..600 {
        let mut random = Random(seed);
        let Some((stream, wide)) = specs(&mut random) else {
            continue;
        };
        let events = day(&mut random);
        let messages = messages(&events);
        let device = devices[seed as usize % 4];
        let way = Way {
            device,
            threads: seed % 9 == 0,
            seed,
        };
        let ran = engine(&stream, Some(&wide), &messages, &way);
        let (narrow, apart, counters) = (ran.narrow, ran.apart, ran.counters);
        early += u64::from(ran.is_early);
        let context = format!("seed {seed}, {device:?}, {stream:?}, {wide:?}\n{events:#?}");
        assert_eq!(narrow, model::run(&stream, &events).rows, "{context}");
        let apart_spec = wide.spec(&stream);
        let modelled = model::run(&apart_spec, &events);
        assert_eq!(apart, modelled.rows, "{context}");
        let first = apart.iter().filter(|(_, row)| row.revision == 0).count();
        let counted = [Counter::WideRows, Counter::WideCorrections];
        let counted = counted.map(|counter| counters.get(counter));
        assert_eq!(counted, [first as u64, (apart.len() - first) as u64]);
        let unpublished = counters.get(Counter::WideBreaksUnpublished);
        assert_eq!(unpublished, modelled.breaks[3], "{context}");
        rows += first;
        corrections += apart.len() - first;
        let told = match device {
            Device::None | Device::Weak => Counter::GpuFailures,
            Device::Sound => Counter::GpuWindows,
            Device::Wrong => Counter::GpuWrongAnswers,
        };
        seen[seed as usize % 4] += counters.get(told);
        assert!(
            device == Device::Sound
                || device == Device::Weak
                || counters.get(Counter::GpuWindows) == 0
        );
        assert!(
            device != Device::Sound || counters.get(Counter::RescuedWindows) == 0,
            "{context}"
        );
    }
    assert!(early > 40, "{early} days had wide rows before the end");
    assert!(rows > 5_000 && corrections > 200, "{rows} {corrections}");
    assert!(seen.iter().all(|&count| count > 50), "{seen:?}");
}

#[test]
fn the_rows_of_the_stream_are_the_same_with_and_without() {
    for seed in 2_000..2_100 {
        let mut random = Random(seed);
        let Some((stream, wide)) = specs(&mut random) else {
            continue;
        };
        let messages = messages(&day(&mut random));
        let way = Way {
            device: Device::Sound,
            threads: false,
            seed,
        };
        let with = engine(&stream, Some(&wide), &messages, &way);
        let without = engine(&stream, None, &messages, &way);
        assert!(without.apart.is_empty());
        assert_eq!(with.narrow, without.narrow, "seed {seed}");
    }
}

#[test]
fn a_width_is_asked_of_one_list_alone() {
    let spec = |labels: &[&str]| Spec {
        windows: labels.iter().map(|label| label.parse().unwrap()).collect(),
        corrections: Corrections::All,
        ..Spec::default()
    };
    let wide = |labels| Wide {
        windows: spec(labels).windows,
        every: Duration::HUNDRED_MILLISECONDS,
    };
    let stream = spec(&["1s", "session"]);
    let labels = |spec: Spec| spec.windows.into_iter().map(|window| window.label);
    let published = wide(&["5m", "1m"]).published(&stream).map(labels);
    assert!(published.unwrap().eq(["1s", "session", "5m", "1m"]));
    for (labels, said) in [
        (
            &["1m", "1000ms"][..],
            "window `1000ms` is as wide as one of the others",
        ),
        (
            &["session"],
            "window `session` is as wide as one of the others",
        ),
        (
            &[],
            "no window was asked for: write for example 1s,1m,session",
        ),
    ] {
        let error = wide(labels).published(&stream).unwrap_err();
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn what_the_mode_does_not_answer_is_refused() {
    let spec = Spec {
        windows: vec!["1s".parse().unwrap()],
        every_end: true,
        ..Spec::default()
    };
    let wide = Wide {
        windows: vec!["1m".parse().unwrap()],
        every: Duration::HUNDRED_MILLISECONDS,
    };
    let wanted = Wanted {
        symbols: None,
        selection: Selection::Totals,
    };
    let made = |mode, wide: Option<&Wide>, wanted: Option<&Wanted>| {
        let source = Box::new(Scripted {
            packets: [].into(),
            at_most: 1,
            live: false,
        });
        let options = Options {
            mode,
            wide: wide.cloned(),
            wanted: wanted.cloned(),
            ..Options::new(spec.clone())
        };
        Engine::new(source, vec![], options).map(drop)
    };
    assert!(made(Mode::Stream, Some(&wide), None).is_ok());
    assert!(made(Mode::Batch, None, Some(&wanted)).is_ok());
    let refused = made(Mode::Stream, Some(&wide), Some(&wanted));
    assert!(matches!(refused, Err(engine::Error::WantedOfStream)));
    let refused = made(Mode::Batch, Some(&wide), Some(&wanted));
    assert!(matches!(refused, Err(engine::Error::WideOfBatch)));
}
