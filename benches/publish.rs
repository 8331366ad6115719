//! Encoding one FIX increment of ten entries: the codec, each further session, and plain `format!`.
//! Rows as text. Then a step of 10,000 symbols to 20 sessions over loopback TCP, system calls included.

mod sessions;
pub(crate) mod stopped;
mod text;

use std::hint::black_box;

use crate::cpu_time::CpuTime;
use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use widetape::market::{Notional, Price};
use widetape::window::vwap_micros;
use widetape::wire::fix::{Body, Envelope, Frame, UtcText, next_frame, seal};

const ENTRIES: u64 = 10;
const UTC: u64 = 1_580_394_600_000_000_000;
const END: u64 = 34_200_500_000_000;

/// Notional and volume of entry `number`.
fn sums(number: u64) -> (Notional, u64) {
    (Notional::from((3_200_000 + number) * 300 + 7), 300)
}

fn put_entries(body: &mut Body) {
    body.clear();
    body.text(262, b"R1");
    body.uint(268, ENTRIES);
    for number in 0..ENTRIES {
        let (notional, volume) = sums(number);
        body.char(279, b'0');
        body.char(269, if number % 2 == 0 { b'9' } else { b'4' });
        body.text(55, b"AAPL");
        if number % 2 == 0 {
            body.micros(270, vwap_micros(notional, volume).unwrap_or(0));
        } else {
            body.price(270, Price(3_200_000 + number as u32));
        }
        body.time(273, END);
        body.text(282, b"1s");
    }
}

fn wrap(out: &mut BytesMut, body: &Body, sum: u8, time: &UtcText) {
    let envelope = Envelope {
        begin_string: b"FIX.4.4",
        msg_type: b"X",
        sender: b"WIDETAPE",
        target: b"CLIENT",
        sequence: 123_456,
        sending_time: time,
        original_time: None,
    };
    out.clear();
    seal(out, &envelope, &[body.bytes()], sum);
}

/// The same message, written the obvious way.
fn naive() -> String {
    let mut fields = format!(
        "35=X\x0149=WIDETAPE\x0156=CLIENT\x0134={}\x0152=20200130-14:30:00.000\x01262=R1\x01268={ENTRIES}\x01",
        123_456
    );
    for number in 0..ENTRIES {
        let (notional, volume) = sums(number);
        let value = if number % 2 == 0 {
            let micros = vwap_micros(notional, volume).unwrap_or(0);
            format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
        } else {
            Price(3_200_000 + number as u32).to_string()
        };
        let kind = if number % 2 == 0 { '9' } else { '4' };
        fields += &format!(
            "279=0\x01269={kind}\x0155=AAPL\x01270={value}\x01273=09:30:00.500\x01282=1s\x01"
        );
    }
    let text = format!("8=FIX.4.4\x019={}\x01{fields}", fields.len());
    let sum = text.bytes().fold(0_u8, u8::wrapping_add);
    format!("{text}10={sum:03}\x01")
}

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let time = UtcText::new(UTC);
    let mut body = Body::with_capacity(4096);
    let mut out = BytesMut::with_capacity(4096);
    put_entries(&mut body);
    let sum = body.sum();
    wrap(&mut out, &body, sum, &time);
    assert_eq!(out, naive().as_bytes(), "the two ways write the same bytes");
    let parsed =
        matches!(next_frame(&out, 65_536), Frame::Message { length, .. } if length == out.len());
    assert!(parsed, "what is written reads back");
    if let Some(path) = std::env::var_os("WIDETAPE_FIX_MESSAGE") {
        std::fs::write(path, &out).expect("the message for other engines");
    }

    let mut group = criterion.benchmark_group("fix increment of 10 entries");
    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function("body and first session", |bencher| {
        bencher.iter(|| {
            put_entries(black_box(&mut body));
            let sum = body.sum();
            wrap(&mut out, &body, sum, &time);
            black_box(&out);
        });
    });
    group.bench_function("further session", |bencher| {
        bencher.iter(|| {
            wrap(&mut out, black_box(&body), sum, &time);
            black_box(&out);
        });
    });
    group.bench_function("naive format!", |bencher| {
        bencher.iter(|| black_box(naive()))
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| match next_frame(black_box(&out), 65_536) {
            Frame::Message { message, .. } => message.fields().flatten().count(),
            _ => 0,
        });
    });
    group.finish();
    text::bench(criterion);
    sessions::bench(criterion);
}
