//! The options that say what of an end is of interest.

use std::str::FromStr;

use super::Error;
use crate::{Measure, Mode, Selection, Spec, Window};

/// What of the rows of `scan` is written.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// At each end and in each window, only the symbols with the greatest measure.
    #[arg(
        long,
        value_name = "COUNT",
        requires = "every_end",
        conflicts_with = "deviation",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    top: Option<u32>,
    /// What --top compares: volume, notional, trades or range; volume unless said.
    #[arg(long, value_name = "MEASURE", requires = "top")]
    by: Option<Measure>,
    /// At each end, only symbols whose VWAP in one window strays so far from that in another, such as
    /// 1m,30m,50bp: the rows of both.
    #[arg(long, value_name = "SHORT,LONG,THRESHOLD", requires = "every_end")]
    deviation: Option<Deviation>,
    /// At each end, in place of the rows of symbols, one row for each window: the sums of all of them, under
    /// the symbol *.
    #[arg(long, requires = "every_end", conflicts_with_all = ["top", "deviation"])]
    totals: bool,
}

/// Two windows, and hundredths of a percent of the VWAP of the second.
#[derive(Clone, Debug)]
struct Deviation {
    short: Window,
    long: Window,
    basis_points: u32,
}

impl FromStr for Deviation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not of the form 1m,30m,50bp");
        let [short, long, threshold] = text.split(',').collect::<Vec<_>>()[..] else {
            return Err(form());
        };
        let window = |text: &str| text.parse::<Window>().map_err(|error| error.to_string());
        let basis_points = threshold.strip_suffix("bp").and_then(|bp| bp.parse().ok());
        Ok(Self {
            short: window(short)?,
            long: window(long)?,
            basis_points: basis_points.ok_or_else(form)?,
        })
    }
}

impl Choice {
    /// What was chosen; `None` for all rows.
    pub(super) fn selection(&self, spec: &Spec, mode: Mode) -> Result<Option<Selection>, Error> {
        let by = self.by.unwrap_or_default();
        let top = self.top.map(|count| Selection::Top {
            count: count as usize,
            by,
        });
        let deviation = self.deviation.as_ref();
        let deviation = deviation.map(|deviation| deviation.among(spec)).transpose();
        let totals = self.totals.then_some(Selection::Totals);
        let chosen = deviation.map_err(Error::Usage)?.or(top).or(totals);
        if chosen.is_some() && mode == Mode::Stream {
            let reason =
                "--top, --deviation and --totals look at all rows of an end at once: use scan";
            return Err(Error::Usage(reason.to_owned()));
        }
        Ok(chosen)
    }
}

impl Deviation {
    /// The same by the numbers of the windows asked for.
    fn among(&self, spec: &Spec) -> Result<Selection, String> {
        let number = |asked: &Window| {
            // As typed, else as wide: 1000ms and 1s may both be asked for.
            let at = |is: &dyn Fn(&Window) -> bool| spec.windows.iter().position(is);
            let found = at(&|window| window == asked);
            let found = found.or_else(|| at(&|window| window.width == asked.width));
            found.map(|index| index as u8).ok_or_else(|| {
                format!(
                    "--deviation: {} is not among the windows of --window",
                    asked.label
                )
            })
        };
        let (short, long) = (number(&self.short)?, number(&self.long)?);
        let width = |number: u8| spec.windows[usize::from(number)].width;
        if width(short) == width(long) {
            return Err("--deviation: a window does not stray from itself".to_owned());
        }
        Ok(Selection::Deviation {
            short,
            long,
            basis_points: self.basis_points,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_found_as_typed_and_then_as_wide() {
        let spec = Spec {
            windows: ["1000ms", "1s", "2s"]
                .map(|text| text.parse().unwrap())
                .into(),
            ..Spec::default()
        };
        let chosen = |text: &str| text.parse::<Deviation>().unwrap().among(&spec);
        let pair = |short, long| Selection::Deviation {
            short,
            long,
            basis_points: 5,
        };
        assert_eq!(chosen("1s,2s,5bp"), Ok(pair(1, 2)));
        assert_eq!(chosen("1000ms,2000ms,5bp"), Ok(pair(0, 2)));
        assert!(chosen("1000ms,1s,5bp").is_err(), "of one width");
        assert!(chosen("1m,2s,5bp").is_err());
        assert!(chosen("2s,2000ms,5bp").is_err());
    }
}
