//! Executions that follow those of a day on the device: only they are uploaded.
//!
//! A symbol's executions stand together, so those of the symbols behind it move when some are appended. The
//! device moves them: what stands in the old planes and what has been uploaded is placed in new ones, of
//! which sums and extremes are built as when a day is loaded. That reads and writes every execution once,
//! 24 bytes of the device's own memory, and nothing of it passes the bus.

use super::buffers::Buffers;
use super::day::{Held, Loaded, held_of, starts};
use super::device::Device;
use super::dispatch::Dispatcher;
use super::params::{NOBODY, Params};
use super::plan::{Shape, Shard};
use super::shader::{Plane, Stage};
use super::{Error, Gpu, GpuDay};
use crate::columns::Resident;

/// Executions on the device that are to be placed.
struct Source<'a> {
    buffers: &'a Buffers,
    /// Which symbols of the day, ascending; how many executions each has here and how many it has before.
    symbols: Vec<(usize, u32, u32)>,
}

impl Gpu {
    /// Appends executions to a day. Each must follow those of its symbol.
    ///
    /// # Errors
    /// When one is earlier than those of its symbol, a symbol has more executions than the device binds at a
    /// time, or the device fails. The day is then as it was.
    pub fn append(&self, day: &mut GpuDay, chunk: &Resident) -> Result<(), Error> {
        let added = held_of(chunk);
        let held = merged(&day.held, &added)?;
        let places = starts(&held);
        let planned = self.shards(&held, &places)?;
        let of_chunk = self.shards(&added, &starts(&added))?;
        let loaded = self.with(|device, dispatcher| {
            let upload = |shard: &Shard| dispatcher.upload_shard(device, chunk, &added, shard);
            let uploaded: Vec<Buffers> = of_chunk.iter().map(upload).collect::<Result<_, _>>()?;
            let index = |held_at: &Held| {
                let found = held.binary_search_by_key(&held_at.locate, |held| held.locate);
                found.unwrap_or_default()
            };
            let before = |locate| {
                let found = day.held.binary_search_by_key(&locate, |held| held.locate);
                found.map_or(0, |at| day.held[at].executions)
            };
            let old = day.shards.iter().map(|loaded| Source {
                buffers: &loaded.buffers,
                symbols: day.held[loaded.shard.symbols.clone()]
                    .iter()
                    .map(|held| (index(held), held.executions, 0))
                    .collect(),
            });
            let new = of_chunk
                .iter()
                .zip(&uploaded)
                .map(|(shard, buffers)| Source {
                    buffers,
                    symbols: added[shard.symbols.clone()]
                        .iter()
                        .map(|held| (index(held), held.executions, before(held.locate)))
                        .collect(),
                });
            let sources: Vec<Source<'_>> = old.chain(new).collect();
            let merge = |shard| dispatcher.merge(device, &sources, (&held, &places), shard);
            planned.into_iter().map(merge).collect()
        })?;
        day.shards = loaded;
        day.take(held);
        Ok(())
    }
}

/// What a day holds when `added` has been appended; both ascend.
fn merged(day: &[Held], added: &[Held]) -> Result<Vec<Held>, Error> {
    let mut held = day.to_vec();
    for added in added {
        match day.binary_search_by_key(&added.locate, |held| held.locate) {
            Err(_) => held.push(*added),
            Ok(at) if added.first < held[at].last => {
                return Err(Error::Early {
                    locate: added.locate,
                });
            }
            Ok(at) => {
                let before = held[at];
                held[at] = Held {
                    first: before.first,
                    executions: before.executions.saturating_add(added.executions),
                    price: before.price.max(added.price),
                    shares: before.shares.max(added.shares),
                    ..*added
                };
            }
        }
    }
    held.sort_unstable_by_key(|held| held.locate);
    Ok(held)
}

impl Dispatcher {
    /// Places the executions of a shard in new planes, and builds what grids need.
    fn merge(
        &mut self,
        device: &Device,
        sources: &[Source<'_>],
        (held, starts): (&[Held], &[u32]),
        shard: Shard,
    ) -> Result<Loaded, Error> {
        let executions = shard.executions.end - shard.executions.start;
        let mut target = Buffers::new(device);
        target.fit_executions(device, &Shape::new(executions, 0), false);
        target.fit(device, Plane::Times, u64::from(executions) * 4);
        for source in sources {
            let place = |&(symbol, _, before): &(usize, u32, u32)| {
                let is_here = shard.symbols.contains(&symbol);
                let place = || starts[symbol] - shard.executions.start + before;
                if is_here { place() } else { NOBODY }
            };
            let places: Vec<u32> = source.symbols.iter().map(place).collect();
            if places.iter().any(|&place| place != NOBODY) {
                self.place(device, source, &places, &target)?;
            }
        }
        self.build(device, held, starts, shard, target)
    }

    /// Places the executions of a source in the planes of `target`.
    fn place(
        &mut self,
        device: &Device,
        source: &Source<'_>,
        places: &[u32],
        target: &Buffers,
    ) -> Result<(), Error> {
        let mut starts = vec![0];
        for &(_, executions, _) in &source.symbols {
            starts.push(starts[starts.len() - 1] + executions);
        }
        let shape = Shape::new(starts[starts.len() - 1], 0);
        let own = &mut self.buffers;
        for (plane, words) in [(Plane::Starts, &starts[..]), (Plane::Places, places)] {
            let words = bytemuck::cast_slice(words);
            own.fit(device, plane, words.len() as u64);
            own.write(device, plane, words.len() as u64, std::iter::once(words))?;
        }
        let params = Params {
            symbols: places.len() as u32,
            ..Params::default()
        };
        self.buffers.describe(device, &shape, params);
        let planes = |plane| match plane {
            Plane::Starts | Plane::Places => self.buffers.plane(plane),
            Plane::PlacedPrices => target.plane(Plane::Prices),
            Plane::PlacedShares => target.plane(Plane::Shares),
            Plane::PlacedTimes => target.plane(Plane::Times),
            _ => source.buffers.plane(plane),
        };
        let sizes = (&shape, false);
        let commands = self.encode(device, &[Stage::Place], sizes, &self.buffers, planes);
        device.queue.submit([commands.finish()]);
        device.check()
    }
}
