//! Real FIXT.1.1 market data: every message frames, sums and walks.

use std::io::Read;
use std::path::Path;

use widetape::wire::fix::{Frame, MAX_MESSAGE_BYTES, next_frame, parse_utc};

#[test]
fn every_message_of_a_real_day_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/fix-jse-20111124/fix.5.0.set.1.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("SKIPPED: no capture at {}", path.display());
        return;
    };
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .unwrap();
    let (mut at, mut messages, mut entries, mut fields, mut seen) = (0, 0, 0, 0, 0);
    while at < bytes.len() {
        let Frame::Message { message, length } = next_frame(&bytes[at..], MAX_MESSAGE_BYTES) else {
            panic!("no message at {at}");
        };
        assert_eq!(message.begin_string(), b"FIXT.1.1");
        let announced = message.get(268).map_or(0, |count| {
            std::str::from_utf8(count)
                .unwrap()
                .parse::<usize>()
                .unwrap()
        });
        let walked: Vec<_> = message.fields().map(Result::unwrap).collect();
        let types = walked.iter().filter(|field| field.tag == 269).count();
        assert_eq!(types, announced, "269 opens each entry, at {at}");
        assert!(message.get(52).and_then(parse_utc).is_some(), "at {at}");
        entries += types;
        fields += walked.len();
        seen += walked
            .iter()
            .map(|field| field.value.len() + 2 + field.tag.to_string().len())
            .sum::<usize>();
        messages += 1;
        at += length;
    }
    assert_eq!(messages, 13_888);
    assert!(entries > 0 && fields > messages * 5);
    let separators = bytes.iter().filter(|&&byte| byte == 1).count();
    assert_eq!(
        fields,
        separators - 3 * messages,
        "8, 9 and 10 are the frame"
    );
    assert!(seen < bytes.len());
}
