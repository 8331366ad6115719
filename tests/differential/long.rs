//! A day too long for the model, so that the batch path works in slabs and the log gives up chunks:
//! the paths and backends are held against each other.

use std::collections::BTreeMap;

use widetape::engine::{Backend, Clock, Engine, Mode, Options};
use widetape::feed::Framing;
use widetape::market::{Duration, Locate, Price, Symbol, Timestamp};
use widetape::publish::Shared;
use widetape::window::{Corrections, Policy, Row, Spec};
use widetape::wire::binaryfile;
use widetape::wire::itch50::{
    BrokenTradeFields, Header, OrderExecutedWithPriceFields, StockTradingActionFields,
};

use crate::common::plumbing::{Kept, Scripted, packet, trade};
use crate::common::random::Random;

const MILLI: u64 = 1_000_000;
/// More than one slab of the batch path holds (2^18), and many chunks of the log (2^14).
const TRADES: u64 = 280_000;

/// Blocks of a day of executions, of which a few are broken, soon or late.
fn day() -> Vec<Vec<u8>> {
    let mut random = Random(11);
    let mut blocks = vec![Vec::new()];
    let mut message = Vec::new();
    for number in 1..=TRADES {
        let header = Header {
            locate: Locate((random.below(16) * random.below(2)) as u16),
            tracking_number: 0,
            timestamp: Timestamp(34_200_000 * MILLI + number * 3 * MILLI),
        };
        message.clear();
        let executed = OrderExecutedWithPriceFields {
            reference: 7,
            executed_shares: 1 + random.below(500) as u32,
            match_number: number,
            printable: b'Y',
            execution_price: Price(1_000_000 + random.below(5_000) as u32),
        };
        executed.emit(&header, &mut message);
        let block = blocks.last_mut().unwrap();
        binaryfile::emit(&message, block).unwrap();
        if number % 9_973 == 0 {
            message.clear();
            let age = random.pick(&[1, 300, 2_000]);
            let match_number = number - age.min(number - 1);
            BrokenTradeFields { match_number }.emit(&header, &mut message);
            binaryfile::emit(&message, block).unwrap();
        }
        if number % 1_000 == 0 {
            blocks.push(Vec::new());
        }
    }
    blocks
}

fn run(blocks: &[Vec<u8>], spec: &Spec, mode: Mode, backend: Backend) -> Kept {
    let framing = Framing::Blocks { offset: 0 };
    let packets = blocks.iter().map(|bytes| (0, packet(bytes, 0, framing)));
    let source = Scripted {
        packets: packets.collect(),
        at_most: 4,
        live: false,
    };
    let kept = Shared::new(Kept::default());
    let options = Options {
        mode,
        backend,
        ..Options::new(spec.clone())
    };
    let engine = Engine::new(Box::new(source), vec![Box::new(kept.clone())], options).unwrap();
    engine.run_inline(&Clock::simulated(), None).1.unwrap();
    std::mem::take(&mut *kept.lock())
}

fn rows(blocks: &[Vec<u8>], spec: &Spec, mode: Mode, backend: Backend) -> Vec<Row> {
    let kept = run(blocks, spec, mode, backend);
    kept.rows.into_iter().map(|(_, row)| row).collect()
}

fn compare(windows: &[&str], corrections: Corrections) {
    let spec = Spec {
        windows: windows.iter().map(|label| label.parse().unwrap()).collect(),
        step: Duration::from_millis(1_000).unwrap(),
        policy: Policy::All,
        every_end: false,
        corrections,
    };
    let blocks = day();
    let streamed = rows(&blocks, &spec, Mode::Stream, Backend::Simd);
    let written = streamed.len();
    let keyed = streamed
        .into_iter()
        .map(|row| ((row.end, row.symbol, row.locate, row.window), row));
    let last: Vec<Row> = keyed.collect::<BTreeMap<_, _>>().into_values().collect();
    assert_eq!(corrections == Corrections::Off, last.len() == written);
    let narrow = last.iter().filter(|row| row.window == 0).count();
    assert!(narrow > 8_000, "{narrow}");
    for backend in [Backend::Scalar, Backend::Simd, Backend::Parallel] {
        let batch = rows(&blocks, &spec, Mode::Batch, backend);
        assert_eq!(batch.len(), last.len());
        let differs = std::iter::zip(&batch, &last).find(|(batch, last)| batch != last);
        assert_eq!(differs, None, "{backend:?}");
    }
}

#[test]
fn a_long_day_with_its_session() {
    compare(&["5s", "session"], Corrections::All);
}

#[test]
fn a_long_day_whose_log_gives_up_its_old_end() {
    compare(&["2s", "30s"], Corrections::Off);
    let age = Duration::from_millis(2_000).unwrap();
    compare(&["2s", "30s"], Corrections::Within(age));
}

#[test]
fn what_comes_with_a_long_silence_comes_once_and_its_rows_are_those_of_the_batch_path() {
    const HOURS: u64 = 4;
    let mut blocks = vec![Vec::new()];
    let header = Header {
        locate: Locate(1),
        tracking_number: 0,
        timestamp: Timestamp(HOURS * 3_600_000 * MILLI),
    };
    let mut halt = Vec::new();
    StockTradingActionFields {
        stock: Symbol::new("AAPL").unwrap(),
        trading_state: b'H',
        reserved: b' ',
        reason: *b"T1  ",
    }
    .emit(&header, &mut halt);
    for message in [trade(5, 1), trade(header.timestamp.0, 2), halt] {
        binaryfile::emit(&message, &mut blocks[0]).unwrap();
    }
    let spec = Spec {
        windows: vec!["session".parse().unwrap()],
        every_end: true,
        ..Spec::default()
    };
    let streamed = run(&blocks, &spec, Mode::Stream, Backend::Simd);
    let batch = run(&blocks, &spec, Mode::Batch, Backend::Simd);
    // Twice as many as are handed on at once.
    assert_eq!(streamed.rows.len() as u64, HOURS * 36_000 + 1);
    assert!(std::iter::zip(&streamed.rows, &batch.rows).all(|(one, other)| one.1 == other.1));
    assert_eq!(streamed.rows.len(), batch.rows.len());
    assert_eq!((streamed.statuses.len(), streamed.listings), (1, 1));
}
