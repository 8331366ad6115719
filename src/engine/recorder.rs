//! What the stages counted, put into the one list of counters.

use super::{NormaliserCounts, Recovery};
use crate::feed::{FeedCounts, Framing, Packet};
use crate::metrics::{Counter, Counters};
use crate::publish::fix::FixCounts;
use crate::session::{RETRANSMISSION, Sequencer};
use crate::window::SlidingCounts;

/// The counter of the line that brought a packet.
pub(super) fn packets_of(packet: &Packet) -> Counter {
    match (packet.framing, packet.line) {
        (Framing::Blocks { .. } | Framing::Fix { .. }, _) | (Framing::MoldUdp64, 0) => {
            Counter::PacketsLineA
        }
        (Framing::MoldUdp64, RETRANSMISSION) => Counter::PacketsRetransmitted,
        (Framing::MoldUdp64, _) => Counter::PacketsLineB,
    }
}

pub(super) fn feed(counters: &Counters, counts: &FeedCounts) {
    counters.set(Counter::KernelDrops, counts.kernel_drops);
    counters.set(Counter::PoolExhausted, counts.pool_exhausted);
    counters.set(Counter::OversizedDatagrams, counts.oversized);
    counters.set(Counter::ImpairedPackets, counts.impaired);
    counters.set(Counter::UndecodableFrames, counts.undecodable);
    for (counter, value) in [
        (Counter::FixFeedLogons, counts.fix_logons),
        (Counter::FixFeedDisconnects, counts.fix_disconnects),
        (Counter::FixFeedRefusals, counts.fix_refusals),
        (Counter::FixFeedResends, counts.fix_resends),
        (Counter::FixFeedUnused, counts.fix_unused),
    ] {
        counters.set(counter, value);
    }
    counters.set(Counter::GarbledBytes, counts.garbled_bytes);
    counters.set(Counter::Datagrams, counts.datagrams);
    counters.set(Counter::ReceiveCalls, counts.receive_calls);
}

pub(super) fn normaliser(counters: &Counters, counts: &NormaliserCounts) {
    for (counter, value) in [
        (Counter::Messages, counts.messages),
        (Counter::UnknownTypes, counts.unknown_types),
        (Counter::MalformedMessages, counts.malformed),
        (Counter::UnusedEntries, counts.unused_entries),
        (Counter::UnusableEntries, counts.unusable_entries),
        (Counter::RepeatedMessages, counts.repeated),
        (Counter::TimeBackwards, counts.time_reversals),
        (Counter::OrdersAdded, counts.orders_added),
        (Counter::RenamedSymbols, counts.renamed),
        (Counter::TopChanges, counts.top_changes),
        (Counter::ZeroShareExecutions, counts.zero_shares),
        (Counter::NonPrintableExecutions, counts.non_printable),
        (Counter::UnpriceableExecutions, counts.unpriceable),
        (Counter::ShareOverflow, counts.share_overflows),
        (Counter::ZeroShareOrders, counts.zero_share_orders),
        (Counter::UnknownReferences, counts.unknown_references),
        (Counter::ExcessShares, counts.excess_shares),
        (Counter::DuplicateReferences, counts.duplicate_references),
        (Counter::LocateMismatches, counts.locate_mismatches),
        (Counter::Trades, counts.trades),
        (Counter::Gaps, counts.gaps),
        (Counter::LostMessages, counts.lost_messages),
    ] {
        counters.set(counter, value);
    }
}

pub(super) fn sliding(counters: &Counters, counts: &SlidingCounts) {
    for (counter, value) in [
        (Counter::Rows, counts.rows),
        (Counter::Corrections, counts.corrections),
        (Counter::BreaksApplied, counts.broken),
        (Counter::BreaksUnknown, counts.unknown_breaks),
        (Counter::BreaksRepeated, counts.repeated_breaks),
        (Counter::BreaksUnpublished, counts.unpublished_breaks),
    ] {
        counters.set(counter, value);
    }
}

/// Of breaks the stream tells what they found; a survey finds the same.
pub(super) fn survey(counters: &Counters, counts: &SlidingCounts) {
    for (counter, value) in [
        (Counter::WideRows, counts.rows),
        (Counter::WideCorrections, counts.corrections),
        (Counter::WideBreaksUnpublished, counts.unpublished_breaks),
    ] {
        counters.set(counter, value);
    }
}

