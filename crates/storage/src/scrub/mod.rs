//! The scrubber: every sealed chunk is read again within a week, from the disk itself, so that rot is found while another
//! copy may still be had. Damage is named, and stays with the partition that it is of: what else lies in the chunk is
//! read as before.

mod pass;
mod spares;
mod thread;

use types::{Offset, TopicIdPartition};

pub use spares::zero_spares;
pub(crate) use thread::Scrubber;

/// Records that cannot be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub log: TopicIdPartition,
    pub topic: String,
    /// The first and the last offset that it may concern.
    pub offsets: (Offset, Offset),
    pub chunk: u64,
    /// In the chunk, in bytes.
    pub position: u64,
    pub what: String,
}

/// What a pass found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    pub chunks: usize,
    /// Bytes of living batches that were read.
    pub bytes: u64,
    pub damage: Vec<Damage>,
    /// Chunks whose own index does not hold. It is rebuilt when it is needed.
    pub footers: Vec<u64>,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = self.offsets;
        write!(
            f,
            "{}-{}: offsets {first} to {last} in chunk {:016x} at byte {}: {}",
            self.topic, self.log.partition, self.chunk, self.position, self.what
        )
    }
}
