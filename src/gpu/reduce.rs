//! What a selection tells of every end of a day on the device: chosen or added up there, so that little is
//! read back.
//!
//! The windows of as many symbols and ends as fit are computed at a time, as for a grid, and stay on the
//! device; a stage reduces them to a few for each end. What stretches of symbols tell of one end is joined
//! here: totals are added, ranks are ranked again, and those that stray follow each other.

use std::cmp::Reverse;
use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::day::{Asked, Loaded};
use super::device::Device;
use super::dispatch::{Dispatcher, sums};
use super::params::{
    Answer, BY_NOTIONAL, BY_RANGE, BY_TRADES, BY_VOLUME, NOBODY, Params, Pick, Total,
};
use super::plan::{MOST_TOP, Shape, Stretch, Tile, cut, tile};
use super::shader::{Plane, Stage};
use super::{Error, Gpu, GpuDay};
use crate::market::Locate;
use crate::window::day::{Picked, Reduction};
use crate::window::{Measure, Selection, Sums};

impl Gpu {
    /// Tells what `reduction` asks of `day`, as [`crate::window::day::reduce`] does.
    ///
    /// # Errors
    /// When more symbols are to be ranked than the device ranks, or it fails. Some may have been told then.
    ///
    /// # Panics
    /// If the last end is not below 2^32 steps, or a pass has no room for the widths of one symbol.
    pub fn reduce(
        &self,
        day: &GpuDay,
        reduction: &Reduction,
        mut tell: impl FnMut(Picked),
    ) -> Result<(), Error> {
        let last = reduction.first.checked_add(reduction.ends);
        assert!(last.is_some(), "{reduction:?}");
        if day.locates.is_empty() || reduction.widths.is_empty() {
            return Ok(());
        }
        let (asked, whole) = asked(reduction, day.locates.len())?;
        let tile = tile(whole, &self.limits);
        self.with(|device, dispatcher| {
            for ends in cut(reduction.ends, tile.ends) {
                let mut told = Told::new(reduction, &ends);
                for loaded in &day.shards {
                    let locates = &day.locates[loaded.shard.symbols.clone()];
                    for symbols in cut(locates.len() as u32, tile.symbols) {
                        let (stretch, tile) = tile.stretch(&symbols, &ends);
                        told.locates = locates[symbols.start as usize..].to_vec();
                        dispatcher.tell(device, loaded, &asked, (&stretch, tile), &mut told)?;
                    }
                }
                told.finish(&mut tell);
            }
            Ok(())
        })
    }
}

/// What the stages are asked, and the size of it all.
fn asked(reduction: &Reduction, symbols: usize) -> Result<(Asked, Tile), Error> {
    let mut widths: Vec<u64> = reduction.widths_millis().collect();
    let mut params = Params::default();
    match reduction.selection {
        Selection::Totals => {}
        Selection::Top { count, by } => {
            let most = MOST_TOP;
            let ranked = u32::try_from(count.min(symbols)).ok();
            let ranked = ranked.filter(|&ranked| ranked <= most);
            params.count = ranked.ok_or(Error::TooMany { count, most })?;
            params.measure = match by {
                Measure::Volume => BY_VOLUME,
                Measure::Notional => BY_NOTIONAL,
                Measure::Trades => BY_TRADES,
                Measure::Range => BY_RANGE,
            };
        }
        Selection::Deviation {
            short,
            long,
            basis_points,
        } => {
            // Other windows are not told of.
            widths = [short, long]
                .map(|window| widths[usize::from(window)])
                .to_vec();
            params.basis_points = basis_points;
        }
    }
    let whole = Tile {
        symbols: symbols as u32,
        widths: widths.len() as u32,
        ends: reduction.ends,
        count: params.count,
    };
    let asked = Asked {
        step: reduction.step_millis() as u32,
        first: reduction.first,
        widths,
        params,
    };
    Ok((asked, whole))
}

impl Dispatcher {
    /// Computes the windows of a stretch and what is told of them.
    fn tell(
        &mut self,
        device: &Device,
        loaded: &Loaded,
        asked: &Asked,
        (stretch, tile): (&Stretch, Tile),
        told: &mut Told<'_>,
    ) -> Result<(), Error> {
        let shape = loaded.shape.telling(tile);
        let params = Params {
            symbols: tile.symbols,
            ..asked.params
        };
        let asked = |is_picking| Asked {
            params: Params {
                is_picking,
                ..params
            },
            widths: asked.widths.clone(),
            ..*asked
        };
        self.ask(device, &asked(0), stretch, &shape)?;
        let places = (tile.ends * tile.widths) as usize;
        let windows = |stage| [Stage::GridBounds, Stage::Windows, stage];
        let run = (device, loaded, &shape);
        match told.reduction.selection {
            Selection::Totals => {
                let totals = self.told(run, &windows(Stage::Totals), Plane::Told, places)?;
                told.add_totals(&totals, loaded.shape.executions)
            }
            Selection::Top { .. } => {
                let count = tile.count as usize;
                let stages = windows(Stage::Top);
                let picks = self.told(run, &stages, Plane::Told, places * count)?;
                told.add_top(&picks, count)
            }
            Selection::Deviation { .. } => {
                let ends = tile.ends as usize;
                let stages = windows(Stage::Deviation);
                let counts: Vec<u32> = self.told(run, &stages, Plane::Counts, ends)?;
                if counts.iter().any(|&count| count > 2 * tile.symbols) {
                    return Err(Error::Nonsense);
                }
                let total = counts.iter().sum::<u32>() as usize;
                if total == 0 {
                    return Ok(());
                }
                let first = |next: &mut u32, &count: &u32| {
                    *next += count;
                    Some(*next - count)
                };
                let firsts: Vec<u32> = counts.iter().scan(0, first).collect();
                let bytes = shape.bytes(Plane::Counts);
                let words = std::iter::once(bytemuck::cast_slice(&firsts));
                self.buffers.write(device, Plane::Counts, bytes, words)?;
                self.ask(device, &asked(1), stretch, &shape)?;
                let picks = self.told(run, &[Stage::Deviation], Plane::Told, total)?;
                told.add_straying(&picks, &counts)
            }
        }
    }

