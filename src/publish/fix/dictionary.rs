//! Which messages are understood and which fields they take, from the data dictionaries of FIX 4.4
//! and of FIXT.1.1 with FIX 5.0 SP2; FIX 4.2 is taken as FIX 4.4 with fewer tags.
//!
//! [`validate`] looks at one message by itself: every tag known, allowed in this type, in its place,
//! given once outside groups, with a value of the right format, and nothing required missing.

use super::Version;
use super::reject::{Fault, Reason};
use crate::wire::fix::{Field, FieldFault, Message, parse_bool, parse_uint, parse_utc, tag};

/// Highest tag of FIX 5.0 SP2, the highest of all.
pub(super) const LAST_TAG: u32 = 1621;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Heartbeat,
    TestRequest,
    ResendRequest,
    Reject,
    SequenceReset,
    Logout,
    Logon,
    MarketDataRequest,
    SecurityListRequest,
    /// What a counterparty did not want of ours. It has come to nothing and is not judged.
    BusinessReject,
    /// A message of the version that is not served here.
    Unsupported,
    /// Not a message of the version.
    Unknown,
}

impl Kind {
    pub(super) fn of(msg_type: &[u8], version: Version) -> Self {
        let last_pair = match version {
            Version::Fix42 => b'@',
            Version::Fix44 => b'H',
            Version::Fix50Sp2 => b'Z',
        };
        match msg_type {
            b"0" => Kind::Heartbeat,
            b"1" => Kind::TestRequest,
            b"2" => Kind::ResendRequest,
            b"3" => Kind::Reject,
            b"4" => Kind::SequenceReset,
            b"5" => Kind::Logout,
            b"A" => Kind::Logon,
            b"j" => Kind::BusinessReject,
            b"V" => Kind::MarketDataRequest,
            b"x" if version != Version::Fix42 => Kind::SecurityListRequest,
            [b'I' | b'O' | b'U'] => Kind::Unknown,
            [b'n'..=b'z'] if version == Version::Fix42 => Kind::Unknown,
            [b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'] => Kind::Unsupported,
            [b'A', b'A'..=b'Z'] if version != Version::Fix42 => Kind::Unsupported,
            [b'B', last] if (b'A'..=last_pair).contains(last) => Kind::Unsupported,
            [b'C', b'A'..=b'T'] if version == Version::Fix50Sp2 => Kind::Unsupported,
            _ => Kind::Unknown,
        }
    }

    fn required(self) -> &'static [u32] {
        match self {
            Kind::TestRequest => &[112],
            Kind::ResendRequest => &[7, 16],
            Kind::Reject => &[45],
            Kind::SequenceReset => &[36],
            Kind::Logon => &[98, 108],
            Kind::MarketDataRequest => &[262, 263, 264, 267, 146],
            Kind::SecurityListRequest => &[320, 559],
            Kind::Heartbeat
            | Kind::Logout
            | Kind::BusinessReject
            | Kind::Unsupported
            | Kind::Unknown => &[],
        }
    }

    fn allows(self, tag: u32) -> bool {
        match self {
            Kind::Heartbeat | Kind::TestRequest => tag == 112,
            Kind::ResendRequest => matches!(tag, 7 | 16),
            Kind::Reject => matches!(tag, 45 | 58 | 354 | 355 | 371 | 372 | 373),
            Kind::SequenceReset => matches!(tag, 36 | 123),
            Kind::Logout => matches!(tag, 58 | 354 | 355),
            Kind::Logon => {
                matches!(
                    tag,
                    95 | 96 | 98 | 108 | 141 | 383 | 384 | 464 | 553 | 554 | 789 | 925 | 1137
                        | 1400..=1402 | 1404 | 1407..=1409
                ) || self.groups(tag)
            }
            Kind::MarketDataRequest => {
                matches!(tag, 146 | 262..=267 | 286 | 386 | 546 | 547 | 812 | 815)
                    || self.groups(tag)
            }
            Kind::SecurityListRequest => {
                matches!(
                    tag,
                    15 | 58 | 263 | 320 | 354 | 355 | 559 | 625 | 711 | 1300 | 1301
                ) || self.groups(tag)
            }
            Kind::BusinessReject | Kind::Unsupported | Kind::Unknown => true,
        }
    }

