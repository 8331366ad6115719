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
        (Counter::TopChanges, counts.top_changes),
        (Counter::RenamedSymbols, counts.renamed),
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

/// Of breaks the stream tells; a survey meets the same.
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
    for (counter, value) in [
        (Counter::FixSessionsAccepted, counts.logons),
        (
            Counter::FixSessionsRefused,
            counts.logons_refused + counts.connections_refused,
        ),
        (Counter::FixMessagesIn, counts.messages_received),
        (Counter::FixMessagesOut, counts.messages_sent),
        (Counter::FixBytesOut, counts.bytes_written),
        (Counter::SlowReadersClosed, counts.slow_readers),
        (Counter::GarbledFixMessages, counts.garbled),
        (Counter::FixLogonsEvicted, counts.logons_evicted),
        (Counter::FixHandshakesRefused, counts.handshakes_refused),
        (Counter::FixMarketDataDropped, counts.market_data_dropped),
        (Counter::FixQueueDropped, counts.queue_dropped),
        (Counter::FixRowsUnnamed, counts.rows_unnamed),
        (Counter::FixConflated, counts.conflated),
        (Counter::FixSessionsSilent, counts.silent),
        (Counter::FixCredentialsRefused, counts.credentials_refused),
        (Counter::FixTurnsCut, counts.turns_cut),
        (Counter::FixRequestsRefused, counts.requests_refused),
    ] {
        counters.set(counter, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fix_drops_or_refuses_is_told() {
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
        ];
        assert_eq!(
            told.map(|counter| counters.get(counter)),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        );
        assert_eq!(counters.dropped(), 1 + 2 + 3 + 4 + 5 + 6 + 7);
    }
}
