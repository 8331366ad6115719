//! The encoder written the obvious way, with `format!`: the oracle of [`Body`] and [`seal`].

use proptest::prelude::*;

use super::{Body, Envelope, UtcText, byte_sum, seal};
use crate::market::Price;

/// What a field holds.
#[derive(Clone, Debug)]
enum Value {
    Text(Vec<u8>),
    Uint(u64),
    Char(u8),
    Price(u32),
    Micros(u64),
    Time(u64),
}

/// One field as bytes.
fn plain(tag: u32, value: &Value) -> Vec<u8> {
    let decimal = |value: u64, scale: u64, width: usize| {
        format!("{}.{:0width$}", value / scale, value % scale)
    };
    let text = match value {
        Value::Text(text) => {
            let mut field = format!("{tag}=").into_bytes();
            field.extend(text.iter().map(|&byte| if byte < 32 { b'?' } else { byte }));
            field.push(1);
            return field;
        }
        Value::Char(byte) => char::from(*byte).to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Price(ticks) => decimal(u64::from(*ticks), 10_000, 4),
        Value::Micros(micros) => decimal(*micros, 1_000_000, 6),
        Value::Time(nanos) => {
            let millis = nanos / 1_000_000 % 86_400_000;
            let (minutes, millis) = (millis / 60_000, millis % 60_000);
            let (hour, minute) = (minutes / 60, minutes % 60);
            format!(
                "{hour:02}:{minute:02}:{:02}.{:03}",
                millis / 1_000,
                millis % 1_000
            )
        }
    };
    format!("{tag}={text}\x01").into_bytes()
}

fn put(body: &mut Body, tag: u32, value: &Value) {
    match value {
        Value::Text(text) => body.text(tag, text),
        Value::Uint(value) => body.uint(tag, *value),
        Value::Char(byte) => body.char(tag, *byte),
        Value::Price(ticks) => body.price(tag, Price(*ticks)),
        Value::Micros(micros) => body.micros(tag, *micros),
        Value::Time(nanos) => body.time(tag, *nanos),
    }
}

/// The whole message around `body`.
fn plain_message(envelope: &Envelope<'_>, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut add = |tag: &str, value: &[u8]| {
        fields.extend_from_slice(format!("{tag}=").as_bytes());
        fields.extend_from_slice(value);
        fields.push(1);
    };
    add("35", envelope.msg_type);
    add("49", envelope.sender);
    add("56", envelope.target);
    add("34", envelope.sequence.to_string().as_bytes());
    add("52", envelope.sending_time.bytes());
    if let Some(original) = envelope.original_time {
        add("43", b"Y");
        add("122", original.bytes());
    }
    fields.extend_from_slice(body);
    let begin = String::from_utf8_lossy(envelope.begin_string);
    let mut message = format!("8={begin}\x019={}\x01", fields.len()).into_bytes();
    message.extend(fields);
    let sum: u64 = message.iter().map(|&byte| u64::from(byte)).sum();
    message.extend(format!("10={:03}\x01", sum % 256).bytes());
    message
}

/// Numbers of every length, and both sides of every power of ten.
fn number() -> impl Strategy<Value = u64> {
    let near_a_power = (0_u32..20, 0_u64..3).prop_map(|(power, off)| {
        let power = 10_u64.pow(power);
        power.saturating_add(off).saturating_sub(1)
    });
    prop_oneof![any::<u64>(), 0_u64..200_000_000, near_a_power]
}

fn value() -> impl Strategy<Value = Value> {
    let printable = prop::collection::vec(b' '..=b'~', 0..20);
    prop_oneof![
        printable.prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Text),
        number().prop_map(Value::Uint),
        (b' '..=b'~').prop_map(Value::Char),
        any::<u32>().prop_map(Value::Price),
        (0_u32..2_000_000).prop_map(Value::Price),
        number().prop_map(Value::Micros),
        number().prop_map(Value::Time),
        Just(Value::Time(34_200_500_000_000)),
    ]
}

proptest! {
    #[test]
    fn every_field_as_the_formatter_writes_it(
        fields in prop::collection::vec((1_u32..10_000_000, value()), 1..40),
        small_tags in any::<bool>(),
    ) {
        let mut body = Body::default();
        let mut expected = Vec::new();
        for (tag, value) in &fields {
            let tag = if small_tags { tag % 1_000 + 1 } else { *tag };
            put(&mut body, tag, value);
            expected.extend(plain(tag, value));
            prop_assert_eq!(body.bytes(), &expected[..]);
        }
        prop_assert_eq!(body.sum(), byte_sum(&expected));
    }

    #[test]
    fn every_message_as_the_formatter_writes_it(
        names in prop::collection::vec("[ -~]{1,20}", 2),
        msg_type in "[A-Za-z0-9]{1,3}",
        begin_string in prop::sample::select(vec!["FIX.4.2", "FIX.4.4", "FIXT.1.1"]),
        sequence in number(),
        millis in prop::collection::vec(0_u64..4_000_000_000_000, 2),
        again in any::<bool>(),
        fields in prop::collection::vec((1_u32..1_000, value()), 0..12),
        before in 0_usize..20,
    ) {
        let times: Vec<UtcText> = millis.iter().map(|millis| UtcText::new(millis * 1_000_000)).collect();
        let envelope = Envelope {
            begin_string: begin_string.as_bytes(),
            msg_type: msg_type.as_bytes(),
            sender: names[0].as_bytes(),
            target: names[1].as_bytes(),
            sequence,
            sending_time: &times[0],
            original_time: again.then_some(&times[1]),
        };
        let mut body = Body::default();
        for (tag, value) in &fields {
            put(&mut body, *tag, value);
        }
        let mut out = bytes::BytesMut::from(&vec![b'.'; before][..]);
        let sum = body.sum();
        seal(&mut out, &envelope, &[body.bytes()], sum);
        prop_assert_eq!(&out[before..], &plain_message(&envelope, body.bytes())[..]);
    }
}