    /// Runs stages and reads `count` entries of what the last has written.
    pub(super) fn told<T: Pod + Zeroable>(
        &mut self,
        (device, loaded, shape): (&Device, &Loaded, &Shape),
        stages: &[Stage],
        plane: Plane,
        count: usize,
    ) -> Result<Vec<T>, Error> {
        let bytes = (count * size_of::<T>()) as u64;
        self.buffers.fit_told(device, shape, bytes);
        let planes = |plane| loaded.plane(plane, &self.buffers);
        let sizes = (shape, loaded.is_wide);
        let commands = self.encode(device, stages, sizes, &self.buffers, planes);
        let commands = commands.read(self.buffers.plane(plane), &self.buffers, bytes);
        let mut entries = Vec::new();
        let staging = &self.buffers.staging;
        device.read(commands, staging, bytes, self.time_limit, |bytes| {
            entries = bytemuck::pod_collect_to_vec(bytes);
        })?;
        Ok(entries)
    }
}

/// What stretches of symbols tell of a few ends.
struct Told<'a> {
    reduction: &'a Reduction,
    /// First end in steps since midnight, and how many.
    first: u32,
    ends: usize,
    /// By end, and by width too unless VWAPs are compared.
    places: Vec<Vec<Picked>>,
    /// The symbols of the stretch at hand, and others behind them.
    locates: Vec<Locate>,
}

impl<'a> Told<'a> {
    fn new(reduction: &'a Reduction, ends: &Range<u32>) -> Self {
        let of_an_end = match reduction.selection {
            Selection::Deviation { .. } => 1,
            _ => reduction.widths.len(),
        };
        Self {
            reduction,
            first: reduction.first + ends.start,
            ends: ends.len(),
            places: vec![Vec::new(); ends.len() * of_an_end],
            locates: Vec::new(),
        }
    }

    /// Places of an end.
    fn of_an_end(&self) -> usize {
        self.places.len() / self.ends.max(1)
    }

    fn push(&mut self, place: usize, window: usize, locate: Locate, sums: Sums) {
        let end = self.first + (place / self.of_an_end()) as u32;
        self.places[place].push(Picked {
            end,
            locate,
            window: window as u8,
            sums,
        });
    }

    /// Adds the totals of so many executions at most.
    fn add_totals(&mut self, totals: &[Total], executions: u32) -> Result<(), Error> {
        let widths = self.of_an_end();
        for (place, total) in totals.iter().enumerate() {
            let answer = Answer {
                notional_low: total.notional_low,
                notional_middle: total.notional_middle,
                notional_high: total.notional_high,
                volume_low: total.volume_low,
                volume_high: total.volume_high,
                trades: total.trades,
                ..Answer::default()
            };
            if total.trades > executions {
                return Err(Error::Nonsense);
            }
            if total.trades > 0 {
                let sums = sums(&answer, total.trades as usize);
                self.push(place, place % widths, Locate(0), sums);
            }
        }
        Ok(())
    }

    fn add_top(&mut self, picks: &[Pick], count: usize) -> Result<(), Error> {
        let widths = self.of_an_end();
        for (place, picks) in picks.chunks(count.max(1)).enumerate() {
            for pick in picks.iter().filter(|pick| pick.symbol != NOBODY) {
                let (locate, sums) = self.told_of(pick)?;
                self.push(place, place % widths, locate, sums);
            }
        }
        Ok(())
    }

    fn add_straying(&mut self, picks: &[Pick], counts: &[u32]) -> Result<(), Error> {
        let Selection::Deviation { short, long, .. } = self.reduction.selection else {
            return Ok(());
        };
        let mut picks = picks.iter();
        for (place, &count) in counts.iter().enumerate() {
            for (index, pick) in picks.by_ref().take(count as usize).enumerate() {
                let (locate, sums) = self.told_of(pick)?;
                let window = if index % 2 == 0 { short } else { long };
                self.push(place, usize::from(window), locate, sums);
            }
        }
        Ok(())
    }

    fn told_of(&self, pick: &Pick) -> Result<(Locate, Sums), Error> {
        let locate = self.locates.get(pick.symbol as usize);
        let sums = sums(&pick.answer, pick.answer.trades as usize);
        if sums.high < sums.low {
            return Err(Error::Nonsense);
        }
        Ok((*locate.ok_or(Error::Nonsense)?, sums))
    }

    /// Joins what has been added, and tells it.
    fn finish(mut self, tell: &mut impl FnMut(Picked)) {
        let of_an_end = self.of_an_end().max(1);
        for place in &mut self.places {
            match self.reduction.selection {
                Selection::Totals => {
                    let total = place.drain(..).reduce(|total, more| Picked {
                        sums: total.sums.then(&more.sums),
                        ..total
                    });
                    place.extend(total);
                }
                Selection::Top { count, by } => {
                    // Stretches come in the order of symbols, and the sort is stable.
                    place.sort_by_key(|picked| Reverse(by.of(&picked.sums)));
                    place.truncate(count);
                }
                Selection::Deviation { .. } => {}
            }
        }
        for end in self.places.chunks_mut(of_an_end) {
            let mut end = end.concat();
            end.sort_unstable_by_key(|picked| (picked.locate, picked.window));
            end.into_iter().for_each(&mut *tell);
        }
    }
}
