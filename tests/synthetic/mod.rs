//! The synthetic day, followed by a naive exchange that knows nothing of how it was made.

mod day;
mod naive;
mod sample;

use widetape::feed::{Profile, SyntheticDay, SyntheticOptions};

fn options(messages: u64, symbols: u16, seed: u64, profile: Profile) -> SyntheticOptions {
    SyntheticOptions {
        messages,
        symbols,
        seed,
        profile,
    }
}

fn whole(options: SyntheticOptions) -> Vec<u8> {
    let mut day = SyntheticDay::new(options).expect("options");
    let mut bytes = Vec::new();
    while day.next_block(&mut bytes) {}
    bytes
}

/// The messages of a run of blocks; panics unless the blocks fill it exactly.
fn blocks(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        bytes = rest;
        Some(message)
    })
}
