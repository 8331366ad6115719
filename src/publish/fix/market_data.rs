//! Market data over FIX: what is asked for, what is answered, how a value says what it is.
//!
//! **Asking.** A MarketDataRequest (35=V) with 263=0 gets a snapshot, with 263=1 a snapshot and then
//! increments, with 263=2 and the same 262 it ends them. 146 and 55 name the symbols; the symbol `*`
//! stands for all of them, also those that the feed lists later. 267 and 269 name the entry types:
//! 9 VWAP, B volume, 4 open, 7 high, 8 low, 5 close and 2 last (the close again) of every window; 0 bid
//! and 1 offer of the book. 264 must be 1, or 0 where neither bid nor offer is asked for; 265 must be
//! 1 or absent. The group 386/336 may narrow the windows to those it names; without it all come.
//!
//! **Single trades.** Where the acceptor offers them (`trades = true`), the name `trades` in 336 asks for
//! every execution as an entry 269=2 of 35=X with 278 its match number, 270, 271, 273 the feed's time and
//! 58 the ITCH type (`E` for E and C, `P`, `Q`); bid and offer may be asked for with them. 279=2 with the
//! 278 alone takes an execution back. What was before the subscription is not told. Such a subscription
//! is not conflated: a reader that is too slow is logged out. When the feed ends, 35=h with 340=3 says
//! its last time in 345, of which only the time of day counts.
//!
//! **Which window.** Every entry but bid and offer carries the name of its window, as it was
//! configured (`1s`, `session`), in 282 MDEntryOriginator: free text in 35=W and in 35=X of FIX 4.4
//! and of FIX 5.0 SP2, where 336 TradingSessionID, which would also fit, is a closed list. The end of
//! the window, exclusive, is 273 MDEntryTime on the feed's own clock. An entry's key is thus (55,
//! 282, 273, 269), and the newest one holds for (55, 282, 269).
//!
//! **Completeness and corrections.** 58 of an entry is absent for a complete value; `incomplete`
//! means that a sequence gap overlaps the window, `revision N` that the row of that end has been
//! corrected N times, and both may stand together (`incomplete revision 2`). In 35=X, 279=0 is a new
//! end, 279=1 a corrected one, and 279=2 says that nothing is left in the window: such an entry has
//! neither price nor size. For bid and offer 279 says that the side appeared, changed or emptied.
//!
//! **Answers.** 35=W holds one symbol: its newest entries (0 entries if a symbol was named that has
//! none yet; with `*` such symbols are left out). 35=X holds at most 256 entries; an update with more
//! takes several. Prices have four decimals, VWAP six, rounded half to even. What is not served is
//! refused with 35=Y and a reason in 281 and 58; a request is taken or refused as a whole.
//!
//! **Staleness.** While messages of the feed are missing (they are asked for again meanwhile) or it is
//! silent, values may be old: subscribers get 35=h with 340=0 (unknown) when that begins and 340=2
//! (open) when it is over, and whoever subscribes meanwhile gets the former first. 336 is 1 (day), the
//! only session that stands in every dictionary.
//!
//! **Trading states.** 35=f says that a symbol is halted or paused (326=2), only quoted (5) or trades
//! again (3), since when (60), and, but for FIX 4.2, by which ITCH state and reason (58: `P LUDP`). The
//! newest is told when a subscription begins; a symbol of which none is told is trading.

use std::collections::{BTreeMap, HashMap};

use bytes::BytesMut;

use super::conflate::{Behind, CatchUp};
use super::entries::Entries;
use super::outgoing::{Application, Outgoing, Turn};
use super::reject::Fault;
use super::request::{BOOK, EntryTypes, NoRequest, Refusal, Request, Symbols, TRADES, Wish};
use super::selection::Selections;
use super::snapshot::{Newest, put_head};
use super::subscription::{Coverage, Interest, Interests, Subscriber, Subscription};
use super::{FixCounts, Version};
use crate::market::{Locate, Symbol, TradingStatus};
use crate::publish::Update;
use crate::wire::fix::{Body, Message, tag};

