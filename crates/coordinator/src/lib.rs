//! Coordinators as pure deciders (`architecture.md` 4): groups and their committed offsets.
//!
//! Owns no disk, no socket and no clock. A host appends the records of a decision, applies them and lets the answers
//! go when the records are committed.

pub mod group;
mod hash;

pub use hash::{java_hash, partition_for};
