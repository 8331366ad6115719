//! Batches straight into the windows.

use widetape::columns::{Batch, Mark};
use widetape::cpu::Scalar;
use widetape::engine::{Normaliser, Survey};
use widetape::market::{Locate, Price, Shares, Timestamp, Trade};
use widetape::window::{Applied, Corrections, Output, Row, Sliding, Spec};

use crate::common::random::Random;

const SECOND: u64 = 1_000_000_000;

/// Applies a batch, in as many parts as it takes.
fn apply(sliding: &mut Sliding, batch: &Batch, output: &mut Output) {
    while sliding.apply(batch, output).unwrap() == Applied::InPart {}
}

/// Windows of either kind.
trait Windows {
    fn apply(&mut self, batch: &Batch, output: &mut Output) -> Applied;
    fn finish(&mut self, output: &mut Output);
}

impl Windows for Sliding {
    fn apply(&mut self, batch: &Batch, output: &mut Output) -> Applied {
        self.apply(batch, output).unwrap()
    }

    fn finish(&mut self, output: &mut Output) {
        self.finish(output);
    }
}

impl Windows for Survey {
    fn apply(&mut self, batch: &Batch, output: &mut Output) -> Applied {
        self.apply(batch, output).unwrap()
    }

    fn finish(&mut self, output: &mut Output) {
        self.finish(output);
    }
}

/// Windows that hand their rows on in one output or several in turn.
struct Straight<W> {
    windows: W,
    outputs: Vec<Output>,
    random: Random,
    rows: Vec<(Timestamp, Row)>,
}

impl<W: Windows> Straight<W> {
    fn new(windows: W, mut random: Random) -> Self {
        Self {
            windows,
            outputs: vec![Output::default(); random.pick(&[1, 2, 12])],
            random,
            rows: Vec::new(),
        }
    }

    /// Fills one of the outputs by `fill` and takes the rows.
    fn take<T>(&mut self, fill: impl FnOnce(&mut W, &mut Output) -> T) -> T {
        let which = self.random.below(self.outputs.len() as u64);
        let output = &mut self.outputs[which as usize];
        output.clear();
        let filled = fill(&mut self.windows, output);
        let before = self.rows.len();
        for (time, rows) in output.each() {
            assert!(!rows.is_empty() && rows.len() == rows.iter().count());
            self.rows.extend(rows.iter().map(|row| (time, row)));
        }
        assert_eq!(self.rows.len() - before, output.len());
        filled
    }

    fn apply(&mut self, batch: &Batch) {
        while self.take(|windows, output| windows.apply(batch, output)) == Applied::InPart {}
    }

    /// The rows of messages, in batches of at most so many.
    fn rows(mut self, messages: &[Option<Vec<u8>>], most: u64) -> Vec<(Timestamp, Row)> {
        let mut normaliser = Normaliser::new(false);
        let most = self.random.pick(&[1, 4, most]);
        let mut batch = Batch::default();
        let mut left = 0;
        for (sequence, message) in (1..).zip(messages) {
            match message {
                None => normaliser.gap(sequence, 1),
                Some(message) => normaliser.message(message, &mut batch).unwrap(),
            }
            if left == 0 {
                self.apply(&batch);
                batch.clear();
                left = self.random.below(most);
            } else {
                left -= 1;
            }
        }
        self.apply(&batch);
        batch.clear();
        normaliser.finish(&mut batch);
        self.apply(&batch);
        self.take(W::finish);
        self.rows
    }
}

/// Rows of messages straight into the windows: batches of at most so many, and rows in large parts or small.
pub(super) fn straight(
    spec: &Spec,
    messages: &[Option<Vec<u8>>],
    mut random: Random,
    most: u64,
) -> Vec<(Timestamp, Row)> {
    let sliding = Sliding::new(spec.clone(), Box::new(Scalar))
        .with_rows_at_once(random.pick(&[1, 2, 7, 1 << 16]))
        .with_rows_in_table(random.pick(&[0, 0, 20, 1 << 12]));
    Straight::new(sliding, random).rows(messages, most)
}

/// The same by a survey.
pub(super) fn surveyed(
    spec: &Spec,
    messages: &[Option<Vec<u8>>],
    mut random: Random,
    most: u64,
) -> Vec<(Timestamp, Row)> {
    let rows_at_once = random.pick(&[1, 2, 7, 50, 1 << 16]);
    let survey = Survey::new(spec.clone()).with_rows_at_once(rows_at_once);
    Straight::new(survey, random).rows(messages, most)
}

