//! What is needed to price an execution: resting orders by reference, and price ladders by symbol.
//!
//! ITCH tells an execution by the reference of the resting order, so its price must be remembered.
//! [`Book`] keeps every live order and the shares at every price, and says after each change whether
//! a best price or its size is different. It never guesses: an unknown reference is an error, and
//! what a feed should not say is done as far as it makes sense and reported as an [`Oddity`].

mod ladder;
mod orders;
mod slot;
mod store;
mod table;

pub use orders::{Book, BookError, Change, Oddity};
pub use slot::Step;
pub use store::{Slots, StoreCounts};
