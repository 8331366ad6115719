//! Arbitrary bytes into the ITCH reader.

use proptest::collection::vec;
use proptest::prelude::*;
use widetape::wire::itch50::{ParseError, length_of, parse};

/// Types and lengths as the specification prints them.
const TYPES: [(u8, usize); 23] = [
    (b'S', 12),
    (b'R', 39),
    (b'H', 25),
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'A', 36),
    (b'F', 40),
    (b'E', 31),
    (b'C', 36),
    (b'X', 23),
    (b'D', 19),
    (b'U', 35),
    (b'P', 44),
    (b'Q', 40),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
    (b'O', 48),
];

fn specified(kind: u8) -> Option<usize> {
    TYPES
        .iter()
        .find(|&&(known, _)| known == kind)
        .map(|&(_, length)| length)
}

fn is_one_printable_line(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

#[test]
fn every_byte_is_a_type_of_the_specified_length_or_none() {
    for kind in 0..=u8::MAX {
        assert_eq!(length_of(kind), specified(kind), "{kind:#04x}");
    }
}

#[test]
fn every_length_but_the_specified_one_is_refused() {
    for (kind, expected) in TYPES {
        for found in 1..=100 {
            let bytes = vec![kind; found];
            let refusal = ParseError::Length {
                kind,
                expected,
                found,
            };
            match parse(&bytes) {
                Ok(message) => assert_eq!((found, message.kind()), (expected, kind)),
                Err(error) => assert_eq!((error, found == expected), (refusal, false)),
            }
        }
        let largest_block = vec![kind; 65_535];
        assert!(parse(&largest_block).is_err());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_for_the_right_reason(bytes in vec(any::<u8>(), 0..64)) {
        let expected = match bytes.first() {
            None => Some(ParseError::Empty),
            Some(&kind) => match specified(kind) {
                None => Some(ParseError::UnknownType { kind }),
                Some(expected) if expected != bytes.len() => {
                    Some(ParseError::Length { kind, expected, found: bytes.len() })
                }
                Some(_) => None,
            },
        };
        prop_assert_eq!(parse(&bytes).err(), expected);
        if let Some(error) = expected {
            prop_assert!(is_one_printable_line(&error.to_string()));
        }
    }

    #[test]
    fn any_content_of_a_known_type_is_one_printable_line(
        which in 0..TYPES.len(),
        content in vec(any::<u8>(), 49),
    ) {
        let (kind, length) = TYPES[which];
        let bytes = [&[kind], &content[..length - 1]].concat();
        let message = parse(&bytes).unwrap();
        prop_assert_eq!(message.bytes(), &bytes[..]);
        let line = message.to_string();
        prop_assert!(is_one_printable_line(&line), "{:?}", line);
        let named = format!(" {} {} locate=", char::from(kind), message.name());
        prop_assert!(line.contains(&named), "{:?}", line);
    }
}
