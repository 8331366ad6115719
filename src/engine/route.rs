//! Who should compute a request: a cost model, and nothing but arithmetic.
//!
//! The time of a processor is a fixed part and one for each execution and window. What a device does not
//! have yet must be sent, and its answers must come back; both are in its parts, measured on the machine
//! ([`super::calibration`]).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Bytes sent for an execution (price, shares), and both ways for a window (bounds, answer).
const EXECUTION_BYTES: u64 = 8;
const WINDOW_BYTES: u64 = 8 + 40;
/// Executions and windows of a run below which no device is sought: opening one takes longer.
pub const WORTH_A_LOOK: u64 = 1 << 24;

/// How much is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Executions over which windows are asked.
    pub executions: u64,
    /// Those of them that the device has.
    pub resident: u64,
    /// Windows, one answer each.
    pub windows: u64,
}

impl Request {
    /// Bytes that would move to and from a device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.missing() * EXECUTION_BYTES + self.windows * WINDOW_BYTES
    }

    fn missing(&self) -> u64 {
        self.executions.saturating_sub(self.resident)
    }
}

/// The parts of a processor's time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Of a request, however small.
    pub request: f64,
    /// Of an execution: on a device, its way there included.
    pub execution: f64,
    /// Of a window: on a device, its way back included.
    pub window: f64,
}

impl Costs {
    /// Seconds for so many executions and windows.
    #[must_use]
    pub fn seconds(&self, executions: u64, windows: u64) -> f64 {
        self.request + self.execution * executions as f64 + self.window * windows as f64
    }

    /// The parts, from the seconds of three requests: one that is small, one with `executions` and one
    /// with `windows` more than that.
    #[must_use]
    pub fn of(
        [small, many_executions, many_windows]: [f64; 3],
        executions: u64,
        windows: u64,
    ) -> Self {
        let part = |seconds: f64, count: u64| (seconds - small).max(0.0) / count.max(1) as f64;
        Self {
            request: small,
            execution: part(many_executions, executions),
            window: part(many_windows, windows),
        }
    }

    /// Whether these can be the costs of anything.
    #[must_use]
    pub fn are_sane(&self) -> bool {
        let parts = [self.request, self.execution, self.window];
        parts.iter().all(|part| part.is_finite() && *part >= 0.0) && parts.iter().any(|&p| p > 0.0)
    }
}

/// What is known of the processors.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// So little has been asked that no device was sought.
    Unsought,
    /// There is no device that can be used, for this reason.
    NoDevice(String),
    /// The only device is software.
    Software(String),
    /// There is a device.
    Device {
        /// The CPU's costs, all of its threads together.
        cpu: Costs,
        /// The device's.
        gpu: Costs,
    },
}

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// All threads of the CPU.
    Cpu,
    /// The device.
    Gpu,
}

/// Who computes, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Who.
    pub processor: Processor,
    /// Seconds that it should take, where that is known.
    pub predicted: Option<f64>,
    /// Seconds that the other would take, where that is known.
    pub other: Option<f64>,
    /// Why.
    pub reason: Reason,
}

/// Why a processor is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A device would take longer to open than this run.
    TooLittle,
    /// No device can be used.
    NoDevice(String),
    /// A software device is never faster than the processor that it runs on.
    Software(String),
    /// It takes less time.
    Faster,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::TooLittle => f.write_str("too little is asked to seek a device"),
            Reason::NoDevice(why) => write!(f, "no device: {why}"),
            Reason::Software(name) => write!(f, "{name} is software"),
            Reason::Faster => f.write_str("it is predicted to be faster"),
        }
    }
}

/// Says who computes `request`. The CPU does where both would take as long.
#[must_use]
pub fn decide(request: &Request, known: &Known) -> Decision {
    let by_cpu = |reason| Decision {
        processor: Processor::Cpu,
        predicted: None,
        other: None,
        reason,
    };
    match known {
        Known::Unsought => by_cpu(Reason::TooLittle),
        Known::NoDevice(why) => by_cpu(Reason::NoDevice(why.clone())),
        Known::Software(name) => by_cpu(Reason::Software(name.clone())),
        Known::Device { cpu, gpu } => {
            let cpu = cpu.seconds(request.executions, request.windows);
            let gpu = gpu.seconds(request.missing(), request.windows);
            let (processor, predicted, other) = match gpu < cpu {
                true => (Processor::Gpu, gpu, cpu),
                false => (Processor::Cpu, cpu, gpu),
            };
            Decision {
                processor,
                predicted: Some(predicted),
                other: Some(other),
                reason: Reason::Faster,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Known {
        Known::Device {
            cpu: Costs {
                request: 0.0,
                execution: 2e-9,
                window: 4e-9,
            },
            gpu: Costs {
                request: 1e-3,
                execution: 1e-9,
                window: 1e-9,
            },
        }
    }

    fn request(executions: u64, resident: u64, windows: u64) -> Request {
        Request {
            executions,
            resident,
            windows,
        }
    }

    fn chosen(request: Request) -> Processor {
        decide(&request, &device()).processor
    }

    #[test]
    fn cells_decide_on_both_sides_of_the_line() {
        // 3 ns a window are saved, and a millisecond is lost.
        assert_eq!(chosen(request(0, 0, 333_333)), Processor::Cpu);
        assert_eq!(chosen(request(0, 0, 333_334)), Processor::Gpu);
        let decision = decide(&request(0, 0, 1_000_000), &device());
        assert_eq!(decision.predicted, Some(1e-3 + 1e-9 * 1e6));
        assert_eq!(decision.other, Some(4e-9 * 1e6));
    }

    #[test]
    fn what_is_resident_need_not_move() {
        let (executions, windows) = (400_000, 100_000);
        assert_eq!(chosen(request(executions, 0, windows)), Processor::Cpu);
        assert_eq!(
            chosen(request(executions, executions, windows)),
            Processor::Gpu
        );
        assert_eq!(request(10, 4, 2).bytes(), 6 * 8 + 2 * 48);
        assert_eq!(request(10, 99, 0).bytes(), 0);
    }

    #[test]
    fn a_tie_and_every_doubt_go_to_the_cpu() {
        let same = Costs {
            request: 1.0,
            ..Costs::default()
        };
        let known = Known::Device {
            cpu: same,
            gpu: same,
        };
        assert_eq!(
            decide(&Request::default(), &known).processor,
            Processor::Cpu
        );
        let much = request(0, 0, 1 << 40);
        for (known, reason) in [
            (Known::Unsought, Reason::TooLittle),
            (Known::NoDevice("a".into()), Reason::NoDevice("a".into())),
            (Known::Software("b".into()), Reason::Software("b".into())),
        ] {
            let decision = decide(&much, &known);
            assert_eq!(
                (decision.processor, decision.reason),
                (Processor::Cpu, reason)
            );
        }
    }

    #[test]
    fn parts_follow_from_three_requests() {
        let costs = Costs::of([1.0, 3.0, 2.0], 4, 10);
        let wanted = Costs {
            request: 1.0,
            execution: 0.5,
            window: 0.1,
        };
        assert_eq!(costs, wanted);
        assert_eq!(costs.seconds(4, 10), 4.0);
        let noise = Costs::of([1.0, 0.5, 0.5], 4, 10);
        assert_eq!((noise.execution, noise.window), (0.0, 0.0));
        assert!(costs.are_sane() && !Costs::default().are_sane());
        assert!(
            !Costs {
                window: f64::NAN,
                ..costs
            }
            .are_sane()
        );
        assert!(
            !Costs {
                window: -1.0,
                ..costs
            }
            .are_sane()
        );
    }
}
