//! Exact window analytics over the whole universe of symbols of an exchange feed.
//!
//! Lossy packets become one ordered stream, the stream becomes columns, the columns become exact
//! window sums, and the sums leave over FIX:
//!
//! ```text
//! feed ──▶ session ──▶ wire ──▶ book ──▶ columns ──▶ window ──▶ cpu │ gpu ──▶ publish
//! ```
//!
//! | stage | what it does |
//! |---|---|
//! | [`feed`] | packets from sockets, captures, files, a synthetic day |
//! | [`session`] | one ordered stream out of lossy lines |
//! | [`wire`] | bytes to values and back: MoldUDP64, ITCH 5.0, FIX |
//! | [`book`] | prices executions, knows best bids and offers |
//! | [`columns`] | executions and quotes as structure of arrays |
//! | [`window`] | which rows exist and what they hold, whoever computes them |
//! | [`cpu`] | the kernels: scalar (the oracle), simd, parallel |
//! | `gpu` | the same answers on a GPU; feature "gpu", on by default |
//! | [`publish`] | FIX, CSV, JSON lines, tables |
//!
//! [`market`] is the vocabulary, [`buffer`] lends the bytes, [`engine`] joins the stages with threads
//! and channels, [`metrics`] counts, [`config`] and [`cli`] are the command.
//!
//! All sums are integers, so streaming, batch and every backend agree to the last bit.
//!
//! # Embedding
//!
//! An engine needs a [`Source`] of packets and at least one [`Publisher`] of rows:
//!
//! ```
//! use std::io;
//! use widetape::buffer::Pool;
//! use widetape::market::{Locate, Symbol, Timestamp};
//! use widetape::wire::{binaryfile, itch50};
//! use widetape::{Clock, Engine, MemorySource, Options, Publisher, Row, Shared, Spec, Update};
//!
//! #[derive(Default)]
//! struct Rows(Vec<Row>);
//!
//! impl Publisher for Rows {
//!     fn name(&self) -> String {
//!         "rows".to_owned()
//!     }
//!     fn listing(&mut self, _: Locate, _: Symbol) {}
//!     fn publish(&mut self, update: &Update<'_>) -> io::Result<()> {
//!         self.0.extend(update.rows);
//!         Ok(())
//!     }
//!     fn finish(&mut self) -> io::Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! // One hidden execution: 100 shares of AAPL at 150.0000 USD, at 09:30.
//! let header = itch50::Header {
//!     locate: Locate(13),
//!     tracking_number: 0,
//!     timestamp: Timestamp(34_200_000_000_000),
//! };
//! let mut message = Vec::new();
//! itch50::TradeFields {
//!     reference: 0,
//!     buy_sell_indicator: b'B',
//!     shares: 100,
//!     stock: Symbol::new("AAPL").unwrap(),
//!     price: widetape::market::Price(1_500_000),
//!     match_number: 1,
//! }
//! .emit(&header, &mut message);
//! let mut blocks = Vec::new();
//! binaryfile::emit(&message, &mut blocks).unwrap();
//!
//! let mut source = MemorySource::default();
//! source.push_blocks(&blocks);
//! let rows = Shared::new(Rows::default());
//! let spec = Spec { windows: vec!["1m".parse().unwrap()], ..Spec::default() };
//! let engine =
//!     Engine::new(Box::new(source), vec![Box::new(rows.clone())], Options::new(spec)).unwrap();
//! let (_summary, outcome) = engine.run_inline(&Clock::machine(), None);
//! outcome.unwrap();
//!
//! let rows = rows.lock();
//! assert_eq!(rows.0.len(), 1);
//! assert_eq!(rows.0[0].symbol.name(), "AAPL");
//! assert_eq!(rows.0[0].sums.notional.get(), 150_000_000);
//! ```

pub mod book;
pub mod buffer;
pub mod cli;
pub mod columns;
pub mod config;
pub mod cpu;
pub mod engine;
pub mod feed;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod market;
pub mod memory;
pub mod metrics;
pub mod publish;
pub mod session;
pub mod window;
pub mod wire;

pub use buffer::{Framing, Packet, Pool};
pub use engine::{
    Backend, Chain, Clock, Cores, Engine, Error, Mode, Options, PlacementError, Recovery,
    RecoveryOptions, Summary, ThreadOptions, Topology, Wait, Wide,
};
pub use feed::sender::{Loss, Sender, SenderOptions, Speed, Tape};
pub use feed::{
    FILE_BUFFER_BYTES, FeedCounts, FeedError, FixFeedOptions, FixSource, Impair, ItchFile,
    MemorySource, Poll, Profile, Receive, Source, SyntheticDay, SyntheticOptions, UdpOptions,
    UdpSource, multicast_sender, open_any,
};
#[cfg(feature = "gpu")]
pub use gpu::{AdapterSummary, GpuOptions, Tier as GpuTier, adapters};
pub use market::{Duration, Locate, NANOS_PER_SECOND, Symbol};
pub use publish::fix::{Acceptor, AcceptorOptions, FixError, PasswordHash};
pub use publish::text::Format;
pub use publish::{LiveTable, Newest, Now, Only, Publisher, Shared, Update};
pub use session::{RerequestOptions, SequencerOptions};
pub use window::{
    Corrections, Measure, Policy, Row, Rows, Selection, Spec, Wanted, Width, Window, vwap_micros,
};
pub use wire::binaryfile::Blocks;
pub use wire::moldudp64::session_id;
pub use wire::{fix, itch50, moldudp64};
