//! The live view: the newest figures of every symbol, redrawn in place on a terminal or told in one
//! plain line a second elsewhere.
//!
//! Updates are only remembered; [`LiveTable::duty`], which is told the time, draws when it is due.
//! Session volume and trades come from the `session` window, or from the widest one where the spec
//! has no session. A window that has run empty brings no row, so its vwap is shown until the feed's
//! time has passed everything the newest row can have held.

mod figures;
mod lines;
mod table;

pub use table::LiveTable;
