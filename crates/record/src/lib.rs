//! Record batches, format v2 (`org.apache.kafka.common.record.DefaultRecordBatch`).

// Input must not bring the node down (security.md 8).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing))]

mod builder;
mod check;
mod codec;
mod error;
mod header;
mod patch;
mod repack;
mod reuse;
mod rewrite;
mod scan;
mod search;
mod snappy;
mod varint;
mod walk;
mod writer;

pub use builder::{BatchBuilder, BatchOptions, ControlType};
pub use check::{Rules, TimestampRule, check_crc, check_produced};
pub use codec::{Caps, Codec, compress, decompress};
pub use error::{BAD_RECORDS_MAX, BadRecord, BatchError, Why};
pub use header::{BatchHeader, HEADER_BYTES, TimestampType, batches};
pub use patch::{PREFIX_BYTES, prefix, with_log_append_time, with_max_timestamp};
pub use repack::{Packing, repack};
pub use reuse::{ReusedPacker, ReusedUnpacker};
pub use rewrite::{Place, Sketch, emptied, places, sketches, with_records};
pub use search::{first_at_or_after, of_max_timestamp};
pub use walk::{Headers, Record, Records, check_lengths, walk};
pub use writer::{BatchWriter, HeaderRef, with_producer};

/// CRC-32C, as batches and our own log use it.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// CRC-32C over several pieces.
#[derive(Debug)]
pub struct Crc32c(crc_fast::Digest);

impl Default for Crc32c {
    fn default() -> Crc32c {
        Crc32c(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
    }
}

impl Crc32c {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(&self) -> u32 {
        self.0.finalize() as u32
    }
}
