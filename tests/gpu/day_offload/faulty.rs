//! Devices that keep a day and do something wrong.

use std::sync::{Arc, Mutex};

use widetape::columns::Resident;
use widetape::engine::DayAccelerator;
use widetape::gpu::{Error, Gpu, GpuDay, Tier};
use widetape::market::{Duration, Notional};
use widetape::window::day::{Grid, GridBlock, Picked, Reduction, Visit};

/// A GPU that others hold too, and its day.
pub(crate) struct Shared {
    gpu: Arc<Gpu>,
    day: Option<GpuDay>,
}

impl Shared {
    pub(crate) fn boxed(gpu: &Arc<Gpu>) -> Box<dyn DayAccelerator> {
        let gpu = Arc::clone(gpu);
        Box::new(Self { gpu, day: None })
    }

    fn day(&self) -> &GpuDay {
        self.day.as_ref().expect("it holds one")
    }
}

impl DayAccelerator for Shared {
    fn hold(&mut self, day: &Resident) -> Result<(), Error> {
        self.day = Some(self.gpu.load(day)?);
        Ok(())
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), Error> {
        self.gpu
            .append(self.day.as_mut().expect("it holds one"), chunk)
    }

    fn grid(&mut self, step: Duration, grid: &Grid, visitor: &mut dyn Visit) -> Result<(), Error> {
        self.gpu.grid(self.day(), step, grid, visitor)
    }

    fn reduce(&mut self, reduction: &Reduction, tell: &mut dyn FnMut(Picked)) -> Result<(), Error> {
        self.gpu.reduce(self.day(), reduction, tell)
    }

    fn tier(&self) -> Option<Tier> {
        Some(self.gpu.tier())
    }
}

/// What a device does wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// No memory for a day.
    Hold,
    /// Ends after so many blocks of a grid, or windows that are told.
    After(u32),
    /// A bit of every notional is flipped.
    Flips(u32),
    /// Symbols from this one on are forgotten, as if their shard were lost.
    Loses(u16),
    /// Ends are told one too late.
    Late,
    /// Of two windows that are told the second comes first.
    Swaps,
}

/// A device with a fault.
struct Faulty {
    inner: Box<dyn DayAccelerator>,
    fault: Arc<Mutex<Fault>>,
}

/// Passes on so much of a grid.
struct Cut<'a> {
    fault: Fault,
    left: u32,
    visitor: &'a mut dyn Visit,
}

impl Visit for Cut<'_> {
    fn visit(&mut self, block: &GridBlock<'_>) {
        let mut notionals = block.notionals.to_vec();
        if let Fault::Flips(bit) = self.fault {
            notionals
                .iter_mut()
                .for_each(|notional| *notional ^= 1 << bit);
        }
        let first = block.first + u32::from(self.fault == Fault::Late);
        let is_lost = matches!(self.fault, Fault::Loses(from) if block.locate.0 >= from);
        if self.left > 0 && !is_lost {
            self.left -= 1;
            self.visitor.visit(&GridBlock {
                notionals: &notionals,
                first,
                ..*block
            });
        }
    }
}

impl DayAccelerator for Faulty {
    fn hold(&mut self, day: &Resident) -> Result<(), Error> {
        match *self.fault.lock().unwrap() {
            Fault::Hold => Err(Error::OutOfMemory),
            _ => self.inner.hold(day),
        }
    }

    fn append(&mut self, chunk: &Resident) -> Result<(), Error> {
        self.inner.append(chunk)
    }

    fn grid(&mut self, step: Duration, grid: &Grid, visitor: &mut dyn Visit) -> Result<(), Error> {
        let fault = *self.fault.lock().unwrap();
        let left = match fault {
            Fault::After(left) => left,
            _ => u32::MAX,
        };
        let mut cut = Cut {
            fault,
            left,
            visitor,
        };
        self.inner.grid(step, grid, &mut cut)?;
        match fault {
            Fault::After(_) => Err(Error::Lost("planted".to_owned())),
            _ => Ok(()),
        }
    }

    fn reduce(&mut self, reduction: &Reduction, tell: &mut dyn FnMut(Picked)) -> Result<(), Error> {
        let mut told = Vec::new();
        self.inner
            .reduce(reduction, &mut |picked| told.push(picked))?;
        match *self.fault.lock().unwrap() {
            Fault::None | Fault::Hold => {}
            Fault::After(count) => {
                told.into_iter().take(count as usize).for_each(tell);
                return Err(Error::OutOfMemory);
            }
            Fault::Flips(bit) => {
                let notionals = told.iter_mut().map(|picked| &mut picked.sums.notional);
                notionals.for_each(|notional| *notional = Notional::new(notional.get() ^ 1 << bit));
            }
            Fault::Loses(from) => told.retain(|picked| picked.locate.0 < from),
            Fault::Late => told.iter_mut().for_each(|picked| picked.end += 1),
            Fault::Swaps => told.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1)),
        }
        told.into_iter().for_each(tell);
        Ok(())
    }
}

/// A device that is sound until `fault` says otherwise.
pub(super) fn faulty(
    gpu: &Arc<Gpu>,
    fault: &Arc<Mutex<Fault>>,
) -> Result<Box<dyn DayAccelerator>, Error> {
    Ok(Box::new(Faulty {
        inner: Shared::boxed(gpu),
        fault: Arc::clone(fault),
    }))
}
