//! The engine put together.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use super::agent::{Agent, run_inline};
use super::analyst::Analyst;
use super::backend::Trouble;
use super::decoder::Decoder;
use super::pipe::{Inlet, Outlet, pipe};
use super::publisher::Publishing;
use super::receiver::Receiver;
use super::results::Results;
use super::scanner::Scanner;
use super::survey::{Surveyor, Wide};
use super::threads::{ThreadOptions, Threads};
use super::{Backend, Clock, Error, Normaliser, Recovery, Routes};
use crate::feed::Source;
use crate::market::Symbol;
use crate::memory::Memory;
use crate::metrics::{Counters, Latency};
use crate::publish::Publisher;
use crate::session::{Sequencer, SequencerOptions};
use crate::window::{SYMBOLS, Sliding, Spec, Wanted};

/// Results that are made with room for the rows of an end at the start: so many are on their way at once where the
/// publisher is held up by the names of all symbols, or for half a second.
const STOCK: usize = 8;

/// How rows are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As the feed goes on, corrections included.
    #[default]
    Stream,
    /// When the input has ended, each row once at its final revision.
    Batch,
}

/// What an engine is to do.
#[derive(Debug)]
pub struct Options {
    /// The rows that are asked for.
    pub spec: Spec,
    /// What is told of each end; all rows unless said. For [`Mode::Batch`] alone: a stream knows no end
    /// whole.
    pub wanted: Option<Wanted>,
    /// Windows that are answered apart, at a cadence of their own, by a GPU if there is one. For
    /// [`Mode::Stream`] alone.
    pub wide: Option<Wide>,
    /// How they are computed.
    pub mode: Mode,
    /// By which kernel.
    pub backend: Backend,
    /// How a GPU is opened.
    #[cfg(feature = "gpu")]
    pub gpu: crate::gpu::GpuOptions,
    /// How packets are put in order.
    pub sequencer: SequencerOptions,
    /// Who is asked for lost packets.
    pub recovery: Option<Recovery>,
    /// The files that the source reads, as messages about them name them.
    pub files: Vec<PathBuf>,
    /// Batches that a pipe holds before its sender waits (files) or drops (live feeds).
    pub queue: usize,
    /// Packets that the source has buffers for: where there are more of them than `queue`, the pipe behind
    /// the receiver holds as many batches, so that no packet is dropped while there is a buffer for it.
    pub buffers: usize,
    /// How the agents run on threads.
    pub threads: ThreadOptions,
    /// How the book and the windows ask for memory.
    pub memory: Memory,
    /// Live orders for which the book has room from the start; it grows with more.
    pub orders: usize,
    /// Executions for which the windows of a [`Mode::Stream`] have room from the start.
    pub executions: usize,
}

impl Options {
    /// Streams `spec`, with defaults for everything else.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            wanted: None,
            wide: None,
            mode: Mode::default(),
            backend: Backend::default(),
            #[cfg(feature = "gpu")]
            gpu: crate::gpu::GpuOptions::default(),
            sequencer: SequencerOptions::default(),
            recovery: None,
            files: Vec::new(),
            queue: 64,
            buffers: 0,
            threads: ThreadOptions::default(),
            memory: Memory::asked(),
            orders: 0,
            executions: 0,
        }
    }

    /// Checks what is asked for, and whether the mode answers it.
    fn check(&self) -> Result<(), Error> {
        self.spec.check()?;
        match (self.mode, &self.wanted, &self.wide) {
            (Mode::Stream, Some(_), _) => Err(Error::WantedOfStream),
            (Mode::Batch, _, Some(_)) => Err(Error::WideOfBatch),
            (_, _, Some(wide)) => Ok(wide.published(&self.spec).map(|_| ())?),
            (_, _, None) => Ok(()),
        }
    }
}

/// What an engine has done.
#[derive(Debug)]
pub struct Summary {
    /// Everything that was counted.
    pub counters: Arc<Counters>,
    /// How long things took.
    pub latency: Latency,
    /// Symbols with an execution that could not be priced.
    pub flagged: Vec<Symbol>,
    /// What first went wrong with a GPU, so that the CPU answered in its place.
    pub gpu_trouble: Option<String>,
    /// What [`Backend::Auto`] decided, and why.
    pub routes: Routes,
    /// Nanoseconds from start to end.
    pub elapsed_ns: u64,
}

impl Summary {
    /// Time from start to end.
    #[must_use]
    pub fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.elapsed_ns)
    }
}

/// A source, the stages behind it, and the publishers at their end.
pub struct Engine {
    receiver: Receiver,
    decoder: Decoder,
    analyst: Box<dyn Agent>,
    publishing: Publishing,
    surveyor: Option<Surveyor>,
    counters: Arc<Counters>,
    latency: Arc<Mutex<Latency>>,
    flagged: Arc<Mutex<Vec<Symbol>>>,
    gpu_trouble: Trouble,
    routes: Arc<Mutex<Routes>>,
    stop: Arc<AtomicBool>,
    threads: Threads,
}

