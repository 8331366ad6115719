//! The two ends of an engine under test: packets that are told when to come, rows that are kept.

use std::collections::VecDeque;
use std::io;

use widetape::buffer::Buffer;
use widetape::feed::{FeedError, Framing, Packet, Poll, Source};
use widetape::market::{Locate, Price, Symbol, Timestamp, TradingStatus};
use widetape::publish::{Publisher, Update};
use widetape::window::Row;
use widetape::wire::itch50::{self, TradeFields};
use widetape::wire::moldudp64::{Header, PacketBuilder, Pushed, SessionId};

/// The session of packed messages.
pub(crate) const SESSION: SessionId = *b"DAY       ";

/// A source that hands out prepared packets, each not before its time.
pub(crate) struct Scripted {
    /// Time on the caller's clock, and what is there then.
    pub(crate) packets: VecDeque<(u64, Packet)>,
    /// Packets that one poll brings at most.
    pub(crate) at_most: usize,
    pub(crate) live: bool,
}

impl Source for Scripted {
    fn poll(&mut self, now_ns: u64, packets: &mut Vec<Packet>) -> Result<Poll, FeedError> {
        let before = packets.len();
        while packets.len() - before < self.at_most
            && self.packets.front().is_some_and(|&(due, _)| due <= now_ns)
        {
            packets.extend(self.packets.pop_front().map(|(_, packet)| packet));
        }
        Ok(match (packets.len() > before, self.packets.is_empty()) {
            (true, _) => Poll::Ready,
            (false, true) => Poll::End,
            (false, false) => Poll::Idle,
        })
    }

    fn is_live(&self) -> bool {
        self.live
    }
}

/// A packet that has come by `line` and lived in no pool.
pub(crate) fn packet(bytes: &[u8], line: u8, framing: Framing) -> Packet {
    Packet {
        bytes: Buffer::detached(bytes),
        received_ns: 0,
        line,
        framing,
    }
}

/// A trade of 100 AAPL at 150 USD (ITCH P) at `time_ns` of the feed.
pub(crate) fn trade(time_ns: u64, match_number: u64) -> Vec<u8> {
    let header = itch50::Header {
        locate: Locate(1),
        tracking_number: 0,
        timestamp: Timestamp(time_ns),
    };
    let mut message = Vec::new();
    TradeFields {
        reference: 0,
        buy_sell_indicator: b'B',
        shares: 100,
        stock: Symbol::new("AAPL").expect("a symbol"),
        price: Price(1_500_000),
        match_number,
    }
    .emit(&header, &mut message);
    message
}

/// Messages as MoldUDP64 packets, `size(n)` messages in the n-th; `None` is a number whose message
/// is missing. The end of the session closes the list.
pub(crate) fn pack(messages: &[Option<Vec<u8>>], mut size: impl FnMut() -> usize) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut builder = PacketBuilder::new(SESSION, 60_000);
    let mut room = size();
    for (sequence, message) in (1..).zip(messages) {
        if message.is_none() || usize::from(builder.count()) >= room {
            if builder.count() > 0 {
                packets.push(builder.packet().to_vec());
            }
            builder.start(sequence + u64::from(message.is_none()));
            room = size();
        }
        if let Some(message) = message {
            assert_eq!(builder.push(message), Pushed::Added);
        }
    }
    if builder.count() > 0 {
        packets.push(builder.packet().to_vec());
    }
    let end = Header::end_of_session(SESSION, messages.len() as u64 + 1);
    packets.push(end.to_bytes().to_vec());
    packets
}

/// Keeps every row with the time of its update, and every trading state; counts the names told.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rows: Vec<(Timestamp, Row)>,
    pub(crate) statuses: Vec<(Symbol, TradingStatus)>,
    pub(crate) listings: usize,
    pub(crate) finished: bool,
}

impl Publisher for Kept {
    fn name(&self) -> String {
        "kept".to_owned()
    }

    fn listing(&mut self, _locate: Locate, _symbol: Symbol) {
        self.listings += 1;
    }

    fn trading_statuses(&mut self, changes: &[(Symbol, TradingStatus)]) {
        self.statuses.extend(changes);
    }

    fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
        self.rows
            .extend(update.rows.iter().map(|row| (update.time, row)));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.finished = true;
        Ok(())
    }
}
