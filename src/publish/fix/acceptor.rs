//! The listener and its connections, driven by the caller's duty cycle.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::connection::{Connection, Shared};
use super::market_data::{Desk, Market};
use super::outgoing::{Outgoing, Turn};
use super::request::TRADES;
use super::socket::Security;
use super::{AcceptorOptions, Clock, FixCounts, FixError, Store};
use crate::market::{Locate, Symbol, Timestamp, TradingStatus};
use crate::publish::{Publisher, TapeEvent, Update};
use crate::wire::fix::UtcText;

/// Connections accepted in one duty cycle.
const ACCEPTS_PER_DUTY: usize = 16;
/// Steps of TLS handshakes in one duty cycle: each may cost a signature.
const HANDSHAKES_PER_DUTY: usize = 4;
/// Bytes read from a socket at a time.
const CHUNK: usize = 16 * 1024;

/// A FIX acceptor that publishes market data to every subscriber.
///
/// It has no thread and no clock: call [`duty`](Self::duty) often, and
/// [`set_clock`](Self::set_clock) before each [`publish`](Publisher::publish). `publish` returns
/// when the update's bytes have been handed to every socket that takes them, so that the caller's
/// next reading of its clock is the time at which they were written.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    security: Security,
    options: Arc<AcceptorOptions>,
    connections: Vec<Connection>,
    market: Market,
    store: Store,
    counts: FixCounts,
    now: Clock,
    /// Monotonic time from which a password may be checked again.
    next_check_ns: u64,
    chunk: Vec<u8>,
    /// The feed's time, if single executions are offered.
    feed_time: Option<Timestamp>,
    finishing: bool,
}

impl Acceptor {
    /// Listens. `windows` are the names of the windows in the order of [`Row::window`].
    ///
    /// # Errors
    /// [`FixError`]: a setting out of range, an address beyond loopback with neither TLS nor
    /// `plain_text`, one that is in use or refused by the system, a certificate that cannot be used.
    ///
    /// [`Row::window`]: crate::window::Row::window
    pub fn bind(options: AcceptorOptions, windows: Vec<String>) -> Result<Self, FixError> {
        options.validate()?;
        let address = options.listen;
        let security = Security::new(&options)?;
        let refused = |error: io::Error| match error.kind() {
            ErrorKind::AddrInUse => FixError::AddressInUse { address },
            _ => FixError::Listen { address, error },
        };
        let listener = TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let store = Store::open(&options.store)?;
        let mut market = Market::new(&windows);
        market.offers_quotes = options.quotes;
        market.offers_trades = options.trades;
        Ok(Self {
            listener,
            security,
            options: Arc::new(options),
            connections: Vec::new(),
            market,
            store,
            counts: FixCounts::default(),
            now: Clock::default(),
            next_check_ns: 0,
            chunk: vec![0; CHUNK],
            feed_time: None,
            finishing: false,
        })
    }

    /// The address that is listened on, with the port that was found where 0 was asked for.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> FixCounts {
        let all = self.connections.iter();
        FixCounts {
            bytes_waiting: all.clone().map(Connection::waiting).sum(),
            bytes_held: all.map(Connection::held).sum(),
            ..self.counts
        }
    }

    /// Connections that are open, logged on or not.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Sessions that are logged on.
    #[must_use]
    pub fn sessions(&self) -> usize {
        let active = |connection: &&Connection| connection.is_active();
        self.connections.iter().filter(active).count()
    }

    /// Sets the time for what is done until the next call of this or of [`duty`](Self::duty).
    pub fn set_clock(&mut self, now: Clock) {
        self.now = now;
    }

    /// Accepts connections, reads, runs timers and writes, without waiting for anything. Returns how
    /// much there was to do: 0 means that the caller may rest.
    pub fn duty(&mut self, now: Clock) -> usize {
        self.now = now;
        let mut work = self.accept();
        self.each(|connection, shared| work += connection.run(shared));
        work
    }

    /// A store that fails ends the service: numbers could be used twice.
    fn check_store(&mut self) -> io::Result<()> {
        self.store
            .take_failure()
            .map_or(Ok(()), |failure| Err(io::Error::other(failure)))
    }

    /// Lets the connections go on for one of the milliseconds that are left.
    fn linger(&mut self, left_ms: &mut u64) {
        self.each(|connection, shared| {
            connection.run(shared);
        });
        std::thread::sleep(Duration::from_millis(1));
        *left_ms -= 1;
    }

    fn accept(&mut self) -> usize {
        let mut work = 0;
        while work < ACCEPTS_PER_DUTY && !self.finishing {
            let (stream, caller) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // A caller that has gone meanwhile.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    work += 1;
                    continue;
                }
                Err(_) => {
                    self.counts.accepts_failed += 1;
                    break;
                }
            };
            work += 1;
            if !self.make_room() {
                self.counts.connections_refused += 1;
                continue;
            }
            self.counts.connections += 1;
            let Ok(socket) = self.security.wrap(stream) else {
                self.counts.disconnects += 1;
                continue;
            };
            let connection = Connection::new(socket, caller.ip(), &self.options, self.now);
            self.connections.push(connection);
        }
        work
    }

    /// Whether there is room for one connection more, if need be in place of the oldest that has not
    /// logged on: who logs on at once gets in, however many others only connect.
    fn make_room(&mut self) -> bool {
        let has_not = |connection: &&Connection| connection.awaits_logon();
        let pending = self.connections.iter().filter(has_not).count();
        let is_full = self.connections.len() >= self.options.max_sessions;
        if !is_full && pending < self.options.max_pending_logons {
            return true;
        }
        let oldest = self.connections.iter().position(|one| one.awaits_logon());
        if let Some(oldest) = oldest {
            self.connections.remove(oldest);
            self.counts.logons_evicted += 1;
            self.counts.disconnects += 1;
        }
        oldest.is_some()
    }

    /// Lets the desk tell every session that has subscribed to something.
    fn tell(&mut self, say: impl Fn(&mut Desk<'_>, &mut Outgoing, &mut Turn<'_>)) {
        self.each(|connection, shared| connection.tell(shared, &say));
    }

    /// Calls `act` with each connection and drops those that have closed.
    fn each(&mut self, mut act: impl FnMut(&mut Connection, &mut Shared<'_>)) {
        let mut shared = Shared {
            now: self.now,
            time: UtcText::new(self.now.utc_ns),
            market: &mut self.market,
            store: &mut self.store,
            counts: &mut self.counts,
            next_check_ns: &mut self.next_check_ns,
            handshakes: HANDSHAKES_PER_DUTY,
            chunk: &mut self.chunk,
        };
        for connection in &mut self.connections {
            act(connection, &mut shared);
        }
        let before = self.connections.len();
        self.connections
            .retain(|connection| !connection.is_closed());
        self.counts.disconnects += (before - self.connections.len()) as u64;
    }
}

