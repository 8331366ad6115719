//! One answer, whoever computes it: kernels against folding, paths and backends against a model.
//!
//! `model` recomputes both sets of executions at every end of a small day, straight from the
//! description of the rows, and remembers what has been written so that breaks correct it. `days`
//! draws days as wire messages; `rows` sends them through the whole engine in every way. `long` does
//! without the model where a day must be long. `reductions` holds what is told of ends against folding.
//! `straight` has what only windows show that are used without an engine. `survey` sends days through an engine with wide windows apart.

pub(crate) mod day_jobs;
mod days;
pub(crate) mod kernels;
mod long;
mod model;
mod reductions;
mod rows;
mod straight;
#[cfg(feature = "gpu")]
mod survey;
