//! MoldUDP64 1.00: numbered messages in datagrams, both ways.
//!
//! A downstream packet is a 20-byte header (Session 10 bytes ASCII, Sequence u64, Count u16, all
//! big-endian) and Count blocks of `Length u16 | data`. Count 0 is a heartbeat and 0xFFFF the end
//! of the session; both carry the number of the message that would come next. A request to a
//! re-request server is the header alone: Session, first message wanted, how many.
//!
//! What the specification leaves open is decided here, strictly, because a packet that is wrong in
//! one place is not to be trusted in another; a refused packet shows up as a hole and is asked for
//! again. Each refusal is a [`MoldError`] of its own:
//!
//! - Count above 0 and nothing behind the header is a request that was echoed.
//! - Fewer blocks than Count, bytes behind the last block, bytes behind a heartbeat, a Length past
//!   the end of the datagram: refused as a whole; no message of such a packet is used.
//! - 0xFFFF with bytes behind it: 65,535 blocks cannot fit a datagram, so it is neither an end nor data.
//! - Sequence 0 names no message; a packet after whose last message no number is left is refused too.
//! - A block of Length 0 is a message without bytes and consumes its number.

mod builder;
mod downstream;
mod header;
mod request;

pub use builder::{DEFAULT_PAYLOAD_LIMIT, MAX_MESSAGE, MAX_PAYLOAD, PacketBuilder, Pushed};
pub use downstream::{Block, Blocks, Downstream, Kind, MoldError, parse};
pub use header::{
    END_OF_SESSION, HEADER_LENGTH, Header, SessionId, SessionIdError, session_id, session_text,
};
pub use request::{MAX_REQUEST_COUNT, Request, RequestError};
