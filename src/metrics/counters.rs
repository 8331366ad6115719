//! The one list of counters. A counter has an id (for machines), a label (for the report) and a
//! sentence; its kind and its place let the report say where something was dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a counter above 0 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ordinary traffic.
    Flow,
    /// Something arrived, or was due to leave, and was not used.
    Drop,
    /// Something was wrong with the input or the system, and was handled.
    Error,
    /// Holes in the stream and their repair.
    Gap,
}

/// The stage that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Sockets and files.
    Feed,
    /// Ordering of lines.
    Session,
    /// Decoding of messages.
    Wire,
    /// Pricing of executions.
    Book,
    /// Windows and their corrections.
    Window,
    /// Text and FIX.
    Publish,
}

impl Place {
    /// Every place, in the order of the flow.
    pub const EACH: [Place; 6] = [
        Place::Feed,
        Place::Session,
        Place::Wire,
        Place::Book,
        Place::Window,
        Place::Publish,
    ];

    /// The name in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Place::Feed => "feed",
            Place::Session => "session",
            Place::Wire => "wire",
            Place::Book => "book",
            Place::Window => "window",
            Place::Publish => "publish",
        }
    }
}

/// What is told about a counter.
struct Facts {
    counter: Counter,
    id: &'static str,
    label: &'static str,
    meaning: &'static str,
    kind: Kind,
    place: Place,
}

/// Declares the counters from one line each: place, kind, variant, id, label, meaning.
macro_rules! counters {
    ($($place:ident $kind:ident $variant:ident $id:literal $label:literal $meaning:literal)*) => {
        /// Everything that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Counter {
            $(#[doc = $meaning] $variant,)*
        }

        const FACTS: &[Facts] = &[$(Facts {
            counter: Counter::$variant,
            id: $id,
            label: $label,
            meaning: $meaning,
            kind: Kind::$kind,
            place: Place::$place,
        },)*];

        impl Counter {
            /// Every counter, in the order of the flow.
            pub const EACH: [Counter; FACTS.len()] = [$(Counter::$variant,)*];
        }
    };
}

