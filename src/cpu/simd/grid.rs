//! The dense grid: the planes of one symbol, a block of ends at a time, and of those a stretch at a time for
//! all widths, so that what one width has read is still at hand for the next.

use pulp::{Arch, WithSimd};

use super::extremes::next_width;
use super::planes::{Planes, SHOWN, Shown};
use crate::window::day::{BarsPart, Grid, GridBlock, SymbolBars, Visit};

/// Ends in a block; blocks of wide windows are longer.
const BLOCK: usize = 4096;
/// Places in a cache line of the narrower planes: blocks begin at one.
const LINE: usize = 16;

/// A width of the grid.
struct Asked {
    /// Which of the grid's widths it is.
    index: usize,
    width: usize,
    /// Where its extremes are among the planes.
    plane: usize,
}

pub(super) fn grid(arch: Arch, part: &BarsPart, grid: &Grid, visitor: &mut impl Visit) {
    let Some((asked, mut planes)) = plan(grid) else {
        return;
    };
    let mut shown = Box::new(Shown {
        notionals: [0; SHOWN],
        notional_highs: [0; SHOWN],
        volumes: [0; SHOWN],
        trades: [0; SHOWN],
    });
    for symbol in part.symbols() {
        arch.dispatch(Symbol {
            symbol: &symbol,
            grid,
            asked: &asked,
            planes: &mut planes,
            shown: &mut shown,
            visitor,
        });
    }
}

/// The widths in ascending order, and planes for them; `None` where there are no widths.
fn plan(grid: &Grid) -> Option<(Vec<Asked>, Planes)> {
    // No window reaches further back than the first step of the day.
    let most = (grid.first as usize + grid.ends as usize).max(1);
    let widths = grid.widths.iter().map(|&w| (w as usize).clamp(1, most));
    let mut order: Vec<(usize, usize)> = widths.enumerate().collect();
    order.sort_unstable_by_key(|&(_, width)| width);
    let back = order.last()?.1.next_multiple_of(LINE);
    let mut planes = vec![1];
    let mut asked = Vec::new();
    for (index, width) in order {
        while planes[planes.len() - 1] < width {
            planes.push(next_width(planes[planes.len() - 1], width));
        }
        let plane = planes.len() - 1;
        asked.push(Asked {
            index,
            width,
            plane,
        });
    }
    let ends = BLOCK.max(back).min(grid.ends as usize);
    Some((asked, Planes::new(back, ends, planes)))
}

/// The grid of one symbol.
struct Symbol<'a, V> {
    symbol: &'a SymbolBars<'a>,
    grid: &'a Grid,
    asked: &'a [Asked],
    planes: &'a mut Planes,
    shown: &'a mut Shown,
    visitor: &'a mut V,
}

impl<V: Visit> WithSimd for Symbol<'_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let (symbol, grid, planes) = (self.symbol, self.grid, self.planes);
        planes.start(symbol);
        let length = BLOCK.max(planes.back);
        let mut done = 0;
        while done < grid.ends as usize {
            let ends = length.min(grid.ends as usize - done);
            let first = grid.first as usize + done;
            done += ends;
            if !planes.lay_out(symbol, first, ends) {
                continue;
            }
            for from in (0..ends).step_by(SHOWN) {
                let stretch = (first + from, planes.back + from, SHOWN.min(ends - from));
                let (asked, shown) = (self.asked, &mut *self.shown);
                show(symbol, stretch, asked, planes, shown, self.visitor);
            }
        }
    }
}

/// Shows the windows of all widths at the ends (first, its place, how many).
#[inline(always)]
fn show(
    symbol: &SymbolBars<'_>,
    (first, end, count): (usize, usize, usize),
    asked: &[Asked],
    planes: &mut Planes,
    shown: &mut Shown,
    visitor: &mut impl Visit,
) {
    planes.widen(end..end + count);
    for asked in asked {
        let start = end - asked.width;
        let notional_highs = planes.subtract(start, end, count, shown);
        let extremes = &planes.extremes[asked.plane];
        visitor.visit(&GridBlock {
            locate: symbol.locate,
            width: asked.index,
            first: first as u32,
            notionals: &shown.notionals[..count],
            notional_highs: &shown.notional_highs[..notional_highs],
            volumes: &shown.volumes[..count],
            trades: &shown.trades[..count],
            opens: &planes.opens.as_slice()[start..start + count],
            highs: &extremes.highs.as_slice()[end..end + count],
            lows: &extremes.lows.as_slice()[end..end + count],
            closes: &planes.closes.as_slice()[end..end + count],
        });
    }
}
