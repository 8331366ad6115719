//! What is said of an input besides its rows or messages.

use super::Error;
use super::error::say;
use crate::metrics::Counter;
use crate::{FeedCounts, Summary};

/// What was met and not used as it came.
const LEFT_OUT: [(Counter, &str); 14] = [
    (
        Counter::UndecodableFrames,
        "frames of captures without a datagram that can be used, left out",
    ),
    (
        Counter::OversizedDatagrams,
        "datagrams larger than a buffer, left out",
    ),
    (
        Counter::MalformedPackets,
        "datagrams that are no MoldUDP64, left out",
    ),
    (
        Counter::RenamedSymbols,
        "second names of a locate, which keeps its first",
    ),
    (Counter::UnknownTypes, "messages of unknown type, not used"),
    (Counter::MalformedMessages, "malformed messages, not used"),
    (
        Counter::GarbledBytes,
        "bytes of a log that are in no FIX message, skipped",
    ),
    (
        Counter::UnusedEntries,
        "FIX entries that are neither trades nor quotes",
    ),
    (
        Counter::UnusableEntries,
        "FIX trades and quotes without a symbol, price, size or time that fits",
    ),
    (
        Counter::ShareOverflow,
        "crosses of more shares than fit, not used",
    ),
    (
        Counter::TimeBackwards,
        "messages with a time before that of an earlier one",
    ),
    (Counter::BreaksUnknown, "breaks of unknown executions"),
    (
        Counter::BreaksRepeated,
        "breaks of executions that were broken before",
    ),
    (
        Counter::BreaksUnpublished,
        "breaks later than --corrections allows, whose executions stay in the rows written before",
    ),
];

/// Says what a user should know about the rows that were written.
pub(super) fn warn(summary: &Summary) {
    let count = |counter| summary.counters.get(counter);
    if let Some(trouble) = &summary.gpu_trouble {
        say(format_args!(
            "widetape: warning: {trouble}; the CPU computed {} of the windows asked of the GPU",
            count(Counter::RescuedWindows)
        ));
    }
    if let Some(told) = &summary.routes.told {
        say(format_args!("widetape: {told}"));
    }
    if count(Counter::Gaps) > 0 {
        say(format_args!(
            "widetape: warning: gaps {1}, lost messages {0}: rows that they touch say complete=false",
            count(Counter::LostMessages),
            count(Counter::Gaps)
        ));
    }
    if count(Counter::UnpriceableExecutions) > 0 {
        let symbols: Vec<String> = summary.flagged.iter().map(ToString::to_string).collect();
        say(format_args!(
            "widetape: warning: executions of unknown orders, which have no price and are not counted: {}, of {}",
            count(Counter::UnpriceableExecutions),
            symbols.join(" ")
        ));
    }
    left_out(count);
}

/// Says what of a file is in no message that is shown.
pub(super) fn unshown(counts: &FeedCounts) {
    left_out(|counter| match counter {
        Counter::UndecodableFrames => counts.undecodable,
        Counter::OversizedDatagrams => counts.oversized,
        Counter::GarbledBytes => counts.garbled_bytes,
        _ => 0,
    });
}

fn left_out(count: impl Fn(Counter) -> u64) {
    for (counter, what) in LEFT_OUT {
        if count(counter) > 0 {
            say(format_args!(
                "widetape: warning: {what}: {}",
                count(counter)
            ));
        }
    }
}

/// The fault of captures with more than one session, whose first is followed.
pub(super) fn foreign(summary: &Summary) -> Option<Error> {
    let count = summary.counters.get(Counter::ForeignSessionPackets);
    let told = format!(
        "packets of another session than the first, or behind the end of theirs, not used: {count}; \
         give each session a capture and a run of its own"
    );
    (count > 0).then_some(Error::Failed(told))
}

/// Refuses captures of which nothing but a silent feed's heartbeats could be used.
pub(super) fn has_used_a_packet(summary: &Summary) -> Result<(), Error> {
    let count = |counter| summary.counters.get(counter);
    let silent = count(Counter::Heartbeats) > 0 && count(Counter::LostMessages) == 0;
    let left_out = count(Counter::MalformedPackets)
        + count(Counter::UndecodableFrames)
        + count(Counter::OversizedDatagrams);
    if left_out == 0 || silent || count(Counter::Messages) > 0 {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "no message could be used, and {left_out} frames are no whole datagrams of MoldUDP64: capture the \
         groups and ports of the feed, and every frame in full"
    )))
}
