//! Known-bad kernels. Each has one fault that a hurried backend could have; `suite` must see it.

use widetape::cpu::{Parallel, Scalar, Simd};
use widetape::market::{Notional, Price};
use widetape::window::{Bounds, Job, Kernel, Sums};

use crate::common::kernels::suite;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// None: the frame around the faults is sound.
    Sound,
    /// The notional is kept in two 32-bit words and the carry between them is dropped.
    CarryAt32,
    /// The notional is kept in 64 bits.
    CarryAt64,
    LowTooHigh,
    LowTooLow,
    HighTooLow,
    HighTooHigh,
    HighAndLowSwapped,
    OpenTakenAsClose,
    CloseTakenAsOpen,
    LastBoundsSkipped,
    LastJobSkipped,
    AddsToWhatStands,
    EmptyWindowLeft,
    VolumeIn32Bits,
    NotionalInDouble,
    /// The extremes are those of all executions so far, not of the window.
    ExtremesNeverLeave,
    /// Bounds are believed never to move back.
    BoundsBelievedMonotone,
    /// Executions of 0 shares are left out.
    ZeroSharesSkipped,
}

const FAULTS: [Fault; 18] = [
    Fault::CarryAt32,
    Fault::CarryAt64,
    Fault::LowTooHigh,
    Fault::LowTooLow,
    Fault::HighTooLow,
    Fault::HighTooHigh,
    Fault::HighAndLowSwapped,
    Fault::OpenTakenAsClose,
    Fault::CloseTakenAsOpen,
    Fault::LastBoundsSkipped,
    Fault::LastJobSkipped,
    Fault::AddsToWhatStands,
    Fault::EmptyWindowLeft,
    Fault::VolumeIn32Bits,
    Fault::NotionalInDouble,
    Fault::ExtremesNeverLeave,
    Fault::BoundsBelievedMonotone,
    Fault::ZeroSharesSkipped,
];

struct Planted(Fault);

impl Kernel for Planted {
    fn name(&self) -> &'static str {
        "planted"
    }

    fn evaluate(&self, jobs: &mut [Job<'_>]) {
        let jobs_done = jobs.len() - usize::from(self.0 == Fault::LastJobSkipped && jobs.len() > 1);
        for job in &mut jobs[..jobs_done] {
            let windows = job.bounds.len();
            let done = windows - usize::from(self.0 == Fault::LastBoundsSkipped && windows > 0);
            let mut newest = Bounds::default();
            for index in 0..done {
                let mut bounds = job.bounds[index];
                if self.0 == Fault::BoundsBelievedMonotone {
                    bounds.low = bounds.low.max(newest.low);
                    bounds.high = bounds.high.max(newest.high);
                    newest = bounds;
                }
                if self.0 == Fault::EmptyWindowLeft && bounds.low == bounds.high {
                    continue;
                }
                let sums = self.sums(job, bounds);
                job.sums[index] = match self.0 {
                    Fault::AddsToWhatStands => job.sums[index].then(&sums),
                    _ => sums,
                };
            }
        }
    }
}

impl Planted {
    fn sums(&self, job: &Job<'_>, bounds: Bounds) -> Sums {
        let (mut low, mut high) = (bounds.low as usize, bounds.high as usize);
        match self.0 {
            Fault::LowTooHigh => low = (low + 1).min(high),
            Fault::LowTooLow => low = low.saturating_sub(1),
            Fault::HighTooLow => high = high.saturating_sub(1).max(low),
            Fault::HighTooHigh => high = (high + 1).min(job.prices.len()),
            _ => {}
        }
        let mut sums = Sums::default();
        let (mut words, mut double) = ((0_u32, 0_u32, 0_u64), 0.0_f64);
        for (&price, &shares) in job.prices[low..high].iter().zip(&job.shares[low..high]) {
            if self.0 == Fault::ZeroSharesSkipped && shares == 0 {
                continue;
            }
            sums.push(price, shares);
            let product = u64::from(price) * u64::from(shares);
            let (middle, carry) = words.1.overflowing_add((product >> 32) as u32);
            words = (
                words.0.wrapping_add(product as u32),
                middle,
                words.2 + u64::from(carry),
            );
            double += product as f64;
        }
        match self.0 {
            Fault::CarryAt32 => {
                let [low, middle, high]: [u128; 3] =
                    [words.0.into(), words.1.into(), words.2.into()];
                sums.notional = Notional::new(high << 64 | middle << 32 | low);
            }
            Fault::CarryAt64 => sums.notional = Notional::from(sums.notional.get() as u64),
            Fault::HighAndLowSwapped => std::mem::swap(&mut sums.high, &mut sums.low),
            Fault::OpenTakenAsClose => sums.close = sums.open,
            Fault::CloseTakenAsOpen => sums.open = sums.close,
            Fault::VolumeIn32Bits => sums.volume = u64::from(sums.volume as u32),
            Fault::NotionalInDouble => sums.notional = Notional::new(double as u128),
            Fault::ExtremesNeverLeave if sums.trades > 0 => {
                sums.high = Price(job.prices[..high].iter().copied().max().unwrap_or(0));
                sums.low = Price(job.prices[..high].iter().copied().min().unwrap_or(0));
            }
            _ => {}
        }
        sums
    }
}

#[test]
fn the_suite_rejects_every_planted_fault() {
    let missed: Vec<Fault> = FAULTS
        .into_iter()
        .filter(|&fault| suite(&Planted(fault)).is_ok())
        .collect();
    assert_eq!(missed, []);
}

#[test]
fn the_suite_accepts_the_frame_without_a_fault() {
    suite(&Planted(Fault::Sound)).unwrap();
}

#[test]
fn the_suite_accepts_the_real_kernels() {
    let kernels: [Box<dyn Kernel>; 3] = [
        Box::new(Scalar),
        Box::new(Simd::default()),
        Box::new(Parallel::default()),
    ];
    for kernel in kernels {
        suite(kernel.as_ref()).unwrap();
    }
}
