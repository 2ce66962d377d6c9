//! Logs on disk: one stream of groups in preallocated chunks for all partitions of a log directory.
//!
//! `docs/design/log-format.md` has the bytes and the invariants. Owns files, threads and the order of writes; knows
//! nothing of leaders, watermarks or requests.

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

mod chunk;
mod clean;
mod compact;
mod directory;
pub mod dump;
mod error;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod format;
mod log;
mod options;
mod recovery;
mod scrub;
mod seeded;
mod sorted;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod state;
mod stream;

pub use clean::Space;
pub use compact::{Cleanable, Compacted, CompactionSettings};
pub use directory::LogDirectory;
pub use error::{AppendError, Error, ReadError};
pub use log::{Append, Appended, ColdRead, Log, Read, ReadOutcome, Segment, SegmentLimits, Slices};
pub use options::{FlushPolicy, Identity, Options};
pub use recovery::RecoveryReport;
pub use scrub::{Damage, ScrubReport, zero_spares};
pub use seeded::SeededBug;

use std::sync::Arc;
use types::Offset;

/// A log whose ends moved.
#[derive(Debug, Clone)]
pub struct Moved {
    pub log: Arc<Log>,
    /// Everything below is in the log.
    pub written: Offset,
    /// Everything below is on stable storage.
    pub synced: Offset,
}

/// Hears of progress. Called without any lock held, once per write or sync.
pub trait Observer: Send + Sync {
    fn advanced(&self, moved: &[Moved]);

    /// The directory is fenced: nothing more is written to it in this process.
    fn fenced(&self, logs: &[Arc<Log>], error: &Error);
}
