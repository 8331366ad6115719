//! Bytes to values and back, pure: no I/O, no clock, no allocation while parsing.
//!
//! One protocol, one file or folder. Those whose fields have fixed places have the same parts in the same
//! order: field offsets, checked view, parse, emit, tests. A view's length is checked once; after that its
//! accessors cannot fail.

pub mod binaryfile;
pub mod fix;
pub mod ipv4_udp;
pub mod itch50;
pub mod moldudp64;
