//! Rows as text: CSV and JSON lines for programs, an aligned table for people.
//!
//! One [`Writer`] gathers rows in memory and hands them on in large pieces; a [`Layout`] says how a
//! row looks. All layouts have the columns of [`COLUMNS`], in that order. Nothing is allocated and
//! no formatting machinery runs for a row, but for a table's time beyond a hundred hours.

mod csv;
mod format;
mod jsonl;
mod table;
mod value;
mod writer;

pub use csv::Csv;
pub use format::{Format, FormatError};
pub use jsonl::Jsonl;
pub use table::Table;
pub use writer::{Layout, Writer};

pub(super) use value::push_clock;
pub(super) use writer::no_such_window;

/// The columns of a row, in their order.
pub const COLUMNS: [&str; 14] = [
    "end_ns", "symbol", "window", "vwap", "volume", "notional", "trades", "open", "high", "low",
    "close", "complete", "revision", "policy",
];