/// Bytes that may gather before the socket is offered them.
const DRAIN_FROM: usize = 64 * 1024;

/// Rows that are encoded, and messages that are sent, between two occasions for other threads to have the
/// core: some 100 us. The rows of an end may take milliseconds, and where cores are few it is the feed
/// that waits.
const ROWS_IN_A_TURN: usize = 512;
const MESSAGES_IN_A_TURN: usize = 8;

/// Hands what the socket takes of an outgoing buffer to it, and counts the bytes.
pub(super) type Drain<'a> = dyn FnMut(&mut BytesMut, &mut FixCounts) + 'a;

/// Drains a buffer that has become long, so that one large update does not look like a slow reader.
pub(super) fn relieve(turn: &mut Turn<'_>, drain: &mut Drain<'_>) {
    if turn.out.len() >= DRAIN_FROM {
        turn.store.commit();
        drain(turn.out, turn.counts);
    }
}

/// Everything that can be asked for, and the update that is going out.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) windows: Vec<Box<[u8]>>,
    symbols: HashMap<Symbol, Locate>,
    labels: Vec<Option<Symbol>>,
    pub(super) newest: Newest,
    pub(super) catch_up: CatchUp,
    pub(super) entries: Entries,
    pub(super) selections: Selections,
    /// Whether bids and offers are served.
    pub(super) offers_quotes: bool,
    /// Whether single executions are served.
    pub(super) offers_trades: bool,
    interests: Interests,
    /// Entries of one message.
    group: Body,
    /// What stands before them.
    pub(super) head: Body,
    /// Whether messages of the feed are missing or it is silent.
    stale: bool,
    /// The newest trading state of each symbol of which one was told.
    pub(super) statuses: BTreeMap<Locate, (Symbol, TradingStatus)>,
}

impl Market {
    pub(super) fn new(windows: &[String]) -> Self {
        Self {
            windows: windows.iter().map(|name| name.as_bytes().into()).collect(),
            symbols: HashMap::new(),
            labels: Vec::new(),
            newest: Newest::new(windows.len()),
            catch_up: CatchUp::default(),
            entries: Entries::default(),
            selections: Selections::default(),
            offers_quotes: true,
            offers_trades: false,
            interests: Interests::default(),
            group: Body::default(),
            head: Body::default(),
            stale: false,
            statuses: BTreeMap::new(),
        }
    }

    pub(super) fn list(&mut self, locate: Locate, symbol: Symbol) {
        if self.labels.len() <= locate.index() {
            self.labels.resize(locate.index() + 1, None);
        }
        self.labels[locate.index()] = Some(symbol);
        self.symbols.insert(symbol, locate);
    }

    /// Whether `symbol` is listed.
    pub(super) fn lists(&self, symbol: &Symbol) -> bool {
        self.symbols.contains_key(symbol)
    }

    /// All listed symbols, by locate.
    pub(super) fn listed(&self) -> Vec<Symbol> {
        self.labels.iter().copied().flatten().collect()
    }

    /// Takes note of the feed's state. Whether it has changed.
    pub(super) fn set_stale(&mut self, stale: bool) -> bool {
        std::mem::replace(&mut self.stale, stale) != stale
    }

    /// Keeps the newest values of `update` and encodes its entries of the types in `wanted`. Returns
    /// how many rows had a window without a name.
    pub(super) fn absorb(&mut self, update: &Update<'_>, wanted: EntryTypes) -> u64 {
        self.entries.clear();
        self.selections.clear();
        let mut unnamed = 0;
        for (index, row) in update.rows.iter().enumerate() {
            if index % ROWS_IN_A_TURN == ROWS_IN_A_TURN - 1 {
                std::thread::yield_now();
            }
            let Some(name) = self.windows.get(usize::from(row.window)) else {
                unnamed += 1;
                continue;
            };
            self.newest.keep_row(&row);
            if wanted & !BOOK != 0 {
                self.entries.add_row(&row, name, wanted);
            }
        }
        for &(locate, symbol, top) in update.tops {
            let before = self.newest.keep_top(locate, symbol, top, update.time);
            let who = (locate, symbol);
            self.entries
                .add_top(who, before, &top, update.time.0, wanted);
        }
        unnamed
    }

