use super::*;
use proptest::prelude::*;

/// `8=FIX.4.4|9=..|` + body + `10=..|`, with `|` for the separator; `sum_off` spoils the sum.
fn framed(body: &str, length: &str, sum_off: u8) -> Vec<u8> {
    let text = format!("8=FIX.4.4|9={length}|{body}").replace('|', "\x01");
    let sum = text.bytes().fold(sum_off, u8::wrapping_add);
    format!("{text}10={sum:03}\x01").into_bytes()
}

fn good() -> Vec<u8> {
    framed("35=0|34=2|", "10", 0)
}

fn fault(bytes: &[u8]) -> (usize, Garbled) {
    match next_frame(bytes, MAX_MESSAGE_BYTES) {
        Frame::Garbled { skip, fault } => (skip, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whole_messages_and_every_prefix() {
    for bytes in [good(), framed("35=0|34=2|", "000010", 0)] {
        let Frame::Message { message, length } = next_frame(&bytes, 10) else {
            panic!("not a message");
        };
        assert_eq!(
            (length, message.begin_string()),
            (bytes.len(), &b"FIX.4.4"[..])
        );
        for cut in 0..bytes.len() {
            assert!(
                matches!(next_frame(&bytes[..cut], 10), Frame::Incomplete),
                "{cut}"
            );
        }
    }
    assert_eq!(
        match next_frame(&good(), 9) {
            Frame::Garbled { fault, .. } => fault,
            other => panic!("{other:?}"),
        },
        Garbled::TooLong {
            declared: 10,
            limit: 9
        }
    );
}

#[test]
fn garbled_messages_are_named_and_the_next_one_is_found() {
    let cases: [(Vec<u8>, Garbled); 6] = [
        (b"GET / HTTP/1.1\r\n".to_vec(), Garbled::BeginString),
        (b"8=\x01".to_vec(), Garbled::BeginString),
        (
            framed("35=0|34=2|", "1x", 0),
            Garbled::BodyLength { offset: 10 },
        ),
        (
            framed("34=2|35=0|", "10", 0),
            Garbled::MsgType { offset: 15 },
        ),
        (
            framed("35=0|34=2|", "9", 0),
            Garbled::Trailer { offset: 23 },
        ),
        (
            framed("35=0|34=2|", "10", 1),
            Garbled::CheckSum {
                stated: 167,
                computed: 166,
            },
        ),
    ];
    for (mut bytes, expected) in cases {
        let length = bytes.len();
        bytes.extend(good());
        let (skip, found) = fault(&bytes);
        assert_eq!((skip, found), (length, expected));
    }
}

#[test]
fn a_length_that_is_too_long_takes_the_next_message_however_the_bytes_come() {
    for length in ["11", "17", "20", "30", "36", "41", "44", "60", "60000"] {
        let wrong = framed("35=0|34=2|", length, 0);
        let mut bytes = wrong.clone();
        bytes.extend(good());
        let end = bytes.len();
        bytes.extend(good());
        for cut in 0..end {
            let found = next_frame(&bytes[..cut], 65_536);
            assert!(matches!(found, Frame::Incomplete), "{length} {cut}");
        }
        for cut in end..bytes.len() {
            assert_eq!(fault(&bytes[..cut]).0, end, "{length} {cut}");
        }
    }
}

#[test]
fn a_length_that_is_too_short_takes_its_own_message() {
    for length in ["5", "6", "9"] {
        let mut bytes = framed("35=0|34=2|", length, 0);
        let end = bytes.len();
        bytes.extend(good());
        assert_eq!(fault(&bytes).0, end, "{length}");
    }
}

#[test]
fn a_sum_that_is_none_ends_its_message_however_the_bytes_come() {
    for sum in ["12\x01", "0123\x01", "abc\x01", "\x01", ""] {
        let mut bytes = framed("35=0|34=2|", "10", 0);
        bytes.truncate(bytes.len() - 4);
        bytes.extend(sum.bytes());
        let end = bytes.len();
        bytes.extend(good());
        for cut in 0..bytes.len() {
            match next_frame(&bytes[..cut], 65_536) {
                Frame::Incomplete => {
                    assert!(cut < end.max(sum_at() + TRAILER), "{sum:?} {cut}")
                }
                Frame::Garbled { skip, .. } => {
                    let (_, rest) = bytes.split_at(skip);
                    let next = next_start(rest, b"8=FIX").unwrap_or(0);
                    let next = if rest.starts_with(b"8=FIX") { 0 } else { next };
                    assert_eq!(skip + next, end, "{sum:?} {cut}: the next one is found");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Where the CheckSum of [`good`] is.
fn sum_at() -> usize {
    good().len() - TRAILER
}

#[test]
fn a_line_that_is_cut_short_takes_no_other() {
    let mut bytes = good();
    bytes.truncate(bytes.len() - 9);
    bytes.push(b'\n');
    let end = bytes.len();
    bytes.extend(good());
    assert_eq!(fault(&bytes).0, end);
    let text = framed("35=0|58=a\nb|", "12", 0);
    assert!(matches!(next_frame(&text, 12), Frame::Message { length, .. } if length == text.len()));
    let cut = &text[..text.len() - 1];
    assert!(matches!(next_frame(cut, 12), Frame::Incomplete));
}

#[test]
fn text_is_not_taken_for_a_start() {
    let mut bytes = framed("35=0|58=x|108=30|", "5", 0);
    let length = bytes.len();
    bytes.extend_from_slice(b"8");
    assert_eq!(fault(&bytes).0, length, "58= and 108= are passed over");
}

proptest! {
    #[test]
    fn hostile_bytes_always_get_further(
        bytes in prop::collection::vec(prop_oneof![
            Just(b'8'), Just(b'9'), Just(b'='), Just(1_u8), Just(b'3'), Just(b'5'),
            Just(b'1'), Just(b'0'), any::<u8>()
        ], 0..400),
        limit in 0_usize..500,
    ) {
        let mut rest = &bytes[..];
        loop {
            match next_frame(rest, limit) {
                Frame::Message { message, length } => {
                    prop_assert!(length <= rest.len() && message.fields().count() > 0);
                    rest = &rest[length..];
                }
                Frame::Garbled { skip, .. } => {
                    prop_assert!(skip >= 1 && skip <= rest.len());
                    rest = &rest[skip..];
                }
                Frame::Incomplete => break,
            }
        }
        prop_assert!(rest.len() <= limit + 2 + 17 + 2 + 19 + 7);
    }
}