    /// Whether `tag` belongs to a repeating group of this message, so that it may come again.
    fn groups(self, tag: u32) -> bool {
        match self {
            Kind::Logon => matches!(tag, 372 | 385),
            Kind::MarketDataRequest | Kind::SecurityListRequest => matches!(
                tag,
                22 | 48 | 55 | 65 | 106 | 107 | 167 | 200..=202 | 206 | 207 | 223..=228 | 231
                    | 239..=257 | 269 | 305..=313 | 315..=318 | 336 | 348..=351 | 362..=365
                    | 435 | 436 | 454..=463 | 470..=472 | 541..=543 | 555 | 556 | 592..=625
                    | 667 | 691 | 711 | 739 | 740 | 762..=764 | 810 | 864..=868 | 873..=879
                    | 882..=889 | 941 | 942 | 947 | 955 | 956
            ),
            Kind::BusinessReject | Kind::Unsupported | Kind::Unknown => true,
            _ => false,
        }
    }
}

fn is_header(tag: u32) -> bool {
    matches!(
        tag,
        8 | 9 | 34 | 35 | 43 | 49 | 50 | 52 | 56 | 57 | 90 | 91 | 97 | 115 | 116 | 122 | 128 | 129
            | 142..=145 | 212 | 213 | 347 | 369 | 370 | 627..=630 | 1128 | 1129 | 1156
    )
}

fn well_formed(field: &Field<'_>) -> bool {
    match field.tag {
        7 | 9 | 16 | 34 | 36 | 45 | 90 | 95 | 98 | 108 | 146 | 212 | 264 | 265 | 267 | 369
        | 371 | 373 | 383 | 384 | 386 | 627 | 789 => parse_uint(field.value).is_some(),
        43 | 97 | 123 | 141 | 266 | 464 => parse_bool(field.value).is_some(),
        52 | 122 => parse_utc(field.value).is_some(),
        263 | 269 => field.value.len() == 1,
        _ => true,
    }
}

/// Checks `message`, which is of `kind` in `version`.
pub(super) fn validate(message: &Message<'_>, kind: Kind, version: Version) -> Result<(), Fault> {
    let mut seen = [0_u64; LAST_TAG as usize / 64 + 1];
    let mut in_header = true;
    for field in message.fields() {
        let field = field.map_err(fault_of)?;
        let tag = field.tag;
        let is_credential = kind == Kind::Logon && matches!(tag, 553 | 554);
        if tag > version.last_tag() && !is_credential {
            return Err(Fault::new(Reason::InvalidTag, tag));
        }
        if is_header(tag) {
            if !in_header {
                return Err(Fault::new(Reason::Misordered, tag));
            }
        } else if kind.allows(tag) {
            in_header = false;
        } else {
            return Err(Fault::new(Reason::NotDefinedForType, tag));
        }
        let (word, bit) = (tag as usize / 64, 1 << (tag % 64));
        let repeats = kind.groups(tag) || matches!(tag, 628..=630);
        if seen[word] & bit != 0 && !repeats {
            return Err(Fault::new(Reason::Repeated, tag));
        }
        seen[word] |= bit;
        if !well_formed(&field) {
            return Err(Fault::new(Reason::WrongFormat, tag));
        }
    }
    let application = message.get(tag::APPL_VER_ID);
    let is_application = !matches!(message.msg_type(), [b'0'..=b'5' | b'A']);
    if is_application && application.is_some() && application != version.application() {
        return Err(Fault::new(Reason::ApplicationVersion, tag::APPL_VER_ID));
    }
    let missing = |&&tag: &&u32| seen[tag as usize / 64] & (1 << (tag % 64)) == 0;
    match kind.required().iter().find(missing) {
        Some(&tag) => Err(Fault::new(Reason::TagMissing, tag)),
        None => Ok(()),
    }
}

