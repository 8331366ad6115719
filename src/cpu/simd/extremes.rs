//! High and low of the dense grid's windows, a plane a width.
//!
//! The plane of width w, `m[j] = max(h[j - w .. j])`, follows from that of a narrower width v by the maximum
//! of up to six places of it, v or less apart, whose windows cover the wider one. The widths are taken in
//! ascending order, each reached from the one before: mostly one plain loop over the plane a width, log6 of
//! their ratio where they lie far apart, whatever the widths are.

use std::ops::Range;

use super::planes::zeros;
use crate::columns::Column;

/// Most windows that cover a wider one in one pass.
const MOST_COVERS: usize = 6;

/// The width that follows `reached` on the way to `width`.
pub(super) fn next_width(reached: usize, width: usize) -> usize {
    width.min(reached * MOST_COVERS)
}

/// The extremes of one width before each place of a block, in steps.
pub(super) struct Extremes {
    pub(super) width: usize,
    pub(super) highs: Column<u32>,
    pub(super) lows: Column<u32>,
}

impl Extremes {
    pub(super) fn new(width: usize, places: usize) -> Self {
        Self {
            width,
            highs: zeros(places),
            lows: zeros(places),
        }
    }

    /// Says that there is no bar before any of the places.
    #[inline(always)]
    pub(super) fn clear(&mut self, places: Range<usize>) {
        self.highs.as_mut_slice()[places.clone()].fill(0);
        self.lows.as_mut_slice()[places].fill(u32::MAX);
    }

    /// Moves places.
    #[inline(always)]
    pub(super) fn copy_within(&mut self, from: Range<usize>, to: usize) {
        self.highs.as_mut_slice().copy_within(from.clone(), to);
        self.lows.as_mut_slice().copy_within(from, to);
    }

    /// Makes the extremes at `places` from those of a narrower width. At places whose windows would begin
    /// before the planes they are never asked for.
    #[inline(always)]
    pub(super) fn widen(&mut self, narrower: &Extremes, places: Range<usize>) {
        let widths = (narrower.width, self.width);
        let highs = (narrower.highs.as_slice(), self.highs.as_mut_slice());
        widen(widths, places.clone(), highs, u32::max);
        let lows = (narrower.lows.as_slice(), self.lows.as_mut_slice());
        widen(widths, places, lows, u32::min);
    }
}

/// Makes the extremes of windows of `to` steps from those of windows of `from`, of which up to six cover one.
#[inline(always)]
fn widen(
    (from, to): (usize, usize),
    places: Range<usize>,
    (now, next): (&[u32], &mut [u32]),
    extreme: fn(u32, u32) -> u32,
) {
    // The windows that cover the wider one end so many steps before it.
    let back = |cover: usize| (cover * from).min(to - from);
    match to.div_ceil(from) {
        0..=2 => cover([0, back(1)], places, now, next, extreme),
        3 => cover([0, back(1), back(2)], places, now, next, extreme),
        4 => {
            let back = [0, back(1), back(2), back(3)];
            cover(back, places, now, next, extreme);
        }
        5 => {
            let back = [0, back(1), back(2), back(3), back(4)];
            cover(back, places, now, next, extreme);
        }
        _ => {
            let back = [0, back(1), back(2), back(3), back(4), back(5)];
            cover(back, places, now, next, extreme);
        }
    }
}

/// The extreme of the places so many steps back.
#[inline(always)]
fn cover<const COVERS: usize>(
    back: [usize; COVERS],
    places: Range<usize>,
    now: &[u32],
    next: &mut [u32],
    extreme: fn(u32, u32) -> u32,
) {
    let first = places.start.max(back[COVERS - 1]);
    let next = &mut next[first..places.end.max(first)];
    let covers = back.map(|back| &now[first - back..][..next.len()]);
    for (place, widest) in next.iter_mut().enumerate() {
        let mut found = covers[0][place];
        for cover in &covers[1..] {
            found = extreme(found, cover[place]);
        }
        *widest = found;
    }
}