fn execution(time: u64, locate: u16, match_number: u64) -> Trade {
    Trade {
        time: Timestamp(time),
        locate: Locate(locate),
        price: Price(10),
        shares: Shares(3),
        match_number,
        policies: u8::MAX,
    }
}

#[test]
fn the_last_locate_has_its_rows() {
    let spec = Spec {
        windows: vec!["1s".parse().unwrap()],
        ..Spec::default()
    };
    let mut sliding = Sliding::new(spec, Box::new(Scalar));
    let (mut batch, mut output) = (Batch::default(), Output::default());
    for (locate, match_number) in [(u16::MAX, 1), (0, 2)] {
        batch.trades.push(&execution(1, locate, match_number));
    }
    apply(&mut sliding, &batch, &mut output);
    assert_eq!(sliding.advance(100_000_000, &mut output), Applied::Whole);
    let locates: Vec<u16> = output.rows.iter().map(|row| row.locate.0).collect();
    assert_eq!(locates, [0, u16::MAX]);
}

#[test]
fn what_comes_after_the_end_of_an_input_is_not_lost_where_its_step_had_been_written() {
    let spec = Spec {
        windows: ["1s", "session"]
            .map(|label| label.parse().unwrap())
            .to_vec(),
        ..Spec::default()
    };
    let mut sliding = Sliding::new(spec, Box::new(Scalar));
    let (mut batch, mut output) = (Batch::default(), Output::default());
    for match_number in 1..=3 {
        batch.clear();
        batch.trades.push(&execution(match_number, 0, match_number));
        output.clear();
        apply(&mut sliding, &batch, &mut output);
        sliding.finish(&mut output);
        let trades: Vec<u32> = output.rows.iter().map(|row| row.sums.trades).collect();
        assert_eq!(trades, [match_number as u32; 2]);
    }
}

#[test]
fn what_a_batch_holds_behind_a_silence_is_kept_until_it_is_in_the_windows() {
    // As many as a chunk of the log, and none of them is in a window any more when the last come.
    const CHUNK: u64 = 1 << 14;
    let spec = Spec {
        windows: vec!["1s".parse().unwrap()],
        corrections: Corrections::Off,
        ..Spec::default()
    };
    let mut sliding = Sliding::new(spec, Box::new(Scalar));
    let (mut batch, mut output) = (Batch::default(), Output::default());
    let last = CHUNK - 10..CHUNK + 10;
    for numbers in [1..last.start, last.clone()] {
        batch.clear();
        for match_number in numbers {
            let second = if last.contains(&match_number) {
                3_600
            } else {
                1
            };
            batch
                .trades
                .push(&execution(second * SECOND, 0, match_number));
        }
        apply(&mut sliding, &batch, &mut output);
    }
    batch.clear();
    let (match_number, time) = (last.start, Timestamp(3_600 * SECOND));
    batch.marks.push((0, Mark::Break { match_number, time }));
    apply(&mut sliding, &batch, &mut output);
    assert_eq!(sliding.counts().broken, 1);
    output.clear();
    sliding.finish(&mut output);
    let trades: Vec<u32> = output.rows.iter().map(|row| row.sums.trades).collect();
    assert_eq!(trades, [19]);
}

/// Every symbol's session at each end.
fn session_at_every_end() -> Spec {
    Spec {
        windows: vec!["session".parse().unwrap()],
        every_end: true,
        ..Spec::default()
    }
}

/// Every symbol's session at each end of a silence: how many rows come, and in how many parts.
fn silence(mut windows: impl Windows, symbols: u16, seconds: u64) -> (u64, usize) {
    let (mut batch, mut output) = (Batch::default(), Output::default());
    for locate in 0..symbols {
        batch.trades.push(&execution(1, locate, locate.into()));
    }
    (batch.now, batch.started) = (Timestamp(seconds * SECOND), true);
    let (mut rows, mut parts) = (0, 0);
    loop {
        output.clear();
        let applied = windows.apply(&batch, &mut output);
        (rows, parts) = (rows + output.rows.len() as u64, parts + 1);
        let most = (1 << 16) + usize::from(symbols);
        assert!(output.rows.len() < most, "{}", output.rows.len());
        let newest = output.rows.last().map(|row| row.end);
        assert_eq!(newest, Some(output.passed));
        assert!(output.rows.iter().all(|row| row.sums.volume == 3));
        if applied == Applied::Whole {
            return (rows, parts);
        }
    }
}

