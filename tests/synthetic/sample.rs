//! The bundled sample day is what its recipe makes, and has everything that it is bundled for.

use std::io::Read;
use std::path::Path;

use widetape::feed::Profile;

use super::naive::Naive;
use super::{blocks, options, whole};

const SECOND: u64 = 1_000_000_000;

fn bundled() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/sample_day.itch.gz");
    let file = std::fs::File::open(path).expect("the sample day");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .expect("gzip");
    bytes
}

#[test]
fn it_is_what_its_recipe_makes() {
    let made = whole(options(40_000, 40, 1, Profile::Sample));
    assert!(
        made == bundled(),
        "the generator has changed: remake the sample and its answers (datasets/README.md)"
    );
}

#[test]
fn it_has_everything_that_it_is_bundled_for() {
    let bytes = bundled();
    let mut exchange = Naive::default();
    blocks(&bytes).for_each(|message| exchange.apply(message));
    let kinds = b"SRHYLVKJAFECXDUPQBIN";
    for kind in kinds {
        assert!(exchange.count(&[*kind]) > 0, "no {}", char::from(*kind));
    }
    assert!(exchange.count(b"ECP") > 10_000);
    assert!(exchange.unprinted > 100 && exchange.empty_crosses > 2);
    assert!(exchange.breaks_without_effect > 10);
    // Breaks that come before any row, of windows of 1 s and 1 m, and of the session alone.
    let ages = &exchange.broken_ages;
    let between = |low, high| {
        ages.iter()
            .filter(|&&age| (low..high).contains(&age))
            .count()
    };
    assert!(between(0, SECOND / 10) > 5);
    assert!(between(SECOND / 10, SECOND) > 2);
    assert!(between(SECOND, 60 * SECOND) > 5);
    assert!(between(60 * SECOND, 3_600 * SECOND) > 20);
    assert!(between(3_600 * SECOND, u64::MAX) > 10);
    // One share of each pair that a cross executes unprinted is printed in bulk.
    assert!(exchange.cross_shares > exchange.unprinted_shares / 2);
}