counters! {
    Feed Flow PacketsLineA "packets_line_a" "line A" "Packets received on line A, or read from a file."
    Feed Flow PacketsLineB "packets_line_b" "line B" "Packets received on line B."
    Feed Flow PacketsRetransmitted "packets_retransmitted" "retransmitted" "Packets received as answers to re-requests."
    Feed Flow Datagrams "datagrams" "datagrams" "Datagrams taken from sockets, dropped ones included."
    Feed Flow ReceiveCalls "receive_calls" "system calls" "System calls that took datagrams from sockets."
    Feed Drop KernelDrops "kernel_drops" "kernel" "Datagrams that the system dropped because the socket's buffer was full."
    Feed Drop PoolExhausted "pool_exhausted" "pool exhausted" "Datagrams dropped because no buffer was free."
    Feed Drop QueueFull "queue_full" "queue full" "Packets dropped by the receiver because the decoder's queue was full."
    Feed Drop OversizedDatagrams "oversized_datagrams" "oversized datagrams" "Datagrams dropped because they were larger than a buffer."
    Feed Drop ImpairedPackets "impaired_packets" "impaired" "Packets lost because the configuration's feed.impair says so."
    Feed Drop UndecodableFrames "undecodable_frames" "undecodable frames" "Frames of a capture that hold no UDP datagram of the feed."
    Feed Drop GarbledBytes "garbled_bytes" "garbled FIX bytes" "Bytes of a feed or log of FIX that are in no message with a right frame and checksum."
    Feed Drop FixFeedUnused "fix_feed_unused" "unused FIX messages" "Messages of a feed of FIX that were not used: of other types, repeated, or too many behind a gap."
    Feed Flow FixFeedLogons "fix_feed_logons" "FIX feed sessions" "Logons that the acceptor of a feed of FIX answered."
    Feed Error FixFeedDisconnects "fix_feed_disconnects" "FIX feed connections ended" "Connections to the acceptor of a feed of FIX that ended."
    Feed Error FixFeedRefusals "fix_feed_refusals" "FIX feed requests refused" "Requests that the acceptor of a feed of FIX refused."
    Session Flow Heartbeats "heartbeats" "heartbeats" "Packets without messages that only say which number comes next."
    Session Flow LineAFirst "line_a_first" "line A first" "Packets that line A brought before line B."
    Session Flow LineBFirst "line_b_first" "line B first" "Packets that line B brought before line A."
    Session Flow LineASecond "line_a_second" "line A second" "Packets that line A brought after line B."
    Session Flow LineBSecond "line_b_second" "line B second" "Packets that line B brought after line A."
    Session Flow LineALagNs "line_a_lag_ns" "line A's lag" "Nanoseconds that line A was behind line B, summed over the packets of which it was second."
    Session Flow LineBLagNs "line_b_lag_ns" "line B's lag" "Nanoseconds that line B was behind line A, summed over the packets of which it was second."
    Session Flow LineALagMostNs "line_a_lag_most_ns" "line A's greatest lag" "The most nanoseconds that line A was behind line B."
    Session Flow LineBLagMostNs "line_b_lag_most_ns" "line B's greatest lag" "The most nanoseconds that line B was behind line A."
    Session Flow DuplicatePackets "duplicate_packets" "duplicate" "Packets whose messages had all been handed on before, as the slower of two lines brings them."
    Session Drop MalformedPackets "malformed_packets" "malformed packets" "Packets whose header or blocks do not fit their length."
    Session Drop ForeignSessionPackets "foreign_session_packets" "foreign session" "Packets of another session than the one that is followed, or beyond its end."
    Session Gap Gaps "gaps" "gaps" "Holes in the sequence that were given up."
    Session Gap LostMessages "lost_messages" "lost messages" "Messages inside the holes that were given up."
    Session Gap RecoveredMessages "recovered_messages" "recovered messages" "Messages that a re-request brought back."
    Session Gap RerequestsSent "rerequests_sent" "re-requests" "Requests sent to the re-request server."
    Session Gap FixFeedResends "fix_feed_resends" "resend requests" "Gaps that the acceptor of a feed of FIX was asked to fill."
    Session Error RerequestsFailed "rerequests_failed" "re-requests not sent" "Requests that the system did not take."
    Wire Flow Messages "messages" "messages" "Messages of the ordered stream."
    Wire Drop UnknownTypes "unknown_types" "unknown types" "Messages skipped because their type is unknown."
    Wire Drop MalformedMessages "malformed_messages" "malformed messages" "Messages skipped because their length or a field does not fit their type."
    Wire Drop UnusedEntries "unused_entries" "unused FIX entries" "Entries of FIX market data that are neither trades nor quotes."
    Wire Flow RepeatedMessages "repeated_messages" "repeated FIX messages" "Messages that a log of FIX holds again, with 43=Y; each counts once."
    Wire Drop UnusableEntries "unusable_entries" "unusable FIX entries" "Trades and quotes over FIX without a symbol, price, size or time that fits."
    Wire Error TimeBackwards "time_backwards" "time going backwards" "Messages whose time lies before that of the message ahead of them."
    Book Flow OrdersAdded "orders_added" "orders added" "Orders that entered the book."
    Book Flow TopChanges "top_changes" "top-of-book changes" "Changes of a symbol's best bid or offer."
    Book Flow ZeroShareExecutions "zero_share_executions" "zero-share executions" "Executions of 0 shares, such as an auction that found no match."
    Book Flow NonPrintableExecutions "non_printable_executions" "non-printable executions" "Executions that are reported later in bulk and do not count by themselves."
    Book Error ZeroShareOrders "zero_share_orders" "zero-share orders" "Orders of 0 shares, which are none."
    Book Drop UnpriceableExecutions "unpriceable_executions" "unpriceable executions" "Executions of orders that the book does not know, whose price is therefore unknown."
    Book Drop ShareOverflow "share_overflow" "share overflow" "Executions of more shares than 32 bits hold."
    Book Error UnknownReferences "unknown_references" "unknown references" "Messages about orders that the book does not know."
    Book Error ExcessShares "excess_shares" "excess shares" "Messages that take more shares from an order than it has."
    Book Error DuplicateReferences "duplicate_references" "duplicate references" "Orders added under a reference that is in use."
    Book Error LocateMismatches "locate_mismatches" "locate mismatches" "Messages that name another symbol than the order they are about."
    Book Error RenamedSymbols "renamed_symbols" "renamed symbols" "Second names for a locate that has one; the first stays."
    Window Flow Trades "trades" "trades" "Priced executions."
    Window Flow BreaksApplied "breaks_applied" "breaks applied" "Breaks that took an execution back."
    Window Drop BreaksUnpublished "breaks_unpublished" "breaks beyond the corrections' bound" "Breaks too late for the rows written before them to be corrected."
    Window Error BreaksUnknown "breaks_unknown" "breaks of unknown executions" "Breaks of executions that were never seen."
    Window Error BreaksRepeated "breaks_repeated" "repeated breaks" "Breaks of executions that had been taken back before."
    Window Flow WideGathered "wide_gathered" "most executions gathered" "Most executions that waited at a time for the wide windows."
    Window Drop WideBreaksUnpublished "wide_breaks_unpublished" "wide breaks beyond the corrections' bound" "Breaks too late for the rows of wide windows written before them to be corrected."
    Window Flow GpuWindows "gpu_windows" "windows by the GPU" "Windows whose sums the GPU computed."
    Window Flow RescuedWindows "rescued_windows" "windows by the CPU instead" "Windows asked of the GPU whose sums the CPU computed."
    Window Error GpuFailures "gpu_failures" "GPU failures" "Requests that the GPU did not answer, and that the CPU answered."
    Window Error GpuWrongAnswers "gpu_wrong_answers" "wrong answers of the GPU" "Requests that the GPU answered wrongly; the CPU answered them and all later ones."
    Window Error GpuTiersGivenUp "gpu_tiers_given_up" "GPU tiers given up" "Forms of the shaders that answered wrongly when the GPU was opened."
    Publish Flow Rows "rows" "rows" "Rows published for the first time."
    Publish Flow Corrections "corrections" "corrections" "Rows published again with corrected values."
    Publish Flow WideRows "wide_rows" "wide rows" "Rows of wide windows published for the first time."
    Publish Flow WideCorrections "wide_corrections" "wide corrections" "Rows of wide windows published again with corrected values."
    Publish Gap FeedNotices "feed_notices" "feed stale or live again" "Times that publishers were told that the feed is stale or live again."
    Publish Flow FixSessionsAccepted "fix_sessions_accepted" "FIX sessions" "FIX sessions that logged on."
    Publish Flow FixMessagesIn "fix_messages_in" "FIX messages in" "FIX messages received."
    Publish Flow FixMessagesOut "fix_messages_out" "FIX messages out" "FIX messages sent."
    Publish Flow FixBytesOut "fix_bytes_out" "FIX bytes out" "Bytes sent over FIX."
    Publish Drop SlowReadersClosed "slow_readers_closed" "slow readers closed" "FIX sessions closed because they read too slowly."
    Publish Drop GarbledFixMessages "garbled_fix_messages" "garbled FIX messages" "FIX messages ignored because their frame or checksum is wrong."
    Publish Drop FixLogonsEvicted "fix_logons_evicted" "FIX connections evicted" "Connections closed before their logon to make room for newer ones."
    Publish Drop FixHandshakesRefused "fix_handshakes_refused" "TLS handshakes refused" "Connections closed because their TLS handshake failed."
    Publish Drop FixMarketDataDropped "fix_market_data_dropped" "FIX market data dropped" "Market data messages not sent because too many bytes waited for their session, which was closed."
    Publish Drop FixQueueDropped "fix_queue_dropped" "FIX messages beyond a gap dropped" "Messages of counterparties beyond a gap that did not fit the queue and were asked for again."
    Publish Drop FixRowsUnnamed "fix_rows_unnamed" "rows of unnamed windows" "Rows that were not published over FIX because their window has no name."
    Publish Flow FixConflated "fix_conflated" "FIX symbols conflated" "Times that a symbol was marked because a session was behind; its newest value went out later."
    Publish Flow FixTurnsCut "fix_turns_cut" "FIX turns cut short" "Times that a session's messages had to wait because those before them took long."
    Publish Flow FixRequestsRefused "fix_requests_refused" "FIX requests refused" "Market data requests that were refused, such as those beyond max_subscriptions."
    Publish Flow FixStoreWaits "fix_store_waits" "FIX messages that waited for the store" "Messages that waited for the store to reserve more numbers."
    Publish Error FixAcceptsFailed "fix_accepts_failed" "FIX connections not taken in" "Times that the system gave no connection although one waits, as where too many files are open."
    Publish Error FixRejects "fix_rejects" "FIX messages rejected" "Messages of counterparties that were answered with a Reject or BusinessMessageReject."
    Publish Error FixResendsRequested "fix_resends_requested" "FIX gaps of counterparties" "Gaps of counterparties that they were asked to fill."
    Publish Error FixSessionsSilent "fix_sessions_silent" "silent FIX sessions closed" "FIX sessions closed because nothing came from them for 2.4 heartbeat intervals."
    Publish Error FixCredentialsRefused "fix_credentials_refused" "FIX credentials refused" "Logons refused because their Username or Password was wrong; among the sessions refused."
    Publish Error FixSessionsRefused "fix_sessions_refused" "FIX sessions refused" "Connections closed because their logon was not acceptable."
}

