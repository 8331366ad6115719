//! The kernel of `--backend auto`: every request goes to the processor that is predicted to be faster.
//!
//! No device is sought before so much has been asked that opening one could pay. What was decided is
//! kept, with the predicted and the measured time, for whoever asks why.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::backend::Trouble;
use super::route::{Decision, Known, Processor, Reason, Request, WORTH_A_LOOK, decide};
use crate::cpu::Parallel;
use crate::window::{Job, Kernel};

/// What asks a device, and where that says what goes wrong.
pub type Device = (Box<dyn Kernel>, Trouble);

/// What a look for a device came to.
pub struct Sought {
    /// What is known of it.
    pub known: Known,
    /// The device, where there is one.
    pub gpu: Option<Device>,
    /// What a user should be told.
    pub told: Option<String>,
}

impl Sought {
    /// No device that may be chosen.
    #[must_use]
    pub fn nothing(known: Known) -> Self {
        Self {
            known,
            gpu: None,
            told: None,
        }
    }
}

/// Requests that were decided alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Who computed.
    pub processor: Processor,
    /// Why.
    pub reason: Reason,
    /// How many requests.
    pub requests: u64,
    /// Windows, each of which is a row.
    pub windows: u64,
    /// Executions.
    pub executions: u64,
    /// Bytes that move to and from a device.
    pub bytes: u64,
    /// Predicted seconds, and those of the other processor, where they are known.
    pub predicted: Option<(f64, f64)>,
    /// Seconds that were taken.
    pub measured: f64,
}

/// What was decided in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routes {
    /// One for each processor and reason.
    pub routes: Vec<Route>,
    /// What a user should be told of the measuring of costs.
    pub told: Option<String>,
}

/// Looks for a device.
pub type Seek = dyn Fn() -> Sought + Send + Sync;

/// A kernel that chooses between the CPU and what `seek` finds.
pub struct Auto {
    cpu: Parallel,
    seek: Box<Seek>,
    state: Mutex<State>,
    routes: Arc<Mutex<Routes>>,
    trouble: Trouble,
    /// Executions and windows from which on a device is sought.
    worth_a_look: u64,
}

#[derive(Default)]
struct State {
    /// Executions and windows asked so far.
    asked: u64,
    sought: Option<Sought>,
}

impl Auto {
    /// A kernel that notes in `routes` what it decides.
    #[must_use]
    pub fn new(seek: Box<Seek>, routes: Arc<Mutex<Routes>>) -> Self {
        Self {
            cpu: Parallel::default(),
            seek,
            state: Mutex::default(),
            routes,
            trouble: Trouble::default(),
            worth_a_look: WORTH_A_LOOK,
        }
    }

    /// Where it says what goes wrong with a device.
    pub(super) fn trouble(&self) -> Trouble {
        Arc::clone(&self.trouble)
    }
}

impl Kernel for Auto {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        let request = Request {
            executions: jobs.iter().map(|job| job.prices.len() as u64).sum(),
            resident: 0,
            windows: jobs.iter().map(|job| job.bounds.len() as u64).sum(),
        };
        if request.windows == 0 {
            return self.cpu.evaluate(jobs);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked += request.executions + request.windows;
        if state.asked >= self.worth_a_look && state.sought.is_none() {
            let sought = (self.seek)();
            let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
            routes.told.clone_from(&sought.told);
            state.sought = Some(sought);
        }
        let unsought = Known::Unsought;
        let (known, gpu) = match &state.sought {
            Some(sought) => (&sought.known, sought.gpu.as_ref()),
            None => (&unsought, None),
        };
        let decision = decide(&request, known);
        let start = Instant::now();
        match (decision.processor, gpu) {
            (Processor::Gpu, Some((gpu, trouble))) => {
                gpu.evaluate(jobs);
                let trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
                let mut ours = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                ours.clone_from(&trouble);
            }
            _ => self.cpu.evaluate(jobs),
        }
        let measured = start.elapsed().as_secs_f64();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.add(&request, decision, measured);
    }
}

