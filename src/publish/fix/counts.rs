//! What the acceptor has done.

/// Totals since the acceptor was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixCounts {
    /// Connections accepted.
    pub connections: u64,
    /// Times that the system gave no connection although one waits, as where too many files are open.
    pub accepts_failed: u64,
    /// Connections closed at once because all places were taken.
    pub connections_refused: u64,
    /// Sessions that logged on.
    pub logons: u64,
    /// Connections closed before a logon succeeded: not a Logon, wrong names, time off, too late.
    pub logons_refused: u64,
    /// Of these, Logons whose Username or Password was wrong.
    pub credentials_refused: u64,
    /// Connections closed before their Logon to make room for newer ones.
    pub logons_evicted: u64,
    /// Connections closed because their TLS handshake failed.
    pub handshakes_refused: u64,
    /// Connections that ended, whatever the reason.
    pub disconnects: u64,
    /// Times that a session's messages were left for later, because those before them were many or
    /// took long answers.
    pub turns_cut: u64,
    /// Bytes received that are held now: messages that wait and parts of such; no total.
    pub bytes_held: u64,
    /// Whole messages received.
    pub messages_received: u64,
    /// Stretches of bytes skipped because they were no message.
    pub garbled: u64,
    /// Messages written into the outgoing buffers.
    pub messages_sent: u64,
    /// Bytes that the system took for sending.
    pub bytes_written: u64,
    /// Bytes that wait now for the system to take them; no total.
    pub bytes_waiting: u64,
    /// Reject and BusinessMessageReject messages sent.
    pub rejects: u64,
    /// ResendRequests sent.
    pub resends_requested: u64,
    /// Messages beyond a gap that did not fit the queue and must be sent again.
    pub queue_dropped: u64,
    /// Market data requests accepted, unsubscriptions included.
    pub requests: u64,
    /// Market data requests refused (35=Y).
    pub requests_refused: u64,
    /// Market data snapshots sent (35=W).
    pub snapshots: u64,
    /// Trading states of symbols sent (35=f).
    pub statuses: u64,
    /// Incremental refreshes sent (35=X).
    pub increments: u64,
    /// Market data messages not sent because the session's outgoing buffer was full; each such
    /// session is closed and counted in `slow_readers`.
    pub market_data_dropped: u64,
    /// Symbols that were marked because a session was behind; their newest values go out later.
    pub conflated: u64,
    /// Sessions closed because their outgoing buffer was full, or bytes waited in it for too long.
    pub slow_readers: u64,
    /// Sessions closed because nothing came from them for 2.4 heartbeat intervals.
    pub silent: u64,
    /// Messages that waited for the store to reserve more numbers.
    pub store_waits: u64,
    /// Rows whose window has no name, so that they could not be published.
    pub rows_unnamed: u64,
}
