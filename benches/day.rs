//! A synthetic day in memory, as framed messages.

use widetape::{Profile, SyntheticDay, SyntheticOptions};

/// Messages of the day that the benches read: fewer when they run for their answers alone.
pub(crate) fn messages(test: bool) -> u64 {
    let asked = std::env::var("WIDETAPE_BENCH_MESSAGES").ok();
    let asked = asked.map(|text| text.parse().expect("WIDETAPE_BENCH_MESSAGES is a number"));
    asked.unwrap_or(if test { 200_000 } else { 5_000_000 })
}

/// `Length u16 | message`, over and over.
pub(crate) fn blocks(messages: u64, symbols: u16) -> Vec<u8> {
    let options = SyntheticOptions {
        messages,
        symbols,
        seed: 7,
        profile: Profile::Day,
    };
    let mut day = SyntheticDay::new(options).expect("enough messages for the symbols");
    let mut blocks = Vec::new();
    while day.next_block(&mut blocks) {}
    blocks
}
