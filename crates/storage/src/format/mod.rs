//! The bytes on disk. Pure: encodes and decodes, and never touches a file. Little-endian; CRC is CRC-32C.

pub mod checkpoint;
mod chunk_header;
pub mod codec;
pub mod footer;
mod group;
mod replace;

pub use chunk_header::{CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind};
pub use group::{
    BATCH_COVER_BYTES, ENTRIES_MAX, ENTRY_BYTES, Entry, EntryType, GROUP_ALIGN, GROUP_BYTES_MAX,
    GROUP_HEADER_BYTES, GroupHeader, group_crc, payload_crc_of_batches,
};
pub use replace::{Compaction, Replacement};

/// The newest format that is written, and the oldest reader that understands it.
pub const FORMAT_VERSION: u16 = 1;
pub const MIN_READER_VERSION: u16 = 1;

/// Fixed-size fields out of a checked slice; zeros where the slice ends.
pub(crate) fn le<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk::<N>())
        .copied()
        .unwrap_or([0; N])
}

pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}
