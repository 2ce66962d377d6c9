//! `ottla bench ...`: what a cluster does for a client, measured from outside.
//!
//! `figures` makes numbers of what was measured; the others measure. Times of a run with `--rate` count from when a
//! record was due, not from when the client came round to it, so that a stall shows in all records that it delayed.

mod consume;
mod e2e;
mod figures;
mod load;
mod produce;

pub use consume::COMMAND as CONSUME;
pub use e2e::COMMAND as E2E;
pub use produce::COMMAND as PRODUCE;