impl Engine {
    /// Joins the stages. Rows go to every one of `publishers`, in order.
    ///
    /// # Errors
    /// When `options.spec` or `options.wide` makes no sense, the mode does not answer what is asked for, or threads
    /// cannot be placed as `options.threads` says.
    pub fn new(
        source: Box<dyn Source>,
        publishers: Vec<Box<dyn Publisher + Send>>,
        options: Options,
    ) -> Result<Self, Error> {
        options.check()?;
        let threads = Threads::plan(&options.threads, usize::from(options.wide.is_some()))?;
        let (live, (tops, trades)) = (source.is_live(), wanted(&publishers));
        let (counters, latency) = (Counters::new(), Arc::new(Mutex::new(Latency::new())));
        let (flagged, routes, stop) = (Arc::default(), Arc::default(), Arc::default());
        let (packets_in, packets_out) = pipe(options.queue.max(options.buffers));
        let (batches_in, batches_out) = pipe(options.queue);
        let (results_in, results_out) = results_pipe(&options);
        let (kernel, gpu_trouble) = options.kernel(&counters, &routes);
        let reducer = options.reducer(&counters, &gpu_trouble);
        let wide = options.surveyor(&counters, &gpu_trouble);
        let receiver = Receiver::new(source, packets_in, Arc::clone(&counters), Arc::clone(&stop));
        let normaliser = Normaliser::new(tops).with_memory(options.memory, options.orders);
        let decoder = Decoder::new(
            (packets_out, batches_in),
            (Sequencer::new(options.sequencer), normaliser, live),
            options.recovery,
            options.files,
            Arc::clone(&counters),
            Arc::clone(&flagged),
            Arc::clone(&stop),
        );
        if options.threads.places() {
            // A kernel's own threads inherit the cores of the thread that first needs them; they
            // start here, so that they keep those of the caller and not one agent's.
            kernel.evaluate(&mut []);
        }
        let analyst: Box<dyn Agent> = match options.mode {
            Mode::Stream => Box::new(Analyst::new(
                (batches_out, results_in, wide.forward),
                Sliding::new(options.spec, kernel).with_memory(options.memory, options.executions),
                trades,
                Arc::clone(&counters),
                &latency,
            )),
            Mode::Batch => Box::new(Scanner::new(
                batches_out,
                results_in,
                (options.spec, options.wanted),
                (kernel, reducer),
                Arc::clone(&counters),
            )),
        };
        let publishing = Publishing::new(
            (results_out, wide.results),
            publishers,
            Arc::clone(&counters),
            &latency,
            Arc::clone(&stop),
        );
        Ok(Self {
            receiver,
            decoder,
            analyst,
            publishing,
            surveyor: wide.surveyor,
            counters,
            latency,
            flagged,
            gpu_trouble,
            routes,
            stop,
            threads,
        })
    }

    /// Adds a publisher behind the others.
    pub fn add_publisher(&mut self, publisher: Box<dyn Publisher + Send>) {
        self.publishing.add(publisher);
    }

    /// Asks what `open` opens for the sums of the wide windows, on `clock`, in place of the GPU.
    #[cfg(feature = "gpu")]
    pub fn survey_by(&mut self, open: super::OpenDayAccelerator, clock: Clock) {
        let (counters, trouble) = (self.counters(), Arc::clone(&self.gpu_trouble));
        let surveyor = self.surveyor.take();
        self.surveyor = surveyor
            .map(|surveyor| surveyor.with(|survey| survey.telling(open, clock, counters, trouble)));
    }

    /// Setting this stops the engine: what has been received is worked off, publishers say goodbye.
    #[must_use]
    pub fn stop_switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The counters, to be looked at while the engine runs.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Runs the agents on threads, as the options say, until the input has ended.
    ///
    /// The outcome says whether anything failed; what came before a failure has been published.
    pub fn run(self, clock: &Clock) -> (Summary, Result<(), Error>) {
        let stop = self.stop_switch();
        self.drive(clock, |threads, agents| threads.run(agents, clock, &stop))
    }

    /// Lets the agents take turns on this thread until the input has ended. With a seed their order
    /// is shuffled; the rows are the same.
    ///
    /// The outcome says whether anything failed; what came before a failure has been published.
    pub fn run_inline(self, clock: &Clock, seed: Option<u64>) -> (Summary, Result<(), Error>) {
        self.drive(clock, |_, agents| run_inline(agents, clock, seed))
    }

    fn drive(
        self,
        clock: &Clock,
        run: impl FnOnce(Threads, Vec<Box<dyn Agent>>) -> Result<(), Error>,
    ) -> (Summary, Result<(), Error>) {
        let mut agents: Vec<Box<dyn Agent>> = vec![
            Box::new(self.receiver),
            Box::new(self.decoder),
            self.analyst,
            Box::new(self.publishing),
        ];
        agents.extend(self.surveyor.map(|agent| Box::new(agent) as Box<dyn Agent>));
        let outcome = run(self.threads, agents);
        let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let mut flagged = self.flagged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut trouble = self
            .gpu_trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = Summary {
            counters: self.counters,
            latency: std::mem::take(&mut latency),
            flagged: std::mem::take(&mut flagged),
            gpu_trouble: trouble.take(),
            routes: std::mem::take(&mut routes),
            elapsed_ns: clock.monotonic_ns(),
        };
        (summary, outcome)
    }
}

/// A pipe for results, which have room for the rows of an end from the start if executions have.
fn results_pipe(options: &Options) -> (Outlet<Box<Results>>, Inlet<Box<Results>>) {
    let (outlet, mut inlet) = pipe(options.queue);
    if options.executions > 0 {
        let lines = SYMBOLS * options.spec.windows.len();
        // All rows of an end are in its table, if they are more than half of its lines.
        let (rows, lines) = match options.spec.every_end {
            true => (lines / 2, lines),
            false => (lines, 0),
        };
        (0..STOCK).for_each(|_| inlet.give_back(Box::new(Results::with_room(rows, lines))));
    }
    (outlet, inlet)
}

/// Whether any publisher wants tops of book, and single executions.
fn wanted(publishers: &[Box<dyn Publisher + Send>]) -> (bool, bool) {
    let any = |wants: fn(&dyn Publisher) -> bool| publishers.iter().any(|one| wants(one.as_ref()));
    (any(|one| one.wants_tops()), any(|one| one.wants_trades()))
}