impl Publisher for Acceptor {
    fn name(&self) -> String {
        "FIX".to_owned()
    }

    fn wants_tops(&self) -> bool {
        self.options.quotes
    }

    fn wants_trades(&self) -> bool {
        self.options.trades
    }

    /// Encodes the executions once and writes them to every session that has subscribed to them.
    fn trades(&mut self, time: Timestamp, events: &[TapeEvent]) -> io::Result<()> {
        self.feed_time = Some(time);
        let mut subscribers = self.connections.iter().map(Connection::subscriber);
        if !events.is_empty() && subscribers.any(|one| one.types() & TRADES != 0) {
            self.market.absorb_trades(events);
            self.tell(|desk, outgoing, turn| desk.spread(outgoing, turn));
        }
        self.check_store()
    }

    fn fix_counts(&self) -> Option<FixCounts> {
        Some(self.counts())
    }

    fn duty(&mut self, now: Clock) -> io::Result<bool> {
        let work = Acceptor::duty(self, now);
        self.check_store()?;
        Ok(work > 0)
    }

    fn set_clock(&mut self, now: Clock) {
        Acceptor::set_clock(self, now);
    }

    fn listing(&mut self, locate: Locate, symbol: Symbol) {
        self.market.list(locate, symbol);
    }

    fn feed_state(&mut self, stale: bool) {
        if self.market.set_stale(stale) {
            self.tell(|desk, outgoing, turn| desk.tell_state(outgoing, turn));
        }
    }

    fn trading_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        self.market.keep_statuses(changes);
        self.tell(|desk, outgoing, turn| desk.tell_statuses(changes, outgoing, turn));
    }

    /// Encodes the update once and writes it to every session that has subscribed to some of it.
    /// A session that fails is closed and counted; that is no error of the publisher.
    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        let subscribers = self.connections.iter().map(Connection::subscriber);
        let wanted = subscribers.fold(0, |all, one| all | one.types());
        self.counts.rows_unnamed += self.market.absorb(update, wanted);
        if wanted != 0 {
            self.tell(|desk, outgoing, turn| desk.spread(outgoing, turn));
        }
        self.check_store()
    }

    /// Lets readers that are behind have their newest values, sends Logout to every session and waits
    /// until all have answered it or left; `linger_ms` at most. No connection is accepted after this.
    fn finish(&mut self) -> io::Result<()> {
        self.finishing = true;
        let mut left_ms = self.options.linger_ms;
        let is_behind = |connection: &Connection| connection.subscriber().is_behind();
        while left_ms > 0 && self.connections.iter().any(is_behind) {
            self.linger(&mut left_ms);
        }
        if let Some(time) = self.feed_time {
            self.each(|connection, shared| connection.tell_end(time, shared));
        }
        self.each(|connection, shared| connection.leave("end of session", shared));
        while left_ms > 0 && !self.connections.is_empty() {
            self.linger(&mut left_ms);
        }
        self.each(Connection::close);
        self.store.commit();
        self.check_store()
    }
}
