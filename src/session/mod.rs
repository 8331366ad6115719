//! One ordered stream out of lossy lines, pure: time is an argument.
//!
//! [`Sequencer`] takes the packets of lines A and B and of the re-request server, in any order and
//! any number of copies, and hands on each message once, in order, or declares it lost. The key is
//! (session, sequence). [`Arbiter`] measures which line was first and by how much. [`Rerequester`]
//! watches the open holes and says what to ask for again; the answers are ordinary packets.

mod arbiter;
mod counts;
mod held;
mod holes;
mod options;
mod rerequest;
mod sequencer;

pub use arbiter::{Arbiter, LineRace};
pub use counts::{LineCounts, MalformedCounts, RETRANSMISSION, SequencerCounts};
pub use holes::Hole;
pub use options::{Join, RerequestOptions, SequencerOptions};
pub use rerequest::{RerequestCounts, Rerequester};
pub use sequencer::{Delivery, Sequencer};