impl Routes {
    fn add(&mut self, request: &Request, decision: Decision, measured: f64) {
        let same = |route: &&mut Route| {
            route.processor == decision.processor && route.reason == decision.reason
        };
        let predicted = decision.predicted.zip(decision.other);
        match self.routes.iter_mut().find(same) {
            Some(route) => {
                route.requests += 1;
                route.windows += request.windows;
                route.executions += request.executions;
                route.bytes += request.bytes();
                route.measured += measured;
                let sum = |((a, b), (c, d)): ((f64, f64), (f64, f64))| (a + c, b + d);
                route.predicted = route.predicted.zip(predicted).map(sum);
            }
            None => self.routes.push(Route {
                processor: decision.processor,
                reason: decision.reason,
                requests: 1,
                windows: request.windows,
                executions: request.executions,
                bytes: request.bytes(),
                predicted,
                measured,
            }),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, other) = match self.processor {
            Processor::Cpu => ("CPU", "GPU"),
            Processor::Gpu => ("GPU", "CPU"),
        };
        let millis = |seconds: f64| seconds * 1e3;
        write!(
            f,
            "{} rows over {} executions in {} requests, {} bytes to a device and back: by the {ours}, \
             {:.3} ms",
            self.windows,
            self.executions,
            self.requests,
            self.bytes,
            millis(self.measured)
        )?;
        if let Some((predicted, others)) = self.predicted {
            let (predicted, others) = (millis(predicted), millis(others));
            write!(
                f,
                " ({predicted:.3} ms predicted, by the {other} {others:.3} ms)"
            )?;
        }
        write!(f, ", because {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::route::Costs;
    use super::*;
    use crate::cpu::Scalar;
    use crate::window::{Bounds, Sums};

    /// Counts how often it is asked, and answers rightly.
    struct Counting(Arc<AtomicU32>);

    impl Kernel for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }

        fn evaluate(&self, jobs: &mut [Job<'_>]) {
            self.0.fetch_add(1, Ordering::Relaxed);
            Scalar.evaluate(jobs);
        }
    }

    /// Asks about the only execution of a symbol, `windows` times over.
    fn ask(kernel: &dyn Kernel, windows: usize) {
        let bounds = vec![Bounds { low: 0, high: 1 }; windows];
        let mut sums = vec![Sums::default(); windows];
        kernel.evaluate(&mut [Job {
            prices: &[7],
            shares: &[3],
            bounds: &bounds,
            sums: &mut sums,
        }]);
        assert!(sums.iter().all(|sums| sums.notional.get() == 21));
    }

    /// How often a device was sought and asked by a small, a huge and a small request, and the routes.
    fn run(known: Known) -> (u32, u32, Routes) {
        let counts: [Arc<AtomicU32>; 2] = Default::default();
        let [sought, asked] = counts.clone();
        let routes = Arc::default();
        let seek = move || {
            sought.fetch_add(1, Ordering::Relaxed);
            Sought {
                known: known.clone(),
                gpu: Some((Box::new(Counting(Arc::clone(&asked))), Arc::default())),
                told: Some("told".to_owned()),
            }
        };
        let mut kernel = Auto::new(Box::new(seek), Arc::clone(&routes));
        kernel.worth_a_look = 10_000;
        for windows in [1_000, 10_000, 1_000] {
            ask(&kernel, windows);
        }
        let [sought, asked] = counts.map(|count| count.load(Ordering::Relaxed));
        let routes = routes.lock().expect("nobody panicked").clone();
        (sought, asked, routes)
    }

    #[test]
    fn each_request_goes_where_it_is_predicted_to_be_faster() {
        let costs = |request, window| Costs {
            request,
            execution: 0.0,
            window,
        };
        let (sought, asked, found) = run(Known::Device {
            cpu: costs(0.0, 1e-6),
            gpu: costs(0.005, 0.0),
        });
        assert_eq!(
            (sought, asked),
            (1, 1),
            "sought once, asked for the huge one"
        );
        assert_eq!(found.told.as_deref(), Some("told"));
        let rows: Vec<(Processor, Reason, u64)> = found
            .routes
            .iter()
            .map(|route| (route.processor, route.reason.clone(), route.windows))
            .collect();
        let wanted = [
            (Processor::Cpu, Reason::TooLittle, 1_000),
            (Processor::Gpu, Reason::Faster, 10_000),
            (Processor::Cpu, Reason::Faster, 1_000),
        ];
        assert_eq!(rows, wanted);
        let said = found.routes[2].to_string();
        assert!(
            said.starts_with("1000 rows over 1 executions in 1 requests, 48008 bytes"),
            "{said}"
        );
        assert!(
            said.contains("(1.000 ms predicted, by the GPU 5.000 ms)"),
            "{said}"
        );
    }

    #[test]
    fn a_software_device_is_never_asked() {
        let (sought, asked, found) = run(Known::Software("llvmpipe".into()));
        assert_eq!((sought, asked), (1, 0));
        let last = found.routes.last().expect("a route");
        assert_eq!((last.requests, last.predicted), (2, None));
        assert!(last.to_string().ends_with("because llvmpipe is software"));
    }
}