    /// Sends one 35=W for each symbol of `subscription`; those without a value only if `named`.
    fn snapshot(
        &mut self,
        subscription: &Subscription,
        named: &[Locate],
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
        drain: &mut Drain<'_>,
    ) {
        match subscription.interest.coverage {
            Coverage::Universe => {
                for locate in self.newest.locates() {
                    self.snapshot_of(locate, false, subscription, outgoing, turn);
                    relieve(turn, drain);
                }
            }
            Coverage::Some(_) => {
                for &locate in named {
                    self.snapshot_of(locate, true, subscription, outgoing, turn);
                    relieve(turn, drain);
                }
            }
        }
    }

    fn snapshot_of(
        &mut self,
        locate: Locate,
        even_empty: bool,
        subscription: &Subscription,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) {
        let (group, head) = (&mut self.group, &mut self.head);
        group.clear();
        let interest: &Interest = &subscription.interest;
        let found = self.newest.put(locate, interest, &self.windows, group);
        let listed = self.labels.get(locate.index()).copied().flatten();
        let (symbol, count) = match (found, listed) {
            (Some((_, count)), Some(symbol)) | (Some((symbol, count)), None) => (symbol, count),
            (None, Some(symbol)) => (symbol, 0),
            (None, None) => return,
        };
        if count == 0 && !even_empty {
            return;
        }
        if turn.is_full() {
            turn.counts.market_data_dropped += 1;
            return;
        }
        head.clear();
        let updated = (outgoing.version == Version::Fix50Sp2).then_some(&turn.time);
        put_head(head, &subscription.id, &symbol, count, updated);
        let sum = head.sum().wrapping_add(group.sum());
        outgoing.send(b"W", &[head.bytes(), group.bytes()], sum, turn);
        turn.counts.snapshots += 1;
    }

    /// The locates of the symbols that are asked for by name, each once.
    fn locates(&self, symbols: &[Symbol]) -> Result<Vec<Locate>, Refusal> {
        let mut locates = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            locates.push(*self.symbols.get(symbol).ok_or(Refusal::UnknownSymbol)?);
        }
        locates.sort_unstable();
        locates.dedup();
        Ok(locates)
    }
}

/// The market, seen by one session.
pub(super) struct Desk<'a> {
    pub(super) market: &'a mut Market,
    pub(super) subscriber: &'a mut Subscriber,
    pub(super) max_subscriptions: usize,
    pub(super) drain: &'a mut Drain<'a>,
}

