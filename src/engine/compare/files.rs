//! Executions from files, and as files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::CompareError;
use crate::buffer::Pool;
use crate::columns::{Resident, TradeSlices};
use crate::engine::agent::{Agent, Duty, run_inline};
use crate::engine::day::Day;
use crate::engine::decoded::Decoded;
use crate::engine::decoder::Decoder;
use crate::engine::pipe::{Inlet, Received, pipe};
use crate::engine::receiver::Receiver;
use crate::engine::{Chain, Clock, Error, Normaliser};
use crate::feed::{Executions, FILE_BUFFER_BYTES, open_any};
use crate::metrics::Counters;
use crate::session::{Sequencer, SequencerOptions};
use crate::window::Policy;

/// Buffers for file input.
const BUFFERS: usize = 16;
/// Batches that a pipe holds.
const QUEUE: usize = 64;

/// Keeps all columns that come.
struct Gatherer {
    batches: Inlet<Box<Decoded>>,
    day: Arc<Mutex<Day>>,
}

impl Agent for Gatherer {
    fn name(&self) -> &'static str {
        "gatherer"
    }

    fn duty(&mut self, _clock: &Clock) -> Result<Duty, Error> {
        match self.batches.receive() {
            Received::Empty => Ok(Duty::Idle),
            Received::Closed => Ok(Duty::Done),
            Received::Value(batch) => {
                let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
                day.append(&batch)?;
                self.batches.give_back(batch);
                Ok(Duty::Worked)
            }
        }
    }

    fn wait(&mut self, timeout: Duration) {
        self.batches.wait(timeout);
    }
}

/// The executions of the files, broken ones included.
pub(super) fn read(files: &[PathBuf]) -> Result<Resident, CompareError> {
    let pool = Pool::new(BUFFERS, FILE_BUFFER_BYTES);
    let open = |file: &PathBuf| open_any(file, Arc::clone(&pool)).map_err(Error::Feed);
    let sources = files.iter().map(open).collect::<Result<Vec<_>, Error>>()?;
    let (counters, stop) = (Counters::new(), Arc::new(AtomicBool::new(false)));
    let (packets_in, packets_out) = pipe(QUEUE);
    let (batches_in, batches_out) = pipe(QUEUE);
    let chain = Box::new(Chain::new(sources));
    let receiver = Receiver::new(chain, packets_in, Arc::clone(&counters), Arc::clone(&stop));
    let sequencer = Sequencer::new(SequencerOptions::default());
    let decoder = Decoder::new(
        (packets_out, batches_in),
        (sequencer, Normaliser::new(false), false),
        None,
        files.to_vec(),
        counters,
        Arc::default(),
        stop,
    );
    let gathered = Arc::new(Mutex::new(Day::default()));
    let gatherer = Gatherer {
        batches: batches_out,
        day: Arc::clone(&gathered),
    };
    let agents: Vec<Box<dyn Agent>> =
        vec![Box::new(receiver), Box::new(decoder), Box::new(gatherer)];
    run_inline(agents, &Clock::machine(), None)?;
    let gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
    let mask = Policy::All.bit();
    let stretches = gathered.log.stretches();
    let slices: Vec<TradeSlices<'_>> = stretches
        .map(|(_, trades)| TradeSlices::of(trades, mask))
        .collect();
    let mut day = Resident::default();
    day.fill(&slices)?;
    Ok(day)
}

/// Writes executions as raw columns in this machine's byte order, a file each.
pub(super) fn export(folder: &Path, executions: &Executions) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes);
    write("time_ns.u64", bytemuck::cast_slice(&executions.times))?;
    write("locate.u16", bytemuck::cast_slice(&executions.locates))?;
    write("price.u32", bytemuck::cast_slice(&executions.prices))?;
    write("shares.u32", bytemuck::cast_slice(&executions.shares))
}