pub(super) fn sequencer(counters: &Counters, sequencer: &Sequencer) {
    let (counts, [a, b]) = (sequencer.counts(), sequencer.races());
    let duplicates: u64 = counts.lines.iter().map(|line| line.duplicates).sum();
    for (counter, value) in [
        (Counter::Heartbeats, counts.heartbeats),
        (Counter::LineAFirst, a.first),
        (Counter::LineBFirst, b.first),
        (Counter::LineASecond, a.second),
        (Counter::LineBSecond, b.second),
        (Counter::LineALagNs, a.lag_total_ns),
        (Counter::LineBLagNs, b.lag_total_ns),
        (Counter::LineALagMostNs, a.lag_max_ns),
        (Counter::LineBLagMostNs, b.lag_max_ns),
        (Counter::DuplicatePackets, duplicates),
        (Counter::MalformedPackets, counts.malformed.total()),
        (
            Counter::ForeignSessionPackets,
            counts.foreign + counts.after_end,
        ),
        (Counter::RecoveredMessages, counts.recovered_messages),
    ] {
        counters.set(counter, value);
    }
}

pub(super) fn recovery(counters: &Counters, recovery: &Recovery) {
    counters.set(Counter::RerequestsSent, recovery.counts().requests);
    counters.set(Counter::RerequestsFailed, recovery.failures());
}

pub(super) fn fix(counters: &Counters, counts: &FixCounts) {
    let FixCounts {
        logons,
        logons_refused,
        credentials_refused,
        logons_evicted,
        accepts_failed,
        connections_refused,
        handshakes_refused,
        turns_cut,
        messages_received,
        garbled,
        messages_sent,
        bytes_written,
        rejects,
        resends_requested,
        queue_dropped,
        requests_refused,
        market_data_dropped,
        conflated,
        slow_readers,
        silent,
        store_waits,
        rows_unnamed,
        // Told by the others: sessions, and what the messages sent were.
        connections: _,
        disconnects: _,
        requests: _,
        snapshots: _,
        statuses: _,
        increments: _,
        // No totals.
        bytes_held: _,
        bytes_waiting: _,
    } = *counts;
    for (counter, value) in [
        (Counter::FixSessionsAccepted, logons),
        (
            Counter::FixSessionsRefused,
            logons_refused + connections_refused,
        ),
        (Counter::FixMessagesIn, messages_received),
        (Counter::FixMessagesOut, messages_sent),
        (Counter::FixBytesOut, bytes_written),
        (Counter::SlowReadersClosed, slow_readers),
        (Counter::GarbledFixMessages, garbled),
        (Counter::FixLogonsEvicted, logons_evicted),
        (Counter::FixHandshakesRefused, handshakes_refused),
        (Counter::FixMarketDataDropped, market_data_dropped),
        (Counter::FixQueueDropped, queue_dropped),
        (Counter::FixRowsUnnamed, rows_unnamed),
        (Counter::FixConflated, conflated),
        (Counter::FixAcceptsFailed, accepts_failed),
        (Counter::FixRejects, rejects),
        (Counter::FixResendsRequested, resends_requested),
        (Counter::FixStoreWaits, store_waits),
        (Counter::FixSessionsSilent, silent),
        (Counter::FixCredentialsRefused, credentials_refused),
        (Counter::FixTurnsCut, turns_cut),
        (Counter::FixRequestsRefused, requests_refused),
    ] {
        counters.set(counter, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fix_does_is_told() {
        let counts = FixCounts {
            slow_readers: 1,
            garbled: 2,
            logons_evicted: 3,
            handshakes_refused: 4,
            market_data_dropped: 5,
            queue_dropped: 6,
            rows_unnamed: 7,
            conflated: 8,
            silent: 9,
            credentials_refused: 10,
            accepts_failed: 11,
            rejects: 12,
            resends_requested: 13,
            store_waits: 14,
            turns_cut: 15,
            requests_refused: 16,
            logons: 17,
            logons_refused: 18,
            connections_refused: 100,
            messages_received: 19,
            messages_sent: 20,
            bytes_written: 21,
            ..FixCounts::default()
        };
        let counters = Counters::new();
        fix(&counters, &counts);
        let told = [
            Counter::SlowReadersClosed,
            Counter::GarbledFixMessages,
            Counter::FixLogonsEvicted,
            Counter::FixHandshakesRefused,
            Counter::FixMarketDataDropped,
            Counter::FixQueueDropped,
            Counter::FixRowsUnnamed,
            Counter::FixConflated,
            Counter::FixSessionsSilent,
            Counter::FixCredentialsRefused,
            Counter::FixAcceptsFailed,
            Counter::FixRejects,
            Counter::FixResendsRequested,
            Counter::FixStoreWaits,
            Counter::FixTurnsCut,
            Counter::FixRequestsRefused,
            Counter::FixSessionsAccepted,
            Counter::FixSessionsRefused,
            Counter::FixMessagesIn,
            Counter::FixMessagesOut,
            Counter::FixBytesOut,
        ];
        assert_eq!(
            told.map(|counter| counters.get(counter)),
            [
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 118, 19, 20, 21
            ]
        );
        assert_eq!(counters.dropped(), 1 + 2 + 3 + 4 + 5 + 6 + 7);
    }
}
