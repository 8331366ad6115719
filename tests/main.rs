//! One binary for every test that crosses a module boundary.

/// Steady state allocates nothing: the stages under a counting allocator.
mod allocation;
/// The rules of the house: imports, homes of dependencies, pure stages, lengths.
mod architecture;
/// The book against a naive one, and against LOBSTER's own tops of book.
mod book;
/// The command line: every subcommand, exit codes, one clear line for every fault.
mod cli;
/// What several tests need.
mod common;
/// Streaming, batch and every backend give the same rows, bit for bit, on random and adversarial days.
mod differential;
/// Sources: files cut, packed and damaged in every way, captures, real sockets, a bad network.
mod feed;
/// A FIX counterparty over loopback TCP, which frames and sums its messages itself; and a real capture.
mod fix;
/// Rows against answers that the crate had no part in: the Python oracle's and the real captures'.
mod golden;
/// The GPU against the same suite in every tier, with faults planted in shaders, plans and devices.
#[cfg(feature = "gpu")]
mod gpu;
/// Bytes that nobody promised: no panic, no broken line, no wrong acceptance.
mod hostile;
/// Known-bad kernels that the differential suite must catch.
mod mutants;
/// A run holds one session: another one behind it ends the run, and never adds to its rows.
mod one_session;
/// A day leaves through real sockets and arrives whole; what is lost on purpose is asked for again.
mod sender;
/// Lossy lines become one ordered stream: each message once or declared lost, against a naive model.
mod session;
/// Every shader in every tier is valid; its structs, constants and bindings are those of the host.
#[cfg(feature = "gpu")]
mod shaders;
/// The whole engine inline under a seed: any order of turns and any weather, the same rows.
mod simulation;
/// Publishers hear when the feed becomes stale, and when it is live again.
mod staleness;
/// A stall of half a second shows in the percentiles; a measure of service alone would not show it.
mod stall;
/// The synthetic day: the same for the same seed, well-formed, consistent, and the bundled sample.
mod synthetic;
/// Messages written and read back, and real captures read and written back.
mod wire;