impl Desk<'_> {
    /// Sends the entries of the last update, in the messages of each subscription, and drains the
    /// outgoing buffer meanwhile. While the socket is full their symbols are marked instead.
    pub(super) fn spread(&mut self, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        let Market {
            entries,
            selections,
            head,
            ..
        } = &mut *self.market;
        for subscription in &mut self.subscriber.subscriptions {
            let selection = selections.of(entries, &subscription.interest);
            let conflates = subscription.interest.types & TRADES == 0;
            for (index, group) in selection.groups().iter().enumerate() {
                if index % MESSAGES_IN_A_TURN == MESSAGES_IN_A_TURN - 1 {
                    std::thread::yield_now();
                }
                if conflates && (turn.is_behind() || !subscription.behind.is_empty()) {
                    let marked = entries.mark(subscription, group.first, group.last);
                    turn.counts.conflated += marked;
                    continue;
                }
                head.clear();
                head.text(tag::MD_REQ_ID, &subscription.id);
                head.uint(tag::NO_MD_ENTRIES, group.count as u64);
                let sum = head.sum().wrapping_add(group.sum);
                let parts = [head.bytes(), selection.bytes(group)];
                outgoing.send(b"X", &parts, sum, turn);
                turn.counts.increments += 1;
                relieve(turn, self.drain);
            }
        }
    }

    /// Says in which state the feed is: 35=h, 340=0 while it is stale, 340=2 when it is live.
    pub(super) fn tell_state(&mut self, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        let body = &mut self.market.head;
        let (status, text): (u8, &[u8]) = match self.market.stale {
            true => (b'0', b"stale: messages of the feed are missing or late"),
            false => (b'2', b"live"),
        };
        body.clear();
        body.char(tag::TRADING_SESSION_ID, b'1');
        body.flag(tag::UNSOLICITED_INDICATOR, true);
        body.char(tag::TRAD_SES_STATUS, status);
        body.text(tag::TEXT, text);
        outgoing.send_body(b"h", body, turn);
    }

    /// Fulfils a request, or says why not.
    fn fulfil(
        &mut self,
        request: &Request<'_>,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) -> Result<(), Refusal> {
        let subscriptions = &mut self.subscriber.subscriptions;
        let known = subscriptions.iter().position(|one| *one.id == *request.id);
        if request.wish == Wish::Unsubscribe {
            subscriptions.remove(known.ok_or(Refusal::NothingToEnd)?);
            return Ok(());
        }
        if request.types & TRADES != 0 && !self.market.offers_trades {
            return Err(Refusal::Window);
        }
        if request.types & BOOK != 0 && !self.market.offers_quotes {
            return Err(Refusal::EntryType);
        }
        if known.is_some() {
            return Err(Refusal::DuplicateId);
        }
        if request.wish == Wish::Subscribe && subscriptions.len() >= self.max_subscriptions {
            return Err(Refusal::TooManySubscriptions);
        }
        let (coverage, named) = match &request.symbols {
            Symbols::Universe => (Coverage::Universe, Vec::new()),
            Symbols::Named(symbols) => {
                let locates = self.market.locates(symbols)?;
                (Coverage::of(locates.iter().copied()), locates)
            }
        };
        let interests = &mut self.market.interests;
        let interest = interests.share(request.types, &request.windows, coverage);
        let subscription = Subscription {
            id: request.id.into(),
            interest,
            behind: Behind::default(),
        };
        if self.market.stale {
            self.tell_state(outgoing, turn);
        }
        self.tell_standing(
            &subscription.interest.coverage,
            request.wish,
            outgoing,
            turn,
        );
        self.market
            .snapshot(&subscription, &named, outgoing, turn, self.drain);
        if request.wish == Wish::Subscribe {
            self.subscriber.subscriptions.push(subscription);
        }
        Ok(())
    }
}

impl Application for Desk<'_> {
    fn request(
        &mut self,
        message: &Message<'_>,
        outgoing: &mut Outgoing,
        turn: &mut Turn<'_>,
    ) -> Result<(), Fault> {
        let done = match Request::read(message, &self.market.windows) {
            Ok(request) => self.fulfil(&request, outgoing, turn),
            Err(NoRequest::Refused(refusal)) => Err(refusal),
            Err(NoRequest::Fault(fault)) => return Err(fault),
        };
        let Err(refusal) = done else {
            turn.counts.requests += 1;
            return Ok(());
        };
        turn.counts.requests_refused += 1;
        let body = &mut self.market.head;
        body.clear();
        body.text(
            tag::MD_REQ_ID,
            message.get(tag::MD_REQ_ID).unwrap_or_default(),
        );
        if let Some(code) = refusal.code(outgoing.version) {
            body.char(tag::MD_REQ_REJ_REASON, code);
        }
        body.text(tag::TEXT, refusal.text().as_bytes());
        outgoing.send_body(b"Y", body, turn);
        Ok(())
    }

    fn list(&mut self, message: &Message<'_>, outgoing: &mut Outgoing, turn: &mut Turn<'_>) {
        self.list_securities(message, outgoing, turn);
    }
}