#[test]
fn the_rows_of_a_long_silence_come_in_parts() {
    const SYMBOLS: u16 = 700;
    const SECONDS: u64 = 1_000;
    let spec = session_at_every_end();
    let sliding = Sliding::new(spec.clone(), Box::new(Scalar));
    let survey = Survey::new(spec);
    for (rows, parts) in [
        silence(sliding, SYMBOLS, SECONDS),
        silence(survey, SYMBOLS, SECONDS),
    ] {
        assert_eq!(rows, u64::from(SYMBOLS) * SECONDS * 10);
        assert!(parts > 100, "{parts}");
    }
}

#[test]
fn the_rows_of_many_breaks_come_in_parts() {
    // More than are handed on at once.
    const ENDS: usize = 80_000;
    const BREAKS: u64 = 3;
    let spec = Spec {
        corrections: Corrections::All,
        ..session_at_every_end()
    };
    let mut sliding = Sliding::new(spec, Box::new(Scalar));
    let (mut batch, mut output) = (Batch::default(), Output::default());
    for match_number in 0..=BREAKS {
        batch.trades.push(&execution(1, 0, match_number));
    }
    let time = Timestamp(ENDS as u64 * SECOND / 10);
    (batch.now, batch.started) = (time, true);
    apply(&mut sliding, &batch, &mut output);
    assert_eq!(output.rows.len(), ENDS);
    batch.clear();
    for match_number in 0..BREAKS {
        batch.marks.push((0, Mark::Break { match_number, time }));
    }
    for breaks in 1..=BREAKS {
        output.clear();
        let applied = sliding.apply(&batch, &mut output).unwrap();
        assert_eq!(output.rows.len(), ENDS);
        assert_eq!(sliding.counts().broken, breaks);
        assert_eq!(applied == Applied::Whole, breaks == BREAKS);
    }
}

#[test]
fn a_table_belongs_to_the_windows_that_showed_it_last() {
    let spec = session_at_every_end();
    let windows = || Sliding::new(spec.clone(), Box::new(Scalar)).with_rows_in_table(0);
    let (mut one, mut other) = (windows(), windows());
    let (mut batch, mut output) = (Batch::default(), Output::default());
    for end in 1..=3 {
        for (shares, sliding) in [(3, &mut one), (4, &mut other)] {
            batch.clear();
            let mut trade = execution((end - 1) * SECOND / 10, 0, end);
            trade.shares = Shares(shares);
            batch.trades.push(&trade);
            output.clear();
            apply(sliding, &batch, &mut output);
            output.clear();
            let now = end * SECOND / 10;
            assert_eq!(sliding.advance(now, &mut output), Applied::Whole);
            assert!(output.rows.is_empty(), "they are in the table");
            let rows = output.each().flat_map(|(_, rows)| rows);
            let seen: Vec<_> = rows.map(|row| (row.end.0, row.sums.volume)).collect();
            assert_eq!(seen, [(now, u64::from(shares) * end)]);
        }
    }
}

#[test]
fn the_rest_of_a_batch_comes_after_the_end_that_has_been_passed() {
    let spec = Spec {
        corrections: Corrections::All,
        ..session_at_every_end()
    };
    let mut sliding = Sliding::new(spec, Box::new(Scalar)).with_rows_in_table(0);
    let (mut batch, mut output) = (Batch::default(), Output::default());
    let time = Timestamp(3 * SECOND / 20);
    for match_number in 1..=3 {
        batch.trades.push(&execution(1, 0, match_number));
    }
    for match_number in 1..=2 {
        batch.marks.push((3, Mark::Break { match_number, time }));
    }
    (batch.now, batch.started) = (time, true);
    let end = Timestamp(SECOND / 10);
    let parts = [(Applied::InPart, vec![3, 2]), (Applied::Whole, vec![1])];
    for (applied, trades) in parts {
        assert_eq!(sliding.apply(&batch, &mut output).unwrap(), applied);
        let rows = output.each().flat_map(|(_, rows)| rows);
        let seen: Vec<_> = rows.map(|row| row.sums.trades).collect();
        // Publishers are told of what else has changed by then when an end has been passed.
        assert_eq!((seen, output.passed), (trades, end));
        output = Output::default();
    }
}