fn fault_of(fault: FieldFault) -> Fault {
    match fault {
        FieldFault::Tag { .. } => Fault {
            reason: Reason::InvalidTag,
            tag: None,
        },
        FieldFault::Empty { tag } => Fault::new(Reason::NoValue, tag),
        FieldFault::DataLength { tag } => Fault::new(Reason::WrongFormat, tag),
    }
}

/// The number in field `tag`, 0 where it is absent; call after [`validate`].
pub(super) fn number(message: &Message<'_>, tag: u32) -> u64 {
    message.get(tag).and_then(parse_uint).unwrap_or(0)
}

/// Whether the Boolean field `tag` is there and `Y`.
pub(super) fn flag(message: &Message<'_>, tag: u32) -> bool {
    message.get(tag) == Some(b"Y")
}

/// Whether `message` is a SequenceReset that fills a gap.
pub(super) fn is_gap_fill(message: &Message<'_>) -> bool {
    flag(message, tag::GAP_FILL_FLAG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_by_message() {
        let request = "35=V|34=2|262=R|263=1|264=1|267=2|269=9|269=B|146=2|55=A|55=B|";
        let cases = [
            ("35=0|34=2|", None),
            ("35=0|34=2|112=x|", None),
            (request, None),
            ("35=1|34=2|", Some((Reason::TagMissing, Some(112)))),
            ("35=1|34=2|112=|", Some((Reason::NoValue, Some(112)))),
            ("35=0|34=2|957=x|", Some((Reason::InvalidTag, Some(957)))),
            ("35=0|34=2|5000=x|", Some((Reason::InvalidTag, Some(5000)))),
            ("35=0|34=2|-1=x|", Some((Reason::InvalidTag, None))),
            (
                "35=0|34=2|55=x|",
                Some((Reason::NotDefinedForType, Some(55))),
            ),
            ("35=0|112=x|34=2|", Some((Reason::Misordered, Some(34)))),
            (
                "35=0|34=2|112=x|112=y|",
                Some((Reason::Repeated, Some(112))),
            ),
            ("35=0|34=2|34=2|", Some((Reason::Repeated, Some(34)))),
            ("35=2|34=2|7=1|16=x|", Some((Reason::WrongFormat, Some(16)))),
            ("35=2|34=2|7=1|", Some((Reason::TagMissing, Some(16)))),
            (
                "35=4|34=2|36=3|123=y|",
                Some((Reason::WrongFormat, Some(123))),
            ),
            ("35=A|34=1|98=0|", Some((Reason::TagMissing, Some(108)))),
            (
                "35=A|34=1|98=0|108=-5|",
                Some((Reason::WrongFormat, Some(108))),
            ),
            ("35=5|34=1|43=1|", Some((Reason::WrongFormat, Some(43)))),
            ("35=0|52=2020|", Some((Reason::WrongFormat, Some(52)))),
        ];
        for (text, expected) in cases {
            let bytes = text.replace('|', "\x01").into_bytes();
            let message = Message::new(b"FIX.4.4", &bytes).unwrap();
            let version = Version::Fix44;
            let found = validate(&message, Kind::of(message.msg_type(), version), version).err();
            assert_eq!(
                found.map(|fault| (fault.reason, fault.tag)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn kinds() {
        for (text, kind) in [
            ("A", Kind::Logon),
            ("D", Kind::Unsupported),
            ("BH", Kind::Unsupported),
            ("BI", Kind::Unknown),
            ("I", Kind::Unknown),
            ("AAA", Kind::Unknown),
        ] {
            assert_eq!(Kind::of(text.as_bytes(), Version::Fix44), kind, "{text}");
        }
    }
}
