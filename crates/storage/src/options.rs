//! How a log directory is run.

use std::time::Duration;

use types::BrokerId;

use crate::SeededBug;

/// When written bytes go to stable storage (`reliability.md` 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushPolicy {
    /// At once when somebody waits, else within 5 ms.
    Ack,
    /// Each interval.
    Interval(Duration),
    /// When the kernel likes, and when a chunk is sealed.
    Never,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub flush: FlushPolicy,
    pub chunk_bytes_min: u64,
    pub chunk_bytes_max: u64,
    /// Bytes of a stream's newest batches that are kept in memory.
    pub tail_cache_bytes: usize,
    /// Where batches lie in sealed chunks: so much of it is kept in memory.
    pub fine_index_bytes: usize,
    /// Bytes of a stream between two checkpoints, at least.
    pub checkpoint_every_bytes: u64,
    /// Bytes that a fetch by time may decompress a batch to.
    pub batch_bytes_max: usize,
    /// Without threads the caller drives syncs: for simulation.
    pub threads: bool,
    /// Only listened to where debug assertions are on.
    pub seeded_bug: Option<SeededBug>,
}

impl Options {
    pub(crate) fn has_bug(&self, bug: SeededBug) -> bool {
        cfg!(debug_assertions) && self.seeded_bug == Some(bug)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            flush: FlushPolicy::Ack,
            chunk_bytes_min: 4 << 20,
            chunk_bytes_max: 256 << 20,
            tail_cache_bytes: 16 << 20,
            fine_index_bytes: 16 << 20,
            checkpoint_every_bytes: 64 << 20,
            batch_bytes_max: 128 << 20,
            threads: true,
            seeded_bug: None,
        }
    }
}

/// Whose directory it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// A new directory gets it; an old one must have it.
    pub cluster_id: Option<String>,
    pub node_id: BrokerId,
}
