//! FIX tag=value messages: framing, a checked view, field values and an encoder. Pure.
//!
//! [`next_frame`] finds the next message in a byte stream and checks BeginString, BodyLength, the
//! place of MsgType and CheckSum; a [`Message`] then borrows from the stream and walks its fields
//! in order, repeats included, so that groups can be read. [`Body`] collects the fields that every
//! receiver of a message shares, with their byte sum; [`seal`] adds the header and trailer of one
//! session without touching the body again. Which fields a message needs is not known here.
//!
//! Source: FIX 4.4 volumes 1 and 2 (message format, session protocol).

pub mod tag;

mod encode;
mod frame;
mod market_data;
mod message;
#[cfg(test)]
mod plain;
mod status;
mod value;
mod version;
mod word;

pub use encode::{Body, Envelope, byte_sum, seal};
pub use frame::{Frame, Garbled, MAX_MESSAGE_BYTES, next_frame};
pub use market_data::{MdEntries, MdEntry};
pub use message::{Field, FieldFault, Fields, Message};
pub use status::{put_status, status_of};
pub use value::{Digits, UtcText, parse_bool, parse_decimal, parse_time, parse_uint, parse_utc};
pub use version::Version;