impl Counter {
    fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }

    /// The name for machines, such as `lost_messages`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// The name for people; beside its place where it counts drops.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.facts().label
    }

    /// What is counted, in a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.facts().meaning
    }

    /// What a value above 0 means.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.facts().kind
    }

    /// The stage that counts.
    #[must_use]
    pub fn place(self) -> Place {
        self.facts().place
    }

    /// The counters of `kind`, in the order of the flow.
    pub fn of_kind(kind: Kind) -> impl Iterator<Item = Counter> {
        FACTS
            .iter()
            .filter(move |facts| facts.kind == kind)
            .map(|facts| facts.counter)
    }
}

/// The values of all counters, shared between threads. Reads of different counters are not one
/// snapshot while agents run.
#[derive(Debug)]
pub struct Counters {
    values: [AtomicU64; Counter::EACH.len()],
}

impl Counters {
    /// Counters at 0.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            values: std::array::from_fn(|_| AtomicU64::new(0)),
        })
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        if n > 0 {
            self.values[counter as usize].fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Replaces the value, for totals that a stage or the system keeps itself.
    #[inline]
    pub fn set(&self, counter: Counter, value: u64) {
        self.values[counter as usize].store(value, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    #[inline]
    pub fn get(&self, counter: Counter) -> u64 {
        self.values[counter as usize].load(Ordering::Relaxed)
    }

    /// The sum of everything that was dropped anywhere.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        Counter::of_kind(Kind::Drop)
            .map(|counter| self.get(counter))
            .fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_counter_is_told_apart_and_explained() {
        let ids: HashSet<_> = Counter::EACH.iter().map(|counter| counter.id()).collect();
        let labels: HashSet<_> = Counter::EACH
            .iter()
            .map(|counter| counter.label())
            .collect();
        assert_eq!(ids.len(), Counter::EACH.len());
        assert_eq!(labels.len(), Counter::EACH.len());
        for (index, counter) in Counter::EACH.into_iter().enumerate() {
            assert_eq!(counter as usize, index);
            assert_eq!(
                counter.facts().counter,
                counter,
                "facts stand in enum order"
            );
            assert!(counter.meaning().ends_with('.'), "{}", counter.id());
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
            assert!(counter.id().bytes().all(plain), "{}", counter.id());
        }
    }

    #[test]
    fn values_are_kept_apart() {
        let counters = Counters::new();
        counters.add(Counter::Messages, 2);
        counters.add(Counter::Messages, 3);
        counters.add(Counter::KernelDrops, 7);
        counters.set(Counter::KernelDrops, 4);
        counters.add(Counter::MalformedMessages, 1);
        counters.add(Counter::TimeBackwards, 9);
        assert_eq!(counters.get(Counter::Messages), 5);
        assert_eq!(counters.get(Counter::Gaps), 0);
        assert_eq!(counters.dropped(), 5, "4 by the kernel and 1 malformed");
    }
}
